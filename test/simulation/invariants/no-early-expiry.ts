/**
 * Burrows 2006 (Chubby), section 2.8; API.md section 3: "you hold it until `timeout` after you sent the last renew that
 * was answered"; DESIGN 6, Liveness: a renewal needs a confirmation, a new leader gives every session its full timeout.
 *
 * ARCHITECTURE.md, Sessions: the clock of expiry runs only while the leader is confirmed and on time.
 *
 * Checked: when an expireSession is first applied anywhere, each renewal of that session that was answered `renewed` was
 * asked for at least `timeout` before, and so was its creation (from its first try on); what is answered afterwards
 * obeys the same. The leader's clock may be fast by the tolerance. Of a time in which the leader that ended it stood still,
 * or could not be answered by a majority, next to nothing counts. Nobody is told `renewed` of a session that was over
 * before he asked. And "expired" is told only of a session whose end is
 * in the order: to its client in answer to a renewal, and to writes and reads in its name.
 */
import { type Epoch, epochOf, formatZxid, type Outcome, type ReplicaId, type SessionId } from "@quorate/api";
import {
  type Answered,
  type AppliedBatch,
  type Asked,
  Invariant,
  type ReachSeen,
  type RoleSeen,
} from "../observation.ts";
import type { Entry, Order, SessionLife } from "./order.ts";
import { ReachOfReplicas } from "./outages.ts";

export class NoEarlyExpiry extends Invariant {
  readonly name = "no-early-expiry";
  readonly #order: Order;
  readonly #drift: number;
  readonly #reach = new ReachOfReplicas();
  /** When its client asked for what it was last granted, by session: from then on it counts its timeout. */
  readonly #held = new Map<SessionId, number>();
  /** When a session's creation was first asked for, by request. */
  readonly #firstAsked = new Map<number, number>();
  readonly #leaders = new Map<Epoch, { readonly replica: ReplicaId; readonly at: number }>();

  /** `drift`: by how much of the true time a clock may be wrong. */
  constructor(order: Order, drift: number) {
    super();
    this.#order = order;
    this.#drift = drift;
  }

  override role({ at, replica, role, epoch, serving }: RoleSeen): void {
    if (role === "leading" && serving && !this.#leaders.has(epoch)) this.#leaders.set(epoch, { replica, at });
  }

  override reach(seen: ReachSeen): void {
    this.#reach.note(seen);
  }

  override asked(seen: Asked): void {
    if (seen.kind !== "write" || seen.write.operation.kind !== "createSession") return;
    if (!this.#firstAsked.has(seen.request)) this.#firstAsked.set(seen.request, seen.at);
  }

  override answered({ at, asked, answer }: Answered): void {
    if (answer.kind === "unavailable" || answer.kind === "badSecret") return;
    if (asked.kind === "renew") {
      if (answer.kind === "renewed") {
        if (this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
        this.#hold(asked.session, asked.at);
        this.#isRenewed(asked.session, asked.at, asked.client);
      } else if (!this.#order.suspects.anySpoke(asked.at, at)) this.#isOver(asked.session, asked.client);
      return;
    }
    if (answer.kind !== "outcome" || this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
    const { outcome } = answer;
    if (!outcome.ok) {
      if (outcome.code === "sessionExpired") this.#saysExpired(asked, outcome);
      return;
    }
    if (asked.kind !== "write" || outcome.result.kind !== "session") return;
    const { result } = outcome;
    if (asked.write.operation.kind === "createSession") {
      this.#hold(result.session, this.#firstAsked.get(asked.request) ?? asked.at);
    }
  }

  #hold(session: SessionId, askedAt: number): void {
    const life = this.#order.sessions.get(session);
    if (life === undefined) return;
    if (askedAt > (this.#held.get(session) ?? 0)) this.#held.set(session, askedAt);
    if (life.endedBy === "expireSession") this.#judge(life);
  }

  override applied(seen: AppliedBatch): void {
    for (const entry of this.#order.note(seen).revealed) {
      if (this.#leaderWasSound(entry)) this.#look(entry);
    }
  }

  #look({ executed }: Entry): void {
    for (const { command, zxid } of executed) {
      const { operation } = command;
      if (operation.kind !== "expireSession") continue;
      const life = this.#order.sessions.get(operation.session);
      if (life?.ended === zxid) this.#judge(life);
    }
  }

  /** What flipped memory judges is promised to nobody. */
  #leaderWasSound({ batch, at }: Entry): boolean {
    const leader = this.#leaders.get(epochOf(batch.first));
    return leader === undefined || !this.#order.suspects.spoke(leader.replica, leader.at, at);
  }

  #judge({ session, ended, endedAt, timeoutMillis }: SessionLife): void {
    const held = this.#held.get(session);
    if (held === undefined) return;
    const entry = ended === undefined ? undefined : this.#order.locate(ended);
    const leader = entry && this.#leaders.get(epochOf(entry.batch.first));
    const still = leader ? this.#reach.uncounted(leader.replica, Math.max(held, leader.at), endedAt) : 0;
    const until = held + timeoutMillis * (1 - this.#drift) + still;
    // A millisecond for what clocks round.
    if (until <= endedAt + 1 || (entry !== undefined && !this.#leaderWasSound(entry))) return;
    const what = `session ${formatZxid(session)} (timeout ${timeoutMillis} ms) is expired at ${endedAt}`;
    this.broken(`${what}; its client may count on it until ${until}`);
  }

  /** Its end was in the order, and applied somewhere, before he asked. */
  #isRenewed(session: SessionId, askedAt: number, client: number): void {
    const life = this.#order.sessions.get(session);
    if (life?.ended === undefined || life.endedAt >= askedAt) return;
    const what = `client ${client} is told that session ${formatZxid(session)} is renewed, which it asked for at ${askedAt}`;
    this.broken(`${what}; it was over at ${life.endedAt}`);
  }

  #isOver(session: SessionId, client: number): void {
    const life = this.#order.sessions.get(session);
    if (life === undefined || life.ended !== undefined || !this.#order.whole) return;
    this.broken(`client ${client} is told that session ${formatZxid(session)} is over, and it lives`);
  }

  /** In an outcome: some session that the request names had ended by then. */
  #saysExpired(asked: Exclude<Asked, { kind: "renew" }>, { zxid }: Outcome): void {
    const { acting, operation } = asked.kind === "write" ? asked.write : asked.read;
    const named = acting === undefined ? [] : [acting.session];
    if ("session" in operation) named.push(operation.session);
    if (!this.#order.whole || named.some((each) => !this.#order.livesAfter(each, zxid))) return;
    const sessions = named.map((each) => formatZxid(each)).join(", ");
    this.broken(`request ${asked.request} is told at ${formatZxid(zxid)} that its session is over; ${sessions} live`);
  }
}
