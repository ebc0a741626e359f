/** The gRPC door, asked once, by unary calls and by streams that answer: for what no session is wanted. */
import { publicServices, type v1 } from "@quorate/proto";
import type { Answered, Answers, Asks, Kind, Settings, Transport, WatchPart } from "../ask.ts";
import { defined } from "../defined.ts";
import type { ElectionState } from "../locks.ts";
import type { TreeNode, TreeOptions, WatchItem, WatchOptions } from "../quorate.ts";
import type { Connection } from "./connection.ts";
import { forms } from "./forms.ts";
import { electionOf } from "./lock-forms.ts";
import { bytesIn, readOptions, statOf, timeText, zxidOf, zxidText } from "./values.ts";

/** Reads the .proto files before the first call, which would be late by that. */
export function prepare(): void {
  publicServices();
}

export class GrpcTransport implements Transport<Connection> {
  async attempt<K extends Kind>(
    connection: Connection,
    kind: K,
    ask: Asks[K],
    settings: Settings,
  ): Promise<Answered<Answers[K]>> {
    const form = forms[kind];
    const reply = await connection.unary(form.method, form.request(ask, settings), callSettings(settings));
    const { header } = reply as { readonly header?: v1.Header };
    return { value: form.answer(reply, ask), zxid: header && zxidText(header.zxid) };
  }

  async *tree(
    connection: Connection,
    path: string,
    { depth, data }: TreeOptions,
    settings: Settings,
  ): AsyncGenerator<string | TreeNode, undefined, undefined> {
    const request = { path, depth, withData: data, options: readOptions(settings) };
    // No deadline: it would cut a long tree off in the midst.
    const { timeoutMillis: _, ...open } = callSettings(settings);
    let told = false;
    for await (const { header, nodes = [] } of connection.serverStream("GetTree", request, open)) {
      if (!told) yield zxidText(header?.zxid);
      told = true;
      for (const { path: at = "", stat, data: bytes } of nodes)
        yield defined({ path: at, stat: statOf(stat), data: bytes && bytesIn(bytes) });
    }
  }

  async *watch(
    connection: Connection,
    options: WatchOptions,
    after: string | undefined,
    settings: Settings,
  ): AsyncGenerator<WatchPart, undefined, undefined> {
    const { timeoutMillis: _, ...open } = callSettings(settings);
    const request = { ...watchRequest(options, after), options: readOptions(settings) };
    for await (const response of connection.serverStream("Watch", request, open)) yield partOf(response);
  }

  async *observe(
    connection: Connection,
    path: string,
    settings: Settings,
  ): AsyncGenerator<ElectionState, undefined, undefined> {
    const { timeoutMillis: _, ...open } = callSettings(settings);
    const request = { path, options: readOptions(settings) };
    for await (const response of connection.serverStream("Observe", request, open)) yield electionOf(response);
  }
}

function callSettings({ timeoutMillis, signal, session }: Settings) {
  return defined({ timeoutMillis, signal, secret: session?.secret });
}

export function watchRequest(options: WatchOptions, after: string | undefined): v1.WatchRequest {
  const { node = [], children = [], subtree = [], include } = options;
  const place =
    after === undefined ? {} : after.includes(".") ? { afterCursor: after } : { afterZxid: zxidOf(after, "after") };
  return {
    nodes: [node].flat(),
    children: [children].flat(),
    subtrees: [subtree].flat(),
    includeData: include === "data",
    ...place,
  };
}

/** Of a transaction in several messages all but the last have the cursor before it: that is none to go on from. */
export function partOf({ cursor = "", states = [], events = [] }: v1.WatchResponse): WatchPart {
  const items = [...states.map(stateOf), ...events.map(eventOf)];
  const last = events.at(-1)?.zxid ?? 0;
  const whole = cursor !== "" && (cursor.split(".")[0] ?? "") >= zxidText(last);
  return whole ? { items, cursor } : { items };
}

function stateOf({ node, childrenOf, exists = false, stat, data, names = [] }: v1.WatchState): WatchItem {
  const known = defined({ exists, stat: stat && statOf(stat), data: data && bytesIn(data) });
  if (childrenOf !== undefined && node === undefined)
    return { type: "state", scope: "children", path: childrenOf, ...known, children: names };
  return { type: "state", scope: "node", path: node ?? "", ...known };
}

const types = {
  TYPE_UNSPECIFIED: "changed",
  TYPE_CREATED: "created",
  TYPE_CHANGED: "changed",
  TYPE_DELETED: "deleted",
} as const;

function eventOf(event: v1.WatchEvent): WatchItem {
  const { type = "TYPE_UNSPECIFIED", path = "", zxid, version = 0, czxid, time, data, superseded } = event;
  return defined({
    type: types[type],
    path,
    zxid: zxidText(zxid),
    version,
    czxid: zxidText(czxid),
    time: timeText(time),
    data: data && bytesIn(data),
    superseded: superseded || undefined,
  });
}
