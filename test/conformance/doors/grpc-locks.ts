/** Locks and elections over gRPC, as any door has them. */
import assert from "node:assert/strict";
import type { v1 } from "@quorate/proto";
import type { Asking, Caller } from "../grpc-client.ts";
import { bytesOf, hex, shown } from "./door.ts";
import { millisOf } from "./grpc-values.ts";
import type { Contender, Fence, Layout, LockAsk, LockMode, LockShown, Place } from "./lock-asks.ts";

const modes = {
  exclusive: "LOCK_MODE_EXCLUSIVE",
  read: "LOCK_MODE_READ",
  write: "LOCK_MODE_WRITE",
  permit: "LOCK_MODE_PERMIT",
} as const;
const layouts = { curator: "LAYOUT_CURATOR", kazoo: "LAYOUT_KAZOO" } as const;
const kinds = {
  mutex: "LOCK_KIND_MUTEX",
  readWrite: "LOCK_KIND_READ_WRITE",
  semaphore: "LOCK_KIND_SEMAPHORE",
} as const;

/** By its value. */
function nameIn<Name extends string>(table: Readonly<Record<Name, string>>, value: string | undefined): Name {
  const found = (Object.keys(table) as Name[]).find((name) => table[name] === value);
  assert.ok(found, `${value} is none of ${Object.values(table).join(", ")}`);
  return found;
}

export function fenceMessages(fences: readonly Fence[]): v1.Fence[] {
  return fences.map(({ path, token }) => ({ path, token: Number(token) }));
}

interface Replied {
  readonly header?: v1.Header | undefined;
}

export async function askLock(
  caller: Caller,
  asked: LockAsk,
  sessionId: number | undefined,
  asking: Asking,
): Promise<{ readonly reply: Replied; readonly result: object }> {
  const { path } = asked;
  switch (asked.op) {
    case "acquire": {
      const { mode, permits, contender, layout, token } = asked;
      const shape = {
        mode: mode === undefined ? undefined : modes[mode],
        layout: layout === undefined ? undefined : layouts[layout],
      };
      const request = { path, ...shape, permits, contender, token: Number(token ?? 0), sessionId };
      const reply = await caller.call("Acquire", request, asking);
      return {
        reply,
        result: { place: { held: reply.held ?? false, mode: nameIn<LockMode>(modes, reply.mode), ...placeOf(reply) } },
      };
    }
    case "campaign": {
      const { layout, token, data } = asked;
      const shape = { layout: layout === undefined ? undefined : layouts[layout] };
      const request = { path, ...shape, value: bytesOf(data), token: Number(token ?? 0), sessionId };
      const reply = await caller.call("Campaign", request, asking);
      return { reply, result: { place: { held: reply.leads ?? false, ...placeOf(reply) } } };
    }
    case "proclaim": {
      const reply = await caller.call("Proclaim", { path, value: bytesOf(asked.data), sessionId }, asking);
      return { reply, result: { place: { path, held: true, token: hex(reply.token ?? 0), znode: reply.znode } } };
    }
    case "release":
    case "resign": {
      const method = asked.op === "release" ? "Release" : "Resign";
      const reply = await caller.call(method, { path, sessionId, token: Number(asked.token ?? 0) }, asking);
      return { reply, result: { znode: reply.znode } };
    }
    case "lock": {
      const reply = await caller.call("GetLock", { path }, asking);
      return { reply, result: { lock: lockOf(reply) } };
    }
    default: {
      const reply = await caller.call("GetLeader", { path }, asking);
      const { value = new Uint8Array(0), token = 0, sessionId: id = 0, znode = "" } = reply.leader ?? {};
      const leads =
        reply.leader === undefined ? {} : { leads: { data: shown(value), token: hex(token), id: hex(id), znode } };
      const base = {
        path: reply.path,
        layout: nameIn<Layout>(layouts, reply.layout),
        candidates: reply.candidates ?? 0,
      };
      return { reply, result: { election: { ...base, ...leads } } };
    }
  }
}

function placeOf(reply: v1.AcquireResponse & v1.CampaignResponse): Omit<Place, "held" | "mode"> {
  const { path = "", token = 0, layout, permits, znode = "", ahead = 0, sessionId = 0, secret } = reply;
  return {
    path,
    layout: nameIn<Layout>(layouts, layout),
    znode,
    ahead,
    id: hex(sessionId),
    timeoutMillis: millisOf(reply.sessionTimeout),
    ...(token === 0 ? {} : { token: hex(token) }),
    ...(permits === undefined || permits === 0 ? {} : { permits }),
    ...(secret === undefined || secret === "" ? {} : { secret }),
  };
}

function contenderOf({ token = 0, contender = "", mode, sessionId = 0, znode = "" }: v1.Contender): Contender {
  const base = { contender, mode: nameIn<LockMode>(modes, mode), id: hex(sessionId), znode };
  return token === 0 ? base : { ...base, token: hex(token) };
}

function lockOf({
  path = "",
  layout,
  kind,
  permits = 0,
  holders = [],
  waiters = [],
  waiting = 0,
}: v1.GetLockResponse): LockShown {
  return {
    path,
    layout: nameIn<Layout>(layouts, layout),
    kind: nameIn(kinds, kind),
    ...(permits === 0 ? {} : { permits }),
    holders: holders.map(contenderOf),
    waiters: waiters.map(contenderOf),
    waiting,
  };
}
