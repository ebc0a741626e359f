/**
 * A whole ensemble in one process and virtual time: real replicas (loop, journal, snapshots, sessions, ring) on simulated
 * machines, with their embedded gateways, and standalone gateways beside them. Whatever they do is told to `watch`.
 */
import { type Batch, type Command, decodeCommand, formatZxid, type ReplicaId, splitCommands } from "@quorate/api";
import { Replica, type ReplicaObserver, Storage } from "@quorate/replica";
import type { Tree } from "@quorate/tree";
import type { StorageLimits } from "../../services/replica/src/limits.ts";
import type { VirtualTime } from "./events.ts";
import type { PowerLoss } from "./faulty-disk.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import type { Invariant } from "./observation.ts";
import { SeededRandom } from "./random.ts";
import { addressOf, SimGateway } from "./sim-gateway.ts";
import { SimPeers } from "./sim-peers.ts";
import { Violation } from "./violation.ts";

export interface EnsembleOptions {
  readonly members: readonly ReplicaId[];
  /** Standalone gateways. */
  readonly gateways: number;
  readonly storage: Partial<StorageLimits>;
  readonly snapshotLogBytes: number;
  readonly ringBytes: number;
  readonly counterRollAt: number;
  readonly electionMillis: number;
  /** Memories are flipped: a batch may be another one at each replica. */
  readonly flips: boolean;
  readonly trace: (text: string) => void;
  /** Something was thrown where nobody awaits it: a violation, or a fault of the simulator's. */
  readonly failed: (error: unknown) => void;
}

const folder = "/data";
/** A process ends itself when its disk fails; that it may. */
const badDisk = /EIO|ENOSPC/;

export class SimReplica {
  readonly id: ReplicaId;
  readonly machine: Machine;
  replica: Replica | undefined;
  peers: SimPeers | undefined;
  storage: Storage | undefined;
  /** As it was last seen; not to be held. */
  tree: Tree | undefined;
  readonly embedded: SimGateway;
  /** Made by `--initial`. */
  initial = true;
  /** Its disk has a memory: it has been a member since it was last emptied. */
  born = false;
  /** Held down by a fault: nobody starts it again before that is over. */
  down = false;
  /** Sees what is appended to its log next, as it lies in memory. */
  tamper: ((batches: readonly Batch[]) => void) | undefined;
  /** A bit of its files was flipped since its last start. */
  flipped = false;
  /** Its process may end by itself for such a reason. */
  excused: RegExp | undefined;
  constructor(id: ReplicaId, machine: Machine, embedded: SimGateway) {
    this.id = id;
    this.machine = machine;
    this.embedded = embedded;
  }

  /** Counts, and takes part: synchronized with an established leader, or leading. */
  get serves(): boolean {
    return this.replica?.memberStatus().serving ?? false;
  }
}

export class SimEnsemble {
  readonly network: Network;
  readonly replicas: ReadonlyMap<ReplicaId, SimReplica>;
  /** The standalone ones, then the embedded ones. */
  readonly gateways: readonly SimGateway[];
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #options: EnsembleOptions;
  readonly #watch: readonly Invariant[];
  readonly #decoded = new Map<number, { readonly checksum: number; readonly commands: (Command | undefined)[] }>();
  /** Established leaders that were seen, by epoch. */
  readonly leaderships = new Map<number, ReplicaId>();
  applied = 0;
  /** Who could be confirmed when it was last looked at: runs, reaches a majority. */
  readonly #reach = new Map<ReplicaId, string>();

  constructor(time: VirtualTime, random: SeededRandom, watch: readonly Invariant[], options: EnsembleOptions) {
    this.#time = time;
    this.#random = random;
    this.#options = options;
    this.#watch = watch;
    this.network = new Network(time, random);
    const gateways: SimGateway[] = [];
    for (let number = 1; number <= options.gateways; number++) {
      const machine = this.#machine(`gateway-${number}`);
      gateways.push(this.#gateway(number, machine, options.members.map(addressOf), "leader"));
    }
    const replicas = new Map<ReplicaId, SimReplica>();
    for (const id of options.members) {
      const machine = this.#machine(`replica-${id}`);
      const embedded = this.#gateway(100 + id, machine, [addressOf(id)], "local");
      gateways.push(embedded);
      replicas.set(id, new SimReplica(id, machine, embedded));
    }
    this.replicas = replicas;
    this.gateways = gateways;
    this.network.changed = () => this.#lookAround();
    for (const { machine } of replicas.values()) machine.changed = () => this.#lookAround();
  }

  #lookAround(): void {
    const all = [...this.replicas.values()];
    const { network } = this;
    const up = ({ machine }: SimReplica): boolean => machine.alive && !machine.paused;
    for (const one of all) {
      const runs = up(one);
      const meets = ({ machine }: SimReplica): boolean =>
        network.reaches(one.machine, machine) && network.reaches(machine, one.machine);
      const reaches = runs && 2 * all.filter((each) => up(each) && meets(each)).length > all.length;
      const now = `${runs} ${reaches}`;
      if (this.#reach.get(one.id) === now) continue;
      this.#reach.set(one.id, now);
      const seen = { at: this.#time.now, replica: one.id, runs, reaches, slow: network.isSlow };
      for (const each of this.#watch) each.reach(seen);
    }
  }

  #machine(name: string): Machine {
    return new Machine(name, this.#time, new SeededRandom(this.#random.next()));
  }

  #gateway(number: number, machine: Machine, replicas: readonly string[], home: "leader" | "local"): SimGateway {
    const byAddress = (address: string): SimReplica | undefined =>
      [...this.replicas.values()].find((each) => addressOf(each.id) === address);
    return new SimGateway({
      number,
      machine,
      network: this.network,
      replicas,
      home,
      directory: {
        machineOf: (address) => byAddress(address)?.machine,
        attachPointOf: (address) => {
          const found = byAddress(address);
          return found?.peers ? found.replica : undefined;
        },
      },
      log: (text) => this.#options.trace(`gateway ${number}: ${text}`),
    });
  }

  of(id: ReplicaId): SimReplica {
    const found = this.replicas.get(id);
    if (!found) throw new Error(`no replica ${id}`);
    return found;
  }

  startAll(): void {
    for (const id of this.#options.members) this.start(id);
    for (const gateway of this.gateways) if (gateway.number < 100) this.startGateway(gateway);
  }

  startGateway(gateway: SimGateway): void {
    if (gateway.machine.alive) return;
    gateway.machine.boot();
    gateway.start();
  }

  killGateway(gateway: SimGateway): void {
    if (!gateway.machine.alive) return;
    gateway.machine.kill();
    gateway.ended();
    this.network.died(gateway.machine, false);
  }

  /** A process on its machine, if none lives there. */
  start(id: ReplicaId): void {
    const found = this.of(id);
    if (found.machine.alive) return;
    found.machine.boot();
    this.#options.trace(`replica ${id} starts`);
    const failed = found.machine.mine((error: unknown) => {
      this.#died(found, error instanceof Error ? error.message : String(error));
    });
    this.#run(found).catch(failed);
  }

  async #run(found: SimReplica): Promise<void> {
    const { id, machine } = found;
    const { members, snapshotLogBytes, ringBytes, counterRollAt, electionMillis, trace } = this.#options;
    const log = (text: string): void => trace(`replica ${id}: ${text}`);
    const create = { replicaId: id, standing: found.initial ? "founding" : "joining" } as const;
    const { disk, clock } = machine;
    const { storage, recovered } = await Storage.open({ folder, disk, clock, limits: this.#options.storage, create });
    for (const note of recovered.notes) log(note);
    if (recovered.setAside !== undefined) {
      log(`corrupt files were moved to ${recovered.setAside}`);
      const cause = recovered.notes.join("; ");
      const excused = found.flipped || found.excused !== undefined;
      if (!excused) this.#options.failed(new Violation("no-corruption-without-cause", `replica ${id}: ${cause}`));
      found.born = false;
    }
    found.flipped = false;
    const append = storage.append.bind(storage);
    storage.append = (ticket, batches, staged) => {
      append(ticket, batches, staged);
      found.tamper?.(batches);
    };
    let links: SimPeers | undefined;
    const life = machine.life;
    const replica = await Replica.start({
      id,
      members,
      world: machine.world,
      storage,
      recovered,
      peers: (events) =>
        (links = new SimPeers(id, machine, this.network, { members, peersOf: (each) => this.of(each).peers }, events)),
      address: addressOf(id),
      version: "simulated",
      snapshotLogBytes,
      ringBytes,
      counterRollAt,
      timing: { electionMillis },
      observer: this.#observer(found),
      log,
      onFatal: (why) => {
        if (life === machine.life) this.#died(found, why);
      },
    });
    found.replica = replica;
    found.storage = storage;
    found.peers = links;
    links?.start();
    found.embedded.start();
  }

  #observer(found: SimReplica): ReplicaObserver {
    const { id: replica } = found;
    return {
      restored: (tree, from) => {
        found.tree = tree;
        this.#tell((each) => each.restored({ at: this.#time.now, replica, from, tree }));
      },
      applied: (batch, results, tree) => {
        this.applied += 1;
        const seen = { at: this.#time.now, replica, batch, commands: this.#commands(batch), results, tree };
        this.#tell((each) => each.applied(seen));
      },
      role: (view) => {
        const { role, leader, epoch, serving } = view.status;
        if (view.state.standing === "member") found.born = true;
        if (role === "leading" && serving) this.leaderships.set(epoch, replica);
        const { committed, syncedThrough } = view;
        const seen = { at: this.#time.now, replica, role, leader, epoch, serving, committed, syncedThrough };
        this.#tell((each) => each.role(seen));
      },
    };
  }

  /** From within a replica's loop, which would take a violation for its own fault. */
  #tell(what: (each: Invariant) => void): void {
    try {
      for (const each of this.#watch) what(each);
    } catch (error) {
      this.#options.failed(error);
      throw error;
    }
  }

  #commands(batch: Batch): readonly (Command | undefined)[] {
    const known = this.#options.flips ? undefined : this.#decoded.get(batch.last);
    if (known?.checksum === batch.checksum) return known.commands;
    const count = batch.last - batch.first + 1;
    const parts = splitCommands(batch.payload, count);
    const commands = Array.from({ length: count }, (_, at) => {
      const bytes = parts?.[at];
      return bytes && decodeCommand(bytes);
    });
    this.#decoded.set(batch.last, { checksum: batch.checksum, commands });
    return commands;
  }

  /** Its process ended by itself; a supervisor starts it again. */
  #died(found: SimReplica, why: string): void {
    this.#options.trace(`replica ${found.id} ends: ${why}`);
    if (!found.excused?.test(why) && !badDisk.test(why)) {
      this.#options.failed(new Violation("no-unexpected-stop", `replica ${found.id} ended: ${why}`));
    }
    this.kill(found.id);
    this.#time.after(this.#random.between(100, 800), () => {
      if (!found.down) this.start(found.id);
    });
  }

  /** `power`: the machine's power goes, and this becomes of what was not fsynced. Otherwise the process is killed. */
  kill(id: ReplicaId, power?: PowerLoss): void {
    const found = this.of(id);
    if (!found.machine.alive) return;
    this.#options.trace(`replica ${id} ${power === undefined ? "is killed" : `loses power (${power})`}`);
    found.machine.kill(power);
    found.replica = undefined;
    found.peers = undefined;
    found.storage = undefined;
    found.tree = undefined;
    found.embedded.ended();
    this.network.died(found.machine, power !== undefined);
    for (const each of this.#watch) each.stopped(this.#time.now, id);
  }

  /**
   * Everybody serves as a member under one leader, has applied the same, and holds the same. A deposed leader that has not
   * noticed may hold the same, too: but the next epoch knows nothing of him.
   */
  whole(): boolean {
    let position: number | undefined;
    let digest: string | undefined;
    let epoch: number | undefined;
    for (const { replica } of this.replicas.values()) {
      const status = replica?.memberStatus();
      if (!status?.serving || status.standing !== "member") return false;
      if (position !== undefined && (status.applied !== position || status.digest !== digest)) return false;
      if (epoch !== undefined && status.epoch !== epoch) return false;
      epoch = status.epoch;
      position = status.applied;
      digest = status.digest;
    }
    return true;
  }

  /** Where everybody stands, for people. */
  describe(): string {
    const each = ({ id, replica, machine }: SimReplica): string => {
      const status = replica?.memberStatus();
      if (!status) return `replica ${id} ${machine.alive ? "starts" : "is down"}`;
      const { role, serving, applied, standing, epoch } = status;
      return `replica ${id} ${role}${serving ? "" : ", not serving"}, ${standing}, epoch ${epoch}, at ${formatZxid(applied)}, digest ${status.digest}: ${status.reason}`;
    };
    return [...this.replicas.values()].map(each).join("; ");
  }

  leader(): SimReplica | undefined {
    let best: SimReplica | undefined;
    let bestEpoch = 0;
    for (const each of this.replicas.values()) {
      const status = each.replica?.memberStatus();
      if (status?.role !== "leading" || !status.serving || status.epoch <= bestEpoch) continue;
      [best, bestEpoch] = [each, status.epoch];
    }
    return best;
  }
}
