/**
 * Clients that write in a closed loop, each write unlike any other, and remember of every try what they were told. What
 * they were told is what `write-audit` holds against what is there at the end.
 *
 * A client takes its turn at three kinds of write: a sequential child of `<root>/queue` with a body of its own (`create`), a
 * plain PUT of a znode that nobody else writes (`put`), and a compare-and-set of a counter that four share (`add`). It never
 * repeats a write: what was answered `unknown` stays so.
 */
import { Agent } from "node:http";
import { sleep } from "./ensemble.ts";
import { codeOf, exchange, type Reply } from "./http-client.ts";

export type Verdict = "done" | "noEffect" | "unknown";

/** One try of one write, as its client saw it. Times in ms of `performance.now()`. */
export interface Attempt {
  readonly kind: "create" | "put" | "add";
  readonly client: number;
  /** What was written: unique over all attempts. */
  readonly body: string;
  readonly path: string;
  readonly invoked: number;
  readonly answered: number;
  /** 0: no answer came. */
  readonly status: number;
  /** The problem's code, or the socket's error. */
  readonly code: string;
  readonly verdict: Verdict;
  /** Through which door, as in `WritersOptions.doors`. */
  readonly door: string;
  /** Of the acknowledged: the znode that was made or changed, and its version. */
  readonly node: string;
  readonly version: number;
}

export interface WritersOptions {
  /** A znode of its own for this run. */
  readonly root: string;
  /** For each client the base addresses that it tries in turn, going on to the next when a connection fails. */
  readonly doors: readonly (readonly string[])[];
  /** `Quorate-Timeout` of each client in ms, in turn. Short ones run out while there is no leader. */
  readonly timeouts?: readonly number[];
  /** Between an answer and the next write. */
  readonly pauseMillis?: number;
}

const counters = 4;
/** An answer may be so much later than the client's time limit before it counts as never given. */
const patienceMillis = 8000;

interface Counter {
  readonly path: string;
  /** The highest value that anybody was told is there. */
  highest: number;
}

export class Writers {
  readonly root: string;
  readonly attempts: Attempt[] = [];
  /** What no client may ever see: a read older than what had been acknowledged before it was sent, an answer against the contract. */
  readonly faults: string[] = [];
  readonly #options: WritersOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  readonly #counters: readonly Counter[];
  #running = false;
  #loops: Promise<void>[] = [];

  constructor(options: WritersOptions) {
    this.root = options.root;
    this.#options = options;
    this.#counters = Array.from({ length: counters }, (_, at) => ({ path: `${options.root}/count-${at}`, highest: 0 }));
  }

  /** Makes the places that are written to, and lets the clients go. */
  async start(): Promise<void> {
    const base = this.#options.doors[0]?.[0] ?? "";
    for (const path of [`${this.root}/queue`, ...this.#counters.map((each) => each.path)]) {
      const made = await exchange(this.#agent, base, `/v1/znodes${path}?parents=true`, { method: "PUT", body: "0" });
      if (made.status !== 201) throw new Error(`PUT ${path}: ${made.status} ${made.body}`);
    }
    this.#running = true;
    this.#loops = this.#options.doors.map((doors, client) =>
      this.#run(client, doors).catch((error: unknown) => void this.faults.push(`client ${client}: ${String(error)}`)),
    );
  }

  /** Ends the loops after the answers that are awaited. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  get acknowledged(): number {
    return this.attempts.reduce((count, each) => count + (each.verdict === "done" ? 1 : 0), 0);
  }

  /** The longest time within [from, to] without an acknowledgement, of all attempts or those that `of` picks. */
  longestGap(from: number, to: number, of: (attempt: Attempt) => boolean = () => true): number {
    let last = from;
    let longest = 0;
    for (const attempt of this.attempts) {
      if (attempt.verdict !== "done" || attempt.answered < from || attempt.answered > to || !of(attempt)) continue;
      longest = Math.max(longest, attempt.answered - last);
      last = attempt.answered;
    }
    return Math.max(longest, to - last);
  }

  async #run(client: number, doors: readonly string[]): Promise<void> {
    const { timeouts = [10_000], pauseMillis = 4 } = this.#options;
    const hand = new Hand(client, doors, timeouts[client % timeouts.length] ?? 10_000, this.#agent);
    const counter = this.#counters[client % counters] as Counter;
    for (let turn = 0; this.#running; turn++) {
      const body = `${client}.${turn}`;
      let attempt: Attempt | undefined;
      if (turn % 3 === 0) {
        const target = `/v1/znodes${this.root}/queue?prefix=w${client}-`;
        attempt = await hand.write("create", "POST", target, body, body);
      } else if (turn % 3 === 1) {
        attempt = await hand.write("put", "PUT", `/v1/znodes${this.root}/own-${client}`, body, body);
      } else attempt = await this.#add(hand, counter, body);
      if (attempt) this.attempts.push(attempt);
      await sleep(attempt?.verdict === "done" ? pauseMillis : 20);
    }
  }

  /** One more on the counter; undefined if it could not even be read. */
  async #add(hand: Hand, counter: Counter, token: string): Promise<Attempt | undefined> {
    const before = counter.highest;
    const read = await hand.ask("GET", `/v1/znodes${counter.path}`);
    const tag = read?.headers.etag;
    if (read?.status !== 200 || tag === undefined) return undefined;
    const value = Number.parseInt(read.body, 10);
    if (value < before) this.faults.push(`${counter.path}: read ${value} after ${before} was acknowledged`);
    const target = `/v1/znodes${counter.path}`;
    const attempt = await hand.write("add", "PUT", target, `${value + 1} ${token}`, token, { "If-Match": tag });
    if (attempt.verdict === "done") counter.highest = Math.max(counter.highest, value + 1);
    return attempt;
  }
}

/** How one client speaks to its doors. */
class Hand {
  readonly #client: number;
  readonly #doors: readonly string[];
  readonly #timeoutMillis: number;
  readonly #agent: Agent;
  #at = 0;

  constructor(client: number, doors: readonly string[], timeoutMillis: number, agent: Agent) {
    this.#client = client;
    this.#doors = doors;
    this.#timeoutMillis = timeoutMillis;
    this.#agent = agent;
  }

  get #door(): string {
    return this.#doors[this.#at % this.#doors.length] as string;
  }

  /** A read; undefined when nothing answered. */
  async ask(method: string, target: string): Promise<Reply | undefined> {
    try {
      return await exchange(this.#agent, this.#door, target, { method, ...this.#limits() });
    } catch {
      this.#at += 1;
      return undefined;
    }
  }

  async write(
    kind: Attempt["kind"],
    method: string,
    target: string,
    content: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Attempt> {
    const door = this.#door;
    const invoked = performance.now();
    const said = { kind, client: this.#client, body, path: target, door, invoked };
    let reply: Reply;
    try {
      reply = await exchange(this.#agent, door, target, { method, body: content, ...this.#limits(headers) });
    } catch (error) {
      this.#at += 1;
      const code = codeOf(error);
      // Nobody took the connection, so nothing was said on it.
      const verdict = code === "ECONNREFUSED" ? "noEffect" : "unknown";
      return { ...said, answered: performance.now(), status: 0, code, verdict, node: "", version: -1 };
    }
    return { ...said, answered: performance.now(), status: reply.status, ...judge(reply) };
  }

  #limits(headers: Readonly<Record<string, string>> = {}): { headers: Record<string, string>; patienceMillis: number } {
    const millis = this.#timeoutMillis;
    return { headers: { ...headers, "Quorate-Timeout": `${millis}ms` }, patienceMillis: millis + patienceMillis };
  }
}

/** By the status alone, as the contract has it; what the problem says of its certainty must agree. */
function judge(reply: Reply): Pick<Attempt, "verdict" | "code" | "node" | "version"> {
  const { status } = reply;
  if (status === 200 || status === 201) {
    const { path, stat } = JSON.parse(reply.body) as { path: string; stat: { version: number } };
    return { verdict: "done", code: "", node: path, version: stat.version };
  }
  const { code, certainty } = JSON.parse(reply.body) as { code: string; certainty: string };
  const verdict = status === 500 || status === 502 || status === 504 ? "unknown" : "noEffect";
  if (certainty !== verdict)
    throw new Error(`status ${status} says ${verdict}, its certainty ${certainty}: ${reply.body}`);
  return { verdict, code, node: "", version: -1 };
}
