/** One run: an ensemble, clients, faults, checks while it goes on and at its end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Variables } from "../integration/ensemble.ts";
import { SeededRandom } from "../simulation/random.ts";
import { Arena } from "./arena.ts";
import { GrpcHand } from "./grpc-hand.ts";
import { Hands, pause } from "./hand.ts";
import { Judge } from "./judge.ts";
import { Load } from "./load.ts";
import { Logs } from "./logs.ts";
import { Nemesis } from "./nemesis.ts";
import { replicaName } from "./network.ts";
import { Tally } from "./tally.ts";
import { WatchTrial } from "./watch-trial.ts";
import { ZookeeperHand } from "./zookeeper-hand.ts";

/** An ephemeral may be seen so long behind its session's timeout: the leader's own delay, and this machine's. */
const sessionEndMillis = 3000;
/** Of any lock's session; after the last restart each has all of it again. */
const longestTimeoutMillis = 4000;
const drainMillis = 2000;

export interface ChaosOptions {
  readonly seed: number;
  readonly millis: number;
  readonly members?: number;
  readonly say?: (line: string) => void;
  /** Faults that come first, in this order, however long they take. */
  readonly first?: readonly string[];
  /** No faults but those. */
  readonly onlyFirst?: boolean;
  readonly pauseMillis?: number;
  readonly lifeMillis?: number;
  /** What every process loads before the program. */
  readonly imports?: (name: string) => readonly string[];
  /** Further variables of their environment. */
  readonly variables?: Variables;
}

export interface ChaosReport {
  readonly violations: readonly string[];
  readonly faults: ReadonlyMap<string, number>;
  readonly leaderChanges: number;
  readonly operations: number;
  /** Tries of them. */
  readonly overGrpc: number;
  readonly overZookeeper: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly troubles: ReadonlyMap<string, number>;
  readonly objects: number;
  readonly undecided: number;
  readonly slowestJudgementMillis: number;
  readonly longestGapMillis: number;
  readonly acknowledgedOnce: number;
  /** Events that watchers were told, cursors that they went on from, and times that one had to begin anew. */
  readonly watched: { readonly told: number; readonly resumed: number; readonly renewed: number };
  readonly millis: number;
  /** Logs and histories; removed when there was no violation. */
  readonly folder: string;
}

export class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #say: (line: string) => void;
  readonly #tally: Tally;
  readonly #folder = mkdtempSync(join(tmpdir(), "quorate-chaos-"));
  #arena: Promise<Arena> | undefined;
  #isAbandoned = false;

  constructor(options: ChaosOptions) {
    this.#options = options;
    const say = options.say ?? ((): void => {});
    this.#tally = new Tally(({ what }) => {
      // What is ended by force complains of it.
      if (!this.#isAbandoned) this.#say(`VIOLATION: ${what}`);
    });
    this.#say = (line) => say(`${this.#clock()} ${line}`);
  }

  /** Ends everything at once, without a verdict; nothing is left behind but what had been found. */
  async abandon(): Promise<void> {
    const found = this.#tally.violations.length;
    this.#isAbandoned = true;
    await this.#close();
    if (found === 0) rmSync(this.#folder, { recursive: true, force: true });
    else this.#say(`${found} violations; logs and histories: ${this.#folder}`);
  }

  async run(): Promise<ChaosReport> {
    const { seed, members = 3, imports, variables, pauseMillis = 15, lifeMillis = 7000 } = this.#options;
    const loaded = { ...(imports ? { imports } : {}), ...(variables ? { variables } : {}) };
    this.#arena = Arena.start({ members, tally: this.#tally, ...loaded });
    const arena = await this.#arena.catch((error: unknown) => {
      this.#arena = undefined;
      rmSync(this.#folder, { recursive: true, force: true });
      throw error;
    });
    const logs = new Logs(this.#folder, arena.processes, this.#tally);
    const drain = setInterval(() => logs.drain(), drainMillis);
    const judge = new Judge(this.#tally, this.#folder);
    const doors = arena.processes.map((each) => each.base);
    const portsOf = (ports: ReadonlyMap<string, number>): number[] =>
      arena.processes.map((each) => ports.get(each.name) ?? 0);
    const hands = new Hands(doors, new SeededRandom(seed ^ 0x5eed), this.#tally, {
      grpc: new GrpcHand(portsOf(arena.grpcPorts), this.#tally),
      zookeeper: new ZookeeperHand(portsOf(arena.zookeeperPorts), this.#tally),
    });
    const load = new Load({
      hands,
      random: new SeededRandom(seed ^ 0x10ad),
      tally: this.#tally,
      pauseMillis,
      lifeMillis,
      lingerMillis: sessionEndMillis + 2000,
      judge: (object, operations, since) => {
        const settings = { sessionEndBoundMillis: sessionEndMillis, outages: this.#tally.outages(since) };
        return judge.judge(object, { operations, settings });
      },
    });
    const status = setInterval(() => this.#say(this.#line(judge)), 30_000);
    const random = new SeededRandom(seed);
    const announce = (what: string): void => this.#say(`- ${what}`);
    const { first } = this.#options;
    const trial = new WatchTrial(arena, hands, new SeededRandom(seed ^ 0xface), this.#tally, this.#folder);
    const nemesis = new Nemesis({ arena, random, tally: this.#tally, announce, ...(first ? { first } : {}) });
    try {
      load.start();
      await this.#suffer(nemesis);
      await load.stop();
      await this.#judgeTheEnd(arena, load, trial);
      await judge.stop();
    } finally {
      await trial.close();
      clearInterval(status);
      clearInterval(drain);
      hands.close();
      await this.#close();
      logs.drain(true);
    }
    return this.#report(nemesis, judge, load, trial);
  }

  async #close(): Promise<void> {
    const arena = this.#arena;
    this.#arena = undefined;
    await (await arena)?.close();
  }

  async #suffer(nemesis: Nemesis): Promise<void> {
    const end = performance.now() + this.#options.millis;
    try {
      await pause(500);
      while (!this.#isAbandoned && (!nemesis.isThrough || performance.now() < end)) {
        if (this.#options.onlyFirst && nemesis.isThrough) await pause(100);
        else await nemesis.round();
      }
    } catch (error) {
      this.#tally.violate(`the run is broken off: ${(error as Error).stack ?? error}`);
    }
  }

  /** Nobody writes any more. Everything is started anew, and looked at through every door. */
  async #judgeTheEnd(arena: Arena, load: Load, trial: WatchTrial): Promise<void> {
    const names = arena.ids.map(replicaName);
    await Promise.all(names.map((each) => arena.kill(each)));
    for (const each of names) arena.start(each);
    const why = await arena.serves(60_000);
    if (why !== "") {
      this.#tally.violate(`after the last restart not all serve: ${why}`);
      return;
    }
    const left = await arena.ephemeralsLeft(longestTimeoutMillis + sessionEndMillis);
    if (left.length > 0) this.#tally.violate(`all sessions are over, and their ephemerals are left behind: ${left}`);
    const differ = await arena.isEqual(30_000);
    if (differ !== "") this.#tally.violate(`the replicas differ at the end: ${differ}`);
    for (const door of arena.processes) {
      try {
        await load.ledger.verify(door.name, door.base, this.#tally);
      } catch (error) {
        this.#tally.violate(`${door.name} does not show the ledger: ${error}`);
      }
    }
    await trial.judge();
  }

  #clock(): string {
    const seconds = Math.floor((performance.now() - this.#tally.began) / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  #line(judge: Judge): string {
    const { operations, verdicts, leaderChanges, violations } = this.#tally;
    const { ok, failed, noEffect, unknown } = verdicts;
    return (
      `${operations} operations: ${ok} ok, ${failed} failed by their condition, ${noEffect} without effect, ${unknown} unknown; ` +
      `${leaderChanges} leader changes; ${judge.objects} objects judged, ${judge.undecided} undecided; ${violations.length} violations`
    );
  }

  #report(nemesis: Nemesis, judge: Judge, load: Load, trial: WatchTrial): ChaosReport {
    const { operations, verdicts, troubles, leaderChanges, longestGap, began } = this.#tally;
    const violations = this.#tally.violations.map((each) => each.what);
    if (violations.length === 0 && judge.undecided === 0) rmSync(this.#folder, { recursive: true, force: true });
    return {
      violations,
      faults: nemesis.counts,
      leaderChanges,
      operations,
      overGrpc: this.#tally.overGrpc,
      overZookeeper: this.#tally.overZookeeper,
      verdicts,
      troubles,
      objects: judge.objects,
      undecided: judge.undecided,
      slowestJudgementMillis: judge.slowestMillis,
      longestGapMillis: longestGap,
      acknowledgedOnce: load.ledger.acknowledged,
      watched: trial.counts,
      millis: performance.now() - began,
      folder: this.#folder,
    };
  }
}
