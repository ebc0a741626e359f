/**
 * One turn of a contender at one lock: a place in the queue, the lock, a section of several writes, the release. It never looks at a
 * clock to see whether it may still go on: that is what tokens are for.
 */
import type { SeededRandom } from "../simulation/random.ts";
import type { ContenderCounts, ContenderPlan, FromContender, LockPlan } from "./contender-messages.ts";
import { type Answer, acquire, call, fenceOf, type LockMode, type Place, release, show } from "./rest-locks.ts";

export interface TurnPorts {
  readonly plan: ContenderPlan;
  readonly random: SeededRandom;
  readonly counts: ContenderCounts;
  readonly tell: (message: FromContender) => void;
  /** Resolves at once, unless it was told to wait in the midst of a section. */
  readonly midst: () => Promise<void>;
  /** The contender's own session is over, or it wants to know nothing of it any more. */
  readonly over: (session: string) => void;
}

const pollMillis = 4000;
const writePatienceMillis = 5000;
/** Until it is known whether a place is really gone. */
const looks = 40;

export class Turn {
  readonly #ports: TurnPorts;
  readonly #lock: LockPlan;
  readonly #mode: LockMode;
  /** The contender's own, or what was opened for this lock. */
  #session: string | undefined;
  readonly #isOwn: boolean;
  #token = "";
  #renewedAt = 0;
  /** What a reader read first. */
  #seen: string | undefined;

  constructor(ports: TurnPorts, lock: LockPlan, session: string | undefined) {
    this.#ports = ports;
    this.#lock = lock;
    this.#session = session;
    this.#isOwn = session !== undefined;
    const { random } = ports;
    const modes = {
      mutex: "exclusive",
      semaphore: "permit",
      readWrite: random.chance(0.6) ? "read" : "write",
    } as const;
    this.#mode = modes[lock.kind];
  }

  /** `insists`: it neither leaves the queue nor walks away. Answers whether it held the lock. */
  async play(insists: boolean): Promise<boolean> {
    const { random, counts } = this.#ports;
    const held = await this.#acquire(insists);
    if (held) {
      counts.acquired += 1;
      if (!(await this.#section())) counts.lost += 1;
    }
    if (this.#session === undefined) return held;
    // Now and then one walks away, and leaves its place to its session's end.
    const isGivenUp = (insists || random.chance(0.97)) && (await this.#release());
    if (!isGivenUp) this.#over();
    return held;
  }

  /** False: its session is over, or it has left the queue. */
  async #acquire(insists: boolean): Promise<boolean> {
    const { random, counts, tell } = this.#ports;
    // Until it is answered: a retry under it is the same place. Without a session there is none.
    let key = this.#isOwn ? `${this.#ports.plan.name}-${random.next()}` : undefined;
    for (let waits = 0, waitMillis = 500; ; ) {
      const answer = await this.#ask({ key, waitMillis });
      const place = answer.json as Place;
      if (answer.status === 200 || answer.status === 202) {
        key = undefined;
        waitMillis = pollMillis;
        this.#learn(place);
        if (answer.status === 200) return true;
        if (waits++ === 0) counts.waited += 1;
        if (!insists && random.chance(0.03)) return false;
      } else if (answer.status === 410) {
        this.#over();
        return false;
      } else if (isTrouble(answer)) {
        counts.troubled += 1;
        await pause(random.between(20, 200));
      } else {
        tell({ kind: "violation", what: `a place at ${this.#lock.name} is refused: ${show(answer)}` });
        return false;
      }
    }
  }

  #learn(place: Place): void {
    const { session, token } = place;
    if (session.secret !== undefined) {
      this.#session = `${session.id}:${session.secret}`;
      this.#ports.counts.sessions += 1;
      this.#ports.tell({ kind: "session", id: session.id });
    }
    this.#token = token ?? "";
    this.#renewedAt = performance.now();
  }

  #ask(more: { key?: string | undefined; waitMillis: number; token?: string }): Promise<Answer> {
    const { plan } = this.#ports;
    return acquire(this.#door(), this.#lock.name, {
      session: this.#session,
      mode: this.#mode,
      permits: this.#lock.permits,
      layout: this.#lock.layout,
      contender: plan.name,
      timeoutMillis: plan.sessionMillis,
      ...more,
    });
  }

  /** True: it went through to its end, as far as its writes were answered. */
  async #section(): Promise<boolean> {
    const { random, midst } = this.#ports;
    const steps = random.between(3, 6);
    const restMillis = random.chance(0.08) ? 400 : random.pick([0, 2, 15]);
    for (let step = 0; step < steps; step++) {
      if (step === 2) await midst();
      if (!(await this.#write(step))) return this.#lost();
      if (this.#lock.outside && !(await this.#writeOutside())) return this.#lost();
      if (performance.now() - this.#renewedAt > this.#ports.plan.sessionMillis / 3) await this.#renew();
      await pause(random.below(restMillis + 1));
    }
    return true;
  }

  async #renew(): Promise<void> {
    const answer = await this.#ask({ token: this.#token, waitMillis: 0, key: undefined });
    if (answer.status === 200) this.#renewedAt = performance.now();
    if (answer.status === 202 || (answer.status === 200 && answer.json.token !== this.#token)) {
      const what = `a renewal of ${this.#token} at ${this.#lock.name} is answered with ${show(answer)}`;
      this.#ports.tell({ kind: "violation", what });
    }
  }

  /** False: refused, for its token. That it was not answered says nothing. */
  async #write(step: number): Promise<boolean> {
    const { random, tell, counts } = this.#ports;
    const answer = await (this.#mode === "read"
      ? this.#txn({ op: "get", path: this.#lock.znode })
      : step === 0 || random.chance(0.6)
        ? this.#leaveChild()
        : random.chance(0.5)
          ? this.#txn({ op: "put", path: this.#lock.znode, data: this.#mark() })
          : this.#replace());
    if (answer.status === 412 && answer.code === "fenced") return false;
    if (answer.status === 200 || answer.status === 201) {
      if (this.#mode === "read") this.#compare(answer);
    } else if (isTrouble(answer)) counts.troubled += 1;
    else tell({ kind: "violation", what: `a write with ${this.#token} of ${this.#lock.name}: ${show(answer)}` });
    return true;
  }

  #compare({ json }: Answer): void {
    const { mzxid } = json.results[0].stat as { mzxid: string };
    this.#seen ??= mzxid;
    if (mzxid === this.#seen) return;
    const what = `${this.#token} (read) at ${this.#lock.name} read ${this.#seen}, and later ${mzxid}`;
    this.#ports.tell({ kind: "changed", what });
  }

  #headers(): Record<string, string> {
    const fence: Record<string, string> = this.#ports.plan.withToken
      ? { "Quorate-Fenced": fenceOf(this.#lock.name, this.#token) }
      : {};
    return { ...fence, "Quorate-Timeout": "3s" };
  }

  #mark(): string {
    return `${this.#token} ${this.#mode}`;
  }

  #leaveChild(): Promise<Answer> {
    return this.#send("POST", `/v1/znodes${this.#lock.znode}?prefix=w-`, this.#mark());
  }

  /** With a child, in one transaction. */
  #txn(operation: object): Promise<Answer> {
    const child = { op: "create", path: `${this.#lock.znode}/w-`, sequential: true, data: this.#mark() };
    const body = JSON.stringify({ then: [operation, child] });
    return this.#send("POST", "/v1/txn", body, { "Content-Type": "application/json" });
  }

  async #replace(): Promise<Answer> {
    const answer = await this.#send("PUT", `/v1/znodes${this.#lock.znode}`, this.#mark());
    if (answer.status === 200) {
      const [at, token] = [Number(answer.json.zxid), Number(this.#token)];
      this.#ports.tell({ kind: "replaced", lock: this.#lock.name, at, token, mode: this.#mode });
    }
    return answer;
  }

  #send(method: string, target: string, body: string, more: Record<string, string> = {}): Promise<Answer> {
    const headers = { ...this.#headers(), ...more };
    return call(this.#door(), method, target, { headers, body, patienceMillis: writePatienceMillis });
  }

  async #writeOutside(): Promise<boolean> {
    const body = JSON.stringify({ token: Number(this.#token), mode: this.#mode });
    const answer = await call(this.#ports.plan.outside, "POST", `/${this.#lock.name}`, { body });
    return answer.status !== 409;
  }

  /** A write was refused: then the place must be gone, for good. */
  async #lost(): Promise<false> {
    for (let look = 0; look < looks; look++) {
      const answer = await this.#ask({ token: this.#token, waitMillis: 0, key: undefined });
      if (answer.status === 200 || answer.status === 202) {
        const what = `a write with ${this.#token} of ${this.#lock.name} was refused, and yet it is held: ${show(answer)}`;
        this.#ports.tell({ kind: "violation", what });
        return false;
      }
      if (answer.status === 410) this.#over();
      if (answer.status === 410 || answer.status === 412) return false;
      await pause(100);
    }
    return false;
  }

  /** Whether nothing of it is left, as far as anybody said so. */
  async #release(): Promise<boolean> {
    const { random, counts } = this.#ports;
    for (let tries = 0; this.#session !== undefined && tries < looks; tries++) {
      const { status } = await release(this.#door(), this.#lock.name, this.#session);
      if (status === 200 || status === 404) return true;
      if (status === 410) return false;
      counts.troubled += 1;
      await pause(random.between(20, 200));
    }
    return false;
  }

  #over(): void {
    if (this.#isOwn && this.#session !== undefined) this.#ports.over(this.#session);
    this.#session = undefined;
  }

  #door(): string {
    return this.#ports.random.pick(this.#ports.plan.doors);
  }
}

/** It is for another time: nobody leads, no answer came, or the leader's disk is nearly full, which is one of the faults. */
function isTrouble({ status, code }: Answer): boolean {
  return status === 0 || status >= 500 || status === 429 || code === "quotaExceeded";
}

export function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
