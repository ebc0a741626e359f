/** Many that wait for one lock, each with a session and a connection of its own, at all doors of an ensemble. */
import { Agent } from "node:http";
import { type Ensemble, type Process, sleep, until } from "../integration/ensemble.ts";
import { exchange, type Reply } from "../integration/http-client.ts";
import { openSession, type Place } from "./rest-locks.ts";

const sessionMillis = 900_000;
const waitMillis = 300_000;
/** Asked at a time while the queue fills. */
const atATime = 32;
/** One hand-over, on a machine that is busy with other work. */
const handOverMillis = 20_000;
/** Nothing counted within it: nothing is under way. */
const restMillis = 400;

interface Waiter {
  readonly door: string;
  readonly session: string;
  /** Of its znode: its place in the queue's order. */
  readonly number: number;
  /** Set once it is known to hold the lock. */
  heldAt: number;
}

/** What the servers counted, all of them together. */
export interface Cost {
  /** Transactions. */
  readonly writes: number;
  readonly reads: number;
  /** Changes told to doors, for each door. */
  readonly changes: number;
  /** Requests that doors answered. */
  readonly requests: number;
}

export class CrowdedQueue {
  readonly #ensemble: Ensemble;
  readonly #name: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  #waiters: Waiter[] = [];
  /** Places of those who were told that they hold it, in the order of the answers. */
  readonly told: number[] = [];
  #failed = "";
  #closed = false;

  constructor(ensemble: Ensemble, name: string) {
    this.#ensemble = ensemble;
    this.#name = name;
  }

  /** Of all, the holder's first, as the queue has them. */
  get numbers(): number[] {
    return this.#waiters.map((each) => each.number);
  }

  /** One holder and so many behind it, each of whom waits from now on. */
  async fill(waiting: number): Promise<void> {
    const doors = [...this.#ensemble.replicas, ...this.#ensemble.gateways].map((each) => each.base);
    let next = 0;
    const come = async (): Promise<void> => {
      while (next <= waiting) {
        const at = next++;
        const door = doors[at % doors.length] as string;
        const session = await openSession(door, sessionMillis, `waiter ${at}`);
        if (session === undefined) throw new Error(`waiter ${at} has no session`);
        const place = placeIn(await this.#ask("POST", door, session, `?contender=waiter-${at}`), [200, 202]);
        this.#waiters.push({ door, session, number: Number(place.znode.slice(-10)), heldAt: place.held ? 1 : 0 });
      }
    };
    // The first is alone, so that it holds the lock when the others come.
    const [one] = [await this.#first(doors[0] as string)];
    next = 1;
    await Promise.all(Array.from({ length: atATime }, come));
    this.#waiters.push(one);
    this.#waiters.sort((a, b) => a.number - b.number);
    for (const each of this.#waiters.slice(1)) void this.#wait(each);
  }

  async #first(door: string): Promise<Waiter> {
    const session = (await openSession(door, sessionMillis, "holder")) ?? "";
    const place = placeIn(await this.#ask("POST", door, session, "?contender=holder"), [200]);
    return { door, session, number: Number(place.znode.slice(-10)), heldAt: 1 };
  }

  /** The holder releases; answers how long it took until the next in the queue had its answer. */
  async handOver(): Promise<number> {
    const [holder, next] = this.#waiters;
    if (!holder || !next) throw new Error("nobody waits");
    const began = performance.now();
    placeIn(await this.#ask("DELETE", holder.door, holder.session, ""), [200]);
    this.#waiters = this.#waiters.slice(1);
    await until(
      () => next.heldAt > 0 || this.#failed !== "",
      handOverMillis,
      () => `${next.number} has the lock; told were ${this.told.slice(-3)}`,
    );
    if (this.#failed !== "") throw new Error(this.#failed);
    return next.heldAt - began;
  }

  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  async #wait(waiter: Waiter): Promise<void> {
    try {
      const reply = await this.#ask("POST", waiter.door, waiter.session, `?wait=${waitMillis}ms`);
      placeIn(reply, [200]);
      waiter.heldAt = performance.now();
      this.told.push(waiter.number);
    } catch (error) {
      if (!this.#closed) this.#failed = `${waiter.number}: ${error}`;
    }
  }

  #ask(method: string, door: string, session: string, query: string): Promise<Reply> {
    const headers = { "Quorate-Session": session };
    const patienceMillis = waitMillis + 10_000;
    return exchange(this.#agent, door, `/v1/locks/${this.#name}${query}`, { method, headers, patienceMillis });
  }
}

function placeIn({ status, body }: Reply, expected: readonly number[]): Place {
  if (!expected.includes(status)) throw new Error(`${status} ${body.slice(0, 300)}`);
  return JSON.parse(body) as Place;
}

/** As the servers say it, when all of them have applied the same. */
export async function costSoFar(ensemble: Ensemble): Promise<Cost> {
  let texts: string[] = [];
  await until(
    async () => {
      texts = await Promise.all(ensemble.replicas.map(metricsOf));
      const applied = texts.map((each) => countIn(each, "applied_zxid"));
      return applied.every((each) => each === applied[0]);
    },
    10_000,
    "all replicas have applied the same",
  );
  const gateways = await Promise.all(ensemble.gateways.map(metricsOf));
  const sum = (name: string, of: readonly string[]): number => of.reduce((all, each) => all + countIn(each, name), 0);
  return {
    writes: Math.max(...texts.map((each) => countIn(each, "commands_applied_total"))),
    reads: sum("reads_total", texts),
    changes: sum("feed_changes_total", texts),
    requests: sum("requests_total", [...texts, ...gateways]),
  };
}

/** Once all that waits has been begun: what that costs is no part of a hand-over. */
export async function costAtRest(ensemble: Ensemble): Promise<Cost> {
  let last = await costSoFar(ensemble);
  for (;;) {
    await sleep(restMillis);
    const now = await costSoFar(ensemble);
    if (now.reads === last.reads && now.writes === last.writes) return now;
    last = now;
  }
}

async function metricsOf(process: Process): Promise<string> {
  return (await fetch(`${process.base}/metrics`)).text();
}

/** The sum over all labels, the metrics' own requests left out. */
function countIn(text: string, name: string): number {
  const found = text.matchAll(new RegExp(`^quorate_${name}(\\{[^}]*\\})? ([\\d.e+]+)$`, "gm"));
  return [...found].reduce((sum, [, labels = "", value]) => sum + (labels.includes("etrics") ? 0 : Number(value)), 0);
}

export function costOf(before: Cost, after: Cost, handOvers: number): Cost {
  return {
    writes: (after.writes - before.writes) / handOvers,
    reads: (after.reads - before.reads) / handOvers,
    changes: (after.changes - before.changes) / handOvers,
    requests: (after.requests - before.requests) / handOvers,
  };
}
