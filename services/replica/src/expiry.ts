/**
 * When sessions end, by the leader's judgement: on a clock of its own that runs only while the leader is confirmed and
 * on time. Pure but for what it is told; expiry itself is a committed transaction.
 */
import type { SessionId } from "@quorate/api";

/** The clock goes on by at most this between two confirmations: a stopped process does not expire its clients. */
const longestStepMillis = 400;

interface Deadline {
  readonly timeoutMillis: number;
  at: number;
  renewedAt: number;
  closing: boolean;
}

export class Expiry {
  readonly #deadlines = new Map<SessionId, Deadline>();
  /** The expiry clock, ms; only differences matter. */
  #clock = 0;
  #confirmedAt: number | undefined;

  /** A new leader gives everybody the full timeout again. */
  begin(
    sessions: Iterable<{
      readonly id: SessionId;
      readonly timeoutMillis: number;
    }>,
  ): void {
    this.#deadlines.clear();
    this.#confirmedAt = undefined;
    for (const { id, timeoutMillis } of sessions) this.add(id, timeoutMillis);
  }

  end(): void {
    this.#deadlines.clear();
    this.#confirmedAt = undefined;
  }

  add(id: SessionId, timeoutMillis: number): void {
    const at = this.#clock + timeoutMillis;
    this.#deadlines.set(id, {
      timeoutMillis,
      at,
      renewedAt: this.#clock,
      closing: false,
    });
  }

  remove(id: SessionId): void {
    this.#deadlines.delete(id);
  }

  /** After a confirmation begun when the renewal had arrived. `closing`: its end is proposed already. */
  renew(id: SessionId): "renewed" | "closing" | "unknown" {
    const deadline = this.#deadlines.get(id);
    if (!deadline) return "unknown";
    if (deadline.closing) return "closing";
    deadline.at = this.#clock + deadline.timeoutMillis;
    deadline.renewedAt = this.#clock;
    return "renewed";
  }

  /** Milliseconds since the last renewal. */
  idleMillis(id: SessionId): number | undefined {
    const deadline = this.#deadlines.get(id);
    return deadline && Math.round(this.#clock - deadline.renewedAt);
  }

  /** The leader was confirmed by a quorum at `at` (its monotonic clock). */
  confirmed(at: number): void {
    if (this.#confirmedAt !== undefined && at > this.#confirmedAt) {
      this.#clock += Math.min(at - this.#confirmedAt, longestStepMillis);
    }
    if (this.#confirmedAt === undefined || at > this.#confirmedAt) this.#confirmedAt = at;
  }

  /** Sessions whose time is over, at most `most`; each is told once: its end is to be proposed. */
  due(most: number): SessionId[] {
    const due: SessionId[] = [];
    for (const [id, deadline] of this.#deadlines) {
      if (deadline.closing || deadline.at > this.#clock) continue;
      deadline.closing = true;
      due.push(id);
      if (due.length >= most) break;
    }
    return due;
  }
}
