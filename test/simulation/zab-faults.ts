/**
 * What goes wrong in a simulated agreement, drawn from the seed: each run has a mix of faults of its own, since rare
 * coincidences come of many faults of few kinds. Of emptied disks there is never more than a minority.
 */
import type { ReplicaId } from "@quorate/api";
import type { VirtualTime } from "./events.ts";
import type { SeededRandom } from "./random.ts";
import type { SimCluster } from "./zab-cluster.ts";

export interface ZabFaultHost {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly cluster: SimCluster;
  readonly members: readonly ReplicaId[];
  trace(text: string): void;
  /** No writes for so long. */
  rest(millis: number): void;
}

type Fault = (faults: ZabFaults, victim: ReplicaId) => void;

const kinds: Readonly<Record<string, Fault>> = {
  crash: (faults, victim) => faults.crashFor(victim),
  crashAll: (faults) => faults.crashSome(1),
  powerFailure: (faults) => faults.powerFailure(),
  breakLink: (faults) => faults.breakLink(),
  deafen: (faults) => faults.deafen(),
  partition: (faults) => faults.partitionFor(),
  cutSome: (faults) => faults.cutSomeFor(),
  pause: (faults, victim) => faults.pauseFor(victim),
  hang: (faults, victim) => faults.hangFor(victim),
  slow: (faults) => faults.slowFor(),
  slowDisk: (faults, victim) => faults.slowDiskFor(victim),
  handOver: (faults, victim) => faults.handOver(victim),
  wipe: (faults, victim) => faults.wipe(victim),
  snapshot: (faults, victim) => faults.snapshot(victim),
  restWithSnapshots: (faults) => faults.restWithSnapshots(),
  loseProposals: (faults) => faults.loseProposals(),
};

export class ZabFaults {
  readonly #host: ZabFaultHost;
  readonly #mix: readonly string[];
  readonly #pace: number;
  #on = false;
  /** Emptied, and not a member again. */
  readonly #forgetful = new Set<ReplicaId>();

  /** `favoured`: kinds that come more often in this run. */
  constructor(host: ZabFaultHost, favoured: readonly string[]) {
    this.#host = host;
    const { random } = host;
    const mix: string[] = [];
    for (const name of Object.keys(kinds)) {
      const heavy = random.chance(0.15) || favoured.includes(name) ? 8 : 1;
      const weight = random.chance(0.6) || favoured.includes(name) ? random.between(1, 3) * heavy : 0;
      for (let i = 0; i < weight; i++) mix.push(name);
    }
    if (mix.length === 0) mix.push("crash");
    this.#mix = mix;
    this.#pace = random.pick([80, 200, 500, 900]);
  }

  /** Not everybody starts at once. */
  begin(): void {
    this.#on = true;
    const { random, members, cluster } = this.#host;
    for (const id of members) {
      if (random.chance(0.8)) cluster.start(id);
      else this.#after(0, 3000, () => cluster.start(id));
    }
    this.#next();
  }

  end(): void {
    this.#on = false;
  }

  #next(): void {
    this.#after(20, this.#pace * 2, () => {
      this.#strike();
      this.#next();
    });
  }

  /** Once in so many milliseconds from now, unless all is healed by then. */
  #after(low: number, high: number, run: () => void): void {
    this.#host.time.after(this.#host.random.between(low, high), () => {
      if (this.#on) run();
    });
  }

  #strike(): void {
    const { random, cluster, members, trace } = this.#host;
    const leader = cluster.leader();
    const victim = leader !== undefined && random.chance(0.4) ? leader : random.pick(members);
    const name = random.pick(this.#mix);
    trace(`fault ${name} at ${victim}`);
    kinds[name]?.(this, victim);
  }

  crashFor(id: ReplicaId): void {
    const { cluster, random } = this.#host;
    cluster.crash(id);
    this.#after(10, random.pick([200, 2500]), () => cluster.start(id));
  }

  crashSome(share: number): void {
    for (const id of this.#host.members) if (this.#host.random.chance(share)) this.crashFor(id);
  }

  /** Disks are slow, many writes are under way, and a majority stops at one moment. */
  powerFailure(): void {
    const { cluster, random } = this.#host;
    cluster.diskMillis = random.between(10, 80);
    this.#after(100, 800, () => {
      this.crashSome(0.85);
      cluster.diskMillis = 3;
    });
  }

  breakLink(): void {
    this.#host.cluster.network.breakOne();
  }

  deafen(): void {
    this.#host.cluster.network.deafenOne();
  }

  partitionFor(): void {
    const { cluster, random, members } = this.#host;
    cluster.network.partition(new Set(members.filter(() => random.chance(0.4))));
    this.#after(200, 4000, () => cluster.network.heal());
  }

  /** Not everybody reaches everybody. */
  cutSomeFor(): void {
    const { cluster, random, members } = this.#host;
    const share = random.pick([0.2, 0.5]);
    for (const a of members) for (const b of members) if (a < b && random.chance(share)) cluster.network.cut(a, b);
    this.#after(100, 3000, () => cluster.network.heal());
  }

  pauseFor(id: ReplicaId): void {
    const replica = this.#host.cluster.replica(id);
    replica.paused = true;
    this.#after(50, 3000, () => {
      replica.paused = false;
    });
  }

  hangFor(id: ReplicaId): void {
    const { disk } = this.#host.cluster.replica(id);
    disk.hung = true;
    this.#after(100, 3000, () => {
      disk.hung = false;
    });
  }

  slowFor(): void {
    const { cluster, random } = this.#host;
    cluster.network.slowness = random.between(2, 60);
    cluster.diskMillis = random.between(1, 60);
    this.#after(300, 3000, () => {
      cluster.network.slowness = 4;
      cluster.diskMillis = 3;
    });
  }

  slowDiskFor(id: ReplicaId): void {
    const { cluster, random } = this.#host;
    const replica = cluster.replica(id);
    replica.diskMillis = random.pick([30, 150, 600]);
    this.#after(300, 3000, () => {
      replica.diskMillis = undefined;
    });
  }

  handOver(target: ReplicaId): void {
    const { cluster } = this.#host;
    cluster.handOver(cluster.leader() ?? target, target);
  }

  snapshot(id: ReplicaId): void {
    this.#host.cluster.snapshot(id);
  }

  /** Nobody writes, everybody takes a snapshot, then all lose power: logs are empty, snapshots are all there is. */
  restWithSnapshots(): void {
    const { cluster, random, members } = this.#host;
    this.#host.rest(1500);
    this.#after(400, 400, () => {
      for (const id of members) if (random.chance(0.8)) cluster.snapshot(id);
    });
    this.#after(600, 600, () => this.crashSome(1));
  }

  loseProposals(): void {
    const { network } = this.#host.cluster;
    network.lossOfProposals = 0.05;
    this.#after(300, 300, () => {
      network.lossOfProposals = 0;
    });
  }

  /**
   * An emptied disk counts as failed until it is synchronized. `--initial` may have stayed in its unit file; it has to
   * until a quorum of the others are members, since an ensemble is founded by all or not at all.
   */
  wipe(id: ReplicaId): void {
    const { cluster, random, members } = this.#host;
    const isMember = (each: ReplicaId): boolean => cluster.replica(each).disk.state.standing === "member";
    for (const each of this.#forgetful) if (isMember(each)) this.#forgetful.delete(each);
    if (!isMember(id) || this.#forgetful.size >= Math.floor((members.length - 1) / 2)) return;
    this.#forgetful.add(id);
    const others = members.filter((each) => each !== id && isMember(each));
    const born = others.length > members.length / 2;
    const { disk } = cluster.replica(id);
    cluster.crash(id);
    disk.wipe(born && random.chance(0.5) ? "joining" : "founding");
    this.#after(10, random.pick([50, 1500]), () => cluster.start(id));
  }
}
