/** `/v1/locks/{path}`: taken, looked at, given back. */
import { formatZxid } from "@quorate/api";
import { recipeLimits } from "../recipes/limits.ts";
import type { Contender, Layout, LockMode, LockShape } from "../recipes/recipes.ts";
import { refuseBody } from "./body.ts";
import { type Call, timeoutOf } from "./call.ts";
import { bad } from "./fault.ts";
import {
  awaitPlace,
  contestOf,
  giveUp,
  nameOf,
  queueOf,
  recipeReadOf,
  sendPlace,
  settleRecipe,
  textOf,
} from "./places.ts";
import { sendJson } from "./reply.ts";
import { timeText } from "./stat-json.ts";
import { readInteger } from "./values.ts";

/** The specification's checks have seen the texts. */
function shapeOf({ query }: Call): LockShape {
  const permitsText = query.text("permits");
  const permits = permitsText === undefined ? undefined : readInteger(permitsText, "permits", 1, recipeLimits.permits);
  const mode = (query.text("mode") ?? (permits === undefined ? "exclusive" : "permit")) as LockMode;
  if (permits !== undefined && mode !== "permit")
    throw bad(`permits: they go with mode=permit alone, not with ${mode}`);
  const layout = query.text("layout") as Layout | undefined;
  return {
    mode,
    ...(permits === undefined ? undefined : { permits }),
    ...(layout === undefined ? undefined : { layout }),
  };
}

export function acquireLock(call: Call): void {
  refuseBody(call);
  const path = queueOf(call);
  const data = Buffer.from(call.query.text("contender") ?? "");
  const contest = { ...contestOf(call, path, data), shape: shapeOf(call) };
  const deadlineMillis = timeoutOf(call);
  const { recipes } = call.door.options;
  awaitPlace(
    call,
    () => recipes.acquire(contest, deadlineMillis),
    (place, served) => sendPlace(call, path, { held: place.held, mode: place.mode }, place, served),
  );
}

export async function getLock(call: Call): Promise<void> {
  refuseBody(call);
  const path = queueOf(call);
  const limitText = call.query.text("limit");
  const { shownWaiters, defaultShownWaiters } = recipeLimits;
  const limit = limitText === undefined ? defaultShownWaiters : readInteger(limitText, "limit", 0, shownWaiters);
  const answer = await call.door.options.recipes.lock(recipeReadOf(call, path), limit, timeoutOf(call));
  const settled = settleRecipe(call, answer);
  if (settled === undefined) return;
  const { layout, kind, permits, holders, waiters, waiting } = settled.value;
  const body = {
    name: nameOf(path),
    layout,
    kind,
    permits,
    holders: holders.map((each) => ({ token: formatZxid(each.token), ...contenderJson(each) })),
    waiters: waiters.map(contenderJson),
    waiting,
    zxid: formatZxid(settled.zxid),
  };
  sendJson(call, 200, settled, JSON.stringify(body), [], true);
}

function contenderJson({ data, mode, session, since, znode }: Contender): object {
  const { text, encoding } = textOf(data, undefined);
  return { contender: text, encoding, mode, session: formatZxid(session), since: timeText(since), znode };
}

export function releaseLock(call: Call): Promise<void> {
  return giveUp(call, "release");
}
