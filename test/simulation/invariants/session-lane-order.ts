/**
 * ZooKeeper's guarantees, "FIFO client order: all requests from a given client are executed in the order that they were
 * sent"; DESIGN 6: on a session's own stream requests and replies travel in order.
 *
 * Checked, for each attachment of a session's lane: answers come in the order of requests; a read is not older than anything
 * that was answered before it on that lane, so it sees all writes that were given before it; and what it shows was not
 * written by a request that was given after it.
 */
import { formatZxid, type Outcome, type Zxid } from "@quorate/api";
import { type Answered, type Asked, Invariant } from "../observation.ts";
import type { Order } from "./order.ts";

interface Line {
  /** The last try that was answered. */
  answered: number;
  seen: Zxid;
  /** By request, its try on this line. */
  readonly writes: Map<number, number>;
}

const text = new TextDecoder();

export class SessionLaneOrder extends Invariant {
  readonly name = "session-lane-order";
  readonly #order: Order;
  readonly #lines = new Map<number, Line>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override asked({ kind, line: number, request, id }: Asked): void {
    if (number === undefined) return;
    let line = this.#lines.get(number);
    if (line === undefined) {
      line = { answered: 0, seen: 0 as Zxid, writes: new Map() };
      this.#lines.set(number, line);
    }
    if (kind === "write") line.writes.set(request, id);
  }

  override answered({ at, asked, answer }: Answered): void {
    const line = asked.line === undefined ? undefined : this.#lines.get(asked.line);
    if (line === undefined) return;
    const { id, client, kind } = asked;
    if (id < line.answered) {
      this.broken(`client ${client}: ${kind} ${id} is answered behind ${line.answered}, which was given after it`);
    }
    line.answered = id;
    if (answer.kind !== "outcome" || this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
    const { outcome } = answer;
    if (kind === "read") {
      // Refused for its form: of nothing.
      if (outcome.zxid !== 0 && outcome.zxid < line.seen) {
        const seen = `${formatZxid(line.seen)} was answered before on its lane`;
        this.broken(`client ${client}'s read ${id} is answered at ${formatZxid(outcome.zxid)}; ${seen}`);
      }
      this.#look(line, asked, outcome);
    }
    if (outcome.zxid > line.seen) line.seen = outcome.zxid;
  }

  #look({ writes }: Line, { id, client }: Asked, outcome: Outcome): void {
    if (!outcome.ok) return;
    const { result } = outcome;
    const shown =
      result.kind === "data"
        ? [result.data]
        : result.kind === "children"
          ? result.children.map((each) => each.data)
          : [];
    for (const data of shown) {
      const writer = data === undefined ? undefined : writes.get(Number(text.decode(data)));
      if (writer !== undefined && writer > id) {
        this.broken(`client ${client}'s read ${id} shows what write ${writer} wrote, which was given after it`);
      }
    }
  }
}
