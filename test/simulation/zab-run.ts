/** One seed of agreement alone: a phase of faults, then healing and a demand for progress. */
import type { ReplicaId, Zxid } from "@quorate/api";
import { VirtualTime } from "./events.ts";
import { SeededRandom } from "./random.ts";
import type { RunOptions, RunResult } from "./simulator.ts";
import { Violation } from "./violation.ts";
import { SimCluster } from "./zab-cluster.ts";
import { ZabFaults } from "./zab-faults.ts";
import { ZabOracle } from "./zab-oracle.ts";

interface CoreOptions extends RunOptions {
  readonly faultMillis?: number;
}

interface CoreResult extends RunResult {
  /** Batches that were applied, and how often a leader was established. */
  readonly applied: number;
  readonly leaderships: number;
}

/**
 * A scenario names faults that come more often, joined by "+"; "three": with three members, "late": the ends of links are
 * noticed late, "roll": epochs roll often.
 */
export function runSeed(options: CoreOptions): CoreResult {
  const { seed, scenario = "", faultMillis = 15_000 } = options;
  const time = new VirtualTime();
  const random = new SeededRandom(seed);
  const oracle = new ZabOracle();
  const trace = options.trace ? (text: string) => options.trace?.(`${time.now.toFixed(1)} ${text}`) : () => {};
  const favoured = scenario.split("+");
  const three = favoured.includes("three") || random.chance(0.4);
  const members: readonly ReplicaId[] = three ? [1, 2, 3] : [1, 2, 3, 4, 5];
  const counterRollAt = favoured.includes("roll") ? 40 : random.pick([40, 400, 400, 100_000]);
  const timing = { electionMillis: random.pick([500, 1000, 1000, 2500]) };
  const cluster = new SimCluster(time, random, oracle, { members, counterRollAt, timing, trace });
  cluster.network.lateness = favoured.includes("late") ? 0.8 : random.pick([0, 0.15, 0.5]);
  const run = new Run(cluster, time, random, members, trace, favoured);
  let violation: Violation | undefined;
  try {
    run.faults(faultMillis);
    run.heal();
    oracle.finish(new Map([...cluster.replicas].map(([id, replica]) => [id, replica.applied] as const)));
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  return { violation, applied: oracle.length, leaderships: oracle.leaderships };
}

class Run {
  readonly #cluster: SimCluster;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #members: readonly ReplicaId[];
  readonly #trace: (text: string) => void;
  readonly #faults: ZabFaults;
  /** Between two requests, ms; how many of them are reads. */
  readonly #clientMillis: number;
  readonly #reads: number;
  #faulty = true;
  /** Clients rest until then. */
  #quietUntil = 0;

  constructor(
    cluster: SimCluster,
    time: VirtualTime,
    random: SeededRandom,
    members: readonly ReplicaId[],
    trace: (text: string) => void,
    favoured: readonly string[],
  ) {
    this.#cluster = cluster;
    this.#time = time;
    this.#random = random;
    this.#members = members;
    this.#trace = trace;
    this.#clientMillis = random.pick([6, 12, 60]);
    this.#reads = random.pick([0.1, 0.3, 0.6]);
    const rest = (millis: number): void => {
      this.#quietUntil = time.now + millis;
    };
    this.#faults = new ZabFaults({ time, random, cluster, members, trace, rest }, favoured);
  }

  faults(millis: number): void {
    for (const id of this.#members) this.#every(15, 25, () => this.#cluster.tick(id));
    this.#every(15, 60, () => this.#cluster.network.connect());
    this.#every(1, this.#clientMillis, () => this.#client());
    this.#faults.begin();
    this.#time.runUntil(millis, () => {});
  }

  /** Everything works again: a leader must appear, take a write, and bring everybody to the same end. */
  heal(): void {
    this.#faulty = false;
    this.#faults.end();
    const ill = this.#ill();
    this.#trace(ill === undefined ? "healing" : `healing, but for the disk of ${ill}`);
    this.#cluster.heal(ill);
    this.#awaitProgress(ill);
    if (ill === undefined) return;
    this.#cluster.heal(undefined);
    this.#awaitProgress(undefined);
  }

  /** One disk may hang on, when all others are members: they have to go on without it, its replica a leader or not. */
  #ill(): ReplicaId | undefined {
    const ill = this.#cluster.leader() ?? this.#random.pick(this.#members);
    const others = this.#members.filter((id) => id !== ill).map((id) => this.#cluster.replica(id).disk.state.standing);
    return this.#random.chance(0.3) && others.every((standing) => standing === "member") ? ill : undefined;
  }

  #awaitProgress(ill: ReplicaId | undefined): void {
    const cluster = this.#cluster;
    const limit = this.#time.now + 30_000;
    let target = 0 as Zxid;
    while (this.#time.now < limit) {
      this.#time.runUntil(this.#time.now + 200, () => {});
      const leader = cluster.leader();
      if (leader === undefined) continue;
      // Whoever leads may be one that does not know yet that it has lost its quorum, or whose disk hangs.
      if (target === 0 || leader === ill) {
        cluster.submit(leader);
        this.#time.runUntil(this.#time.now + 500, () => {});
        if (leader === ill) continue;
        target = cluster.replica(leader).applied;
      }
      if (target > 0 && cluster.whole(target, ill)) return;
    }
    const where = [...cluster.replicas].map(([id, r]) => `${id}:${r.applied}/${r.peer?.view.status.role}`).join(" ");
    throw new Violation("progress", `30 s after healing the replicas stand at ${where}`);
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
    const id = this.#random.pick(this.#members);
    if (this.#random.chance(this.#reads)) this.#cluster.read(id);
    else this.#cluster.submit(id);
  }
}
