/** One seed: a phase of faults, then healing and a demand for progress. */
import type { ReplicaId, Zxid } from "@quorate/api";
import { VirtualTime } from "./events.ts";
import { SeededRandom } from "./random.ts";
import type { RunOptions, RunResult } from "./simulator.ts";
import { Violation } from "./violation.ts";
import { SimCluster } from "./zab-cluster.ts";
import { ZabOracle } from "./zab-oracle.ts";

interface CoreOptions extends RunOptions {
  readonly faultMillis?: number;
}

const members: readonly ReplicaId[] = [1, 2, 3, 4, 5];

export function runSeed(options: CoreOptions): RunResult & { readonly applied: number; readonly leaderships: number } {
  const time = new VirtualTime();
  const random = new SeededRandom(options.seed);
  const oracle = new ZabOracle();
  const trace = options.trace ? (text: string) => options.trace?.(`${time.now.toFixed(1)} ${text}`) : () => {};
  const cluster = new SimCluster(time, random, oracle, { members, trace });
  const run = new Run(cluster, time, random, trace);
  try {
    run.faults(options.faultMillis ?? 15_000);
    run.heal();
    const positions = new Map([...cluster.replicas].map(([id, replica]) => [id, replica.applied] as const));
    oracle.finish(positions);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { violation: error, applied: oracle.length, leaderships: oracle.leaderships };
  }
  return { violation: undefined, applied: oracle.length, leaderships: oracle.leaderships };
}

class Run {
  readonly #cluster: SimCluster;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #trace: (text: string) => void;
  #faulty = true;
  /** Clients rest until then. */
  #quietUntil = 0;

  constructor(cluster: SimCluster, time: VirtualTime, random: SeededRandom, trace: (text: string) => void) {
    this.#cluster = cluster;
    this.#time = time;
    this.#random = random;
    this.#trace = trace;
  }

  faults(millis: number): void {
    for (const id of members) this.#cluster.start(id);
    for (const id of members) this.#tickLoop(id);
    this.#every(15, 60, () => this.#cluster.network.connect());
    this.#every(1, 12, () => this.#client());
    this.#every(100, 900, () => this.#fault());
    this.#time.runUntil(millis, () => {});
  }

  /** Everything works again: a leader must appear, take a write, and bring everybody to the same end. */
  heal(): void {
    this.#trace("healing");
    this.#faulty = false;
    const cluster = this.#cluster;
    cluster.network.heal();
    cluster.network.slowness = 4;
    cluster.network.lossOfProposals = 0;
    cluster.diskMillis = 3;
    for (const id of members) {
      const replica = cluster.replica(id);
      replica.paused = false;
      replica.disk.hung = false;
      cluster.start(id);
    }
    const limit = this.#time.now + 30_000;
    let target: Zxid | undefined;
    while (this.#time.now < limit) {
      this.#time.runUntil(this.#time.now + 200, () => {});
      const leader = cluster.leader();
      if (leader === undefined) continue;
      if (target === undefined) {
        cluster.submit(leader);
        this.#time.runUntil(this.#time.now + 500, () => {});
        target = cluster.replica(leader).applied;
      }
      const all = [...cluster.replicas.values()];
      if (
        target > 0 &&
        all.every((replica) => replica.applied === all[0]?.applied && replica.applied >= (target ?? 0))
      ) {
        if (all.every((replica) => replica.disk.state.standing === "member")) return;
      }
    }
    const where = [...cluster.replicas].map(([id, r]) => `${id}:${r.applied}/${r.peer?.view.status.role}`).join(" ");
    throw new Violation("progress", `30 s after healing the replicas stand at ${where}`);
  }

  #tickLoop(id: ReplicaId): void {
    this.#every(15, 25, () => this.#cluster.tick(id));
  }

  #every(low: number, high: number, run: () => void): void {
    const again = (): void => {
      run();
      this.#time.after(this.#random.between(low, high), again);
    };
    this.#time.after(this.#random.between(0, high), again);
  }

  #client(): void {
    if (!this.#faulty || this.#time.now < this.#quietUntil) return;
    const id = this.#random.pick(members);
    if (this.#random.chance(0.3)) this.#cluster.read(id);
    else this.#cluster.submit(id);
  }

  #fault(): void {
    if (!this.#faulty) return;
    const random = this.#random;
    const cluster = this.#cluster;
    const id = random.pick(members);
    const leader = cluster.leader() ?? id;
    const victim = random.chance(0.4) ? leader : id;
    const kind = random.below(16);
    this.#trace(`fault ${kind} at ${victim}`);
    if (kind <= 2) this.#crashFor(victim);
    else if (kind === 3) for (const each of members) this.#crashFor(each);
    else if (kind === 4) cluster.network.breakOne();
    else if (kind === 5) cluster.network.deafenOne();
    else if (kind === 6) this.#partitionFor();
    else if (kind === 7) this.#pauseFor(victim);
    else if (kind === 8) this.#hangFor(victim);
    else if (kind === 9) cluster.handOver(leader, id);
    else if (kind === 10) this.#wipe(id);
    else if (kind === 11) this.#slowFor();
    else if (kind === 12) cluster.snapshot(id);
    else if (kind === 13) this.#restWithSnapshots();
    else if (kind === 14) this.#powerFailure();
    else this.#loseProposals();
  }

  #crashFor(id: ReplicaId): void {
    this.#cluster.crash(id);
    this.#time.after(this.#random.between(10, 2500), () => this.#cluster.start(id));
  }

  #partitionFor(): void {
    const group = new Set(members.filter(() => this.#random.chance(0.4)));
    this.#cluster.network.partition(group);
    this.#time.after(this.#random.between(200, 4000), () => this.#cluster.network.heal());
  }

  #pauseFor(id: ReplicaId): void {
    const replica = this.#cluster.replica(id);
    replica.paused = true;
    this.#time.after(this.#random.between(50, 3000), () => {
      replica.paused = false;
    });
  }

  #hangFor(id: ReplicaId): void {
    const { disk } = this.#cluster.replica(id);
    disk.hung = true;
    this.#time.after(this.#random.between(100, 3000), () => {
      disk.hung = false;
    });
  }

  #slowFor(): void {
    this.#cluster.network.slowness = this.#random.between(2, 60);
    this.#cluster.diskMillis = this.#random.between(1, 60);
    this.#time.after(2000, () => {
      this.#cluster.network.slowness = 4;
      this.#cluster.diskMillis = 3;
    });
  }

  /** Nobody writes, everybody takes a snapshot, then all lose power: logs are empty, snapshots are all there is. */
  #restWithSnapshots(): void {
    this.#quietUntil = this.#time.now + 1500;
    this.#time.after(400, () => {
      for (const id of members) if (this.#random.chance(0.8)) this.#cluster.snapshot(id);
    });
    this.#time.after(600, () => {
      if (!this.#faulty) return;
      for (const id of members) this.#crashFor(id);
    });
  }

  /** Disks are slow, many writes are under way, and a majority stops at one moment. */
  #powerFailure(): void {
    this.#cluster.diskMillis = this.#random.between(10, 80);
    this.#time.after(this.#random.between(100, 800), () => {
      if (!this.#faulty) return;
      for (const id of members) if (this.#random.chance(0.85)) this.#crashFor(id);
      this.#cluster.diskMillis = 3;
    });
  }

  #loseProposals(): void {
    this.#cluster.network.lossOfProposals = 0.05;
    this.#time.after(300, () => {
      this.#cluster.network.lossOfProposals = 0;
    });
  }

  /** An emptied disk counts as failed until it is synchronized: never more than a minority at once. */
  #wipe(id: ReplicaId): void {
    const standings = members.map((each) => this.#cluster.replica(each).disk.state.standing);
    const victims = standings.filter((each) => each !== "member").length;
    if (victims >= 2 || this.#cluster.replica(id).disk.state.standing !== "member") return;
    this.#cluster.crash(id);
    this.#cluster.replica(id).disk.wipe();
    this.#time.after(this.#random.between(10, 1500), () => this.#cluster.start(id));
  }
}
