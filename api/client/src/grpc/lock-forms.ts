/** Locks and elections as their messages. */
import type { v1 } from "@quorate/proto";
import type { ContestAsk, GivingUp, Standing } from "../ask.ts";
import { defined } from "../defined.ts";
import type { Contender, ElectionState, Layout, LockMode, LockState } from "../locks.ts";
import type { Form } from "./forms.ts";
import { type Asking, aclOf, bytesIn, durationOf, readOptions, timeText, zxidOf, zxidText } from "./values.ts";

type LockKinds = "acquire" | "campaign" | "release" | "resign" | "proclaim" | "lock" | "leader";

export const lockForms: { readonly [K in LockKinds]: Form<K> } = {
  acquire: {
    method: "Acquire",
    request: (ask, asking) => {
      const { mode, permits, contender } = ask;
      return { ...contestRequest(ask, asking), mode: mode && modeNames[mode], permits, contender };
    },
    answer: (reply) => {
      const { held = false, mode, permits } = reply;
      return { ...standingOf(reply, held), ...defined({ mode: modes[mode ?? "LOCK_MODE_UNSPECIFIED"], permits }) };
    },
  },
  campaign: {
    method: "Campaign",
    request: (ask, asking) => ({ ...contestRequest(ask, asking), value: ask.value }),
    answer: (reply) => standingOf(reply, reply.leads ?? false),
  },
  release: { method: "Release", request: leaving, answer: () => undefined },
  resign: { method: "Resign", request: leaving, answer: () => undefined },
  proclaim: {
    method: "Proclaim",
    request: (ask, asking) => ({ ...ownRequest(ask, asking), value: ask.value, idempotencyKey: asking.key }),
    answer: () => undefined,
  },
  lock: {
    method: "GetLock",
    request: ({ path, waiters }, asking) => ({ path, maxWaiters: waiters, options: readOptions(asking) }),
    answer: (reply) => {
      const { header, layout, kind, permits, holders = [], waiters = [], waiting = 0 } = reply;
      const held = holders.map((each) => ({ token: zxidText(each.token), ...contenderOf(each) }));
      return defined({
        layout: layouts[layout ?? "LAYOUT_UNSPECIFIED"],
        kind: kinds[kind ?? "LOCK_KIND_UNSPECIFIED"],
        permits,
        holders: held,
        waiters: waiters.map(contenderOf),
        waiting,
        zxid: zxidText(header?.zxid),
      });
    },
  },
  leader: {
    method: "GetLeader",
    request: ({ path }, asking) => ({ path, options: readOptions(asking) }),
    answer: electionOf,
  },
};

const modeNames: { readonly [mode in LockMode]: v1.LockMode } = {
  exclusive: "LOCK_MODE_EXCLUSIVE",
  read: "LOCK_MODE_READ",
  write: "LOCK_MODE_WRITE",
  permit: "LOCK_MODE_PERMIT",
};

const modes: { readonly [name in v1.LockMode]: LockMode } = {
  LOCK_MODE_UNSPECIFIED: "exclusive",
  LOCK_MODE_EXCLUSIVE: "exclusive",
  LOCK_MODE_READ: "read",
  LOCK_MODE_WRITE: "write",
  LOCK_MODE_PERMIT: "permit",
};

const kinds: { readonly [name in v1.LockKind]: LockState["kind"] } = {
  LOCK_KIND_UNSPECIFIED: "mutex",
  LOCK_KIND_MUTEX: "mutex",
  LOCK_KIND_READ_WRITE: "readWrite",
  LOCK_KIND_SEMAPHORE: "semaphore",
};

const layoutNames: { readonly [layout in Layout]: v1.Layout } = {
  curator: "LAYOUT_CURATOR",
  kazoo: "LAYOUT_KAZOO",
};

const layouts: { readonly [name in v1.Layout]: Layout } = {
  LAYOUT_UNSPECIFIED: "curator",
  LAYOUT_CURATOR: "curator",
  LAYOUT_KAZOO: "kazoo",
};

function contestRequest({ path, layout, acl, waitMillis, token, key }: ContestAsk, { session }: Asking) {
  return {
    path,
    layout: layout && layoutNames[layout],
    acl: acl && aclOf(acl),
    wait: durationOf(Math.floor(waitMillis)),
    token: tokenIn(token),
    idempotencyKey: key,
    sessionId: session && zxidOf(session.id, "session"),
  };
}

function ownRequest({ path }: { readonly path: string }, { session }: Asking): v1.ReleaseRequest {
  return { path, sessionId: session && zxidOf(session.id, "session") };
}

function leaving(ask: GivingUp, asking: Asking): v1.ReleaseRequest {
  return { ...ownRequest(ask, asking), token: tokenIn(ask.token) };
}

function tokenIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : zxidOf(text, "token");
}

function standingOf({ token, znode = "", layout }: v1.CampaignResponse, held: boolean): Standing {
  const known = { held, znode, layout: layouts[layout ?? "LAYOUT_UNSPECIFIED"] };
  return token ? { ...known, token: zxidText(token) } : known;
}

function contenderOf({ contender = "", mode, sessionId, since, znode = "" }: v1.Contender): Contender {
  return {
    contender,
    mode: modes[mode ?? "LOCK_MODE_UNSPECIFIED"],
    session: zxidText(sessionId),
    since: timeText(since),
    znode,
  };
}

export function electionOf({ header, layout, leader, candidates = 0 }: v1.ObserveResponse): ElectionState {
  return {
    layout: layouts[layout ?? "LAYOUT_UNSPECIFIED"],
    leader: leader && {
      value: bytesIn(leader.value),
      token: zxidText(leader.token),
      session: zxidText(leader.sessionId),
      since: timeText(leader.since),
      znode: leader.znode ?? "",
    },
    candidates,
    zxid: zxidText(header?.zxid),
  };
}
