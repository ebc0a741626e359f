/**
 * Burrows 2006 (Chubby), section 2.8, the other half: what nobody holds any more becomes free. DESIGN 6, Liveness:
 * expiry is a committed transaction; a new leader gives every session its full timeout again.
 *
 * Checked at the end, after the simulator has waited for long enough: no client's session lives that nobody tried to
 * renew, or took over, for its timeout and the slack, counted from the newest establishment of a leader if that was
 * later. (That its ephemerals are gone with it is judged by ephemerals-end-with-their-session. A gateway's own session is
 * renewed out of sight and is not judged.)
 */
import { formatZxid, type SessionId } from "@quorate/api";
import {
  type Answered,
  type AppliedBatch,
  type Asked,
  type Finished,
  Invariant,
  type RoleSeen,
} from "../observation.ts";
import type { Order } from "./order.ts";

export class SessionsEnd extends Invariant {
  readonly name = "sessions-end";
  readonly #order: Order;
  readonly #slackMillis: number;
  /** When somebody last asked for a renewal, or was told of one. */
  readonly #touched = new Map<SessionId, number>();
  #ledSince = 0;

  /** `slackMillis`: what an expiry may take beyond the timeout. */
  constructor(order: Order, slackMillis: number) {
    super();
    this.#order = order;
    this.#slackMillis = slackMillis;
  }

  override role({ at, role, serving }: RoleSeen): void {
    if (role === "leading" && serving) this.#ledSince = at;
  }

  override asked(seen: Asked): void {
    if (seen.kind === "renew") this.#touched.set(seen.session, seen.at);
  }

  override answered({ at, asked }: Answered): void {
    if (asked.kind === "renew") this.#touched.set(asked.session, at);
  }

  override applied(seen: AppliedBatch): void {
    // Whoever takes a session over has it for its whole timeout again.
    for (const { executed, at } of this.#order.note(seen).revealed) {
      for (const { command } of executed) {
        if (command.operation.kind === "attach") this.#touched.set(command.operation.session, at);
      }
    }
  }

  override finished({ at, trees }: Finished): void {
    for (const [replica, tree] of trees) {
      for (const { id, role, timeoutMillis } of tree.sessions()) {
        if (role !== "client") continue;
        const opened = this.#order.sessions.get(id)?.openedAt ?? 0;
        const since = Math.max(opened, this.#touched.get(id) ?? 0, this.#ledSince);
        if (at <= since + timeoutMillis + this.#slackMillis) continue;
        const what = `session ${formatZxid(id)} (timeout ${timeoutMillis} ms) lives at ${at} on replica ${replica}`;
        this.broken(`${what}; nobody renewed it since ${since}`);
      }
    }
  }
}
