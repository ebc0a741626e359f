/**
 * Clients that watch through the whole run, by long-polls, event streams and gRPC, each going on from its cursor at whatever door
 * there is. One whose cursor has grown too old begins anew. What each was told is held against the committed history in the end.
 */
import { CallError } from "../conformance/grpc-client.ts";
import { Poller } from "../conformance/watch-client.ts";
import { type CommittedChange, isInScope, lineOf, queryOf, type Scopes } from "../integration/committed.ts";
import { callOn, pollOn, streamOn, type Watcher } from "../integration/watchers.ts";
import type { SeededRandom } from "../simulation/random.ts";
import { pause } from "./hand.ts";
import type { Tally } from "./tally.ts";

export interface Door {
  readonly base: string;
  readonly grpcPort: number;
}

const kinds = ["poll", "text/event-stream", "application/x-ndjson", "grpc"] as const;
type Kind = (typeof kinds)[number];

const scopes: readonly Scopes[] = [
  { nodes: [], children: [], subtrees: ["/"] },
  { nodes: ["/ledger/0"], children: ["/"], subtrees: ["/ledger"] },
];

/** From one cursor on, until it had grown too old. */
interface Stretch {
  readonly after: string;
  readonly watcher: Watcher;
}

interface WatchClient {
  readonly name: string;
  readonly kind: Kind;
  readonly scopes: Scopes;
  readonly stretches: Stretch[];
}

export class WatchClients {
  readonly #doors: readonly Door[];
  readonly #random: SeededRandom;
  readonly #tally: Tally;
  readonly #clients: readonly WatchClient[];
  #running = true;
  readonly #loops: readonly Promise<void>[];

  constructor(doors: readonly Door[], random: SeededRandom, tally: Tally) {
    this.#doors = doors;
    this.#random = random;
    this.#tally = tally;
    this.#clients = scopes.flatMap((each) =>
      kinds.map((kind) => ({ name: `${kind} ${queryOf(each)}`, kind, scopes: each, stretches: [] })),
    );
    this.#loops = this.#clients.map((each) => this.#run(each));
  }

  /** Events told, times that one went on from a cursor, and times that it began anew. */
  get counts(): { told: number; resumed: number; renewed: number } {
    const all = this.#clients.flatMap(({ stretches }) => stretches);
    return {
      told: all.reduce((sum, { watcher }) => sum + watcher.told.length, 0),
      resumed: all.reduce((sum, { watcher }) => sum + watcher.breaks, 0),
      renewed: all.length - this.#clients.length,
    };
  }

  /** Until all were told of `last`, or `millis` are over. */
  async stop(last: string, millis: number): Promise<void> {
    const end = performance.now() + millis;
    const isThrough = ({ stretches }: WatchClient): boolean => {
      const stretch = stretches.at(-1);
      return stretch !== undefined && ((stretch.watcher.told.at(-1) ?? "") >= last || stretch.after >= last);
    };
    while (!this.#clients.every(isThrough) && performance.now() < end) await pause(50);
    for (const each of this.#clients) {
      if (!isThrough(each)) this.#tally.violate(`the watch ${each.name} is not told of ${last} within ${millis} ms`);
    }
    await this.close();
  }

  async close(): Promise<void> {
    this.#running = false;
    const watchers = this.#clients.flatMap(({ stretches }) => stretches.map(({ watcher }) => watcher));
    await Promise.allSettled(watchers.map((each) => each.stop()));
    await Promise.all(this.#loops);
  }

  /** `all`: from the very beginning, in order. */
  judge(all: readonly CommittedChange[]): void {
    for (const { name, scopes: own, stretches } of this.#clients) {
      for (const { after, watcher } of stretches) {
        const difference = differenceIn(all, own, after, watcher.told);
        if (difference !== undefined) this.#tally.violate(`the watch ${name} behind ${after} ${difference}`);
      }
    }
  }

  async #run(client: WatchClient): Promise<void> {
    while (this.#running) {
      const cursor = await this.#begin(client.scopes);
      if (cursor === undefined) return;
      const watcher = this.#watch(client, cursor);
      client.stretches.push({ after: cursor.slice(0, 18), watcher });
      try {
        await watcher.over;
      } catch (error) {
        const tooOld =
          error instanceof CallError ? error.reason === "CURSOR_TOO_OLD" : /cursorTooOld/.test(String(error));
        if (tooOld) continue;
        this.#tally.violate(`the watch ${client.name} met what it does not understand: ${error}`);
        return;
      }
    }
  }

  #watch({ name, kind, scopes: own }: WatchClient, cursor: string): Watcher {
    const door = (): Door => this.#random.pick(this.#doors);
    if (kind === "poll") return pollOn(name, () => door().base, queryOf(own), cursor);
    if (kind === "grpc") return callOn(name, () => door().grpcPort, own, cursor);
    return streamOn(name, () => door().base, queryOf(own), kind, cursor);
  }

  /** A cursor of now, from whoever gives one; undefined: nobody did before the end. */
  async #begin(own: Scopes): Promise<string | undefined> {
    while (this.#running) {
      const poller = new Poller(this.#random.pick(this.#doors).base, { "quorate-timeout": "2s" });
      const waited = setTimeout(() => poller.close(), 4000);
      try {
        const { status, body } = await poller.get(`/v1/watch?${queryOf(own)}`);
        if (status === 200) return body.cursor as string;
      } catch {
        // The next door.
      } finally {
        clearTimeout(waited);
        poller.close();
      }
      await pause(100);
    }
    return undefined;
  }
}

/** What was told is the beginning of what was committed behind `after`; undefined: it is. */
export function differenceIn(
  all: readonly CommittedChange[],
  own: Scopes,
  after: string,
  told: readonly string[],
): string | undefined {
  const lines = all.filter((each) => isInScope(own, each)).map(lineOf);
  const from = lines.findIndex((line) => line.slice(0, after.length) > after);
  const wanted = from < 0 ? [] : lines.slice(from);
  const at = told.findIndex((line, place) => line !== wanted[place]);
  if (at < 0) return undefined;
  const [said, committed] = [told, wanted].map((each) => each.slice(Math.max(0, at - 2), at + 3).join(", "));
  return `was told ${said}; committed was ${committed}`;
}
