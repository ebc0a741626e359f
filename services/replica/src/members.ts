/** What each member last said of itself, and whether their states are equal where they can be compared. */
import type { ReplicaId, Zxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";

interface Heard {
  readonly status: MemberStatus;
  readonly at: number;
}

/** Points of comparison that are remembered. */
const digestPoints = 64;

export class Members {
  readonly #heard = new Map<ReplicaId, Heard>();
  /** zxid → who has which digest there. */
  readonly #digests = new Map<Zxid, Map<ReplicaId, string>>();
  readonly #size: number;
  compared = 0;

  constructor(size: number) {
    this.#size = size;
  }

  heard(status: MemberStatus, now: number): void {
    this.#heard.set(status.id, { status, at: now });
  }

  others(now: number): MemberStatus[] {
    return [...this.#heard.values()].map(({ status, at }) => ({ ...status, agoMillis: Math.round(now - at) }));
  }

  /** The highest rules version that every member has announced, this one `own`; 0 while one has not been heard of. */
  commonRules(own: number): number {
    if (this.#heard.size + 1 < this.#size) return 0;
    let common = own;
    for (const { status } of this.#heard.values()) common = Math.min(common, status.rules);
    return common;
  }

  /**
   * Takes one replica's digest at `at`; answers why `self` is wrong when a majority of the members agree on another one
   * (ARCHITECTURE.md, "State": the minority quarantines itself, the leader too).
   */
  digest(self: ReplicaId, from: ReplicaId, at: Zxid, digest: string): string | undefined {
    const there = this.#digests.get(at) ?? new Map<ReplicaId, string>();
    there.set(from, digest);
    this.#digests.set(at, there);
    if (this.#digests.size > digestPoints) this.#digests.delete(this.#digests.keys().next().value ?? (0 as Zxid));
    const own = there.get(self);
    if (own === undefined) return undefined;
    this.compared++;
    const votes = new Map<string, number>();
    for (const each of there.values()) votes.set(each, (votes.get(each) ?? 0) + 1);
    for (const [each, count] of votes) {
      if (each !== own && count > this.#size / 2)
        return `${count} of ${this.#size} members have digest ${each} at ${at}, not ${own}`;
    }
    return undefined;
  }
}
