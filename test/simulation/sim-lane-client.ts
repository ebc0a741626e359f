/**
 * A simulated client that keeps to one session and its own lane: it gives its requests on one stream, many before the first
 * is answered, and takes the session over through another gateway whenever it hears nothing, or as it likes. The stream
 * it has left may live on at its gateway, and what lies in it is still done, or not.
 *
 * What was not answered it gives again under its number; or it takes the new attachment's word that it was not done, says
 * so, and gives the number to something else.
 */
import {
  anyone,
  type Path,
  parsePath,
  persistentShape,
  type SessionId,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import type { Answer, LaneAnswer, ReadRequest, SessionLane, WriteRequest } from "@quorate/gateway";
import { type Asked, identityOf } from "./observation.ts";
import type { SeededRandom } from "./random.ts";
import type { Town } from "./sim-client.ts";
import type { SimGateway } from "./sim-gateway.ts";
import { Violation } from "./violation.ts";

export interface LaneHabits {
  /** Requests that are not answered, at most. */
  readonly depth: number;
  /** Between one handful of requests and the next, ms. */
  readonly thinkMillis: number;
  readonly writes: number;
  /** Of each handful: that it goes to another gateway first. */
  readonly restless: number;
  /** How long it waits for an answer before it goes elsewhere. */
  readonly patienceMillis: number;
  /** No replica's memory is flipped: what an attachment says of earlier writes is true. */
  readonly trusts: boolean;
}

interface Given {
  readonly request: number;
  readonly operation: WriteOperation;
  /** Tries that are not answered: of all of them together a client says whether they were done. */
  readonly tries: Set<Asked>;
}

const name = "session-lane-order";
const text = new TextEncoder();

function path(name: string): Path {
  return parsePath(name) as Path;
}

/** One attachment, as its client sees it: a stream that keeps the order both ways, until somebody leaves it. */
class Line {
  readonly #town: Town;
  readonly #random: SeededRandom;
  readonly gateway: SimGateway;
  readonly number: number;
  lane: SessionLane | undefined;
  open = false;
  left = false;
  /** Given, and answered. */
  given = 0;
  answered = 0;
  heardAt: number;
  /** Of the process that lived when it began: a connection does not outlive it. */
  readonly #arrive: (run: () => void) => void;
  #there = 0;
  #back = 0;

  constructor(town: Town, random: SeededRandom, gateway: SimGateway, number: number) {
    this.#town = town;
    this.#random = random;
    this.gateway = gateway;
    this.number = number;
    this.heardAt = town.time.now;
    const { machine } = gateway;
    this.#arrive = machine.mine((run: () => void) => machine.arrive(run));
  }

  #latency(): number {
    return 0.05 + this.#random.below(60) / 100;
  }

  /** Reaches the gateway's process, if it lives still, in order. */
  toGateway(run: () => void): void {
    const { time } = this.#town;
    this.#there = Math.max(this.#there, time.now + this.#latency());
    time.after(this.#there - time.now, () => this.#arrive(run));
  }

  /** Reaches the client, in order, unless it has left. */
  toClient(run: () => void): void {
    const { time } = this.#town;
    this.#back = Math.max(this.#back, time.now + this.#latency());
    time.after(this.#back - time.now, () => {
      this.heardAt = time.now;
      if (!this.left) run();
    });
  }
}

export class SimLaneClient {
  readonly #town: Town;
  readonly #number: number;
  readonly #random: SeededRandom;
  readonly #habits: LaneHabits;
  readonly #nextLine: () => number;
  #session: { readonly id: SessionId; readonly secretHash: Uint8Array; readonly timeoutMillis: number } | undefined;
  #renewAt = 0;
  #line: Line | undefined;
  /** Not answered, by number: from the first of them on. */
  #unanswered: Given[] = [];
  /** Numbers up to this one are answered. */
  #answered = 0;
  /** The next to be given on this line; those before it were. */
  #next = 1;
  /** Rises when a number is given back: what was given behind it needs no looking at. */
  #era = 0;

  constructor(town: Town, number: number, random: SeededRandom, habits: LaneHabits, nextLine: () => number) {
    this.#town = town;
    this.#number = number;
    this.#random = random;
    this.#habits = habits;
    this.#nextLine = nextLine;
  }

  start(): void {
    this.#after(this.#random.below(100));
  }

  #after(millis: number): void {
    this.#town.time.after(millis, () => this.#turn());
  }

  #turn(): void {
    const { time, quietUntil, open } = this.#town;
    if (!open) {
      this.#leave();
      return;
    }
    const { thinkMillis, restless, patienceMillis } = this.#habits;
    this.#after(this.#random.below(thinkMillis * 2) + 1);
    const line = this.#line;
    if (!this.#session) {
      if (time.now >= quietUntil) this.#openSession();
      return;
    }
    if (time.now >= this.#renewAt) this.#renew();
    const waits = line !== undefined && (!line.open || line.answered < line.given);
    if (!line || (waits && time.now - line.heardAt > patienceMillis) || this.#random.chance(restless)) this.#attach();
    else if (line.open && time.now >= quietUntil) this.#handful(line);
  }

  #openSession(): void {
    const random = this.#random;
    const secretHash = Uint8Array.from({ length: 32 }, () => random.below(256));
    const timeoutMillis = random.between(1000, 2000);
    const request = this.#town.nextRequest();
    const client = { role: "client", name: "", address: "" } as const;
    const operation = { kind: "createSession", timeoutMillis, secretHash, ...client } as const;
    const write: WriteRequest = { identity: identityOf(request), operation };
    const gateway = random.pick(this.#town.gateways);
    this.#town.ask(gateway, { request, client: this.#number, kind: "write", write }, 1000, (answer) => {
      if (this.#session || answer.kind !== "outcome" || !answer.outcome.ok) return;
      const { result } = answer.outcome;
      if (result.kind !== "session") return;
      this.#session = { id: result.session, secretHash, timeoutMillis };
      this.#renewAt = this.#town.time.now + timeoutMillis / 4;
      this.#unanswered = [];
      this.#answered = 0;
    });
  }

  #renew(): void {
    const session = this.#session;
    if (!session) return;
    const { id, secretHash, timeoutMillis } = session;
    this.#renewAt = this.#town.time.now + timeoutMillis / 4;
    const request = this.#town.nextRequest();
    const gateway = this.#line?.gateway ?? this.#random.pick(this.#town.gateways);
    const what = { request, client: this.#number, kind: "renew", session: id, secretHash } as const;
    this.#town.ask(gateway, what, timeoutMillis / 2, (answer) => {
      if (answer.kind === "expired" && this.#session === session) this.#over();
    });
  }

  /** The session is: what was not answered is of unknown fate for ever. */
  #over(): void {
    this.#leave();
    this.#session = undefined;
  }

  /** Its gateway may hear of it soon, or never. */
  #leave(): void {
    const line = this.#line;
    this.#line = undefined;
    if (!line) return;
    line.left = true;
    if (this.#random.chance(0.4)) line.toGateway(() => line.lane?.close());
  }

  #attach(): void {
    const session = this.#session;
    if (!session) return;
    this.#leave();
    const line = new Line(this.#town, this.#random, this.#random.pick(this.#town.gateways), this.#nextLine());
    this.#line = line;
    const { id, secretHash } = session;
    const deadline = this.#habits.patienceMillis;
    line.toGateway(() => {
      line.lane = line.gateway.backend?.attach({ session: id, secretHash }, anyone, deadline, {
        opened: ({ lastSequence }) => line.toClient(() => this.#opened(line, lastSequence)),
        ended: ({ code }) => line.toClient(() => this.#ended(code === "sessionExpired")),
        drained: () => {},
      });
    });
  }

  #ended(expired: boolean): void {
    if (expired) this.#over();
    else this.#leave();
  }

  #opened(line: Line, lastSequence: number): void {
    line.open = true;
    this.#next = this.#answered + 1;
    if (this.#habits.trusts) {
      const done = lastSequence - this.#answered;
      if (done < 0 || done > this.#unanswered.length) {
        const were = `${this.#answered} were answered, ${this.#answered + this.#unanswered.length} given`;
        throw new Violation(name, `client ${this.#number} is told of ${lastSequence} writes; ${were}`);
      }
      // What is behind the last was not done, and never will be.
      if (this.#random.chance(0.5)) this.#sayNone(this.#unanswered.splice(done));
    }
    for (const each of this.#unanswered) this.#give(line, each);
  }

  #sayNone(givens: readonly Given[]): void {
    const tries = givens.flatMap((each) => [...each.tries]).sort((one, other) => one.id - other.id);
    const detail = "the attachment says that it was not done";
    for (const asked of tries) {
      const answer = {
        kind: "unavailable",
        code: "connectionLoss",
        detail,
        certainty: "noEffect",
        retryAfterMillis: 0,
      };
      this.#town.telling(asked, answer as Answer);
    }
  }

  #handful(line: Line): void {
    for (let each = this.#random.below(7); each > 0; each -= 1) {
      if (line.given - line.answered >= this.#habits.depth) return;
      if (this.#random.chance(this.#habits.writes)) this.#write(line);
      else this.#read(line);
    }
  }

  #write(line: Line): void {
    const request = this.#town.nextRequest();
    const each: Given = { request, operation: this.#operation(request), tries: new Set() };
    this.#unanswered.push(each);
    this.#give(line, each);
  }

  #operation(request: number): WriteOperation {
    const random = this.#random;
    const data = text.encode(`${request}`);
    const register = path(`/r/${random.below(5)}`);
    const lock = path(`/e/lock-${random.below(3)}`);
    switch (random.below(8)) {
      case 0:
        return { kind: "delete", path: register, condition: {}, recursive: false };
      case 1:
        return { kind: "create", path: path("/q/n-"), data, shape: persistentShape, sequential: true, parents: false };
      case 2: {
        const shape = { kind: "ephemeral", ttlMillis: 0 } as const;
        return { kind: "create", path: lock, data, shape, sequential: false, parents: false };
      }
      case 3:
        return { kind: "delete", path: lock, condition: {}, recursive: false };
      default:
        return { kind: "put", path: register, data, parents: false, condition: {} };
    }
  }

  /** Under the next number. */
  #give(line: Line, given: Given): void {
    const session = this.#session;
    if (!session) return;
    const { request, operation } = given;
    const sequence = this.#next;
    this.#next += 1;
    const era = this.#era;
    const identity = identityOf(request);
    const acting = { session: session.id, secretHash: session.secretHash };
    const write = { identity, acting, operation };
    const what = { request, client: this.#number, line: line.number, kind: "write", write } as const;
    const asked = this.#town.asking(line.gateway, what);
    given.tries.add(asked);
    line.given += 1;
    const answeredUpTo = this.#answered;
    line.toGateway(() => {
      line.lane?.write({ sequence, answeredUpTo, identity, operation }, (answer) => {
        line.toClient(() => this.#told(line, given, sequence, era, asked, answer));
      });
    });
  }

  #told(line: Line, given: Given, sequence: number, era: number, asked: Asked, { answer, decided }: LaneAnswer): void {
    line.answered += 1;
    given.tries.delete(asked);
    this.#town.telling(asked, answer);
    if (decided) {
      this.#unanswered.shift();
      this.#answered = sequence;
      return;
    }
    if (era !== this.#era) return;
    // From this one on all are given back, also those that are answered so in a moment.
    this.#era += 1;
    this.#next = sequence;
    const back = this.#unanswered.indexOf(given);
    const again = this.#unanswered.splice(back < 0 ? this.#unanswered.length : back);
    // Flipped memory may have said so of what is done: then the number stays the request's.
    if (this.#habits.trusts && this.#random.chance(0.5)) return;
    this.#unanswered.push(...again);
    for (const each of again) this.#give(line, each);
  }

  #read(line: Line): void {
    const random = this.#random;
    const operation: ReadRequest["operation"] =
      random.below(4) === 0
        ? { kind: "children", path: path("/e"), limit: 10_000, withData: random.chance(0.5) }
        : { kind: "get", path: path(`/r/${random.below(5)}`) };
    const read: ReadRequest = {
      identity: anyone,
      operation,
      consistency: random.pick(["session", "session", "linearizable", "stale"]),
      minZxid: 0 as Zxid,
      maxStaleMillis: random.between(100, 2000),
    };
    const request = this.#town.nextRequest();
    const what = { request, client: this.#number, line: line.number, kind: "read", read } as const;
    const asked = this.#town.asking(line.gateway, what);
    line.given += 1;
    line.toGateway(() => {
      line.lane?.read(read, this.#habits.patienceMillis, (answer) => {
        line.toClient(() => {
          line.answered += 1;
          this.#town.telling(asked, answer);
        });
      });
    });
  }
}
