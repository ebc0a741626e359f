/**
 * A few peers wired in memory for tests of single rules: the test decides which message travels, which write becomes
 * durable and when time passes. `settle` lets everything happen that is not held back.
 */
import { assert, type Batch, type ReplicaId, type Zxid } from "@quorate/api";
import type { PeerOptions } from "./core.ts";
import { type DiskEffect, TestDisk } from "./disk.test-support.ts";
import type { Effect, Status } from "./effect.ts";
import type { Input, LinkId } from "./input.ts";
import type { PeerMessage } from "./message.ts";
import { Peer } from "./peer.ts";
import type { Standing } from "./state.ts";

interface Line {
  readonly id: LinkId;
  readonly ends: readonly [ReplicaId, ReplicaId];
  /** Those who have not heard that it broke. */
  readonly open: Set<ReplicaId>;
}

interface Letter {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly link: LinkId;
  readonly message: PeerMessage;
}

export class TestReplica {
  readonly id: ReplicaId;
  readonly disk: TestDisk;
  peer: Peer | undefined;
  /** Since the last start. */
  delivered: Batch[] = [];
  readonly confirmed = new Map<number, Zxid | undefined>();
  readonly stops: string[] = [];
  notes: string[] = [];
  status: Status | undefined;
  constructor(id: ReplicaId, standing: Standing) {
    this.id = id;
    this.disk = new TestDisk(standing);
  }
  get running(): Peer {
    assert(this.peer !== undefined, "the replica runs");
    return this.peer;
  }
  /** The end of what is delivered, what was known at the start included. */
  get applied(): Zxid {
    return this.delivered.at(-1)?.last ?? this.disk.recover().applied;
  }
}

/** A running checksum that tells batches apart by their place and stamp. */
export function testChecksum(previous: number, batch: Pick<Batch, "first" | "last" | "stamp">): number {
  let hash = previous ^ 0x5bd1e995;
  for (const part of [batch.first % 2 ** 31, Math.floor(batch.first / 2 ** 32), batch.last % 2 ** 31, batch.stamp]) {
    hash = Math.imul(hash ^ part, 0x85ebca6b) ^ (hash >>> 13);
  }
  return hash >>> 0;
}

export class TestEnsemble {
  readonly ids: readonly ReplicaId[];
  now = 0;
  /** Everything that was sent, oldest first. */
  readonly sent: Letter[] = [];
  readonly #replicas = new Map<ReplicaId, TestReplica>();
  readonly #options: Partial<PeerOptions>;
  readonly #lines = new Map<LinkId, Line>();
  #letters: Letter[] = [];
  #held: (letter: Letter) => boolean = () => false;
  #nextLink = 1;
  #stamp = 0;

  constructor(count: number, options: Partial<PeerOptions> = {}, standing: Standing = "founding") {
    this.ids = Array.from({ length: count }, (_, index) => index + 1);
    this.#options = options;
    for (const id of this.ids) this.#replicas.set(id, new TestReplica(id, standing));
  }

  at(id: ReplicaId): TestReplica {
    const replica = this.#replicas.get(id);
    assert(replica !== undefined, `replica ${id} is in the test`);
    return replica;
  }

  start(...ids: ReplicaId[]): void {
    for (const id of ids) {
      const replica = this.at(id);
      replica.delivered = [];
      replica.status = undefined;
      const options: PeerOptions = {
        id,
        members: this.ids,
        newEnsembleId: `ensemble-of-${id}`,
        checksum: testChecksum,
        ...this.#options,
      };
      replica.peer = new Peer(options, replica.disk.state, replica.disk.recover());
    }
  }

  /** Its process ends; those whom it was linked with hear of it, but for `unheard`. */
  crash(id: ReplicaId, unheard: readonly ReplicaId[] = []): void {
    this.at(id).peer = undefined;
    this.at(id).disk.crash();
    for (const line of [...this.#lines.values()]) {
      if (!line.ends.includes(id)) continue;
      line.open.delete(id);
      this.#letters = this.#letters.filter((letter) => letter.link !== line.id);
      for (const end of line.ends) if (!unheard.includes(end)) this.#hear(line, end);
    }
  }

  /** A link between each two of these that run and have none. */
  connect(...ids: ReplicaId[]): void {
    for (const a of ids) for (const b of ids) if (a < b) this.#connect(a, b);
  }

  /** All of them, linked and led. */
  static led(count: number, options: Partial<PeerOptions> = {}): TestEnsemble {
    const ensemble = new TestEnsemble(count, options);
    ensemble.start(...ensemble.ids);
    ensemble.connect(...ensemble.ids);
    ensemble.advance(200);
    assert(ensemble.leader() === count, "equal founders elect the highest id");
    return ensemble;
  }

  #connect(a: ReplicaId, b: ReplicaId): void {
    for (const { ends } of this.#lines.values()) if (ends[0] === a && ends[1] === b) return;
    if (!this.at(a).peer || !this.at(b).peer) return;
    const line: Line = { id: this.#nextLink++, ends: [a, b], open: new Set([a, b]) };
    this.#lines.set(line.id, line);
    this.step(a, { kind: "linkUp", link: line.id, peer: b });
    this.step(b, { kind: "linkUp", link: line.id, peer: a });
  }

  /** Breaks the links between the two groups; what travels on them is lost. The `unheard` hear of it at the next cut. */
  cut(some: readonly ReplicaId[], others: readonly ReplicaId[], unheard: readonly ReplicaId[] = []): void {
    for (const line of [...this.#lines.values()]) {
      const [a, b] = line.ends;
      const between = (some.includes(a) && others.includes(b)) || (some.includes(b) && others.includes(a));
      if (between) this.#break(line, unheard);
    }
  }

  #break(line: Line, unheard: readonly ReplicaId[] = []): void {
    this.#letters = this.#letters.filter((letter) => letter.link !== line.id);
    for (const end of line.ends) if (!unheard.includes(end)) this.#hear(line, end);
  }

  #hear(line: Line, end: ReplicaId): void {
    const heard = line.open.delete(end);
    if (line.open.size === 0) this.#lines.delete(line.id);
    if (heard && this.at(end).peer) this.step(end, { kind: "linkDown", link: line.id });
  }

  /** Messages that fit stay under way until the next `hold`. */
  hold(held: (letter: Letter) => boolean = () => false): void {
    this.#held = held;
  }

  /** Messages travel and writes finish until nothing more happens. */
  settle(): void {
    for (let turns = 0; ; turns++) {
      assert(turns < 20_000, "the peers come to rest");
      if (!this.#deliverOne() && !this.#finishOne()) return;
    }
  }

  #deliverOne(): boolean {
    const blocked = new Set<string>();
    for (const [index, letter] of this.#letters.entries()) {
      const way = `${letter.link}>${letter.to}`;
      if (blocked.has(way)) continue;
      if (this.#held(letter)) {
        blocked.add(way);
        continue;
      }
      this.#letters.splice(index, 1);
      const line = this.#lines.get(letter.link);
      if (line?.open.has(letter.to)) {
        this.step(letter.to, { kind: "received", link: letter.link, message: letter.message });
      }
      return true;
    }
    return false;
  }

  #finishOne(): boolean {
    for (const { id, disk, peer } of this.#replicas.values()) {
      const ticket = peer && disk.finish();
      if (ticket === undefined) continue;
      this.step(id, { kind: "written", ticket });
      return true;
    }
    return false;
  }

  /** Time passes in ticks, everything settles between them. */
  advance(millis: number): void {
    for (const end = this.now + millis; this.now < end; this.now += 20) {
      for (const id of this.ids) if (this.at(id).peer) this.step(id, { kind: "tick" });
      this.settle();
    }
  }

  step(id: ReplicaId, input: Input): void {
    for (const effect of this.at(id).running.step(this.now, input)) this.#perform(this.at(id), effect);
  }

  #perform(replica: TestReplica, effect: Effect): void {
    const { id } = replica;
    if (effect.kind === "send") this.#send(id, effect.link, effect.message);
    else if (effect.kind === "deliver") replica.delivered.push(...effect.batches);
    else if (effect.kind === "confirmed") replica.confirmed.set(effect.ticket, effect.index);
    else if (effect.kind === "unconfirmed") replica.confirmed.set(effect.ticket, undefined);
    else if (effect.kind === "roleChanged") replica.status = effect.status;
    else if (effect.kind === "note") replica.notes.push(effect.text);
    else if (effect.kind === "stop") replica.stops.push(effect.why);
    else if (effect.kind === "refused") replica.notes.push("refused");
    else if (effect.kind === "drop") this.#drop(effect.link);
    else if (effect.kind === "sendHistory" || effect.kind === "sendSnapshot") this.#transfer(replica, effect);
    else replica.disk.push(effect satisfies DiskEffect);
  }

  #send(from: ReplicaId, link: LinkId, message: PeerMessage): void {
    const line = this.#lines.get(link);
    if (!line) return;
    const letter = { from, to: line.ends[0] === from ? line.ends[1] : line.ends[0], link, message };
    this.sent.push(letter);
    if (line.open.size === 2) this.#letters.push(letter);
  }

  #drop(link: LinkId): void {
    const line = this.#lines.get(link);
    if (line) this.#break(line);
  }

  #transfer(replica: TestReplica, effect: Extract<Effect, { kind: "sendHistory" | "sendSnapshot" }>): void {
    const { base, checksum, batches } = replica.disk.log;
    const { link, ticket } = effect;
    if (effect.kind === "sendSnapshot") {
      const piece = { kind: "snapshot", at: base, checksum, chunk: new Uint8Array(0) } as const;
      this.#send(replica.id, link, { ...piece, offset: 0, done: true });
      this.step(replica.id, { kind: "transferred", ticket, at: base });
      return;
    }
    for (const batch of batches) {
      if (batch.last <= effect.after || batch.last > effect.through) continue;
      this.#send(replica.id, link, { kind: "propose", batch });
    }
    this.step(replica.id, { kind: "transferred", ticket, at: effect.through });
  }

  /** The one that may propose; undefined: nobody. */
  leader(): ReplicaId | undefined {
    return this.ids.find((id) => this.at(id).peer?.mayPropose);
  }

  /** One batch of `count` commands, not settled. */
  submit(id: ReplicaId, count = 1): void {
    const payload = new Uint8Array(10);
    this.step(id, { kind: "submitted", submission: { count, payload, stamp: ++this.#stamp, rules: 1 } });
  }

  /** What this replica sent of one kind, oldest first. */
  sentBy<K extends PeerMessage["kind"]>(id: ReplicaId, kind: K): Extract<PeerMessage, { kind: K }>[] {
    const messages = this.sent.filter((letter) => letter.from === id && letter.message.kind === kind);
    return messages.map((letter) => letter.message as Extract<PeerMessage, { kind: K }>);
  }

  takeSnapshot(id: ReplicaId): void {
    const replica = this.at(id);
    replica.disk.snapshot(replica.applied);
    this.step(id, { kind: "pruned", base: replica.disk.log.base });
  }
}
