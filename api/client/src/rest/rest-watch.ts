/** Watches over REST: one NDJSON stream, or polls for those behind a proxy that holds streams back. */
import type { components } from "@quorate/openapi";
import type { Settings, WatchPart } from "../ask.ts";
import { defined } from "../defined.ts";
import type { WatchItem, WatchOptions } from "../quorate.ts";
import { isErrorCode, QuorateError } from "../quorate-error.ts";
import { brokenBy, exchange, type Gateway } from "./exchange.ts";
import { dataOf } from "./json-data.ts";
import { linesOf } from "./lines.ts";

/** Less than what a watch may be silent for. */
const pollWait = "25s";

type Schemas = components["schemas"];
type Line = Schemas["WatchLine"];

export async function* streamParts(
  gateway: Gateway,
  options: WatchOptions,
  after: string | undefined,
  settings: Settings,
): AsyncGenerator<WatchPart, undefined, undefined> {
  const header = { Accept: "application/x-ndjson" };
  const response = await exchange(gateway, "watch", { query: queryOf(options, after), header }, settings);
  yield { items: [] };
  for await (const line of linesOf(response, settings.signal)) {
    const json = JSON.parse(line) as Line;
    const cursor = defined({ cursor: json.cursor });
    if (json.type === "cursor") yield { items: [], ...cursor };
    else if (json.type === "state") yield { items: [stateOf(json)], ...cursor };
    else if (json.type !== "end") yield { items: [eventOf(json)], ...cursor };
    else {
      yield { items: [], ...cursor };
      if (json.code === undefined) return;
      throw new QuorateError(isErrorCode(json.code) ? json.code : "internal", json.detail);
    }
  }
  throw new QuorateError("connectionLoss", `${gateway.base}: the watch was cut off`, { certainty: "noEffect" });
}

export async function* pollParts(
  gateway: Gateway,
  options: WatchOptions,
  after: string | undefined,
  settings: Settings,
): AsyncGenerator<WatchPart, undefined, undefined> {
  const header = { Accept: "application/json" };
  for (let cursor = after; ; ) {
    const query = { ...queryOf(options, cursor), ...(cursor && { wait: pollWait }) };
    const response = await exchange(gateway, "watch", { query, header }, settings);
    const answer = await answerOf(response, settings.signal);
    ({ cursor } = answer);
    yield { items: "states" in answer ? answer.states.map(stateOf) : answer.events.map(eventOf), cursor };
  }
}

async function answerOf(response: Response, signal: AbortSignal): Promise<Schemas["WatchedState"] | Schemas["Polled"]> {
  try {
    return (await response.json()) as Schemas["WatchedState"] | Schemas["Polled"];
  } catch (error) {
    signal.throwIfAborted();
    throw brokenBy(error, response.url);
  }
}

function queryOf({ node = [], children = [], subtree = [], include }: WatchOptions, after: string | undefined) {
  const paths = { node: [node].flat(), children: [children].flat(), subtree: [subtree].flat() };
  return defined({ ...paths, include, after });
}

function stateOf({ scope, path, exists, stat, children, ...json }: Schemas["WatchState"]): WatchItem {
  return defined({ type: "state" as const, scope, path, exists, stat, data: dataOf(json), children });
}

function eventOf({ type, path, zxid, version, czxid, time, superseded, ...json }: Schemas["WatchEvent"]): WatchItem {
  return defined({ type, path, zxid, version, czxid, time, data: dataOf(json), superseded });
}
