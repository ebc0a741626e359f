/**
 * A process that holds many connections with a watch each, or idle ones, and says when the last was told of a change. It reads
 * bytes and parses nothing, so that it measures the gateway and not itself.
 */
import { connect, type Socket } from "node:net";

export type WatchMode = "idle" | "stream" | "poll";

export type LoadOrder =
  | {
      readonly kind: "open";
      readonly port: number;
      readonly mode: WatchMode;
      readonly paths: readonly string[];
      readonly after: string;
    }
  /** The next event of each connection counts. */
  | { readonly kind: "arm" }
  /** Each polls again, behind `after`. */
  | { readonly kind: "poll"; readonly after: string };

/** `at`: ms since 1970, with fractions. */
export type LoadReport =
  | { readonly kind: "opened" | "armed" | "sent" }
  | { readonly kind: "told"; readonly first: number; readonly last: number }
  | { readonly kind: "failed"; readonly why: string };

/** One source address has not ports enough beside all the others of a machine. */
const perAddress = 5000;
const atOnce = 200;
const headers = "User-Agent: load/1.0\r\nAccept-Encoding: gzip\r\n";

const now = (): number => performance.timeOrigin + performance.now();
const report = (message: LoadReport): void => void process.send?.(message);

let mode: WatchMode = "idle";
let paths: readonly string[] = [];
let port = 0;
let sockets: Socket[] = [];
/** Answers to the first request, then events, that are still awaited. */
let opening = 0;
let awaited = 0;
let first = 0;

function requestOf(path: string, after: string): string {
  const host = `Host: 127.0.0.1:${port}\r\n${headers}`;
  if (mode === "idle") return `GET /livez HTTP/1.1\r\n${host}\r\n`;
  const target = `/v1/watch?node=${path}&after=${after}`;
  return mode === "stream"
    ? `GET ${target} HTTP/1.1\r\n${host}Accept: text/event-stream\r\n\r\n`
    : `GET ${target}&wait=5m HTTP/1.1\r\n${host}Accept: application/json\r\n\r\n`;
}

const eventMark = { idle: "", stream: "event: c", poll: '"events":[{' } as const;

function read(length: number, buffer: Uint8Array): boolean {
  const bytes = buffer as Buffer;
  const isAnswer = bytes[0] === 0x48;
  if (isAnswer && bytes[9] !== 0x32) report({ kind: "failed", why: bytes.toString("latin1", 0, length) });
  if (isAnswer && opening > 0) {
    opening -= 1;
    if (opening === 0) report({ kind: "opened" });
  }
  if (awaited === 0) return true;
  const text = bytes.toString("latin1", 0, length);
  // A stream's beat is a cursor, which is no event of a change.
  if (!text.includes(eventMark[mode]) || (mode === "stream" && !/event: (created|changed)/.test(text))) return true;
  if (first === 0) first = now();
  awaited -= 1;
  if (awaited === 0) report({ kind: "told", first, last: now() });
  return true;
}

async function open(order: Extract<LoadOrder, { kind: "open" }>): Promise<void> {
  ({ mode, paths, port } = order);
  const buffer = Buffer.allocUnsafe(65_536);
  opening = paths.length;
  for (let begun = 0; begun < paths.length; begun += atOnce) {
    const some = paths.slice(begun, begun + atOnce).map(async (path, i) => {
      const localAddress = `127.0.0.${2 + Math.floor((begun + i) / perAddress)}`;
      const socket = connect({
        port,
        host: "127.0.0.1",
        localAddress,
        noDelay: true,
        onread: { buffer, callback: read },
      });
      socket.on("error", (error) => report({ kind: "failed", why: error.message }));
      await new Promise<void>((resolve) => socket.on("connect", resolve));
      socket.write(requestOf(path, order.after));
      sockets.push(socket);
    });
    await Promise.all(some);
  }
  if (mode === "poll") report({ kind: "opened" });
}

process.on("message", (order: LoadOrder) => {
  switch (order.kind) {
    case "open":
      void open(order);
      return;
    case "arm":
      awaited = paths.length;
      first = 0;
      report({ kind: "armed" });
      return;
    case "poll":
      for (const [i, socket] of sockets.entries()) socket.write(requestOf(paths[i] as string, order.after));
      report({ kind: "sent" });
      return;
    default:
      order satisfies never;
  }
});
process.on("disconnect", () => {
  for (const each of sockets) each.destroy();
  sockets = [];
});
