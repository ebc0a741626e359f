/** What a lock's and an election's calls have in common: who asks for a place and how, waiting for a turn, and the answers. */
import { createHash } from "node:crypto";
import { type Acting, type IdempotencyKey, limits, type Path, type SessionId, type Zxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import { recipeLimits } from "../recipes/limits.ts";
import type { Contest, Layout, Place, RecipeAnswer, RecipeRead, Waiting } from "../recipes/recipes.ts";
import { actingOf, type Call, checkedKey, freshnessOf, plainHeader } from "./call.ts";
import { durationOf } from "./encode.ts";
import { bad, faultOfFailure, faultOfUnavailable, GrpcFault } from "./faults.ts";
import { aclOf, enumOf, millisOf, queueOf, zxidOf } from "./values.ts";

/** What both requests for a place have. */
export type ContestRequest = Pick<
  v1.AcquireRequest & v1.CampaignRequest,
  "path" | "layout" | "wait" | "sessionId" | "sessionTimeout" | "token" | "idempotencyKey" | "acl"
>;

const layouts: { readonly [name in v1.Layout]: Layout | undefined } = {
  LAYOUT_UNSPECIFIED: undefined,
  LAYOUT_CURATOR: "curator",
  LAYOUT_KAZOO: "kazoo",
};

export const layoutNames: { readonly [layout in Layout]: v1.Layout } = {
  curator: "LAYOUT_CURATOR",
  kazoo: "LAYOUT_KAZOO",
};

export function layoutOf(layout: v1.Layout | undefined): Layout | undefined {
  return enumOf(layout, layouts, undefined, "layout");
}

/** `asked`: what else tells this request from another under the same key. */
export function contestOf(call: Call, request: ContestRequest, data: Uint8Array, asked: readonly unknown[]): Contest {
  const { wait, sessionTimeout, acl: entries, layout } = request;
  const token = tokenOf(request.token);
  const path = queueOf(request.path, "path");
  const acting = actingOf(call, request.sessionId, "session_id");
  if (acting !== undefined && sessionTimeout !== undefined) {
    throw bad("session_timeout", "it is of a session that is opened, and session_id names one that is");
  }
  if (acting === undefined && token !== undefined) throw bad("token", "it is a session's; name that in session_id");
  if (acting === undefined && request.idempotencyKey) {
    const why = "the secret of one that is opened would be lost with its answer";
    throw bad("idempotency_key", `it needs a session, named in session_id: ${why}`);
  }
  const acl = entries === undefined ? undefined : aclOf(entries, "acl");
  const { sessionTimeoutMinMillis: least, sessionTimeoutMaxMillis: most, sessionTimeoutDefaultMillis } = limits;
  const waitMillis = wait === undefined ? 0 : millisOf(wait, "wait", 0, limits.watchWaitMaxMillis);
  const same = [path, layout, Buffer.from(data).toString("base64"), acl, ...asked];
  const key = contestKey(call, request.idempotencyKey, acting?.session, same);
  return {
    identity: call.identity,
    path,
    data,
    address: call.address,
    sessionTimeoutMillis:
      sessionTimeout === undefined
        ? sessionTimeoutDefaultMillis
        : millisOf(sessionTimeout, "session_timeout", least, most),
    waitMillis: Math.min(waitMillis, call.budgetMillis),
    ...(acting === undefined ? undefined : { acting }),
    ...(acl === undefined ? undefined : { acl }),
    ...(token === undefined ? undefined : { token }),
    ...(key === undefined ? undefined : { key }),
  };
}

/** The place that is meant. */
function tokenOf(value = 0): Zxid | undefined {
  return value === 0 ? undefined : zxidOf(value, "token");
}

/** The same through all calls for one place, so what may differ in them is no part of it. */
export function contestKey(
  call: Call,
  text: string | undefined,
  session: SessionId | undefined,
  same: readonly unknown[],
): IdempotencyKey | undefined {
  const key = checkedKey(text, "idempotency_key");
  if (key === undefined) return undefined;
  const hash = createHash("sha256").update(`gRPC ${call.method} ${session ?? 0}\n`);
  return { key, requestHash: hash.update(JSON.stringify(same)).digest().subarray(0, 16) };
}

export function givenBytes(value: Uint8Array | undefined, field: string): Uint8Array {
  const { valueBytes } = recipeLimits;
  if (value === undefined) return new Uint8Array(0);
  if (value.length <= valueBytes) return value;
  throw new GrpcFault("tooLarge", `${field}: it is over ${valueBytes} bytes, which is the most`, { field });
}

/** The session whose place it is. */
export function ownerOf(call: Call, id: number | undefined): Acting {
  const acting = actingOf(call, id, "session_id");
  if (acting === undefined) throw bad("session_id", "it is missing; give that of the session whose place it is");
  return acting;
}

export function recipeReadOf(call: Call, path: Path, options: v1.ReadOptions | undefined): RecipeRead {
  const acting = actingOf(call, options?.sessionId, "options.session_id");
  const read = { identity: call.identity, path, ...freshnessOf(options, "options") };
  return acting === undefined ? read : { ...read, acting };
}

/**
 * Waits for a turn, but no longer than the client and this process do. Who waits is no call under way: like a watch he costs a
 * place and no work.
 */
export async function turnOf(call: Call, begin: () => Waiting<Place>): Promise<RecipeAnswer<Place>> {
  const { door } = call;
  if (door.watches >= door.limits.watches) {
    throw new GrpcFault("throttled", `${door.watches} wait or watch at this gateway, which is the most; use another`);
  }
  const waiting = begin();
  const waiter = { stop: () => waiting.finish() };
  const { budgetMillis } = call;
  const timer = budgetMillis < Infinity ? door.options.world.after(budgetMillis, waiter.stop) : undefined;
  door.inFlight--;
  door.watches++;
  door.streams.add(waiter);
  let answered = false;
  call.onGone(() => !answered && waiting.abandon());
  try {
    return await waiting.answer;
  } finally {
    answered = true;
    timer?.cancel();
    door.streams.delete(waiter);
    door.watches--;
    door.inFlight++;
  }
}

/** What was done; a failure is thrown. */
export function doneOf<T>(answer: RecipeAnswer<T>): Extract<RecipeAnswer<T>, { kind: "done" }> {
  if (answer.kind === "unavailable") throw faultOfUnavailable(answer);
  if (answer.kind === "failed") throw faultOfFailure(answer.failure, answer.servedBy);
  return answer;
}

/** Fields of a place that both replies have. */
export function placeOf(place: Place): Omit<v1.CampaignResponse, "header" | "path" | "leads"> {
  const { token, znode, layout, ahead, session, secret, sessionTimeoutMillis, held } = place;
  return {
    token: held ? token : undefined,
    layout: layoutNames[layout],
    znode,
    ahead: ahead || undefined,
    sessionId: session,
    secret: secret === undefined ? undefined : Buffer.from(secret).toString("hex"),
    sessionTimeout: durationOf(sessionTimeoutMillis),
  };
}

/** Of a lock or an election: the session's place goes. */
export async function givenUp(
  call: Call,
  request: v1.ReleaseRequest | v1.ResignRequest,
  how: "release" | "resign",
): Promise<v1.ReleaseResponse & v1.ResignResponse> {
  const path = queueOf(request.path, "path");
  const acting = ownerOf(call, request.sessionId);
  const token = tokenOf(request.token);
  const { recipes } = call.door.options;
  const place = { identity: call.identity, path, acting };
  const asked = token === undefined ? place : { ...place, token };
  const { value, zxid, servedBy } = doneOf(await recipes[how](asked, call.deadlineMillis));
  return { header: plainHeader(zxid, servedBy), path, znode: value.znode };
}
