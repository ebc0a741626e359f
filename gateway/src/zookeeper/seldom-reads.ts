/** Reads that show more than a znode: what the session owns, and how many there are below one. */
import {
  type Identity,
  isBadPath,
  limits,
  type Path,
  parsePath,
  type ReadOperation,
  type Success,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { Answer } from "../backend.ts";
import type { ConnectionContext, Slot } from "./context.ts";
import { codes } from "./messages.ts";
import { codeOf, faultOf, whyOf } from "./results.ts";

/** Of each of the calls that they are made of. */
const callMillis = limits.requestTimeoutDefaultMillis;

/** What is counted is told as a number alone; whether the path may be read was asked before. */
const everything: Identity = { ids: [], superUser: true };

/** getEphemerals: those of the connection's own session whose path begins with `prefix`, which need be no path. */
export function listEphemerals(context: ConnectionContext, prefix: string, slot: Slot): void {
  if (context.readOnly) return context.replies.fill(slot, zeroZxid, codes.ok, { kind: "paths", paths: [] });
  const { session } = context.acting;
  const wanted = prefix.trim();
  ask(context, slot, { kind: "getSession", session }, zeroZxid, ({ result, zxid }) => {
    if (result.kind !== "sessionInfo") throw new Error(`a session was answered ${result.kind}`);
    const all = wanted === "" || wanted === "/";
    const paths = all ? result.ephemerals : result.ephemerals.filter((path) => path.startsWith(prefix));
    context.replies.fill(slot, zxid, codes.ok, { kind: "paths", paths });
  });
}

/**
 * getAllChildrenNumber. Three calls, and nothing of the connection is begun meanwhile: the path is looked at on the lane,
 * behind what was written on it; then all below is listed, at one zxid that is not older, and counted; then the lane is
 * asked for its place, not older than the listing, so that the events of what was counted come before the reply.
 */
export function countBelow(context: ConnectionContext, text: string, slot: Slot): void {
  const path = parsePath(text);
  if (isBadPath(path)) return context.replies.fill(slot, zeroZxid, codes.noNode);
  slot.holds = true;
  const reply = (number: number, zxid: Zxid): void =>
    context.replies.fill(slot, zxid, codes.ok, { kind: "number", number });
  ask(context, slot, { kind: "exists", path }, context.minZxid, ({ result, zxid }) => {
    if (result.kind !== "stat") throw new Error(`a read was answered ${result.kind}`);
    if (result.stat.numChildren === 0) return reply(0, zxid);
    const counted = (found: Counted | Answer): void => {
      if ("kind" in found) fail(context, slot, found);
      else ask(context, slot, { kind: "sync" }, found.at, (last) => reply(found.number, last.zxid));
    };
    count(context, path, zxid).then(counted, (error: unknown) =>
      context.close(`its znodes were not counted: ${error}`),
    );
  });
}

interface Counted {
  readonly number: number;
  readonly at: Zxid;
}

/** Below the path, which the listing names first; or why they could not be counted. */
async function count({ backend, isOver }: ConnectionContext, path: Path, minZxid: Zxid): Promise<Counted | Answer> {
  const how = { consistency: "session", minZxid, maxStaleMillis: 0 } as const;
  const pages = backend.listTree({ ...how, identity: everything, path, withData: false });
  for (let number = -1; ; ) {
    const answer = await pages.next(callMillis);
    if (answer.kind !== "outcome" || !answer.outcome.ok) return answer;
    const { result } = answer.outcome;
    if (result.kind !== "treePage") throw new Error(`a listing was answered ${result.kind}`);
    number += result.entries.length;
    if (!result.more) return { number, at: result.at };
    if (isOver()) {
      pages.close();
      return { number, at: result.at };
    }
  }
}

/** `done` hears of a success; else the slot is filled, or the connection closed. */
function ask(
  { lane, acting, identity, close, replies }: ConnectionContext,
  slot: Slot,
  operation: ReadOperation,
  minZxid: Zxid,
  done: (outcome: Success) => void,
): void {
  const how = { consistency: "session", minZxid, maxStaleMillis: 0 } as const;
  lane.read({ ...how, identity: identity(), acting, operation }, callMillis, (answer) => {
    try {
      if (answer.kind === "outcome" && answer.outcome.ok) done(answer.outcome);
      else fail({ close, replies }, slot, answer);
    } catch (error) {
      close(faultOf(error));
    }
  });
}

function fail({ close, replies }: Pick<ConnectionContext, "close" | "replies">, slot: Slot, answer: Answer): void {
  const failed = answer.kind === "outcome" ? answer.outcome : ({ ...answer, ok: false, zxid: zeroZxid } as const);
  if (failed.ok) throw new Error("a success is no failure");
  const code = codeOf(failed.code);
  if (code === undefined) close(whyOf(failed));
  else replies.fill(slot, failed.zxid, code);
}
