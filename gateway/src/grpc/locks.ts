/** `Locks`: the door's side of the lock recipes. */
import { limits } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import { recipeLimits } from "../recipes/limits.ts";
import type { Contender, LockContest, LockKind, LockMode, LockShape } from "../recipes/recipes.ts";
import { type Call, consistencyNames, plainHeader } from "./call.ts";
import {
  contestOf,
  doneOf,
  givenBytes,
  givenUp,
  layoutNames,
  layoutOf,
  placeOf,
  recipeReadOf,
  turnOf,
} from "./contest.ts";
import { timestampOf } from "./encode.ts";
import { bad } from "./faults.ts";
import { enumOf, queueOf } from "./values.ts";

const modes: { readonly [name in v1.LockMode]: LockMode | undefined } = {
  LOCK_MODE_UNSPECIFIED: undefined,
  LOCK_MODE_EXCLUSIVE: "exclusive",
  LOCK_MODE_READ: "read",
  LOCK_MODE_WRITE: "write",
  LOCK_MODE_PERMIT: "permit",
};

const modeNames: { readonly [mode in LockMode]: v1.LockMode } = {
  exclusive: "LOCK_MODE_EXCLUSIVE",
  read: "LOCK_MODE_READ",
  write: "LOCK_MODE_WRITE",
  permit: "LOCK_MODE_PERMIT",
};

const kindNames: { readonly [kind in LockKind]: v1.LockKind } = {
  mutex: "LOCK_KIND_MUTEX",
  readWrite: "LOCK_KIND_READ_WRITE",
  semaphore: "LOCK_KIND_SEMAPHORE",
};

function shapeOf({ mode: name, permits = 0, layout: asked }: v1.AcquireRequest): LockShape {
  const mode = enumOf(name, modes, undefined, "mode") ?? (permits === 0 ? "exclusive" : "permit");
  if (permits !== 0 && mode !== "permit") throw bad("permits", "they go with LOCK_MODE_PERMIT alone");
  if (permits < 0 || permits > recipeLimits.permits) {
    throw bad("permits", `${permits} is outside 1 to ${recipeLimits.permits}`);
  }
  const layout = layoutOf(asked);
  return {
    mode,
    ...(permits === 0 ? undefined : { permits }),
    ...(layout === undefined ? undefined : { layout }),
  };
}

export async function acquire(call: Call, request: v1.AcquireRequest): Promise<v1.AcquireResponse> {
  const shape = shapeOf(request);
  const data = givenBytes(Buffer.from(request.contender ?? ""), "contender");
  const contest: LockContest = { ...contestOf(call, request, data, [shape.mode, shape.permits]), shape };
  const { recipes } = call.door.options;
  const answer = doneOf(await turnOf(call, () => recipes.acquire(contest, call.deadlineMillis)));
  const { held, mode, permits } = answer.value;
  return {
    header: plainHeader(answer.zxid, answer.servedBy),
    path: contest.path,
    held,
    mode: modeNames[mode],
    permits,
    ...placeOf(answer.value),
  };
}

export function release(call: Call, request: v1.ReleaseRequest): Promise<v1.ReleaseResponse> {
  return givenUp(call, request, "release");
}

export async function getLock(call: Call, request: v1.GetLockRequest): Promise<v1.GetLockResponse> {
  const path = queueOf(request.path, "path");
  const { maxWaiters = 0, options } = request;
  if (maxWaiters < 0 || maxWaiters > recipeLimits.shownWaiters) {
    throw bad("max_waiters", `${maxWaiters} is outside 1 to ${recipeLimits.shownWaiters}`);
  }
  const most = maxWaiters === 0 ? recipeLimits.defaultShownWaiters : maxWaiters;
  const read = recipeReadOf(call, path, options);
  const answer = doneOf(await call.door.options.recipes.lock(read, most, call.deadlineMillis));
  const { layout, kind, permits, holders, waiters, waiting } = answer.value;
  return {
    header: { ...plainHeader(answer.zxid, answer.servedBy), consistency: consistencyNames[read.consistency] },
    path,
    layout: layoutNames[layout],
    kind: kindNames[kind],
    permits,
    holders: holders.map((each) => contenderOf(each, true)),
    waiters: fitting(waiters.map((each) => contenderOf(each, false))),
    waiting,
  };
}

function contenderOf({ token, data, mode, session, since, znode }: Contender, holds: boolean): v1.Contender {
  return {
    token: holds ? token : undefined,
    contender: Buffer.from(data).toString("utf8"),
    mode: modeNames[mode],
    sessionId: session,
    since: timestampOf(since),
    znode,
  };
}

/** The first ones, as many as a reply may have beside its holders. */
function fitting(waiters: readonly v1.Contender[]): readonly v1.Contender[] {
  let bytes = 0;
  const end = waiters.findIndex(({ contender = "", znode = "" }) => {
    bytes += 64 + 3 * (contender.length + znode.length);
    return bytes > limits.answerBytes / 2;
  });
  return end < 0 ? waiters : waiters.slice(0, end);
}
