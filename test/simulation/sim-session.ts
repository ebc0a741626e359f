/** A simulated client's session: opened anew when it is over, renewed in time, or carelessly not, and closed now and then. */
import type { Acting, SessionId, Zxid } from "@quorate/api";
import type { WriteRequest } from "@quorate/gateway";
import { identityOf } from "./observation.ts";
import type { SeededRandom } from "./random.ts";
import type { Town } from "./sim-client.ts";

interface Held {
  readonly acting: Acting;
  readonly timeoutMillis: number;
  renewAt: number;
}

export class SimSession {
  readonly #town: Town;
  readonly #client: number;
  readonly #random: SeededRandom;
  /** It closes its session, or lets it expire, now and then. */
  readonly #careless: boolean;
  readonly #learn: (zxid: Zxid) => void;
  #held: Held | undefined;
  #opening = false;

  constructor(town: Town, client: number, random: SeededRandom, careless: boolean, learn: (zxid: Zxid) => void) {
    this.#town = town;
    this.#client = client;
    this.#random = random;
    this.#careless = careless;
    this.#learn = learn;
  }

  /** Undefined: there is none now. */
  get acting(): Acting | undefined {
    return this.#held?.acting;
  }

  /** Called again and again. */
  keep(): void {
    const { time, open } = this.#town;
    const held = this.#held;
    if (!open) return;
    if (!held) this.#open();
    else if (time.now >= held.renewAt) this.#renew(held);
    else if (this.#careless && this.#random.chance(0.003)) this.#close(held);
  }

  /** Somebody said that it is over. */
  over(session: SessionId | undefined = this.#held?.acting.session): void {
    if (this.#held?.acting.session === session) this.#held = undefined;
  }

  #open(): void {
    if (this.#opening) return;
    this.#opening = true;
    const random = this.#random;
    const secretHash = Uint8Array.from({ length: 32 }, () => random.below(256));
    const timeoutMillis = random.between(1000, 2000);
    const request = this.#town.nextRequest();
    const client = { role: "client", name: "", address: "" } as const;
    const operation = { kind: "createSession", timeoutMillis, secretHash, ...client } as const;
    const write: WriteRequest = { identity: identityOf(request), operation };
    const gateway = random.pick(this.#town.gateways);
    // Who gets no answer tries again.
    this.#town.time.after(1500, () => {
      this.#opening = false;
    });
    this.#town.ask(gateway, { request, client: this.#client, kind: "write", write }, 1000, (answer) => {
      if (this.#held || answer.kind !== "outcome" || !answer.outcome.ok) return;
      const { result, zxid } = answer.outcome;
      this.#learn(zxid);
      if (result.kind !== "session") return;
      const renewAt = this.#town.time.now + timeoutMillis / 4;
      this.#held = { acting: { session: result.session, secretHash }, timeoutMillis, renewAt };
    });
  }

  #renew(held: Held): void {
    const { acting, timeoutMillis } = held;
    const careless = this.#careless && this.#random.chance(0.1);
    held.renewAt = careless ? Number.POSITIVE_INFINITY : this.#town.time.now + timeoutMillis / 4;
    const request = this.#town.nextRequest();
    const gateway = this.#random.pick(this.#town.gateways);
    const what = { request, client: this.#client, kind: "renew", ...acting } as const;
    this.#town.ask(gateway, what, timeoutMillis / 2, (answer) => {
      if (answer.kind === "expired" && this.#held === held) this.over(acting.session);
    });
  }

  /** What it keeps open may hear of it before its client does. */
  #close({ acting }: Held): void {
    const request = this.#town.nextRequest();
    const operation = { kind: "closeSession", session: acting.session } as const;
    const write: WriteRequest = { identity: identityOf(request), acting, operation };
    const gateway = this.#random.pick(this.#town.gateways);
    this.#town.ask(gateway, { request, client: this.#client, kind: "write", write }, 1000, () => {
      this.over(acting.session);
    });
  }
}
