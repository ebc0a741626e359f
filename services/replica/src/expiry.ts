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
  /** The leader's monotonic clock. */
  readonly #now: () => number;
  /** The expiry clock as it stood at `#confirmedAt`, ms; only differences matter. */
  #clock = 0;
  #confirmedAt: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new leader gives everybody the full timeout again, from now and not from a confirmation that was before. */
  begin(
    sessions: Iterable<{
      readonly id: SessionId;
      readonly timeoutMillis: number;
    }>,
  ): void {
    this.#deadlines.clear();
    this.#confirmedAt = this.#now();
    for (const { id, timeoutMillis } of sessions) this.add(id, timeoutMillis);
  }

  end(): void {
    this.#deadlines.clear();
    this.#confirmedAt = undefined;
  }

  add(id: SessionId, timeoutMillis: number): void {
    const renewedAt = this.#present();
    // A repeated answer to its opening does not undo the end that is proposed.
    const closing = this.#deadlines.get(id)?.closing ?? false;
    this.#deadlines.set(id, { timeoutMillis, at: renewedAt + timeoutMillis, renewedAt, closing });
  }

  /** After a confirmation begun when the renewal had arrived. `closing`: its end is proposed already. */
  renew(id: SessionId): "renewed" | "closing" | "unknown" {
    const deadline = this.#deadlines.get(id);
    if (!deadline) return "unknown";
    if (deadline.closing) return "closing";
    deadline.renewedAt = this.#present();
    deadline.at = deadline.renewedAt + deadline.timeoutMillis;
    return "renewed";
  }

  /** Milliseconds since the last renewal. */
  idleMillis(id: SessionId): number | undefined {
    const deadline = this.#deadlines.get(id);
    return deadline && Math.max(0, Math.round(this.#clock - deadline.renewedAt));
  }

  /** The leader was confirmed by a quorum at `at` (its monotonic clock). */
  confirmed(at: number): void {
    if (this.#confirmedAt !== undefined && at > this.#confirmedAt) {
      this.#clock += Math.min(at - this.#confirmedAt, longestStepMillis);
    }
    if (this.#confirmedAt === undefined || at > this.#confirmedAt) this.#confirmedAt = at;
  }

  /**
   * Where the expiry clock stands at this moment. The last confirmation may be a ping's interval old: who is renewed now
   * is held from now on. The step is bounded as the clock's own is, so that a stopped process does not hold him longer.
   */
  #present(): number {
    if (this.#confirmedAt === undefined) return this.#clock;
    return this.#clock + Math.min(Math.max(0, this.#now() - this.#confirmedAt), longestStepMillis);
  }

  /**
   * Sessions whose time is over, at most `most`; each is told once: its end is to be proposed. Those that are not `known`
   * to the state any more are forgotten.
   */
  due(most: number, known: (id: SessionId) => boolean): SessionId[] {
    const due: SessionId[] = [];
    for (const [id, deadline] of this.#deadlines) {
      if (deadline.at > this.#clock) continue;
      if (!known(id)) {
        this.#deadlines.delete(id);
        continue;
      }
      if (deadline.closing) continue;
      deadline.closing = true;
      due.push(id);
      if (due.length >= most) break;
    }
    return due;
  }
}
