/** What each member last said of itself, and whether their states are equal where they can be compared. */
import { formatZxid, type ReplicaId, type Zxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";

interface Heard {
  readonly status: MemberStatus;
  readonly at: number;
}

/** This replica's state against the majority's; unknown: no majority has been heard of there. */
export type Comparison =
  | { readonly kind: "unknown" }
  | { readonly kind: "agrees" }
  | { readonly kind: "differs"; readonly detail: string };

/** Points of comparison that are remembered. */
const digestPoints = 64;

export class Members {
  readonly #heard = new Map<ReplicaId, Heard>();
  /** zxid → who has which digest there. */
  readonly #digests = new Map<Zxid, Map<ReplicaId, string>>();
  /** Who has spoken on a link that stands. */
  readonly #present = new Set<ReplicaId>();
  readonly #size: number;
  compared = 0;

  constructor(size: number) {
    this.#size = size;
  }

  heard(status: MemberStatus, now: number): void {
    this.#heard.set(status.id, { status, at: now });
    this.#present.add(status.id);
  }

  /** No link to it stands: it may come back as an older program. */
  left(member: ReplicaId): void {
    this.#present.delete(member);
  }

  others(now: number): MemberStatus[] {
    return [...this.#heard.values()].map(({ status, at }) => ({ ...status, agoMillis: Math.round(now - at) }));
  }

  /** The highest rules version that every member knows, this one `own`; 0 while one of them is not here to say so. */
  commonRules(own: number): number {
    if (this.#present.size + 1 < this.#size) return 0;
    let common = own;
    for (const [id, { status }] of this.#heard) if (this.#present.has(id)) common = Math.min(common, status.rules);
    return common;
  }

  /**
   * Takes one replica's digest at `at`, and compares `self` with the majority of the members: `differs` when they agree
   * on another one (ARCHITECTURE.md, "State": the minority quarantines itself, the leader too).
   */
  digest(self: ReplicaId, from: ReplicaId, at: Zxid, digest: string): Comparison {
    const there = this.#digests.get(at) ?? new Map<ReplicaId, string>();
    there.set(from, digest);
    this.#digests.set(at, there);
    if (this.#digests.size > digestPoints) this.#digests.delete(this.#digests.keys().next().value ?? (0 as Zxid));
    const own = there.get(self);
    if (own === undefined) return { kind: "unknown" };
    this.compared++;
    const votes = new Map<string, number>();
    for (const each of there.values()) votes.set(each, (votes.get(each) ?? 0) + 1);
    for (const [each, count] of votes) {
      if (count <= this.#size / 2) continue;
      if (each === own) return { kind: "agrees" };
      const detail = `${count} of ${this.#size} members have digest ${each} at ${formatZxid(at)}, not ${own}`;
      return { kind: "differs", detail };
    }
    return { kind: "unknown" };
  }
}
