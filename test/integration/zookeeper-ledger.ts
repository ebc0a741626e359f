/**
 * Creates without end on one client of the ZooKeeper port, many in flight, half of them numbered by the server, and what became of
 * each: whatever breaks, each was done once or not at all, what was acknowledged was done, and what was lost with a connection
 * was done before the session was attached again, or never.
 */
import assert from "node:assert/strict";
import { WireClosed } from "../zookeeper/wire-client.ts";
import { createFlags, openAcl, type WireCreate } from "../zookeeper/wire-records.ts";
import { ask } from "./door-client.ts";
import { sleep } from "./ensemble.ts";
import type { ZookeeperClient } from "./zookeeper-client.ts";

interface Entry {
  /** Number of the connection on which it was sent. */
  readonly stay: number;
  /** Undefined: ConnectionLoss. */
  readonly path: string | undefined;
}

interface Found {
  readonly name: string;
  /** Which entry made it. */
  readonly index: number;
  readonly czxid: string;
}

export interface LedgerOptions {
  /** How many at a time. */
  readonly depth: number;
  readonly pauseMillis?: number;
}

export interface LedgerReport {
  readonly acknowledged: number;
  readonly lost: number;
  /** Of those that were lost. */
  readonly lostAndDone: number;
}

export class ZookeeperLedger {
  readonly client: ZookeeperClient;
  readonly root: string;
  readonly faults: string[] = [];
  readonly #options: LedgerOptions;
  readonly #entries: Entry[] = [];
  /** What was there when a connection was new, by its number. */
  readonly #beginnings = new Map<number, ReadonlySet<string>>();
  #longestGap = 0;
  #lastAt = 0;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(client: ZookeeperClient, root: string, options: LedgerOptions) {
    this.client = client;
    this.root = root;
    this.#options = options;
  }

  get acknowledged(): number {
    return this.#entries.filter(({ path }) => path !== undefined).length;
  }

  /** Between two acknowledgements. */
  get longestGap(): number {
    return this.#longestGap;
  }

  async start(): Promise<void> {
    const { error } = await this.client.call({ ...creating, path: this.root, data: null });
    assert.equal(error, 0, this.root);
    this.#lastAt = performance.now();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { depth, pauseMillis } = this.#options;
    const client = this.client;
    while (!this.#stopped && !client.over) {
      const from = this.#entries.length;
      const requests = Array.from({ length: depth }, (_, i) => this.#create(from + i));
      try {
        if (!(await this.#begin())) continue;
        const { stay, replies } = await client.pipeline(requests);
        for (const [i, reply] of replies.entries()) {
          // With this name it cannot be there, but by its own doing.
          if (reply && reply.error !== 0) this.faults.push(`create ${from + i} was answered ${reply.error}`);
          this.#entries.push({ stay, path: reply?.result?.path });
        }
      } catch (error) {
        if (!(error instanceof WireClosed)) throw error;
      }
      this.#note();
      if (pauseMillis !== undefined) await sleep(pauseMillis);
    }
  }

  #note(): void {
    if (this.#entries.at(-1)?.path === undefined) return;
    const now = performance.now();
    this.#longestGap = Math.max(this.#longestGap, now - this.#lastAt);
    this.#lastAt = now;
  }

  /** False: the connection broke; another one has to be begun. */
  async #begin(): Promise<boolean> {
    const newest = this.client.stays.length - 1;
    if (this.#beginnings.has(newest) && this.client.port > 0) return true;
    const { stay, replies } = await this.client.pipeline([
      { op: "getChildren2", path: this.root, watch: false } as const,
    ]);
    const children = replies[0]?.result?.children;
    if (children === undefined) return false;
    if (!this.#beginnings.has(stay)) this.#beginnings.set(stay, new Set(children));
    return true;
  }

  #create(index: number): WireCreate {
    const sequential = index % 2 === 1;
    return {
      ...creating,
      path: sequential ? `${this.root}/s-` : `${this.root}/n-${index}`,
      data: Buffer.from(String(index)),
      flags: sequential ? createFlags.persistentSequential : createFlags.persistent,
    };
  }

  /** Everything that is wrong, once it has stopped; what is there is read through the REST door at `base`. */
  async verify(base: string): Promise<LedgerReport> {
    const found = await this.#read(base);
    const byIndex = Map.groupBy(found, ({ index }) => index);
    const say = (fault: string): void => {
      if (this.faults.length < 20) this.faults.push(`${this.root}: ${fault}`);
    };
    let lostAndDone = 0;
    let gap: { readonly stay: number; readonly index: number } | undefined;
    for (const [index, { stay, path }] of this.#entries.entries()) {
      const made = byIndex.get(index) ?? [];
      if (made.length > 1) say(`create ${index} was done ${made.length} times: ${made.map(({ name }) => name)}`);
      const name = made[0]?.name;
      if (path !== undefined && path !== `${this.root}/${name}`)
        say(`${path}, acknowledged, is ${name ?? "not there"}`);
      if (gap?.stay !== stay) gap = undefined;
      if (name === undefined) gap ??= { stay, index };
      else {
        if (gap) say(`create ${index} was done, and ${gap.index} before it on the same connection was not`);
        if (path === undefined) lostAndDone++;
        this.#judgeLate(stay, name, say);
      }
    }
    const strangers = found.filter(({ index }) => this.#entries[index] === undefined);
    if (strangers.length > 0) say(`nobody noted ${strangers[0]?.name}`);
    for (const [i, each] of found.entries()) {
      const before = found[i - 1];
      if (before && before.czxid >= each.czxid) say(`${each.name} was made before ${before.name}`);
    }
    const { acknowledged } = this;
    return { acknowledged, lost: this.#entries.length - acknowledged, lostAndDone };
  }

  /** Done behind the session's attachment to a later connection. */
  #judgeLate(stay: number, name: string, say: (fault: string) => void): void {
    for (const [later, names] of this.#beginnings) {
      if (later > stay && !names.has(name)) return say(`${name}, of connection ${stay}, came after ${later} had begun`);
    }
  }

  /** In the order of the creates that made them. */
  async #read(base: string): Promise<Found[]> {
    const found: Found[] = [];
    let more = "";
    do {
      const answer = await ask(base, "GET", `/v1/children${this.root}?data=true&limit=1000${more}`);
      assert.equal(answer.status, 200, answer.text.slice(0, 300));
      const page = JSON.parse(answer.text) as {
        readonly children: readonly {
          readonly name: string;
          readonly data?: string;
          readonly stat?: { readonly czxid: string };
        }[];
        readonly continue?: string;
      };
      for (const { name, data = "", stat } of page.children) {
        found.push({ name, index: Number(data), czxid: stat?.czxid ?? "" });
      }
      more = page.continue === undefined ? "" : `&continue=${encodeURIComponent(page.continue)}`;
    } while (more !== "");
    return found.sort((a, b) => a.index - b.index);
  }
}

const creating = { op: "create", acl: openAcl, flags: createFlags.persistent } as const;
