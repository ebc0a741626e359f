/** What a request asks to watch, from its query and headers. */
import { type Acting, isBadPath, limits, type Path, parsePath } from "@quorate/api";
import type { Cursor, WatchRequest } from "../backend.ts";
import { show } from "../show.ts";
import { isBadCursor, parseCursor } from "../watch/cursor.ts";
import { requireType } from "./accept.ts";
import { actingOf, type Call, freshnessOf } from "./call.ts";
import { bad } from "./fault.ts";
import type { Encoding } from "./stat-json.ts";
import { readDuration } from "./values.ts";
import { forcedEncoding } from "./znodes.ts";

/** The types of its answers; the first is what comes without `Accept`. */
export const watchTypes = ["application/json", "text/event-stream", "application/x-ndjson"] as const;
export type WatchType = (typeof watchTypes)[number];

export interface WatchAsk {
  readonly request: WatchRequest;
  readonly type: WatchType;
  readonly waitMillis: number;
  readonly withData: boolean;
  readonly forced: Encoding | undefined;
}

export function readAsk(call: Call): WatchAsk {
  const { query, head } = call;
  const scopes = {
    node: pathsOf(call, "node"),
    children: pathsOf(call, "children"),
    subtree: pathsOf(call, "subtree"),
  };
  const count = scopes.node.length + scopes.children.length + scopes.subtree.length;
  if (count === 0)
    throw bad("there is nothing to watch; give node, children or subtree, each a path, such as node=/app");
  if (count > limits.watchPaths)
    throw bad(`${count} paths are more than the ${limits.watchPaths} of one watch; use two`);
  const type = requireType(head.accept, watchTypes) as WatchType;
  const after = afterOf(call);
  const wait = query.text("wait");
  if (wait !== undefined && type !== "application/json") {
    throw bad(`wait: it goes with a poll; a stream (${type}) stays open by itself`);
  }
  if (wait !== undefined && after === undefined) {
    throw bad(
      "wait: it goes with after; without it the answer is the state and a cursor, at once: poll from that cursor",
    );
  }
  const waitMillis = readWait(wait);
  const include = query.text("include");
  if (include !== undefined && include !== "data") throw bad(`include: ${show(include)} is not data`);
  const forced = forcedEncoding(call);
  // A browser that connects again sends its first URL, which the state was for.
  if (forced !== undefined && include === undefined && query.text("after") !== undefined) {
    throw bad("encoding: it goes with include=data, or without after, when the state has data");
  }
  const acting = actingOf(call);
  const request = {
    identity: call.identity,
    scopes,
    ...freshnessOf(head),
    ...(acting === undefined ? undefined : { acting }),
    ...(after === undefined ? undefined : { after }),
  };
  return { request, type, waitMillis, withData: include !== undefined, forced };
}

/** The acting session whose polls keep it. */
export function keeperOf(ask: WatchAsk): Acting | undefined {
  return ask.request.after === undefined ? undefined : ask.request.acting;
}

export function readWait(text: string | undefined): number {
  if (text === undefined) return limits.watchWaitDefaultMillis;
  return readDuration(text, "wait", 0, limits.watchWaitMaxMillis);
}

function pathsOf(call: Call, scope: "node" | "children" | "subtree"): readonly Path[] {
  const texts = call.query.all(scope);
  if (texts.length === 0) return none;
  const paths = texts.map((text) => {
    const path = parsePath(text);
    if (isBadPath(path)) throw bad(`${scope}: ${path.bad}`);
    return path;
  });
  return [...new Set(paths)];
}

const none: readonly Path[] = [];

/** `Last-Event-ID` is newer than the URL that a browser connects to again. */
function afterOf(call: Call): Cursor | undefined {
  const { lastEventId } = call.head;
  const text = lastEventId ?? call.query.text("after");
  if (text === undefined) return undefined;
  const cursor = parseCursor(text);
  if (!isBadCursor(cursor)) return cursor;
  throw bad(`${lastEventId === undefined ? "after" : "Last-Event-ID"}: ${cursor.bad}`);
}
