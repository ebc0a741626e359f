/**
 * How one replica of the model ensemble serves watches: it has applied the history up to some point, answers from there,
 * and feeds each stream that asked, before it says anything that was computed later.
 */
import assert from "node:assert/strict";
import { decodeRead, type ErrorCode, type Zxid } from "@quorate/api";
import type { FromGateway, ToGateway } from "@quorate/proto";
import type { ModelReplica } from "./model-ensemble.test-support.ts";
import { answerWatch, type ModelTransaction, withPlaces } from "./model-history.test-support.ts";
import type { ModelStream } from "./model-stream.test-support.ts";

type Read = Extract<FromGateway, { kind: "read" }>;

export class ModelWatching {
  readonly #replica: ModelReplica;
  /** Transactions of the history. */
  #applied = 0;
  /** Streams with a feed, and how many transactions each was told of. */
  readonly #feeds = new Map<ModelStream, number>();
  unwatched = 0;

  constructor(replica: ModelReplica) {
    this.#replica = replica;
  }

  /** Streams that are fed. */
  get fed(): number {
    return [...this.#feeds.keys()].filter((each) => each.open).length;
  }

  /** False: this is no read of kind `watch`. */
  read(stream: ModelStream, message: Read): boolean {
    const operation = decodeRead(message.operation);
    if (operation?.kind !== "watch") return false;
    const { world } = this.#replica.ensemble;
    const fails = world.chance(this.#replica.ensemble.faults.behind);
    // It waits for its confirmation, and is computed and said in one turn then.
    world.after(world.below(3), () => {
      if (!stream.open || this.#replica.paused) return;
      if (fails) return this.#fail(stream, message.id, "behind");
      if (message.consistency !== "linearizable") this.catchUp(this.#applied + world.below(2));
      else if (this.#confirmed) this.catchUp();
      else return this.#fail(stream, message.id, "noLeader");
      const at = operation.raw ? this.#position : this.#zxid;
      if (this.#replica.reads.waits(message, operation.raw ? at : undefined)) {
        return this.#fail(stream, message.id, "behind");
      }
      const { ring, transactions } = this.#replica.ensemble.history;
      const view = { transactions: transactions.slice(0, this.#applied), at, ring };
      const answer = answerWatch(view, operation, message.identity, message.acting?.session);
      if (typeof answer === "string") return this.#fail(stream, message.id, answer);
      if (!answer.more) this.#feeds.set(stream, this.#applied);
      const result = {
        kind: "watched",
        states: [],
        sessionTimeoutMillis: message.acting ? 6000 : 0,
        ...answer,
      } as const;
      const outcome = { ok: true, zxid: at, result } as const;
      stream.say({ kind: "answer", id: message.id, outcome, ageMillis: 0 });
    });
    return true;
  }

  /** The leader says where it is, if this replica knows who that is. */
  get #confirmed(): boolean {
    const { leading, leads, ensemble } = this.#replica;
    return leading || (leads === 0 && ensemble.leader !== undefined);
  }

  get #zxid(): Zxid {
    return this.#replica.ensemble.history.transactions[this.#applied - 1]?.zxid ?? (0 as Zxid);
  }

  /** What is no transaction of the history has a zxid, too. */
  get #position(): Zxid {
    const { ensemble, leading } = this.#replica;
    const all = leading && this.#applied === ensemble.history.transactions.length;
    return all ? ensemble.state.zxid : this.#zxid;
  }

  #fail(stream: ModelStream, id: number, code: ErrorCode): void {
    stream.say({ kind: "answer", id, outcome: { ok: false, zxid: this.#zxid, code, detail: code }, ageMillis: 0 });
  }

  unwatch(stream: ModelStream): void {
    this.unwatched += 1;
    this.#feeds.delete(stream);
  }

  /** Applies what it has not, in one or several steps, each told at once. */
  catchUp(to: number = this.#replica.ensemble.history.transactions.length): void {
    const { transactions } = this.#replica.ensemble.history;
    const end = Math.min(to, transactions.length);
    const { world } = this.#replica.ensemble;
    while (this.#applied < end) {
      this.#applied += 1 + world.below(end - this.#applied);
      for (const [stream, from] of this.#feeds) {
        if (stream.open) stream.say(feedOf(transactions.slice(from, this.#applied)));
        this.#feeds.set(stream, this.#applied);
      }
    }
  }

  /** A leader's snapshot takes the place of its state. */
  replaceState(): void {
    this.#applied = this.#replica.ensemble.history.transactions.length;
    for (const stream of this.#feeds.keys()) if (stream.open) stream.say({ kind: "feedBroken" });
    this.#feeds.clear();
  }
}

function feedOf(transactions: readonly ModelTransaction[]): Extract<ToGateway, { kind: "feed" }> {
  const last = transactions.at(-1);
  assert(last, "a feed tells of a transaction");
  const told = withPlaces(transactions.flatMap(({ changes }) => changes));
  return { kind: "feed", through: last.zxid, ...told, ended: transactions.flatMap(({ ended }) => ended) };
}
