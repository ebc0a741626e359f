/** Outcomes of the replicated state as ZooKeeper's records and codes. */
import { type ErrorCode, errors, type Failure, type Result } from "@quorate/api";
import { codes } from "./messages.ts";
import type { ReplyBody } from "./reply.ts";

/** What of a result is answered to an operation; undefined: nothing but the header. */
export type Conversion = (result: Result) => ReplyBody | undefined;

function unexpected(result: Result): Error {
  return new Error(`an operation was answered ${result.kind}`);
}

export function toNothing(): undefined {
  return undefined;
}

export function toPath(result: Result): ReplyBody {
  if (result.kind !== "node") throw unexpected(result);
  return { kind: "path", path: result.path };
}

export function toPathAndStat(result: Result): ReplyBody {
  if (result.kind !== "node") throw unexpected(result);
  return { kind: "pathStat", path: result.path, stat: result.stat };
}

export function toStat(result: Result): ReplyBody {
  if (result.kind !== "node" && result.kind !== "stat" && result.kind !== "acl") throw unexpected(result);
  return { kind: "stat", stat: result.stat };
}

export function toData(result: Result): ReplyBody {
  if (result.kind !== "data") throw unexpected(result);
  return { kind: "data", data: result.nullData === true ? undefined : result.data, stat: result.stat };
}

export function toChildren(result: Result): ReplyBody {
  const children = namesOf(result);
  return children === undefined ? { kind: "tooLarge" } : { kind: "children", children };
}

export function toChildrenAndStat(result: Result): ReplyBody {
  if (result.kind !== "children") throw unexpected(result);
  const children = namesOf(result);
  return children === undefined ? { kind: "tooLarge" } : { kind: "children", children, stat: result.stat };
}

/** Undefined: not all of them are here, since all would not fit a reply that clients read. A part is never shown as the whole. */
export function namesOf(result: Result): readonly string[] | undefined {
  if (result.kind !== "children") throw unexpected(result);
  return result.more ? undefined : result.children.map(({ name }) => name);
}

export function toAcl(result: Result): ReplyBody {
  if (result.kind !== "acl") throw unexpected(result);
  return { kind: "acl", acl: result.acl, stat: result.stat };
}

/**
 * Nothing certain can be said to the client over this connection: it is closed, which its client calls ConnectionLoss, or learns
 * by connecting anew.
 */
const closing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "connectionLoss",
  "timeout",
  "noLeader",
  "behind",
  "sessionExpired",
  "sessionMoved",
  "pageTooOld",
]);

/** Undefined: the connection is closed. */
export function codeOf(code: ErrorCode): number | undefined {
  if (closing.has(code)) return undefined;
  return errors[code].zookeeper ?? codes.systemError;
}

export function whyOf({ code, detail }: Pick<Failure, "code" | "detail">): string {
  return `${code}: ${detail}`;
}

/** Of what was thrown, for the log. */
export function faultOf(error: unknown): string {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `a fault of this gateway: ${what}`;
}
