/**
 * What is wrong with a call, raised while it is decoded or made from an answer, and caught once. Status, reason and
 * certainty come from the one table of `@quorate/api`.
 */
import { type Certainty, type ErrorCode, errors, type Failure, formatZxid, type Zxid } from "@quorate/api";
import { encodeRpcStatus, reasonOf, type v1 } from "@quorate/proto";
import type { Answer, WatchEnd } from "../backend.ts";

export interface FaultParts {
  readonly certainty?: Certainty;
  /** What of the request is at fault. */
  readonly field?: string;
  readonly zxid?: Zxid;
  /** 0: the gateway. */
  readonly servedBy?: number;
  readonly path?: string;
  readonly op?: Failure["op"];
  readonly retryAfterMillis?: number;
  readonly replayed?: boolean;
  /** Of a watch that ended. */
  readonly cursor?: string;
  /** Names a fault of our own in the log. */
  readonly reference?: string;
  /** Of a Session stream that ended. */
  readonly session?: string;
}

export class GrpcFault extends Error {
  override readonly name: string = "GrpcFault";
  readonly code: ErrorCode;
  readonly parts: FaultParts;

  constructor(code: ErrorCode, detail: string, parts: FaultParts = {}) {
    super(detail);
    this.code = code;
    this.parts = parts;
  }

  get certainty(): Certainty {
    return this.parts.certainty ?? errors[this.code].certainty;
  }

  /** The same with more said. */
  with(parts: FaultParts): GrpcFault {
    return new GrpcFault(this.code, this.message, { ...this.parts, ...parts });
  }
}

/** INVALID_ARGUMENT by the field's name: the usual fault. */
export function bad(field: string, fault: string): GrpcFault {
  return new GrpcFault("badArguments", `${field}: ${fault}`, { field });
}

/** What an outcome's failure is in a call. No unary call's session can move: it belongs to no connection. */
export function faultOfFailure(failure: Failure, servedBy: number): GrpcFault {
  const code = failure.code === "sessionMoved" ? "connectionLoss" : failure.code;
  const { zxid, path, op, replayed } = failure;
  return new GrpcFault(code, failure.detail, {
    zxid,
    servedBy,
    ...(path === undefined ? undefined : { path }),
    ...(op === undefined ? undefined : { op }),
    ...(replayed === undefined ? undefined : { replayed }),
  });
}

/** A request that got no outcome. The status alone must tell whether a try may have had an effect. */
export function faultOfUnavailable(answer: Extract<Answer, { kind: "unavailable" }>): GrpcFault {
  const { certainty, retryAfterMillis } = answer;
  const promises = errors[answer.code].certainty === "noEffect" && certainty === "unknown";
  const code = promises || answer.code === "sessionMoved" ? "connectionLoss" : answer.code;
  return new GrpcFault(code, answer.detail, { certainty, retryAfterMillis });
}

export function faultOfEnd(end: WatchEnd, parts: FaultParts = {}): GrpcFault {
  const { code, detail, ...known } = end;
  return new GrpcFault(code, detail, { ...known, ...parts });
}

/** UNAVAILABLE: nothing was done, and another gateway, or this one when it is back, will do it. */
export function stoppingFault(): GrpcFault {
  const detail = "this gateway stops; call again, another one";
  return new GrpcFault("noLeader", detail, { retryAfterMillis: 100 });
}

/** Only these always say when to come back. */
function retryAfterOf(fault: GrpcFault): number | undefined {
  const { http } = errors[fault.code];
  return http === 429 || http === 503 ? Math.max(1, fault.parts.retryAfterMillis ?? 1000) : undefined;
}

const branches = { check: "checks", then: "then", else: "otherwise" } as const;

function metadataOf(fault: GrpcFault): Record<string, string> {
  const { field, zxid, servedBy, path, op, replayed, cursor, reference, session } = fault.parts;
  const metadata: Record<string, string> = {
    certainty: fault.certainty,
    servedBy: servedBy === undefined || servedBy === 0 ? "gateway" : String(servedBy),
  };
  if (zxid !== undefined && zxid > 0) metadata["zxid"] = formatZxid(zxid);
  if (path !== undefined && path.length <= pathCharacters) metadata["path"] = path;
  if (field !== undefined) metadata["field"] = field;
  if (op !== undefined) {
    metadata["opIn"] = branches[op.in];
    metadata["opIndex"] = String(op.index);
  }
  if (replayed === true) metadata["replayed"] = "true";
  if (cursor !== undefined) metadata["cursor"] = cursor;
  if (reference !== undefined) metadata["reference"] = reference;
  if (session !== undefined) metadata["session"] = session;
  return metadata;
}

export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
  /** `grpc-status-details-bin`. */
  readonly details: Buffer;
}

/** Some clients (Java, C++) take trailers of 8 KiB together: a text or path of 4 KiB in them would lose the whole error. */
const messageCharacters = 400;
const pathCharacters = 1024;

/** Percent-encoded on its way, which a half surrogate would break. */
function messageOf(fault: GrpcFault): string {
  return fault.message.slice(0, messageCharacters).toWellFormed();
}

export function statusOf(fault: GrpcFault): GrpcStatus {
  const { grpc: code } = errors[fault.code];
  const message = messageOf(fault);
  const retryAfterMillis = retryAfterOf(fault);
  const details = encodeRpcStatus({
    code,
    message,
    reason: reasonOf(fault.code),
    metadata: metadataOf(fault),
    ...(retryAfterMillis === undefined ? undefined : { retryAfterMillis }),
  });
  return { code, message, details };
}

const failedIn = { check: "IN_CHECKS", then: "IN_THEN", else: "IN_OTHERWISE" } as const;

/** The same as a message, for a Session stream. */
export function failureOf(fault: GrpcFault): v1.Failure {
  const { zxid, path, op, replayed } = fault.parts;
  const retryAfterMillis = retryAfterOf(fault);
  return {
    status: errors[fault.code].grpc,
    reason: reasonOf(fault.code),
    detail: messageOf(fault),
    certainty: fault.certainty === "noEffect" ? "CERTAINTY_NO_EFFECT" : "CERTAINTY_UNKNOWN",
    zxid: zxid === 0 ? undefined : zxid,
    path,
    operation: op === undefined ? undefined : { in: failedIn[op.in], index: op.index },
    retryAfter:
      retryAfterMillis === undefined
        ? undefined
        : { seconds: Math.floor(retryAfterMillis / 1000), nanos: Math.round((retryAfterMillis % 1000) * 1e6) },
    replayed,
  };
}
