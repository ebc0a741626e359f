/** One seed of the whole ensemble: a phase of faults under load, then healing and a demand for progress. */
import type { ReplicaId } from "@quorate/api";
import { persistentShape } from "@quorate/api";
import { VirtualTime } from "./events.ts";
import { Faults } from "./faults.ts";
import { createInvariants, flipped } from "./invariants/all.ts";
import { drainMicrotasks } from "./microtasks.ts";
import { type FollowSeen, type Invariant, identityOf, type WatchSeen } from "./observation.ts";
import { SeededRandom } from "./random.ts";
import { type Habits, SimClient, Town } from "./sim-client.ts";
import { SimEnsemble } from "./sim-ensemble.ts";
import { type FollowHabits, SimFollower } from "./sim-follower.ts";
import { type LaneHabits, SimLaneClient } from "./sim-lane-client.ts";
import { places } from "./sim-questions.ts";
import { SimWatcher, type WatchHabits } from "./sim-watcher.ts";
import type { RunOptions, RunResult } from "./simulator.ts";
import { Violation } from "./violation.ts";

/**
 * To be called outside of a microtask (`outside`). A scenario names faults and habits, joined by "+", that are to come more
 * often: "pause+sessions".
 */
export function runSeed(options: RunOptions): RunResult {
  const run = new Run(options);
  let violation: Violation | undefined;
  try {
    run.whole();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
  }
  return run.result(violation);
}

class Run {
  readonly #time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #watch: readonly Invariant[];
  readonly #ensemble: SimEnsemble;
  readonly #town: Town;
  readonly #watchers: readonly SimWatcher[];
  readonly #followers: readonly SimFollower[];
  readonly #faults: Faults;
  readonly #trace: (text: string) => void;
  readonly #faultMillis: number;
  #thrown: unknown;

  constructor({ seed, trace, scenario = "" }: RunOptions) {
    const time = this.#time;
    const random = new SeededRandom(seed);
    this.#random = random;
    this.#faultMillis = random.between(3000, 9000);
    this.#trace = trace ? (text) => trace(`${time.now.toFixed(1)} ${text}`) : () => {};
    const members: ReplicaId[] = random.chance(0.7) ? [1, 2, 3] : [1, 2, 3, 4, 5];
    const flips = random.chance(0.1) || scenario.includes("bitFlipInMemory");
    this.#watch = createInvariants();
    this.#ensemble = new SimEnsemble(time, random, this.#watch, {
      members,
      gateways: 2,
      storage: {
        segmentBytes: random.pick([1000, 1000, 4096, 16_384, 65_536]),
        segmentMillis: 5000,
        growBytes: random.pick([0, 700, 4096, 262_144]),
        groupBytes: 16_384,
        // The second: more than a transfer has under way, as a real one's is.
        queueSoftBytes: random.pick([16_384, 4 * 1024 * 1024]),
        reserveBytes: 65_536,
        freeMillis: 100,
        keptSnapshots: random.between(1, 2),
      },
      snapshotLogBytes: random.pick([1500, 3000, 12_000, 60_000]),
      ringBytes: random.pick([5000, 100_000]),
      electionMillis: random.pick([500, 1000, 1000, 3000]),
      flips,
      counterRollAt: random.pick([60, 300, 100_000]),
      trace: this.#trace,
      failed: (error) => {
        this.#thrown ??= error;
      },
    });
    this.#town = new Town(time, random, this.#ensemble.gateways, this.#watch);
    const clients = [...this.#clients(scenario), ...this.#laneClients(seed, flips, scenario)];
    this.#watchers = flips ? [] : this.#someWatchers(seed, scenario);
    this.#followers = flips ? [] : this.#someFollowers(seed, scenario);
    this.#faults = new Faults({
      time,
      random,
      ensemble: this.#ensemble,
      town: this.#town,
      flips,
      scenario,
      trace: this.#trace,
      flipped: (id) => flipped(this.#watch, id),
    });
    for (const client of [...clients, ...this.#watchers, ...this.#followers]) time.after(400, () => client.start());
  }

  /** By a chance of their own: what else is drawn from the seed does not depend on them. */
  #laneClients(seed: number, flips: boolean, scenario: string): SimLaneClient[] {
    const random = new SeededRandom(seed ^ 0x5eed);
    if (!scenario.includes("takeOvers") && random.chance(0.5)) return [];
    let lines = 0;
    return Array.from({ length: random.between(1, 3) }, (_, at) => {
      const habits: LaneHabits = {
        // More is too much for a disk whose queue is short: who joins is then let go again and again.
        depth: random.pick([1, 6, 16]),
        thinkMillis: random.pick([6, 20, 60]),
        writes: random.pick([0.3, 0.7, 1]),
        restless: random.pick([0, 0.01, 0.1]),
        patienceMillis: random.pick([200, 1000]),
        trusts: !flips,
      };
      return new SimLaneClient(this.#town, 101 + at, new SeededRandom(random.next()), habits, () => ++lines);
    });
  }

  /** By a chance of their own, too. What is told from flipped memory is promised to nobody: then there are none. */
  #someWatchers(seed: number, scenario: string): SimWatcher[] {
    const random = new SeededRandom(seed ^ 0xfeed);
    if (!scenario.includes("watchers") && random.chance(0.4)) return [];
    let watches = 0;
    const tell = (seen: WatchSeen): void => this.#seen((each) => each.watched(seen));
    const ports = { town: this.#town, nextWatch: () => ++watches, tell };
    const writes = random.pick([0.02, 0.1, 0.4]);
    return Array.from({ length: random.between(1, 5) }, (_, at) => {
      const habits: WatchHabits = {
        thinkMillis: random.pick([5, 15, 40]),
        writes,
        restless: random.pick([0, 0.005, 0.05]),
        session: random.chance(0.5),
        careless: random.chance(0.3),
      };
      return new SimWatcher(ports, 201 + at, new SeededRandom(random.next()), habits);
    });
  }

  /** From within a gateway, which must not see what an invariant throws. */
  #seen(what: (each: Invariant) => void): void {
    try {
      for (const each of this.#watch) what(each);
    } catch (error) {
      this.#thrown ??= error;
    }
  }

  /** By a chance of their own, too; where a scenario asks for something else, they are left out. */
  #someFollowers(seed: number, scenario: string): SimFollower[] {
    const random = new SeededRandom(seed ^ 0xf0110);
    if (!scenario.includes("followers") && (scenario !== "" || random.chance(0.6))) return [];
    let follows = 0;
    const tell = (seen: FollowSeen): void => this.#seen((each) => each.followed(seen));
    const ports = { town: this.#town, nextFollow: () => ++follows, tell };
    return Array.from({ length: random.between(1, 4) }, (_, at) => {
      const habits: FollowHabits = {
        thinkMillis: random.pick([4, 12, 40]),
        restless: random.pick([0, 0.005, 0.05]),
        careless: random.chance(0.2),
        most: random.pick([2, 6, 12]),
      };
      return new SimFollower(ports, 301 + at, new SeededRandom(random.next()), habits);
    });
  }

  #clients(scenario: string): SimClient[] {
    const random = this.#random;
    const habits: Habits = {
      thinkMillis: random.pick([3, 15, 60]),
      writes: random.pick([0.3, 0.6, 0.9]),
      sessions: random.chance(0.7) || scenario.includes("sessions"),
      repeats: random.chance(0.4) || scenario.includes("repeats"),
      heartbeats: random.chance(0.4) || scenario.includes("heartbeats"),
      bursts: random.chance(0.4) || scenario.includes("bursts"),
      deadlineMillis: random.pick([300, 1500, 5000]),
    };
    const count = random.between(2, 6);
    return Array.from({ length: count }, (_, at) => {
      return new SimClient(this.#town, at + 1, new SeededRandom(random.next()), habits);
    });
  }

  #until(millis: number): void {
    this.#time.runUntil(millis, () => {
      drainMicrotasks();
      if (this.#thrown !== undefined) throw this.#thrown;
    });
  }

  whole(): void {
    const { replicas, gateways } = this.#ensemble;
    const machines = new Set([...replicas.values(), ...gateways].map((each) => each.machine));
    for (const each of machines) each.drift(0.96 + this.#random.below(80) / 1000);
    this.#ensemble.startAll();
    drainMicrotasks();
    // What may happen later may happen at the birth, too.
    if (this.#random.chance(0.85)) this.#awaitWhole(5000);
    this.#makePlaces();
    this.#faults.begin();
    this.#until(this.#time.now + this.#faultMillis);
    this.#trace("healing");
    this.#faults.heal();
    drainMicrotasks();
    this.#awaitWhole(15_000);
    this.#faults.healed();
    this.#until(this.#time.now + 1000);
    this.#town.open = false;
    // The longest session and its slack.
    this.#until(this.#time.now + 4000);
    this.#awaitWhole(5000);
    if (this.#watchers.length + this.#followers.length > 0) this.#changeNothing();
    const trees = new Map(
      [...this.#ensemble.replicas.values()].flatMap((each) => (each.tree ? [[each.id, each.tree]] : [])),
    );
    for (const each of [...this.#watchers, ...this.#followers]) each.look();
    if (this.#thrown !== undefined) throw this.#thrown;
    for (const each of this.#watch) each.finished({ at: this.#time.now, trees });
  }

  /** Cursors move on all the same. */
  #changeNothing(): void {
    for (let left = 3; left > 0; left -= 1) {
      this.#makePlaces();
      this.#until(this.#time.now + 250);
    }
    this.#awaitWhole(5000);
  }

  #makePlaces(): void {
    const [gateway] = this.#ensemble.gateways;
    if (!gateway) return;
    for (const path of places) {
      const request = this.#town.nextRequest();
      const operation = {
        kind: "create",
        path,
        data: new Uint8Array(0),
        shape: persistentShape,
        sequential: false,
        parents: false,
      } as const;
      const write = { identity: identityOf(request), operation };
      this.#town.ask(gateway, { request, client: 0, kind: "write", write }, 30_000, () => {});
    }
  }

  /** Everybody serves and stands at the same place. */
  #awaitWhole(millis: number): void {
    const limit = this.#time.now + millis;
    while (!this.#ensemble.whole()) {
      if (this.#time.now > limit) {
        throw new Violation("progress", `${millis} ms after healing: ${this.#ensemble.describe()}`);
      }
      this.#until(this.#time.now + 50);
    }
  }

  result(violation: Violation | undefined): RunResult {
    return {
      violation,
      "batches applied": this.#ensemble.applied,
      leaderships: this.#ensemble.leaderships.size,
      "requests answered": this.#town.answered,
      "writes and reads done": this.#town.acknowledged,
      events: this.#time.count,
      "watch events told": this.#watchers.reduce((sum, each) => sum + each.told, 0),
      "followed changes told": this.#followers.reduce((sum, each) => sum + each.told, 0),
      "watches resumed": this.#watchers.reduce((sum, each) => sum + each.resumed, 0),
      ...Object.fromEntries([...this.#town.tally].sort().map(([name, count]) => [`answered ${name}`, count])),
      ...Object.fromEntries([...this.#faults.counts].sort().map(([name, count]) => [`fault ${name}`, count])),
    };
  }
}
