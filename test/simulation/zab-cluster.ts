/** Simulated replicas around the real core: a disk, a list of what is applied, clients that submit and read. */
import { type Batch, InvariantError, type ReplicaId, type Zxid } from "@quorate/api";
import { type Effect, type Input, type LinkId, Peer, type PeerMessage, type Timing } from "@quorate/zab";
import type { VirtualTime } from "./events.ts";
import type { SeededRandom } from "./random.ts";
import { Violation } from "./violation.ts";
import { SimDisk } from "./zab-disk.ts";
import { SimNetwork } from "./zab-network.ts";
import type { ZabOracle } from "./zab-oracle.ts";

export interface SimOptions {
  readonly members: readonly ReplicaId[];
  readonly counterRollAt: number;
  readonly timing: Partial<Timing>;
  readonly trace: (text: string) => void;
}

class SimReplica {
  readonly disk: SimDisk;
  peer: Peer | undefined;
  applied: Zxid = 0 as Zxid;
  appliedChecksum = 0;
  paused = false;
  /** What arrived during a pause, in order. */
  readonly inbox: (() => void)[] = [];
  readonly waitingReads: { index: Zxid; from: Zxid }[] = [];
  readonly reads = new Map<number, Zxid>();
  /** Payloads of submissions of the present life. */
  readonly own = new Set<Uint8Array>();
  /** What it has proposed as the leader that it is, and has on its own disk, the oldest first. */
  proposed: Uint8Array[] = [];
  /** Since when it was confirmed again and again while the same proposal waited, and when last. */
  waiting = { payload: undefined as Uint8Array | undefined, since: 0, last: 0 };
  syncing = false;
  /** Slowest fsync of this disk, ms, where it is another than of all. */
  diskMillis: number | undefined;
  constructor(id: ReplicaId) {
    this.disk = new SimDisk(id, "founding");
  }
}

/** Mixes like the log's running checksum, over what the simulation varies. */
function chain(previous: number, batch: Pick<Batch, "first" | "last" | "previous" | "stamp">): number {
  let hash = Math.imul(previous ^ 0x9e3779b9, 0x85ebca6b);
  for (const part of [batch.first, batch.last, batch.previous, batch.stamp]) {
    hash = Math.imul(hash ^ (part % 2 ** 32), 0xc2b2ae35) ^ Math.floor(part / 2 ** 32);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

export class SimCluster {
  readonly replicas: ReadonlyMap<ReplicaId, SimReplica>;
  readonly network: SimNetwork;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #oracle: ZabOracle;
  readonly #options: SimOptions;
  #nextTicket = 1;
  #stampCount = 0;
  /** Slowest fsync, ms. */
  diskMillis = 3;

  constructor(time: VirtualTime, random: SeededRandom, oracle: ZabOracle, options: SimOptions) {
    this.#time = time;
    this.#random = random;
    this.#oracle = oracle;
    this.#options = options;
    this.replicas = new Map(options.members.map((id) => [id, new SimReplica(id)]));
    this.network = new SimNetwork(options.members, time, random, {
      up: (to, link, peer) => this.#step(to, { kind: "linkUp", link, peer }),
      down: (to, link) => this.#step(to, { kind: "linkDown", link }),
      received: (to, link, message) => this.#received(to, link, message),
      alive: (id) => this.replica(id).peer !== undefined,
    });
  }

  replica(id: ReplicaId): SimReplica {
    const replica = this.replicas.get(id);
    if (!replica) throw new Error(`no replica ${id}`);
    return replica;
  }

  start(id: ReplicaId): void {
    const replica = this.replica(id);
    if (replica.peer) return;
    const recovered = replica.disk.recover();
    const { at, checksum } = replica.disk.snapshot();
    replica.applied = at;
    replica.appliedChecksum = checksum;
    this.#oracle.installed(id, at);
    replica.peer = new Peer(
      {
        id,
        members: this.#options.members,
        newEnsembleId: `ensemble-of-${id}`,
        checksum: chain,
        windowBytes: 2000,
        counterRollAt: this.#options.counterRollAt,
        timing: this.#options.timing,
        prefersSnapshot: (after) => replica.disk.snapshot().at > after && this.#random.chance(0.2),
      },
      replica.disk.state,
      recovered,
    );
    this.#apply(id, recovered.committed);
    this.#options.trace(`${id} starts: ${JSON.stringify(replica.disk.state)} applied ${replica.applied}`);
  }

  crash(id: ReplicaId): void {
    const replica = this.replica(id);
    if (!replica.peer) return;
    this.#options.trace(`${id} crashes`);
    replica.peer = undefined;
    replica.own.clear();
    replica.proposed = [];
    replica.reads.clear();
    replica.waitingReads.length = 0;
    this.network.breakAllOf(id);
    replica.disk.crash(this.#random.below(4));
  }

  tick(id: ReplicaId): void {
    const replica = this.replica(id);
    if (replica.paused) return;
    for (const arrive of replica.inbox.splice(0)) arrive();
    this.#step(id, { kind: "tick" });
  }

  /** A client writes at whoever may propose. */
  submit(id: ReplicaId): void {
    const replica = this.replica(id);
    if (!replica.peer?.mayPropose || replica.paused) return;
    const payload = new Uint8Array(this.#random.between(1, 100));
    replica.own.add(payload);
    const count = this.#random.between(1, 5);
    this.#step(id, { kind: "submitted", submission: { count, payload, stamp: ++this.#stampCount, rules: 1 } });
  }

  /** A client reads, linearizably. */
  read(id: ReplicaId): void {
    const replica = this.replica(id);
    if (!replica.peer || replica.paused) return;
    const ticket = this.#nextTicket++;
    replica.reads.set(ticket, this.#oracle.acknowledged);
    this.#step(id, { kind: "confirm", ticket });
  }

  handOver(id: ReplicaId, target: ReplicaId): void {
    if (!this.replica(id).paused) this.#step(id, { kind: "handOver", target });
  }

  snapshot(id: ReplicaId): void {
    const replica = this.replica(id);
    if (!replica.peer || replica.disk.busy || replica.applied === 0) return;
    replica.disk.takeSnapshot(replica.applied, replica.appliedChecksum);
    this.#step(id, { kind: "pruned", base: replica.disk.snapshot().at });
  }

  /** Everything works again from here on, and everybody is there; but for the disk of `ill`, which hangs. */
  heal(ill: ReplicaId | undefined): void {
    this.network.heal();
    this.network.slowness = 4;
    this.network.lossOfProposals = 0;
    this.diskMillis = 3;
    for (const [id, replica] of this.replicas) {
      replica.paused = false;
      replica.disk.hung = id === ill;
      replica.diskMillis = undefined;
      this.start(id);
    }
  }

  /** Everybody but `ill` is a member and stands at one place, at `position` or behind it. */
  whole(position: Zxid, ill: ReplicaId | undefined): boolean {
    const well = [...this.replicas].filter(([id]) => id !== ill).map(([, replica]) => replica);
    return well.every(
      ({ applied, disk }) => applied === well[0]?.applied && applied >= position && disk.state.standing === "member",
    );
  }

  leader(): ReplicaId | undefined {
    for (const [id, replica] of this.replicas) if (replica.peer?.mayPropose) return id;
    return undefined;
  }

  #received(to: ReplicaId, link: LinkId, message: PeerMessage): void {
    const replica = this.replica(to);
    if (replica.paused || replica.inbox.length > 0) {
      const peer = replica.peer;
      replica.inbox.push(() => {
        if (replica.peer === peer) this.#step(to, { kind: "received", link, message });
      });
    } else this.#step(to, { kind: "received", link, message });
  }

  #step(id: ReplicaId, input: Input): void {
    const replica = this.replica(id);
    if (!replica.peer) return;
    const peer = replica.peer;
    let effects: readonly Effect[];
    try {
      effects = peer.step(this.#time.now, input);
    } catch (error) {
      // Anything else is no broken invariant but a program that does not work.
      if (!(error instanceof InvariantError)) throw error;
      throw new Violation("assertion", `replica ${id} at ${input.kind}: ${error.message}`);
    }
    for (const effect of effects) {
      if (replica.peer !== peer) return;
      this.#perform(id, replica, effect);
    }
  }

  #perform(id: ReplicaId, replica: SimReplica, effect: Effect): void {
    switch (effect.kind) {
      case "send":
        return this.network.send(id, effect.link, effect.message);
      case "drop":
        this.#options.trace(`${id} drops a link: ${effect.why}`);
        this.#time.after(0, () => this.network.break(effect.link));
        return;
      case "deliver":
        return this.#apply(id, effect.batches);
      case "confirmed":
        this.#oracle.confirmed(id, effect.index, replica.reads.get(effect.ticket) ?? (0 as Zxid));
        this.#oracle.commits(id, this.#waits(replica), this.#options.timing.electionMillis ?? 0);
        replica.reads.delete(effect.ticket);
        return;
      case "unconfirmed":
        replica.reads.delete(effect.ticket);
        return;
      case "sendHistory":
      case "sendSnapshot":
        return this.#transfer(id, replica, effect);
      case "roleChanged":
        if (effect.status.role !== "leading") replica.proposed = [];
        if (effect.status.role === "leading" && effect.status.serving) this.#oracle.leads(id, effect.status.epoch);
        return;
      case "note":
        return this.#options.trace(`${id}: ${effect.text}`);
      case "stop":
        return this.#oracle.stopped(id, effect.why);
      case "refused":
        return;
      default:
        return this.#write(id, replica, effect);
    }
  }

  /**
   * For how long the leader's oldest proposal, which is on its own disk, has not been committed, ms; of the time in which
   * the leader was confirmed all the while: who stood still answers for what it has not written yet, once.
   */
  #waits({ proposed, own, waiting }: SimReplica): number {
    const { now } = this.#time;
    while (proposed[0] && !own.has(proposed[0])) proposed.shift();
    const still = waiting.payload === proposed[0] && now - waiting.last < 250;
    if (!still) waiting.since = now;
    waiting.payload = proposed[0];
    waiting.last = now;
    return proposed[0] ? now - waiting.since : 0;
  }

  #write(
    id: ReplicaId,
    replica: SimReplica,
    effect: Extract<Effect, { kind: "append" | "truncate" | "writeState" | "stage" | "unstage" }>,
  ): void {
    const { disk } = replica;
    const peer = replica.peer;
    const done = (): void => {
      if (replica.peer !== peer) return;
      if (effect.kind === "append" && peer?.mayPropose) {
        for (const { payload } of effect.batches) replica.proposed.push(payload);
      }
      if (effect.kind === "writeState" && effect.install !== undefined) this.#installed(id, replica, effect.install);
      this.#step(id, { kind: "written", ticket: effect.ticket });
    };
    if (effect.kind === "append") disk.append(effect.batches, effect.staged, done);
    else if (effect.kind === "truncate") disk.truncate(effect.to, done);
    else if (effect.kind === "writeState") disk.writeState(effect.state, effect.install, done);
    else if (effect.kind === "stage") disk.stage({ at: effect.at, checksum: effect.checksum }, done);
    else disk.unstage(done);
    this.#scheduleSync(replica);
  }

  #scheduleSync(replica: SimReplica): void {
    if (replica.syncing) return;
    replica.syncing = true;
    const peer = replica.peer;
    this.#time.after(this.#random.below((replica.diskMillis ?? this.diskMillis) * 10) / 10, () => {
      replica.syncing = false;
      if (replica.peer === peer && !replica.paused) replica.disk.sync(this.#random.between(1, 4));
      if (replica.disk.busy && replica.peer) this.#scheduleSync(replica);
    });
  }

  #installed(id: ReplicaId, replica: SimReplica, at: Zxid): void {
    this.#oracle.installed(id, at);
    replica.applied = at;
    replica.appliedChecksum = replica.disk.snapshot().checksum;
  }

  #apply(id: ReplicaId, batches: readonly Batch[]): void {
    const replica = this.replica(id);
    for (const batch of batches) {
      this.#oracle.applied(id, replica.applied, batch);
      replica.applied = batch.last;
      replica.appliedChecksum = batch.checksum;
      if (replica.own.delete(batch.payload)) this.#oracle.acknowledge(batch);
    }
  }

  #transfer(
    id: ReplicaId,
    replica: SimReplica,
    effect: Extract<Effect, { kind: "sendHistory" | "sendSnapshot" }>,
  ): void {
    const peer = replica.peer;
    const { link } = effect;
    this.#time.after(this.#random.between(1, 30), () => {
      if (replica.peer !== peer) return;
      let at: Zxid;
      if (effect.kind === "sendSnapshot") {
        const snapshot = replica.disk.snapshot();
        at = snapshot.at;
        const piece = { kind: "snapshot", at, checksum: snapshot.checksum, chunk: new Uint8Array(0) } as const;
        this.network.send(id, link, { ...piece, offset: 0, done: false });
        this.network.send(id, link, { ...piece, offset: 1, done: true });
      } else {
        at = effect.through;
        for (const batch of replica.disk.between(effect.after, effect.through)) {
          this.network.send(id, link, { kind: "propose", batch });
        }
      }
      this.#step(id, { kind: "transferred", ticket: effect.ticket, at });
    });
  }
}
