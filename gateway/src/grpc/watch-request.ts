/** `WatchRequest` read strictly, and what a watch tells as messages. */
import { limits, type Path, type WatchEvent, type WatchState, type Zxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import type { Cursor, WatchRequest } from "../backend.ts";
import { formatCursor, isBadCursor, parseCursor } from "../watch/cursor.ts";
import { actingOf, type Call, freshnessOf } from "./call.ts";
import { statOf, timestampOf } from "./encode.ts";
import { bad } from "./faults.ts";
import { pathOf, zxidOf } from "./values.ts";

export interface WatchAsk {
  readonly request: WatchRequest;
  readonly includeData: boolean;
}

/** `seen`: on a Session stream, the zxid of the newest that it has seen; the session is then the stream's. */
export function watchAskOf(
  call: Call,
  request: v1.WatchRequest,
  field: string,
  seen?: { readonly zxid: Zxid; readonly acting: WatchRequest["acting"] },
): WatchAsk {
  const { includeData = false, options } = request;
  const scopes = {
    node: pathsOf(request.nodes, `${field}nodes`),
    children: pathsOf(request.children, `${field}children`),
    subtree: pathsOf(request.subtrees, `${field}subtrees`),
  };
  const count = scopes.node.length + scopes.children.length + scopes.subtree.length;
  if (count === 0) throw bad(`${field}nodes`, "the watch has no path; give some in nodes, children or subtrees");
  if (count > limits.watchPaths) {
    throw bad(`${field}nodes`, `${count} paths are more than the ${limits.watchPaths} that a watch may have`);
  }
  const freshness = freshnessOf(options, `${field}options`, seen?.zxid);
  const acting = seen === undefined ? actingOf(call, options?.sessionId, `${field}options.session_id`) : seen.acting;
  const after = afterOf(request, field);
  const minZxid = Math.max(freshness.minZxid, seen?.zxid ?? 0) as Zxid;
  return {
    includeData,
    request: {
      identity: call.identity,
      scopes,
      ...freshness,
      minZxid,
      ...(acting === undefined ? undefined : { acting }),
      ...(after === undefined ? undefined : { after }),
    },
  };
}

function pathsOf(paths: readonly string[] | undefined, field: string): readonly Path[] {
  const read = (paths ?? []).map((each, index) => pathOf(each, `${field}[${index}]`));
  return [...new Set(read)];
}

function afterOf({ afterCursor, afterZxid }: v1.WatchRequest, field: string): Cursor | undefined {
  if (afterZxid !== undefined) return { zxid: zxidOf(afterZxid, `${field}after_zxid`) };
  if (afterCursor === undefined) return undefined;
  const cursor = parseCursor(afterCursor);
  if (isBadCursor(cursor)) throw bad(`${field}after_cursor`, cursor.bad);
  return cursor;
}

export function stateOf(state: WatchState): v1.WatchState {
  const stat = state.stat === undefined ? undefined : statOf(state.stat);
  const exists = stat !== undefined;
  if (state.scope === "node") return { node: state.path, exists, stat, data: state.data };
  return { childrenOf: state.path, exists, stat, names: state.children };
}

const types = { created: "TYPE_CREATED", changed: "TYPE_CHANGED", deleted: "TYPE_DELETED" } as const;

/** `data`: what stands behind `include_data`; undefined: it was not asked for, or the znode was deleted. */
export function eventOf(event: WatchEvent, data: EventData | undefined): v1.WatchEvent {
  const { type, path, zxid, version, czxid, time } = event;
  const base = { type: types[type], path, zxid, version, czxid, time: timestampOf(time) };
  if (data === undefined) return base;
  return data === "superseded" ? { ...base, superseded: true } : { ...base, data };
}

export type EventData = Uint8Array | "superseded";

/** What an event takes in a message, its data included, rounded up. */
export function eventBytes({ path }: WatchEvent, data: EventData | undefined): number {
  return 64 + 3 * path.length + (data instanceof Uint8Array ? data.length : 0);
}

export function watchResponse(
  cursor: Cursor,
  servedBy: number,
  parts: Pick<v1.WatchResponse, "states" | "events" | "more">,
  header: Partial<v1.Header> = {},
): v1.WatchResponse {
  return { header: { ...header, zxid: cursor.zxid, servedBy }, cursor: formatCursor(cursor), ...parts };
}
