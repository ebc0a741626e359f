/**
 * One writer counts a znode upwards, while readers at every door read it in each of the three consistencies, all the
 * time. What each answer must be at least follows from what was acknowledged before the read was sent, on this process's
 * clock: a linearizable read sees every write that was acknowledged (and every linearizable read that was answered)
 * before it was sent; a `session` read is at least `Quorate-Min-Zxid`; a `stale` one lacks nothing that was acknowledged
 * its bound, or its own word for its age, before it was sent.
 *
 * The count only rises: each write compares and sets, and after an answer of unknown effect the writer looks first.
 */
import { ask, type Reply, show } from "./door-client.ts";
import { sleep } from "./ensemble.ts";

export type Consistency = "linearizable" | "session" | "stale";
const consistencies: readonly Consistency[] = ["linearizable", "session", "stale"];

export interface CheckerOptions {
  /** The writer takes them by turns when one does not answer. */
  readonly writers: readonly string[];
  /** Base by name. */
  readonly readers: ReadonlyMap<string, string>;
  readonly path?: string;
  readonly maxStaleMillis?: number;
  readonly readLimit?: string;
}

interface Acknowledged {
  readonly value: number;
  readonly at: number;
  readonly zxid: string;
}

/** More than this many reads of one kind at one door do not wait at once: a stopped process holds them all. */
const waitingReads = 4;
const patienceMillis = 700;
const pauseMillis = 25;

export class FreshnessChecker {
  /** What was wrong; empty: nothing. */
  readonly violations: string[] = [];
  readonly acknowledged: Acknowledged[] = [];
  /** Answers by `door consistency status`. */
  readonly counts = new Map<string, number>();
  readonly #options: CheckerOptions;
  readonly #path: string;
  readonly #maxStaleMillis: number;
  readonly #loops: Promise<void>[] = [];
  readonly #waiting = new Set<Promise<void>>();
  /** The largest value that a linearizable read has answered. */
  #seen = 0;
  #ended = false;

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.#path = `/v1/znodes${options.path ?? "/counter"}`;
    this.#maxStaleMillis = options.maxStaleMillis ?? 1500;
  }

  async start(): Promise<void> {
    const made = await ask(this.#options.writers[0] ?? "", "PUT", this.#path, { body: "1" });
    if (made.status !== 201) throw new Error(`the counter could not be made: ${show(made)}`);
    this.#acknowledge(1, made);
    this.#loops.push(this.#write(made.etag));
    for (const [door, base] of this.#options.readers) {
      for (const each of consistencies) this.#loops.push(this.#readOn(door, base, each));
    }
  }

  /** Ends, and waits for what is under way: every process must run again. */
  async stop(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#loops);
    await Promise.all(this.#waiting);
  }

  get lastValue(): number {
    return this.acknowledged.at(-1)?.value ?? 0;
  }

  /** The longest time without an acknowledged write since `from`. */
  longestGap(from: number, until = performance.now()): number {
    const times = [from, ...this.acknowledged.map(({ at }) => at).filter((at) => at > from && at < until), until];
    return times.reduce((most, at, i) => Math.max(most, at - (times[i - 1] ?? at)), 0);
  }

  count(door: string, consistency: Consistency, status: number): number {
    return this.counts.get(`${door} ${consistency} ${status}`) ?? 0;
  }

  /** All answers of a kind, over all doors: `200: 812, 503: 14`. */
  summary(): string {
    const lines = consistencies.map((consistency) => {
      const sums = new Map<string, number>();
      for (const [key, count] of this.counts) {
        const [, of = "", status = ""] = /^(?:.*) (\w+) (\d+)$/.exec(key) ?? [];
        if (of === consistency) sums.set(status, (sums.get(status) ?? 0) + count);
      }
      return `${consistency} ${[...sums]
        .sort()
        .map(([status, count]) => `${status}: ${count}`)
        .join(", ")}`;
    });
    return `${this.acknowledged.length} writes; reads: ${lines.join("; ")}`;
  }

  #acknowledge(value: number, reply: Reply): void {
    this.acknowledged.push({ value, at: reply.receivedAt, zxid: reply.zxid });
  }

  async #write(etag: string): Promise<void> {
    let turn = 0;
    let tag = etag;
    let next = 2;
    while (!this.#ended) {
      const { writers } = this.#options;
      const base = writers[turn % writers.length] ?? "";
      const written = await ask(base, "PUT", this.#path, {
        headers: { "if-match": tag, "quorate-timeout": "1s" },
        body: String(next),
      });
      if (written.status === 200) {
        this.#acknowledge(next, written);
        tag = written.etag;
        next++;
        await sleep(10);
        continue;
      }
      turn++;
      await sleep(20);
      const now = await ask(base, "GET", this.#path, { headers: { "quorate-timeout": "1s" } });
      if (now.status !== 200) continue;
      tag = now.etag;
      next = Number(now.text) + 1;
    }
  }

  async #readOn(door: string, base: string, consistency: Consistency): Promise<void> {
    const waiting = new Set<Promise<void>>();
    while (!this.#ended) {
      const read = this.#read(door, base, consistency);
      for (const set of [waiting, this.#waiting]) {
        set.add(read);
        void read.then(() => set.delete(read));
      }
      await Promise.race([read, sleep(patienceMillis)]);
      if (waiting.size >= waitingReads) await Promise.race(waiting);
      await sleep(pauseMillis);
    }
  }

  async #read(door: string, base: string, consistency: Consistency): Promise<void> {
    const last = this.acknowledged.at(-1);
    if (!last) return;
    const seen = Math.max(this.#seen, last.value);
    const headers: Record<string, string> = {
      "quorate-consistency": consistency,
      "quorate-timeout": this.#options.readLimit ?? "1s",
    };
    if (consistency === "session") headers["quorate-min-zxid"] = last.zxid;
    if (consistency === "stale") headers["quorate-max-stale"] = `${this.#maxStaleMillis}ms`;
    const read = await ask(base, "GET", this.#path, { headers });
    const key = `${door} ${consistency} ${read.status}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    const violate = (what: string): void => {
      this.violations.push(`${door}, ${consistency}, sent at ${Math.round(read.sentAt)}: ${what}`);
    };
    // A stale read may be of before the counter was made: then nothing may have been acknowledged its bound ago.
    const absent = consistency === "stale" && read.status === 404;
    if (absent && this.#acknowledgedBy(read.sentAt - this.#maxStaleMillis) > 0) violate("did not find it");
    if (read.status !== 200) {
      if (!absent && read.status !== 503 && read.status !== 0) violate(`answered ${show(read)}`);
      return;
    }
    const value = Number(read.text);
    const least =
      consistency === "linearizable" ? seen : consistency === "session" ? last.value : this.#staleLeast(read, violate);
    if (!(value >= least)) violate(`answered ${read.text}, must be at least ${least}`);
    if (consistency === "session" && read.zxid < last.zxid) violate(`Quorate-Zxid ${read.zxid} is below ${last.zxid}`);
    if (consistency === "linearizable") this.#seen = Math.max(this.#seen, value);
  }

  /** What a read that may be so old must show: whatever was acknowledged before its state was the newest. */
  #staleLeast(read: Reply, violate: (what: string) => void): number {
    const age = Number(/^(\d+)ms$/.exec(read.headers.get("quorate-stale-age") ?? "")?.[1] ?? Number.NaN);
    if (!(age <= this.#maxStaleMillis)) violate(`its age is ${age} ms, over the bound`);
    return this.#acknowledgedBy(read.sentAt - age);
  }

  #acknowledgedBy(time: number): number {
    return this.acknowledged.findLast(({ at }) => at <= time)?.value ?? 0;
  }
}
