/**
 * Simulated clients: each asks one thing after another at some gateway, moves on when no answer comes, and remembers
 * what a client would: the newest zxid it has seen, its session, the versions of what it read. Between some clients and
 * their gateway stands a proxy that sends a request twice.
 */
import { anyone, type SessionId, type Zxid } from "@quorate/api";
import type { Answer, ReadRequest, RenewAnswer, WriteRequest } from "@quorate/gateway";
import type { VirtualTime } from "./events.ts";
import { type Asked, type Invariant, identityOf } from "./observation.ts";
import type { SeededRandom } from "./random.ts";
import type { SimGateway } from "./sim-gateway.ts";
import { Questions } from "./sim-questions.ts";

/** What all clients of a run share: numbers, gateways, and who is told. */
export class Town {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly watch: readonly Invariant[];
  readonly gateways: readonly SimGateway[];
  /** Requests come in; false: those under way are answered, no new ones are asked. */
  open = true;
  /** Nobody asks before this. */
  quietUntil = 0;
  answered = 0;
  acknowledged = 0;
  /** Answers by code, or "ok". */
  readonly tally = new Map<string, number>();
  #tries = 0;
  #requests = 0;

  constructor(time: VirtualTime, random: SeededRandom, gateways: readonly SimGateway[], watch: readonly Invariant[]) {
    this.time = time;
    this.random = random;
    this.gateways = gateways;
    this.watch = watch;
  }

  nextRequest(): number {
    return ++this.#requests;
  }

  /** Asks at `gateway`; `done` hears the answer, unless that process dies. */
  ask(gateway: SimGateway, what: What, deadlineMillis: number, done: (answer: Answer | RenewAnswer) => void): void {
    const asked = this.asking(gateway, what);
    const { machine } = gateway;
    const arrived = machine.mine(() => machine.arrive(() => this.#serve(gateway, asked, deadlineMillis, done)));
    this.time.after(this.#latency(), arrived);
  }

  /** A try leaves its client. */
  asking(gateway: SimGateway, what: What): Asked {
    const asked: Asked = { at: this.time.now, id: ++this.#tries, gateway: gateway.number, ...what };
    for (const each of this.watch) each.asked(asked);
    return asked;
  }

  /** Its client is told. */
  telling(asked: Asked, answer: Answer | RenewAnswer): void {
    this.#count(answer);
    for (const each of this.watch) each.answered({ at: this.time.now, asked, answer });
  }

  #latency(): number {
    return 0.05 + this.random.below(50) / 100;
  }

  #serve(gateway: SimGateway, asked: Asked, deadline: number, done: (answer: Answer | RenewAnswer) => void): void {
    const { backend } = gateway;
    if (!backend) return;
    const answer = (answer: Answer | RenewAnswer): void => {
      this.time.after(this.#latency(), () => {
        this.telling(asked, answer);
        done(answer);
      });
    };
    if (asked.kind === "write") void backend.write(asked.write, deadline).then(answer);
    else if (asked.kind === "read") void backend.read(asked.read, deadline).then(answer);
    else void backend.renew(asked.session, asked.secretHash, deadline).then(answer);
  }

  #count(answer: Answer | RenewAnswer): void {
    this.answered += 1;
    const name =
      answer.kind === "unavailable"
        ? `${answer.code} ${answer.certainty}`
        : answer.kind === "outcome"
          ? answer.outcome.ok
            ? "ok"
            : answer.outcome.code
          : answer.kind;
    if (name === "ok") this.acknowledged += 1;
    this.tally.set(name, (this.tally.get(name) ?? 0) + 1);
  }
}

type What = Pick<Asked, "request" | "client" | "line"> &
  (
    | { readonly kind: "write"; readonly write: WriteRequest }
    | { readonly kind: "read"; readonly read: ReadRequest }
    | { readonly kind: "renew"; readonly session: SessionId; readonly secretHash: Uint8Array }
  );

export interface Habits {
  /** Between an answer and the next request, ms. */
  readonly thinkMillis: number;
  /** Shares of what is asked. */
  readonly writes: number;
  readonly sessions: boolean;
  /** A proxy repeats requests. */
  readonly repeats: boolean;
  /** Sessions are renewed on the side, whatever their client waits for. */
  readonly heartbeats: boolean;
  /** Many writes at once, now and then. */
  readonly bursts: boolean;
  readonly deadlineMillis: number;
}

interface HeldSession {
  readonly id: SessionId;
  readonly secretHash: Uint8Array;
  readonly timeoutMillis: number;
  /** When it is renewed next; Infinity: never again, to be expired. */
  renewAt: number;
}

export class SimClient {
  readonly #town: Town;
  readonly #number: number;
  readonly #habits: Habits;
  readonly #random: SeededRandom;
  #gateway: SimGateway;
  #seen = 0 as Zxid;
  #session: HeldSession | undefined;
  readonly #questions: Questions;
  /** The turn that is awaited; an answer to an earlier one moves nothing on. */
  #turn = 0;

  constructor(town: Town, number: number, random: SeededRandom, habits: Habits) {
    this.#town = town;
    this.#number = number;
    this.#random = random;
    this.#questions = new Questions(random);
    this.#habits = habits;
    this.#gateway = random.pick(town.gateways);
  }

  start(): void {
    this.#after(this.#random.below(100));
  }

  #after(millis: number): void {
    this.#town.time.after(millis, () => this.#next());
  }

  #next(): void {
    const { time, quietUntil, open } = this.#town;
    if (!open) return;
    if (time.now < quietUntil && this.#session === undefined) {
      this.#after(quietUntil - time.now + 1);
      return;
    }
    if (this.#random.chance(0.03)) this.#gateway = this.#random.pick(this.#town.gateways);
    if (this.#habits.bursts && this.#random.chance(0.05)) this.#burst();
    const turn = ++this.#turn;
    this.#act(() => {
      if (turn === this.#turn) this.#after(this.#random.below(this.#habits.thinkMillis * 2) + 0.1);
    });
    this.#town.time.after(this.#habits.deadlineMillis + 300, () => {
      if (turn !== this.#turn) return;
      this.#gateway = this.#random.pick(this.#town.gateways);
      this.#next();
    });
  }

  #burst(): void {
    for (let i = this.#random.below(40); i > 0; i--) {
      const request = this.#town.nextRequest();
      this.#send(request, { operation: this.#questions.write(request) }, () => {});
    }
  }

  #act(done: () => void): void {
    const session = this.#session;
    const beats = this.#habits.heartbeats;
    if (session && !beats && this.#town.time.now >= session.renewAt) this.#renew(session, done);
    else if (this.#random.chance(this.#habits.writes)) this.#write(done);
    else this.#read(done);
  }

  #write(done: () => void): void {
    const random = this.#random;
    if (this.#habits.sessions && !this.#session && random.chance(0.3)) {
      this.#openSession(done);
      return;
    }
    const request = this.#town.nextRequest();
    const session = this.#session;
    if (session && random.chance(0.04)) {
      const acting = { session: session.id, secretHash: session.secretHash };
      this.#session = undefined;
      this.#send(request, { operation: { kind: "closeSession", session: session.id }, acting }, done);
      return;
    }
    const ephemeral = session !== undefined && random.chance(0.35);
    const operation = ephemeral ? this.#questions.ephemeral(request) : this.#questions.write(request);
    const acting =
      session && (ephemeral || random.chance(0.2))
        ? { acting: { session: session.id, secretHash: session.secretHash } }
        : {};
    this.#send(request, { operation, ...acting }, done);
  }

  #send(request: number, rest: Pick<WriteRequest, "operation" | "acting">, done: () => void): void {
    const keyed = this.#random.chance(this.#habits.repeats ? 0.5 : 0.15);
    const key = keyed ? { key: { key: `key-${request}`, requestHash: hashOf(request) } } : {};
    const write: WriteRequest = { identity: identityOf(request), ...rest, ...key } as WriteRequest;
    const what: What = { request, client: this.#number, kind: "write", write };
    let waiting = 1;
    const answered = (answer: Answer | RenewAnswer): void => {
      this.#learn(answer);
      waiting -= 1;
      if (waiting === 0) done();
    };
    const repeatable = rest.operation.kind !== "createSession" && rest.operation.kind !== "closeSession";
    if (this.#habits.repeats && repeatable && this.#random.chance(0.3)) {
      waiting += 1;
      const other = this.#random.chance(0.5) ? this.#gateway : this.#random.pick(this.#town.gateways);
      this.#town.time.after(this.#random.below(400), () => {
        this.#town.ask(other, what, this.#habits.deadlineMillis, answered);
      });
    }
    this.#town.ask(this.#gateway, what, this.#habits.deadlineMillis, answered);
  }

  #learn(answer: Answer | RenewAnswer): void {
    if (answer.kind !== "outcome") return;
    const { outcome } = answer;
    if (outcome.zxid > this.#seen) this.#seen = outcome.zxid;
    this.#questions.learn(outcome);
    if (!outcome.ok && (outcome.code === "sessionExpired" || outcome.code === "authFailed")) this.#session = undefined;
  }

  #openSession(done: () => void): void {
    const random = this.#random;
    const secretHash = Uint8Array.from({ length: 32 }, () => random.below(256));
    const timeoutMillis = random.between(1000, 2000);
    const request = this.#town.nextRequest();
    const operation = {
      kind: "createSession",
      role: "client",
      timeoutMillis,
      secretHash,
      name: "",
      address: "",
    } as const;
    const write: WriteRequest = { identity: identityOf(request), operation };
    this.#town.ask(
      this.#gateway,
      { request, client: this.#number, kind: "write", write },
      this.#habits.deadlineMillis,
      (answer) => {
        this.#learn(answer);
        if (answer.kind === "outcome" && answer.outcome.ok && answer.outcome.result.kind === "session") {
          const renewAt = random.chance(0.2)
            ? Number.POSITIVE_INFINITY
            : this.#town.time.now + random.pick([0, timeoutMillis / 4]);
          this.#session = { id: answer.outcome.result.session, secretHash, timeoutMillis, renewAt };
          if (this.#habits.heartbeats) this.#beat(this.#session);
        }
        done();
      },
    );
  }

  #beat(session: HeldSession): void {
    const { timeoutMillis, renewAt } = session;
    if (session !== this.#session || !this.#town.open || renewAt === Number.POSITIVE_INFINITY) return;
    this.#renew(session, () => {});
    this.#town.time.after(timeoutMillis * (0.1 + this.#random.below(20) / 100), () => this.#beat(session));
  }

  #renew(session: HeldSession, done: () => void): void {
    const { id, secretHash, timeoutMillis } = session;
    const request = this.#town.nextRequest();
    const what: What = { request, client: this.#number, kind: "renew", session: id, secretHash };
    // Also where the session may not be known yet.
    const gateway = this.#random.chance(0.2) ? this.#random.pick(this.#town.gateways) : this.#gateway;
    this.#town.ask(gateway, what, Math.min(this.#habits.deadlineMillis, timeoutMillis), (answer) => {
      if (answer.kind === "expired" || answer.kind === "badSecret") this.#session = undefined;
      const gone = this.#random.chance(0.03);
      session.renewAt = gone ? Number.POSITIVE_INFINITY : this.#town.time.now + timeoutMillis / 4;
      done();
    });
    session.renewAt = this.#town.time.now + timeoutMillis / 4;
  }

  #read(done: () => void): void {
    const random = this.#random;
    const chosen = random.below(10);
    const consistency = chosen <= 4 ? "linearizable" : chosen <= 7 ? "session" : "stale";
    const operation = this.#questions.read();
    // Whoever goes on in a listing has seen its first page.
    const at = operation.kind === "children" ? (operation.at ?? 0) : 0;
    const read: ReadRequest = {
      identity: anyone,
      operation,
      consistency,
      minZxid: Math.max(consistency === "session" ? this.#seen : 0, at) as Zxid,
      maxStaleMillis: random.between(100, 2000),
    };
    const request = this.#town.nextRequest();
    this.#town.ask(
      this.#gateway,
      { request, client: this.#number, kind: "read", read },
      this.#habits.deadlineMillis,
      (answer) => {
        this.#learn(answer);
        done();
      },
    );
  }
}

function hashOf(request: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) => (request >>> ((at % 4) * 8)) & 255);
}
