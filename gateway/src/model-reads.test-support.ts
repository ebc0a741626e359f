/** How one replica of the model ensemble answers reads that are no watches: at once, or when what they wait for is applied. */
import assert from "node:assert/strict";
import { decodeRead, type ErrorCode, type ExistsOperation, type Outcome, type Zxid } from "@quorate/api";
import type { DirectRead, FromGateway } from "@quorate/proto";
import type { ModelReplica } from "./model-ensemble.test-support.ts";
import type { ModelStream } from "./model-stream.test-support.ts";

type Read = Extract<FromGateway, { kind: "read" }>;

export class ModelReads {
  readonly #replica: ModelReplica;
  /** Behind a write that is not applied, or for a zxid. */
  #parked: { readonly stream: ModelStream; readonly message: Read; readonly until: number }[] = [];

  constructor(replica: ModelReplica) {
    this.#replica = replica;
  }

  read(stream: ModelStream, message: Read): void {
    const { ensemble } = this.#replica;
    const { world, faults } = ensemble;
    const stale = message.consistency === "stale";
    const none = !stale && !this.#replica.leading;
    if (world.chance(faults.behind)) return this.#fail(stream, message, "behind");
    if (none) return this.#fail(stream, message, "noLeader");
    if (faults.noQuorum && !stale) return;
    if (this.waits(message)) {
      this.#parked.push({ stream, message, until: world.now() + message.budgetMillis });
      world.after(message.budgetMillis, () => this.advanced());
    } else this.#answer(stream, message);
  }

  /** Undefined: by a message. */
  now(read: DirectRead): Outcome | undefined {
    const { world, faults } = this.#replica.ensemble;
    const { operation } = read;
    if (operation.kind !== "exists" || !this.#replica.leading || faults.noQuorum || this.waits(read)) return undefined;
    return world.chance(faults.behind) ? undefined : this.#outcome(operation);
  }

  /** `at`: where the replica stands, if not at the newest. */
  waits({ behind, minZxid }: Pick<DirectRead, "behind" | "minZxid">, at?: Zxid): boolean {
    const { state } = this.#replica.ensemble;
    if ((at ?? state.zxid) < minZxid) return true;
    // A session that is over has nothing that could be waited for.
    return behind !== undefined && (state.lanes.get(behind.session)?.last ?? behind.sequence) < behind.sequence;
  }

  #answer(stream: ModelStream, message: Read): void {
    const operation = decodeRead(message.operation);
    assert(operation?.kind === "exists");
    const outcome = this.#outcome(operation);
    stream.say({ kind: "answer", id: message.id, outcome, ageMillis: message.consistency === "stale" ? 7 : 0 });
  }

  #outcome({ path }: ExistsOperation): Outcome {
    const { state } = this.#replica.ensemble;
    const { zxid } = state;
    const there = path === "/a" || state.times.has(path);
    return there
      ? { ok: true, zxid, result: { kind: "done", count: 0 } }
      : { ok: false, zxid, code: "noNode", detail: "", path };
  }

  #fail(stream: ModelStream, { id }: Read, code: ErrorCode): void {
    const outcome: Outcome = { ok: false, zxid: this.#replica.ensemble.state.zxid, code, detail: code };
    stream.say({ kind: "answer", id, outcome, ageMillis: 0 });
  }

  /** Something was applied, or its time is over. */
  advanced(): void {
    const { world } = this.#replica.ensemble;
    const parked = this.#parked;
    this.#parked = [];
    for (const each of parked) {
      const { stream, message } = each;
      if (!stream.open) continue;
      if (!this.waits(message) && (message.consistency === "stale" || this.#replica.leading)) {
        this.#answer(stream, message);
      } else if (world.now() >= each.until) this.#fail(stream, message, "behind");
      else this.#parked.push(each);
    }
  }
}
