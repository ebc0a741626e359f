/** Watches over REST: one NDJSON stream, or polls for those behind a proxy that holds streams back. */
import type { Settings, WatchPart } from "../ask.ts";
import type { Stat, WatchItem, WatchOptions } from "../quorate.ts";
import { isErrorCode, QuorateError } from "../quorate-error.ts";
import { brokenBy, exchange, type Gateway } from "./exchange.ts";
import { dataOf } from "./json-data.ts";
import { linesOf } from "./lines.ts";

/** Less than what a watch may be silent for. */
const pollWait = "25s";

interface WatchJson {
  readonly type: "state" | "created" | "changed" | "deleted" | "cursor" | "end";
  readonly scope: "node" | "children";
  readonly path: string;
  readonly exists: boolean;
  readonly stat?: Stat;
  readonly children?: readonly string[];
  readonly zxid: string;
  readonly version: number;
  readonly czxid: string;
  readonly time: string;
  readonly data?: string;
  readonly encoding?: string;
  readonly superseded?: boolean;
  readonly cursor?: string;
  readonly code?: string;
  readonly detail?: string;
}

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
    const json = JSON.parse(line) as WatchJson;
    const cursor = json.cursor === undefined ? undefined : { cursor: json.cursor };
    if (json.type === "cursor") yield { items: [], ...cursor };
    else if (json.type !== "end") yield { items: [itemOf(json)], ...cursor };
    else {
      yield { items: [], ...cursor };
      if (json.code === undefined) return;
      throw new QuorateError(isErrorCode(json.code) ? json.code : "internal", json.detail ?? "the watch has ended");
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
    const query = { ...queryOf(options, cursor), ...(cursor === undefined ? undefined : { wait: pollWait }) };
    const response = await exchange(gateway, "watch", { query, header }, settings);
    const answer = await answerOf(response, settings.signal);
    const states = (answer.states ?? []).map((each) => itemOf({ ...each, type: "state" }));
    const events = (answer.events ?? []).map(itemOf);
    ({ cursor } = answer);
    yield { items: [...states, ...events], cursor };
  }
}

interface PollJson {
  readonly cursor: string;
  readonly states?: readonly WatchJson[];
  readonly events?: readonly WatchJson[];
}

async function answerOf(response: Response, signal: AbortSignal): Promise<PollJson> {
  try {
    return (await response.json()) as PollJson;
  } catch (error) {
    signal.throwIfAborted();
    throw brokenBy(error, response.url);
  }
}

function queryOf({ node = [], children = [], subtree = [], include }: WatchOptions, after: string | undefined) {
  return {
    node: [node].flat(),
    children: [children].flat(),
    subtree: [subtree].flat(),
    ...(include === undefined ? undefined : { include }),
    ...(after === undefined ? undefined : { after }),
  };
}

function itemOf(json: WatchJson): WatchItem {
  const { type, path, superseded } = json;
  const bytes = dataOf(json);
  const data = bytes === undefined ? undefined : { data: bytes };
  if (type === "state") {
    const { scope, exists, stat, children } = json;
    const more = {
      ...(stat === undefined ? undefined : { stat }),
      ...(children === undefined ? undefined : { children }),
    };
    return { type, scope, path, exists, ...more, ...data };
  }
  const { zxid, version, czxid, time } = json;
  return {
    type: type as "created" | "changed" | "deleted",
    path,
    zxid,
    version,
    czxid,
    time,
    ...data,
    ...(superseded === undefined ? undefined : { superseded }),
  };
}
