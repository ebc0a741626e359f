/** `Elections`: the door's side of the election recipes. Its stream is in `observe-stream.ts`. */
import type { v1 } from "@quorate/proto";
import type { ElectionContest, ElectionState } from "../recipes/recipes.ts";
import { type Call, consistencyNames, plainHeader } from "./call.ts";
import {
  contestKey,
  contestOf,
  doneOf,
  givenBytes,
  givenUp,
  layoutNames,
  layoutOf,
  ownerOf,
  placeOf,
  recipeReadOf,
  turnOf,
} from "./contest.ts";
import { timestampOf } from "./encode.ts";
import { queueOf } from "./values.ts";

export async function campaign(call: Call, request: v1.CampaignRequest): Promise<v1.CampaignResponse> {
  const layout = layoutOf(request.layout);
  const contest: ElectionContest = {
    ...contestOf(call, request, givenBytes(request.value, "value"), []),
    ...(layout === undefined ? undefined : { layout }),
  };
  const { recipes } = call.door.options;
  const answer = doneOf(await turnOf(call, () => recipes.campaign(contest, call.deadlineMillis)));
  const header = plainHeader(answer.zxid, answer.servedBy);
  return { header, path: contest.path, leads: answer.value.held, ...placeOf(answer.value) };
}

export async function proclaim(call: Call, request: v1.ProclaimRequest): Promise<v1.ProclaimResponse> {
  const path = queueOf(request.path, "path");
  const acting = ownerOf(call, request.sessionId);
  const data = givenBytes(request.value, "value");
  const same = [path, Buffer.from(data).toString("base64")];
  const key = contestKey(call, request.idempotencyKey, acting.session, same);
  const asked = { identity: call.identity, path, acting, data, ...(key === undefined ? undefined : { key }) };
  const { recipes } = call.door.options;
  const { value, zxid, servedBy } = doneOf(await recipes.proclaim(asked, call.deadlineMillis));
  return { header: plainHeader(zxid, servedBy), path, token: value.token, znode: value.znode };
}

export function resign(call: Call, request: v1.ResignRequest): Promise<v1.ResignResponse> {
  return givenUp(call, request, "resign");
}

export async function getLeader(call: Call, request: v1.GetLeaderRequest): Promise<v1.GetLeaderResponse> {
  const path = queueOf(request.path, "path");
  const read = recipeReadOf(call, path, request.options);
  const answer = doneOf(await call.door.options.recipes.leader(read, call.deadlineMillis));
  const header = { ...plainHeader(answer.zxid, answer.servedBy), consistency: consistencyNames[read.consistency] };
  return { header, path, ...stateOf(answer.value) };
}

export function stateOf({ layout, leader, candidates }: ElectionState): Omit<v1.ObserveResponse, "header"> {
  return { layout: layoutNames[layout], leader: leader && leaderOf(leader), candidates: candidates || undefined };
}

function leaderOf(leader: NonNullable<ElectionState["leader"]>): v1.Leader {
  const { data, token, mzxid, session, since, znode } = leader;
  return { value: data, token, mzxid, sessionId: session, since: timestampOf(since), znode };
}
