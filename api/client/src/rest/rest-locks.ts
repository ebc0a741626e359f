/** Locks and elections over REST. */
import type { components } from "@quorate/openapi";
import type { ContestAsk, Settings, Standing } from "../ask.ts";
import { textOf } from "../calls.ts";
import { defined } from "../defined.ts";
import { durationText } from "../duration.ts";
import type { Contender, ElectionState, Leader } from "../locks.ts";
import { isErrorCode, QuorateError } from "../quorate-error.ts";
import { brokenBy, exchange, type Gateway, unchanged } from "./exchange.ts";
import { aclText, dataOf } from "./json-data.ts";
import { linesOf } from "./lines.ts";
import type { Ways } from "./rest-transport.ts";

type Schemas = components["schemas"];

/** Less than what an observer may be silent for. */
const pollWait = "25s";
/** The least that a gateway gets for its leader, beside the waiting for one's turn. */
const leastMillis = 500;

export const lockWays: Pick<Ways, "acquire" | "campaign" | "release" | "resign" | "proclaim" | "lock" | "leader"> = {
  acquire: async (ask, send, settings) => {
    const { path, mode, permits, contender } = ask;
    const query = { ...contestQuery(ask), ...defined({ mode, permits, contender }) };
    const reply = await send("acquireLock", { path, query, header: contestHeader(ask, settings) });
    return standingOf(reply.json<Schemas["LockPlace"]>());
  },
  campaign: async (ask, send, settings) => {
    const { path, value } = ask;
    const asked = { path, query: contestQuery(ask), header: contestHeader(ask, settings), body: value };
    const { leader, ...rest } = (await send("campaign", asked)).json<Schemas["ElectionPlace"]>();
    return standingOf({ ...rest, held: leader });
  },
  release: async ({ path, token }, send) => void (await send("releaseLock", { path, query: defined({ token }) })),
  resign: async ({ path, token }, send) => void (await send("resign", { path, query: defined({ token }) })),
  proclaim: async ({ path, value }, send) => void (await send("proclaim", { path, body: value })),
  lock: async ({ path, waiters: limit }, send) => {
    const state = (await send("getLock", { path, query: defined({ limit }) })).json<Schemas["LockState"]>();
    const { layout, kind, permits, holders, waiters, waiting, zxid } = state;
    const held = holders.map(({ token, ...rest }) => ({ token, ...contenderOf(rest) }));
    return defined({ layout, kind, permits, holders: held, waiters: waiters.map(contenderOf), waiting, zxid });
  },
  leader: async ({ path }, send) => stateOf((await send("getElection", { path })).json()),
};

function contestQuery({ layout, acl, waitMillis, token }: ContestAsk) {
  return defined({ layout, wait: durationText(Math.floor(waitMillis)), token, acl: aclText(acl) });
}

/** What is left of the try for all but the waiting. */
function contestHeader({ waitMillis, key }: ContestAsk, { timeoutMillis }: Settings) {
  const timeout = durationText(Math.max(leastMillis, timeoutMillis - waitMillis));
  return defined({ "Quorate-Timeout": timeout, "Idempotency-Key": key });
}

interface PlaceJson {
  readonly held: boolean;
  readonly token?: string;
  readonly znode: string;
  readonly layout: Standing["layout"];
  readonly mode?: Schemas["LockPlace"]["mode"];
  readonly permits?: number;
}

function standingOf({ held, token, znode, layout, mode, permits }: PlaceJson): Standing {
  return defined({ held, token, znode, layout, mode, permits });
}

function contenderOf(json: Schemas["LockWaiter"]): Contender {
  const { contender, encoding, mode, session, since, znode } = json;
  return { contender: textOf(dataOf({ data: contender, encoding })), mode, session, since, znode };
}

function stateOf({ layout, leader, candidates, zxid }: Schemas["ElectionState"]): ElectionState {
  return { layout, leader: leader === null ? undefined : leaderOf(leader), candidates, zxid };
}

function leaderOf({ value, encoding, token, session, since, znode }: Schemas["Leader"]): Leader {
  const bytes = dataOf({ data: value, encoding }) ?? new Uint8Array(0);
  return { value: bytes, token, session, since, znode };
}

export async function* leaderStream(
  gateway: Gateway,
  path: string,
  settings: Settings,
): AsyncGenerator<ElectionState | undefined, undefined, undefined> {
  const header = { Accept: "application/x-ndjson" };
  const response = await exchange(gateway, "getElection", { path, header }, settings);
  yield undefined;
  for await (const line of linesOf(response, settings.signal)) {
    const json = JSON.parse(line) as Schemas["ElectionLine"];
    if (json.type === "leader") yield stateOf(json);
    else if (json.type === "alive") yield undefined;
    else if (json.code === undefined) return;
    else throw new QuorateError(isErrorCode(json.code) ? json.code : "internal", json.detail);
  }
  throw new QuorateError("connectionLoss", `${gateway.base}: the stream was cut off`, { certainty: "noEffect" });
}

export async function* leaderPolls(
  gateway: Gateway,
  path: string,
  settings: Settings,
): AsyncGenerator<ElectionState | undefined, undefined, undefined> {
  for (let tag: string | null = null; ; ) {
    const blocking: object = tag === null ? {} : { query: { wait: pollWait }, header: { "If-None-Match": tag } };
    const response: Response = await exchange(gateway, "getElection", { path, ...blocking }, settings);
    tag = response.headers.get("etag") ?? tag;
    if (response.status === unchanged) yield undefined;
    else yield await jsonOf(response, settings.signal);
  }
}

async function jsonOf(response: Response, signal: AbortSignal): Promise<ElectionState> {
  try {
    return stateOf((await response.json()) as Schemas["ElectionState"]);
  } catch (error) {
    signal.throwIfAborted();
    throw brokenBy(error, response.url);
  }
}
