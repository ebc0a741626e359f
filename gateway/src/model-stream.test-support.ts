/** A stream to a replica of the model ensemble: slow, and when it breaks, a part of what was on its way still arrives. */
import assert from "node:assert/strict";
import type { SessionId } from "@quorate/api";
import { decodeFromGateway, encodeFromGateway, type FromGateway, type ToGateway } from "@quorate/proto";
import type { LaneAtStream, ModelReplica } from "./model-ensemble.test-support.ts";
import type { ReadNow, ReplicaConnection, ReplicaEvents } from "./stream.ts";

export class ModelStream implements ReplicaConnection {
  readonly replica: ModelReplica;
  readonly events: ReplicaEvents;
  readonly lanes = new Map<SessionId, LaneAtStream>();
  readonly #toReplica: { at: number; message: FromGateway }[] = [];
  readonly #toGateway: ToGateway[] = [];
  #queued: Uint8Array[] = [];
  #lastAt = 0;
  #backAt = 0;
  #telling = false;
  open = true;
  queuedBytes = 0;

  constructor(replica: ModelReplica, events: ReplicaEvents) {
    this.replica = replica;
    this.events = events;
  }

  send(message: FromGateway): void {
    if (this.open) this.#queued.push(encodeFromGateway(message));
  }

  flush(): void {
    if (!this.open) return;
    const { world, faults } = this.replica.ensemble;
    for (const bytes of this.#queued) {
      const message = decodeFromGateway(bytes);
      assert(message, "what the gateway sends decodes");
      this.#lastAt = Math.max(this.#lastAt, world.now() + 0.1 + world.below(faults.delayMillis * 100) / 100);
      this.#toReplica.push({ at: this.#lastAt, message });
    }
    this.#queued = [];
    world.after(this.#lastAt - world.now(), () => this.deliver());
  }

  deliver(): void {
    const { world } = this.replica.ensemble;
    while (this.open && !this.replica.paused && this.#toReplica[0] && this.#toReplica[0].at <= world.now()) {
      this.replica.received(this, (this.#toReplica.shift() as { message: FromGateway }).message);
    }
  }

  /** To the gateway, in order, after a delay; lost if the stream breaks before. */
  say(message: ToGateway): void {
    const { world, faults } = this.replica.ensemble;
    if (!this.open) return;
    this.#backAt = Math.max(this.#backAt, world.now() + 0.1 + world.below(faults.delayMillis * 100) / 100);
    this.#toGateway.push(message);
    world.after(this.#backAt - world.now(), () => {
      const next = this.#toGateway.shift();
      this.#telling = true;
      if (this.open && next) this.events.received([next]);
      this.#telling = false;
    });
  }

  get readNow(): ReadNow | undefined {
    return this.replica.ensemble.faults.near ? this.#readNow : undefined;
  }

  /** When nothing is on its way to the gateway. */
  readonly #readNow: ReadNow = (read) => {
    if (this.#toGateway.length > 0 || this.#telling || !this.open || this.replica.paused) return undefined;
    return this.replica.reads.now(read);
  };

  close(): void {
    this.break("closed", false);
  }

  break(why: string, tell = true): void {
    if (!this.open) return;
    this.open = false;
    this.replica.streams.delete(this);
    const { ensemble } = this.replica;
    const { world } = ensemble;
    // What lay in a socket is read later all the same, up to some point of it.
    const left = this.#toReplica.slice(0, world.below(this.#toReplica.length + 1));
    for (const { message } of left) {
      if (message.kind === "lane") this.lanes.delete(message.session);
      if (message.kind === "write" && !this.lanes.get(message.session)?.void) ensemble.late(message);
    }
    if (tell) this.events.down(why);
  }
}
