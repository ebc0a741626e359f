/**
 * Who waits for the leader's commit index as a quorum confirms it: everything of one turn of the loop shares one
 * confirmation, at the leader by the core, elsewhere by asking the leader.
 */
import type { Zxid } from "@quorate/api";
import type { ConfirmTicket } from "@quorate/zab";

export type Confirmed = (index: Zxid | undefined) => void;

export interface ConfirmPorts {
  /** Steps the core with a `confirm`; false: this replica does not lead. */
  confirmHere(ticket: ConfirmTicket): boolean;
  /** Asks the leader over its link; false: there is none. */
  askLeader(ticket: ConfirmTicket): boolean;
}

export class Confirmations {
  readonly #ports: ConfirmPorts;
  #next: ConfirmTicket = 1;
  #gathering: Confirmed[] = [];
  readonly #waiting = new Map<ConfirmTicket, readonly Confirmed[]>();

  constructor(ports: ConfirmPorts) {
    this.#ports = ports;
  }

  /** `done` gets the index, or undefined when it cannot be had now. */
  request(done: Confirmed): void {
    this.#gathering.push(done);
  }

  /** At the end of a turn. */
  flush(): void {
    if (this.#gathering.length === 0) return;
    const gathered = this.#gathering;
    this.#gathering = [];
    const ticket = this.#next++;
    this.#waiting.set(ticket, gathered);
    if (!this.#ports.confirmHere(ticket) && !this.#ports.askLeader(ticket)) this.settle(ticket, undefined);
  }

  settle(ticket: ConfirmTicket, index: Zxid | undefined): void {
    const waiting = this.#waiting.get(ticket);
    if (!waiting) return;
    this.#waiting.delete(ticket);
    for (const done of waiting) done(index);
  }

  /** The leader is another one now: what was asked of the former is not answered any more. */
  failAll(): void {
    for (const ticket of [...this.#waiting.keys()]) this.settle(ticket, undefined);
  }
}
