/** `/v1/elections/{path}`: stood for, proclaimed, looked at, resigned. */
import { recipeLimits } from "../recipes/limits.ts";
import type { ElectionState, Layout } from "../recipes/recipes.ts";
import { requireType } from "./accept.ts";
import { readBytes, refuseBody } from "./body.ts";
import { type Call, keyOf, timeoutOf } from "./call.ts";
import { stateJson, tagOf } from "./election-json.ts";
import { startElectionStream } from "./election-stream.ts";
import { startElectionWait } from "./election-wait.ts";
import { bad } from "./fault.ts";
import { awaitPlace, contestOf, giveUp, ownerOf, queueOf, recipeReadOf, sendPlace, settleRecipe } from "./places.ts";
import { type Served, send, sendJson } from "./reply.ts";
import { readTags } from "./values.ts";
import { readWait, type WatchType, watchTypes } from "./watch-query.ts";
import { clientHas, forcedEncoding } from "./znodes.ts";

export async function campaign(call: Call): Promise<void> {
  const path = queueOf(call);
  const data = await readBytes(call, recipeLimits.valueBytes);
  const layout = call.query.text("layout") as Layout | undefined;
  const base = contestOf(call, path, data);
  const contest = layout === undefined ? base : { ...base, layout };
  const deadlineMillis = timeoutOf(call);
  const { recipes } = call.door.options;
  awaitPlace(
    call,
    () => recipes.campaign(contest, deadlineMillis),
    (place, served) => sendPlace(call, path, { leader: place.held }, place, served),
  );
}

export async function proclaim(call: Call): Promise<void> {
  const path = queueOf(call);
  const acting = ownerOf(call);
  const deadlineMillis = timeoutOf(call);
  const data = await readBytes(call, recipeLimits.valueBytes);
  const key = keyOf(call, path, data);
  const base = { identity: call.identity, path, acting, data };
  const request = key === undefined ? base : { ...base, key };
  const settled = settleRecipe(call, await call.door.options.recipes.proclaim(request, deadlineMillis));
  if (settled !== undefined) sendPlace(call, path, { leader: settled.value.held }, settled.value, settled);
}

/** Once, once it is another, or as it changes. */
export async function getElection(call: Call): Promise<void> {
  refuseBody(call);
  const path = queueOf(call);
  // A stream has no head to look at.
  const types = call.request.method === "HEAD" ? (["application/json"] as const) : watchTypes;
  const type = requireType(call.head.accept, types) as WatchType;
  const forced = forcedEncoding(call);
  const read = recipeReadOf(call, path);
  const wait = call.query.text("wait");
  if (type !== "application/json") {
    if (wait !== undefined) throw bad(`wait: it goes with a poll; a stream (${type}) stays open by itself`);
    if (call.head.ifNoneMatch !== undefined)
      throw bad(`If-None-Match: a stream (${type}) begins with what is; leave it out`);
    startElectionStream(call, read, type, forced);
    return;
  }
  if (call.head.lastEventId !== undefined) throw bad("Last-Event-ID: it goes with a stream; leave it out");
  const { ifNoneMatch } = call.head;
  if (ifNoneMatch !== undefined) readTags(ifNoneMatch, "If-None-Match");
  const sayState = (state: ElectionState, served: Served): void => {
    const headers = ["ETag", `"${tagOf(state)}"`, "Vary", "Accept"];
    if (clientHas(ifNoneMatch, tagOf(state))) send(call, 304, served, "", headers, true);
    else sendJson(call, 200, served, stateJson(path, state, served.zxid, forced), headers, true);
  };
  if (wait !== undefined) {
    if (ifNoneMatch === undefined) {
      throw bad("wait: it goes with If-None-Match, the ETag that you have; the answer comes when the state is another");
    }
    const has = (state: ElectionState): boolean => clientHas(ifNoneMatch, tagOf(state));
    startElectionWait(call, read, readWait(wait), { has, say: sayState });
    return;
  }
  const settled = settleRecipe(call, await call.door.options.recipes.leader(read, timeoutOf(call)));
  if (settled !== undefined) sayState(settled.value, settled);
}

export function resign(call: Call): Promise<void> {
  return giveUp(call, "resign");
}
