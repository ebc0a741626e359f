/**
 * How a client speaks to the doors: each request bounded, through a door that is drawn, its answer sorted as the contract has
 * it. An answer against the contract is a violation wherever it is met.
 */
import { Agent } from "node:http";
import { parseZxid } from "@quorate/api";
import { codeOf, exchange, type Reply } from "../integration/http-client.ts";
import type { FailureCode, FailurePlace, Millis, ZxidNumber } from "../linearizability/index.ts";
import type { SeededRandom } from "../simulation/random.ts";
import type { GrpcHand } from "./grpc-hand.ts";
import type { Tally, Verdict } from "./tally.ts";
import type { ZookeeperHand } from "./zookeeper-hand.ts";

/** A client waits so much longer than the limit that it asked for; a stopped process answers nothing. */
const patienceMillis = 1500;
/** Some ask for so little time that much of what they asked for is done behind their backs, … */
const hastyMillis = [20, 50, 120, 300];
/** … and some hang up without having said so. */
const hangUpMillis = [2, 5, 10, 30];
const ordinaryMillis = [800, 1500, 3000];
/** Of what other doors know too. */
const overGrpc = 0.3;
const overZookeeper = 0.3;

export interface OtherHands {
  readonly grpc: GrpcHand;
  readonly zookeeper: ZookeeperHand;
}

export interface Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A linearizable read: 404 is an answer, and nothing can be unknown of it. */
  readonly isRead?: boolean;
  readonly key?: string;
  readonly timeoutMillis?: number;
}

/** An answer, sorted. `answered` is Infinity if it is unknown. */
export interface Said {
  readonly verdict: Verdict;
  readonly invoked: Millis;
  readonly answered: Millis;
  readonly gaveUp: Millis;
  readonly status: number;
  readonly code: string;
  readonly zxid: ZxidNumber | undefined;
  readonly place: FailurePlace | undefined;
  /** Of a success. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the door answered; each caller knows its shape.
  readonly json: any;
  readonly etag: string;
}

const failureCodes: ReadonlySet<string> = new Set<FailureCode>([
  "badVersion",
  "nodeExists",
  "noNode",
  "sessionExpired",
]);

export class Hands {
  readonly random: SeededRandom;
  readonly tally: Tally;
  readonly #doors: readonly string[];
  readonly #others: OtherHands | undefined;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

  /** `doors`: base addresses. `others`: of the same doors, where they are there. */
  constructor(doors: readonly string[], random: SeededRandom, tally: Tally, others?: OtherHands) {
    this.#doors = doors;
    this.#others = others;
    this.random = random;
    this.tally = tally;
  }

  /** Sends once; with a key sometimes twice, as a proxy does, and then again until it is known. */
  async send(request: Request): Promise<Said> {
    const floor = this.tally.floor;
    const said = request.key === undefined ? await this.#once(request) : await this.#repeated(request);
    const { verdict, status, code } = said;
    this.tally.count(verdict, verdict === "noEffect" || verdict === "unknown" ? `${status} ${code}` : "");
    // A renewal reads nothing; that a session is over, an older state knows too.
    const judged = verdict === "ok" || (verdict === "failed" && code !== "sessionExpired");
    if (said.zxid !== undefined && judged && !request.target.endsWith("/renew")) {
      const isWrite = verdict === "ok" && request.isRead !== true;
      this.tally.answered(`${request.method} ${request.target}`, said.zxid, floor, isWrite);
    }
    return said;
  }

  /** Until it is acknowledged, or `going` says that nobody wants it any more. */
  async insist(request: Request, going: () => boolean): Promise<Said | undefined> {
    while (going()) {
      const said = await this.send(request);
      if (said.verdict === "ok" || said.verdict === "failed") return said;
      await pause(100);
    }
    return undefined;
  }

  close(): void {
    this.#others?.grpc.close();
    this.#others?.zookeeper.close();
    this.#agent.destroy();
  }

  async #repeated(request: Request): Promise<Said> {
    const tries: Promise<Said>[] = [this.#once(request)];
    if (this.random.chance(0.7)) {
      await pause(this.random.below(3) * 4);
      tries.push(this.#once(request));
    }
    const answers = await Promise.all(tries);
    for (let more = 0; more < 3 && !answers.some(isDecided); more++) {
      if (answers.every((each) => each.verdict === "noEffect")) break;
      await pause(100);
      answers.push(await this.#once(request));
    }
    return this.#together(request, answers);
  }

  /** One operation of several tries: what any of them decided is what all of them did. */
  #together(request: Request, answers: readonly Said[]): Said {
    const decided = answers.filter(isDecided);
    const gists = new Set(decided.map(({ status, code, zxid, json }) => JSON.stringify({ status, code, zxid, json })));
    if (gists.size > 1) {
      this.tally.violate(
        `one key, several answers to ${request.method} ${request.target}: ${[...gists].join(" and ")}`,
      );
    }
    const invoked = Math.min(...answers.map((each) => each.invoked));
    const first = decided.toSorted((a, b) => a.answered - b.answered)[0];
    if (first) return { ...first, invoked };
    const refused = answers.every((each) => each.verdict === "noEffect");
    const last = answers.findLast((each) => refused || each.verdict === "unknown") as Said;
    return { ...last, invoked };
  }

  async #once(request: Request): Promise<Said> {
    const door = this.random.pick(this.#doors);
    const { method, target, body, key } = request;
    const kind = request.timeoutMillis === undefined ? this.random.below(100) : 100;
    const timeoutMillis = request.timeoutMillis ?? this.random.pick(kind < 3 ? hastyMillis : ordinaryMillis);
    const patience = kind >= 3 && kind < 5 ? this.random.pick(hangUpMillis) : timeoutMillis + patienceMillis;
    const headers = {
      ...request.headers,
      "Quorate-Timeout": `${timeoutMillis}ms`,
      ...(key === undefined ? {} : { "Idempotency-Key": key }),
    };
    const invoked = performance.now();
    try {
      const limits = { timeoutMillis, patienceMillis: patience };
      const called = this.#other()?.ask(this.#doors.indexOf(door), request, limits);
      if (called !== undefined) return this.#sort(request, await called, invoked);
      const options = { method, headers, patienceMillis: patience };
      const reply = await exchange(this.#agent, door, target, body === undefined ? options : { ...options, body });
      return this.#sort(request, reply, invoked);
    } catch (error) {
      const code = codeOf(error);
      // Nobody took the connection, so nothing was said on it.
      const verdict = code === "ECONNREFUSED" ? "noEffect" : "unknown";
      return said(verdict, invoked, { status: 0, code });
    }
  }

  /** Undefined: REST. */
  #other(): GrpcHand | ZookeeperHand | undefined {
    if (this.#others === undefined) return undefined;
    if (this.random.chance(overGrpc)) return this.#others.grpc;
    return this.random.chance(overZookeeper) ? this.#others.zookeeper : undefined;
  }

  #sort(request: Request, reply: Reply, invoked: Millis): Said {
    const { status, headers, body } = reply;
    const text = headers["quorate-zxid"];
    const zxid = typeof text === "string" ? parseZxid(text) : undefined;
    if (status < 300) {
      return said("ok", invoked, { status, zxid, json: body === "" ? {} : JSON.parse(body), etag: headers.etag ?? "" });
    }
    const problem = headers["content-type"] === "application/problem+json" ? JSON.parse(body) : {};
    const { code = "", certainty = "", op } = problem as { code?: string; certainty?: string; op?: FailurePlace };
    this.#judge(request, reply, code, certainty);
    const known = { status, code, zxid, place: op };
    if (request.isRead && status === 404 && code === "noNode") return said("ok", invoked, { ...known, json: null });
    if (status >= 500 && status !== 501 && status !== 503) return said("unknown", invoked, known);
    if (failureCodes.has(code) && [404, 409, 410, 412].includes(status)) return said("failed", invoked, known);
    return said("noEffect", invoked, known);
  }

  /** By the status alone, as the contract has it; what the problem says of its certainty must agree. */
  #judge({ method, target }: Request, { status, body }: Reply, code: string, certainty: string): void {
    const may = status === 500 || status === 502 || status === 504 ? "unknown" : "noEffect";
    const answer = `${method} ${target} was answered ${status}: ${body.slice(0, 500)}`;
    if (certainty !== may) this.tally.violate(`its status says ${may}, its certainty does not: ${answer}`);
    if (code === "internal" || status === 500) this.tally.violate(`an internal fault: ${answer}`);
    if (["badArguments", "keyReused", "authFailed", "noAuth", "tooLarge", "noParent", "notEmpty"].includes(code)) {
      this.tally.violate(`nobody asked for that: ${answer}`);
    }
  }
}

function isDecided({ verdict }: Said): boolean {
  return verdict === "ok" || verdict === "failed";
}

type Known = Partial<Pick<Said, "status" | "code" | "zxid" | "place" | "json" | "etag">>;

function said(verdict: Verdict, invoked: Millis, known: Known): Said {
  const now = performance.now();
  const { status = 0, code = "", zxid, place, json, etag = "" } = known;
  const answered = verdict === "unknown" ? Number.POSITIVE_INFINITY : now;
  return { verdict, invoked, answered, gaveUp: now, status, code, zxid, place, json, etag };
}

export function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
