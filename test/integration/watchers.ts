/** Clients that watch for as long as they are let: each goes on from its last cursor, wherever it is sent. */
import { formatZxid, type Zxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import { CallError, Caller, type Inbox } from "../conformance/grpc-client.ts";
import { isChange, Poller, type StreamEvent, type StreamType, WatchStream } from "../conformance/watch-client.ts";
import type { Scopes } from "./committed.ts";
import { sleep } from "./ensemble.ts";

export interface Watcher {
  readonly name: string;
  /** `zxid type path`, in the order told. */
  readonly told: readonly string[];
  /** How often it had to go on from a cursor after a break. */
  readonly breaks: number;
  /** Rejects when it is told what it cannot go on from. */
  readonly over: Promise<void>;
  stop(): Promise<void>;
}

function watcher(
  name: string,
  told: readonly string[],
  breaks: () => number,
  over: Promise<void>,
  stop: Watcher["stop"],
): Watcher {
  // Who wants to know of it asks for `over`.
  over.catch(() => {});
  return {
    name,
    told,
    get breaks() {
      return breaks();
    },
    over,
    stop,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the server sent.
function lineOf(event: any): string {
  return `${event.zxid} ${event.type} ${event.path}`;
}

/** One poll after the other, behind `after`. */
export function pollOn(name: string, base: () => string, query: string, after: string): Watcher {
  const pollers = new Map<string, Poller>();
  const told: string[] = [];
  let stopped = false;
  let breaks = 0;
  const run = async (): Promise<void> => {
    for (let cursor = after; !stopped; ) {
      const at = base();
      const poller = pollers.get(at) ?? new Poller(at);
      pollers.set(at, poller);
      try {
        const { status, body, text } = await poller.get(`/v1/watch?${query}&after=${cursor}&wait=1s`);
        if (status === 200) {
          for (const each of body.events) told.push(lineOf(each));
          cursor = body.cursor;
          continue;
        }
        if (status < 500) throw new Error(`${name}: ${text}`);
      } catch (error) {
        if (!(error instanceof Error && "code" in error)) throw error;
      }
      breaks++;
      await sleep(50);
    }
  };
  const running = run();
  const stop = (): Promise<void> => {
    stopped = true;
    return running.finally(() => {
      for (const each of pollers.values()) each.close();
    });
  };
  return watcher(name, told, () => breaks, running, stop);
}

/** One stream after the other, behind `after`; an event counts when its whole transaction is there. */
export function streamOn(name: string, base: () => string, query: string, type: StreamType, after: string): Watcher {
  const told: string[] = [];
  let stopped = false;
  let breaks = -1;
  let current: WatchStream | undefined;
  const run = async (): Promise<void> => {
    for (let cursor = after; !stopped; breaks++) {
      current = new WatchStream(base(), `${query}&after=${cursor}`, type);
      let part: string[] = [];
      const take = (event: StreamEvent): boolean => {
        if (isChange(event)) part.push(lineOf(event.data));
        if (event.id === undefined) return false;
        told.push(...part);
        part = [];
        cursor = event.id;
        return false;
      };
      const opened = await current.opened.catch(() => undefined);
      if (opened !== undefined && opened.status !== 200 && opened.status < 500) {
        throw new Error(`${name}: ${JSON.stringify(opened.body)}`);
      }
      if (opened?.status === 200) await current.next(take, 600_000).catch(() => undefined);
      if (!stopped) await sleep(50);
    }
  };
  const running = run();
  const stop = (): Promise<void> => {
    stopped = true;
    current?.close();
    return running;
  };
  return watcher(name, told, () => breaks, running, stop);
}

const typeNames = { TYPE_CREATED: "created", TYPE_CHANGED: "changed", TYPE_DELETED: "deleted" } as const;

/** Of the codes of gRPC, those of a door that is gone, has no leader, stops, or was read too slowly. */
const passing = [2, 4, 8, 14];

/** One `Watch` call after the other, behind `after`, each on a connection of its own; `port`: where to go now. */
export function callOn(name: string, port: () => number, scopes: Scopes, after: string): Watcher {
  const told: string[] = [];
  let stopped = false;
  let breaks = -1;
  let current: Inbox<v1.WatchResponse> | undefined;
  const run = async (): Promise<void> => {
    for (let cursor = after; !stopped; breaks++) {
      const caller = new Caller(port());
      // Of a transaction that comes in several messages the cursor says when it is whole.
      let part: v1.WatchEvent[] = [];
      try {
        const { nodes, children, subtrees } = scopes;
        const inbox = caller.stream("Watch", { nodes, children, subtrees, afterCursor: cursor });
        current = inbox;
        for (;;) {
          const message = await inbox.next();
          part.push(...(message.events ?? []));
          if ((part.at(-1)?.zxid ?? 0) > (message.header?.zxid ?? 0)) continue;
          told.push(...part.map(lineOfMessage));
          part = [];
          cursor = message.cursor ?? cursor;
        }
      } catch (error) {
        if (!stopped && !(error instanceof CallError && passing.includes(error.code))) throw error;
      } finally {
        caller.close();
      }
      if (!stopped) await sleep(50);
    }
  };
  const running = run();
  const stop = (): Promise<void> => {
    stopped = true;
    current?.cancel();
    return running;
  };
  return watcher(name, told, () => breaks, running, stop);
}

function lineOfMessage({ zxid = 0, type, path }: v1.WatchEvent): string {
  return `${formatZxid(zxid as Zxid)} ${typeNames[type as keyof typeof typeNames]} ${path}`;
}
