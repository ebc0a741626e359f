/**
 * Whether a replica is worse than its siblings: they serve and it does not. That is what takes it out of a balancer. When
 * a leader is lost, all stop serving, one a little before the other, each still with the others' last word in its ear:
 * none is worse then, so one that has served gets some time to serve again. One that starts gets none.
 */
import type { ReadinessCheck } from "@quorate/gateway";
import type { MemberStatus } from "@quorate/proto";

export const siblingLimits = {
  /** A sibling's word is believed for so long; each speaks every 500 ms, and at once when it changes. */
  heardMillis: 1500,
  /** Longer than a leader's silence is borne and than its word is believed, together. */
  graceMillis: 3000,
  /** How often it is looked whether this replica serves. */
  lookMillis: 250,
} as const;

export interface Statuses {
  readonly self: MemberStatus;
  readonly others: readonly MemberStatus[];
}

export class SiblingCheck {
  readonly #now: () => number;
  readonly #statuses: () => Statuses;
  #servedAt: number | undefined;

  constructor(now: () => number, statuses: () => Statuses) {
    this.#now = now;
    this.#statuses = statuses;
  }

  /** Called every `lookMillis`. */
  look(): void {
    if (this.#statuses().self.serving) this.#servedAt = this.#now();
  }

  check(): ReadinessCheck {
    this.look();
    const { self, others } = this.#statuses();
    if (self.serving) return { name: "replica", ok: true, detail: `${self.role}, epoch ${self.epoch}` };
    const graced = this.#servedAt !== undefined && this.#now() - this.#servedAt <= siblingLimits.graceMillis;
    const worse = others.some(({ serving, agoMillis }) => serving && agoMillis < siblingLimits.heardMillis);
    return { name: "replica", ok: graced || !worse, detail: self.reason };
  }
}
