/**
 * One run: an ensemble of real processes, contenders as processes of their own, faults of servers and of clients at random, and what
 * every resource accepted, judged while it goes on. In the end the faults stop: then everybody has to get every lock within a bound, and
 * no place may be left behind.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Arena } from "../chaos/arena.ts";
import { Logs } from "../chaos/logs.ts";
import { Nemesis } from "../chaos/nemesis.ts";
import { Tally } from "../chaos/tally.ts";
import { basicAuth, superUser } from "../integration/ensemble.ts";
import { SeededRandom } from "../simulation/random.ts";
import { clientFaults, stoppedInMidst } from "./client-faults.ts";
import {
  type ContenderCounts,
  type ContenderPlan,
  type FromContender,
  type LockPlan,
  noCounts,
} from "./contender-messages.ts";
import { Contender, type CrowdPorts } from "./crowd.ts";
import { Evidence } from "./evidence.ts";
import { Outside } from "./outside.ts";
import { call, queueOf } from "./rest-locks.ts";
import { SectionJudge } from "./section-judge.ts";
import { pause } from "./turn.ts";

export interface ExclusionOptions {
  readonly seed: number;
  readonly millis: number;
  readonly contenders?: number;
  /** False: nothing is fenced, no resource looks at a token; and the run ends once enough has been found. */
  readonly withToken: boolean;
  readonly say?: (line: string) => void;
  /** Faults of servers that come first, by name. */
  readonly first?: readonly string[];
  /** None but those. */
  readonly onlyFirst?: boolean;
  /** It goes on until that many locks were acquired, and that many of them lost in the midst of a section. */
  readonly goals?: { readonly acquired: number; readonly lost: number };
}

export interface ExclusionReport {
  /** What no run may show, with tokens or without. */
  readonly violations: readonly string[];
  /** Sections that were written into. */
  readonly interleavings: readonly string[];
  readonly firstInterleavingMillis: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly acquired: number;
  readonly waited: number;
  readonly lost: number;
  readonly troubled: number;
  readonly sessions: number;
  /** What the resources accepted, and from how many sections. */
  readonly writes: number;
  readonly sections: number;
  readonly refusedOutside: number;
  readonly leaderChanges: number;
  /** From the end of the faults until everybody had had every lock once more. */
  readonly finishedMillis: number;
  readonly millis: number;
}

const lookMillis = 2500;
/** With all faults over: sessions of the dead expire, and everybody has each lock once. */
const finishMillis = 180_000;
/** Of sessions that are left alone, behind their timeouts. */
const orphanMillis = 60_000;
const enough = 3;
/** So much longer than asked, for what has to come. */
const longerMillis = 150_000;
const sessionMillis = [1500, 2500] as const;
const kept = 50;

export class ExclusionRun {
  readonly #options: ExclusionOptions;
  readonly #random: SeededRandom;
  readonly #tally: Tally;
  readonly #folder = mkdtempSync(join(tmpdir(), "quorate-exclusion-"));
  readonly #interleavings: string[] = [];
  readonly #faults = new Map<string, number>();
  readonly #locks: readonly LockPlan[];
  readonly #evidence: readonly Evidence[];
  readonly #outsideJudges = new Map<string, SectionJudge>();
  readonly #contenders: Contender[] = [];
  readonly #busy = new Set<Contender>();
  /** Of contenders that were killed. */
  #gone = noCounts();
  #firstMillis = 0;
  /** Everybody contends from then on. */
  #began = performance.now();
  #end = 0;
  #isOver = false;
  #isAbandoned = false;
  #arena: Arena | undefined;
  #outside: Outside | undefined;
  #named = 0;
  #refusedOutside = 0;

  constructor(options: ExclusionOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#tally = new Tally(({ what }) => {
      if (!this.#isAbandoned) this.#say(`VIOLATION: ${what}`);
    });
    this.#locks = plans(options.withToken ? "fenced" : "unfenced");
    this.#evidence = this.#locks.map((lock) => new Evidence(lock, (what) => this.#interleaved(what)));
  }

  /** Ends everything at once, without a verdict. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    this.#isOver = true;
    await this.#close();
  }

  async run(): Promise<ExclusionReport> {
    const { seed, millis, contenders = 7, first, withToken } = this.#options;
    let finishedMillis = 0;
    let nemesis: Nemesis | undefined;
    try {
      this.#arena = await Arena.start({ members: 3, tally: this.#tally });
      const arena = this.#arena;
      const logs = new Logs(this.#folder, arena.processes, this.#tally);
      this.#outside = await Outside.start({
        checks: withToken,
        accepted: (lock, write) => this.#outsideAccepted(lock, write),
      });
      await this.#makeZnodes();
      while (this.#contenders.length < contenders) this.#contenders.push(await this.#newContender());
      const announce = (what: string): void => this.#say(`- ${what}`);
      const random = new SeededRandom(seed ^ 0x5e4);
      nemesis = new Nemesis({ arena, random, tally: this.#tally, announce, ...(first ? { first } : {}) });
      this.#began = performance.now();
      this.#end = this.#began + millis;
      await Promise.all([
        this.#strikeServers(nemesis),
        this.#strikeClients(0),
        this.#strikeClients(1),
        this.#lookOn(logs),
      ]);
      if (withToken && !this.#isAbandoned) finishedMillis = await this.#judgeTheEnd(arena);
      logs.drain(true);
    } finally {
      await this.#close();
    }
    return this.#report(nemesis, finishedMillis);
  }

  async #close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#contenders.map((each) => each.end()));
    await this.#outside?.stop();
    this.#refusedOutside += this.#outside?.refused ?? 0;
    this.#outside = undefined;
    const arena = this.#arena;
    this.#arena = undefined;
    await arena?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #makeZnodes(): Promise<void> {
    for (const { znode } of this.#locks) {
      const made = await this.#ask("PUT", `/v1/znodes${znode}?parents=true`, "0");
      if (made !== 201) throw new Error(`${znode} cannot be made: ${made}`);
    }
  }

  /** As the super user, through whoever answers. */
  async #ask(method: string, target: string, body?: string): Promise<number> {
    const headers = { Authorization: basicAuth(superUser.user, superUser.password), "Quorate-Timeout": "5s" };
    for (const { base } of this.#arena?.processes ?? []) {
      const more = body === undefined ? {} : { body };
      const { status } = await call(base, method, target, { headers, patienceMillis: 6000, ...more });
      if (status !== 0 && status < 500) return status;
    }
    return 0;
  }

  async #newContender(): Promise<Contender> {
    const doors = this.#arena?.processes.map((each) => each.restPort) ?? [];
    const ports: CrowdPorts = {
      doors,
      heard: (contender, message) => this.#heard(contender, message),
      planOf: (name, behind): ContenderPlan => ({
        name,
        seed: this.#random.next(),
        doors: behind,
        outside: this.#outside?.base ?? "",
        locks: this.#locks,
        withToken: this.#options.withToken,
        sessionMillis: this.#random.pick(sessionMillis),
      }),
    };
    return Contender.start(`c${++this.#named}`, ports);
  }

  #heard({ name }: Contender, message: FromContender): void {
    if (message.kind === "violation") this.#tally.violate(`${name}: ${message.what}`);
    else if (message.kind === "changed") this.#interleaved(message.what);
    else if (message.kind === "replaced") {
      const at = this.#locks.findIndex((each) => each.name === message.lock);
      this.#evidence[at]?.replaced(message);
    }
  }

  #outsideAccepted(lock: string, write: Parameters<SectionJudge["accepted"]>[0]): void {
    const judge = this.#outsideJudges.get(lock) ?? new SectionJudge(1);
    this.#outsideJudges.set(lock, judge);
    const what = judge.accepted(write);
    if (what !== undefined) this.#interleaved(`outside, ${lock}: ${what}`);
  }

  #interleaved(what: string): void {
    if (this.#isAbandoned) return;
    if (this.#interleavings.length === 0) this.#firstMillis = performance.now() - this.#began;
    if (this.#interleavings.length >= kept) return;
    this.#interleavings.push(what);
    this.#say(`${this.#options.withToken ? "VIOLATION" : "found"}: ${what}`);
    if (!this.#options.withToken && this.#interleavings.length >= enough) this.#isOver = true;
  }

  get #goesOn(): boolean {
    const now = performance.now();
    if (this.#isOver || now > this.#end + longerMillis) return false;
    if (now < this.#end) return true;
    const { goals = { acquired: 0, lost: 0 } } = this.#options;
    const { acquired, lost } = this.#counts();
    return acquired < goals.acquired || lost < goals.lost;
  }

  async #strikeServers(nemesis: Nemesis): Promise<void> {
    try {
      while (!this.#isOver && (!nemesis.isThrough || this.#goesOn)) {
        if (this.#options.onlyFirst && nemesis.isThrough) await pause(100);
        else await nemesis.round();
      }
    } catch (error) {
      if (!this.#isAbandoned) this.#tally.violate(`the run is broken off: ${error}`);
      this.#isOver = true;
    }
  }

  /** The first of all is one that must find something where nobody looks at tokens. */
  async #strikeClients(hand: number): Promise<void> {
    for (let turn = 0; this.#goesOn; turn++) {
      const free = this.#contenders.filter((each) => !this.#busy.has(each));
      const contender = this.#random.pick(free);
      const fault = hand === 0 && turn % 4 === 0 ? stoppedInMidst : pick(this.#random);
      this.#busy.add(contender);
      const stage = {
        random: this.#random,
        contender,
        endSession: async (id: string): Promise<void> => void (await this.#ask("DELETE", `/v1/sessions/${id}`)),
        replace: () => this.#replace(contender),
      };
      const befell = await fault.befall(stage);
      this.#busy.delete(contender);
      if (befell) this.#faults.set(fault.name, (this.#faults.get(fault.name) ?? 0) + 1);
      await pause(this.#random.between(50, 600));
    }
  }

  async #replace(contender: Contender): Promise<void> {
    await contender.end();
    this.#gone = sumOf([this.#gone, contender.counts]);
    if (!this.#isOver) this.#contenders.splice(this.#contenders.indexOf(contender), 1, await this.#newContender());
  }

  async #lookOn(logs: Logs): Promise<void> {
    let told = performance.now();
    while (this.#goesOn) {
      await pause(Math.min(lookMillis, this.#options.withToken ? lookMillis : 500));
      logs.drain();
      await this.#look();
      if (performance.now() - told < 30_000) continue;
      told = performance.now();
      const { acquired, lost } = this.#counts();
      this.#say(`${acquired} acquired, ${lost} sections cut short, ${this.#writes()} writes accepted`);
    }
  }

  async #look(): Promise<string> {
    for (const each of this.#evidence) {
      const door = this.#arena?.processes.find(({ running }) => running);
      const why = door === undefined ? "nobody runs" : await each.look(door.base);
      if (why !== "") return why;
    }
    return "";
  }

  /** Answers how long it took. */
  async #judgeTheEnd(arena: Arena): Promise<number> {
    for (const each of this.#contenders) for (const proxy of each.proxies) proxy.heal();
    const began = performance.now();
    const why = await arena.serves(60_000);
    if (why !== "") this.#tally.violate(`when the faults are over not all serve: ${why}`);
    for (const each of this.#contenders) each.tell({ kind: "finish" });
    while (performance.now() < began + finishMillis && this.#contenders.some((each) => !each.isDone)) await pause(50);
    const took = performance.now() - began;
    const late = this.#contenders.filter((each) => !each.isDone).map((each) => each.name);
    if (late.length > 0) this.#tally.violate(`${late.join(", ")} did not have every lock within ${finishMillis} ms`);
    for (let look = 0, left = "-"; left !== ""; look++) {
      left = await this.#look();
      if (look === 20) this.#tally.violate(`what the znodes accepted cannot be read: ${left}`);
      if (look === 20) break;
    }
    await this.#judgeOrphans(arena);
    const differ = await arena.isEqual(60_000);
    if (differ !== "") this.#tally.violate(`the replicas differ at the end: ${differ}`);
    return took;
  }

  async #judgeOrphans(arena: Arena): Promise<void> {
    const end = performance.now() + Math.max(...sessionMillis) + orphanMillis;
    for (const lock of this.#locks) {
      for (let left = "-"; left !== ""; await pause(100)) {
        const queue = await queueOf(arena.ensemble.gateway.base, lock.name).catch(() => undefined);
        left = [...(queue?.holders ?? []), ...(queue?.waiters ?? [])].map((each) => each.contender).join(", ");
        if (left === "" || performance.now() < end) continue;
        this.#tally.violate(`places are left behind in ${lock.name}: ${left}`);
        break;
      }
    }
  }

  #counts(): ContenderCounts {
    return sumOf([this.#gone, ...this.#contenders.map((each) => each.counts)]);
  }

  #judges(): readonly { readonly writes: number; readonly sections: number }[] {
    return [...this.#evidence, ...this.#outsideJudges.values()];
  }

  #writes(): number {
    return this.#judges().reduce((sum, each) => sum + each.writes, 0);
  }

  #say(line: string): void {
    const seconds = Math.floor((performance.now() - this.#began) / 1000);
    const clock = `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, "0")}`;
    this.#options.say?.(`${clock} ${line}`);
  }

  #report(nemesis: Nemesis | undefined, finishedMillis: number): ExclusionReport {
    return {
      violations: this.#tally.violations.map((each) => each.what),
      interleavings: this.#interleavings,
      firstInterleavingMillis: this.#firstMillis,
      faults: new Map([...(nemesis?.counts ?? []), ...this.#faults]),
      ...this.#counts(),
      writes: this.#writes(),
      sections: this.#judges().reduce((sum, each) => sum + each.sections, 0),
      refusedOutside: this.#refusedOutside,
      leaderChanges: this.#tally.leaderChanges,
      finishedMillis,
      millis: performance.now() - this.#began,
    };
  }
}

function plans(run: string): LockPlan[] {
  const at = (name: string): { name: string; znode: string } => ({
    name: `locks/${run}/${name}`,
    znode: `/held/${run}/${name}`,
  });
  return [
    { ...at("mutex"), kind: "mutex", layout: "curator", outside: true },
    { ...at("of-kazoo"), kind: "mutex", layout: "kazoo", outside: true },
    { ...at("read-write"), kind: "readWrite", layout: "curator", outside: true },
    { ...at("semaphore"), kind: "semaphore", permits: 2, layout: "curator", outside: false },
  ];
}

function pick(random: SeededRandom): (typeof clientFaults)[number] {
  let at = random.below(clientFaults.reduce((sum, each) => sum + each.weight, 0));
  for (const fault of clientFaults) {
    at -= fault.weight;
    if (at < 0) return fault;
  }
  return stoppedInMidst;
}

function sumOf(all: readonly ContenderCounts[]): ContenderCounts {
  const sum = noCounts();
  for (const each of all) {
    for (const name of Object.keys(sum) as (keyof ContenderCounts)[]) sum[name] += each[name];
  }
  return sum;
}
