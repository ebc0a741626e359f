/**
 * What goes wrong in a simulated ensemble, drawn from the seed. A replica whose disk lied, lost or forgot something counts
 * as failed until it is synchronized again: such a fault comes alone, when everybody else serves and holds everything. Of
 * empty disks there is never more than a minority. All else may come together and to everybody.
 */
import type { ReplicaId } from "@quorate/api";
import type { VirtualTime } from "./events.ts";
import type { PowerLoss } from "./faulty-disk.ts";
import type { SeededRandom } from "./random.ts";
import type { Town } from "./sim-client.ts";
import type { SimEnsemble, SimReplica } from "./sim-ensemble.ts";
import { Violation } from "./violation.ts";

const losses: readonly PowerLoss[] = ["lost", "kept", "torn"];

export interface FaultHost {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly ensemble: SimEnsemble;
  readonly town: Town;
  trace(text: string): void;
  /** Names of faults, joined by "+", that are to come more often than others. */
  readonly scenario: string;
  /**
   * Memory may be flipped. What a replica tells from flipped memory is promised to nobody until it has noticed: such runs
   * ask for less, and are runs of their own.
   */
  readonly flips: boolean;
  /** A bit of this replica's memory was flipped. */
  flipped(id: ReplicaId): void;
}

type Fault = (faults: Faults, victim: SimReplica) => void;

/** Each may come at any time, to anybody. */
const common: Readonly<Record<string, Fault>> = {
  kill: (faults, victim) => faults.kill(victim),
  powerLoss: (faults, victim) => faults.losePower(victim),
  powerLossOfAll: (faults) => faults.loseAllPower(),
  crashAtDiskStep: (faults, victim) => faults.crashAtStep(victim),
  pause: (faults, victim) => faults.pause(victim),
  isolate: (faults, victim) => faults.isolate(victim),
  split: (faults) => faults.split(),
  oneWay: (faults, victim) => faults.oneWay(victim),
  breakWire: (faults) => faults.breakWires(),
  slowNetwork: (faults, victim) => faults.slowNetwork(victim),
  slowDisk: (faults, victim) => faults.slowDisk(victim),
  hangingDisk: (faults, victim) => faults.hang(victim),
  failingDisk: (faults, victim) => faults.failDisk(victim),
  fullDisk: (faults, victim) => faults.fillDisk(victim),
  clockJump: (faults, victim) => faults.jumpClock(victim),
  handOver: (faults, victim) => faults.handOver(victim),
  gatewayKill: (faults) => faults.killGateway(),
  gatewayPause: (faults) => faults.pauseGateway(),
  rest: (faults) => faults.rest(),
  emptyDisk: (faults, victim) => faults.emptyDisk(victim),
};

/** Each comes alone. */
const forgetting: Readonly<Record<string, Fault>> = {
  lyingDisk: (faults, victim) => faults.lie(victim),
  bitFlipOnDisk: (faults, victim) => faults.flipOnDisk(victim),
  bitFlipInMemory: (faults, victim) => faults.flipInMemory(victim),
};

export const faultNames: readonly string[] = [...Object.keys(common), ...Object.keys(forgetting)];

export class Faults {
  readonly #host: FaultHost;
  /** Names with their weights: each run has a mix of its own. */
  readonly #mix: readonly string[];
  readonly #pace: number;
  #on = false;
  /** A fault that comes alone is under way. */
  #alone = false;
  readonly counts = new Map<string, number>();

  constructor(host: FaultHost) {
    this.#host = host;
    const { random } = host;
    const mix: string[] = [];
    const weighed = new Set(host.scenario.split("+"));
    for (const name of faultNames) {
      if (name === "bitFlipInMemory" && !host.flips) continue;
      const heavy = random.chance(0.15) ? 8 : 1;
      const drawn = random.chance(0.55) ? random.between(1, 3) * heavy : 0;
      const weight = drawn + (weighed.has(name) ? 20 : 0);
      for (let i = 0; i < weight; i++) mix.push(name);
    }
    if (host.flips) mix.push("bitFlipInMemory");
    if (mix.length === 0) mix.push("kill");
    this.#mix = mix;
    this.#pace = random.pick([60, 150, 300, 600, 1200]);
  }

  begin(): void {
    this.#on = true;
    this.#next();
  }

  #next(): void {
    const { time, random } = this.#host;
    time.after(random.between(20, this.#pace * 2), () => {
      if (!this.#on) return;
      if (!this.#alone) this.#strike();
      this.#next();
    });
  }

  #strike(): void {
    const { random, ensemble, trace } = this.#host;
    const name = random.pick(this.#mix);
    const leader = ensemble.leader();
    const victim = leader && random.chance(0.45) ? leader : random.pick([...ensemble.replicas.values()]);
    trace(`fault ${name} at ${victim.id}`);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    const plain = common[name];
    if (plain) plain(this, victim);
    else this.#strikeAlone(name, victim);
  }

  /** Everything works again from here on. */
  heal(): void {
    const { ensemble, town } = this.#host;
    this.#on = false;
    this.#restore();
    for (const gateway of ensemble.gateways) {
      gateway.machine.resume();
      if (gateway.number < 100) ensemble.startGateway(gateway);
    }
    town.quietUntil = 0;
  }

  #restore(): void {
    const { ensemble } = this.#host;
    const { network } = ensemble;
    network.open();
    network.slowness = 2;
    network.loss = 0;
    network.slow.clear();
    for (const each of ensemble.replicas.values()) {
      const { disk, pace } = each.machine;
      disk.fault = () => "none";
      disk.capacity = Number.POSITIVE_INFINITY;
      disk.resume();
      pace.syncMillis = 3;
      each.machine.resume();
      each.down = false;
      ensemble.start(each.id);
    }
  }

  #later(low: number, high: number, run: () => void): void {
    const { time, random } = this.#host;
    time.after(random.between(low, high), () => {
      if (this.#on && !this.#alone) run();
    });
  }

  #startLater(victim: SimReplica, high = 2500): void {
    victim.down = true;
    this.#later(10, high, () => {
      victim.down = false;
      this.#host.ensemble.start(victim.id);
    });
  }

  kill(victim: SimReplica): void {
    this.#host.ensemble.kill(victim.id);
    this.#startLater(victim);
  }

  losePower(victim: SimReplica): void {
    this.#host.ensemble.kill(victim.id, this.#host.random.pick(losses));
    this.#startLater(victim);
  }

  loseAllPower(): void {
    const { ensemble, random } = this.#host;
    const loss = random.pick(losses);
    const share = random.pick([0.6, 0.85, 1]);
    for (const each of ensemble.replicas.values())
      if (random.chance(share)) {
        ensemble.kill(each.id, random.chance(0.7) ? loss : random.pick(losses));
        this.#startLater(each, 800);
      }
  }

  /** The power goes at one of the next steps of the disk, whatever it is. */
  crashAtStep(victim: SimReplica): void {
    const { random, time, ensemble } = this.#host;
    const { disk } = victim.machine;
    const at = disk.steps + random.between(1, 30);
    const loss = random.pick(losses);
    disk.fault = ({ number }) => {
      if (number < at) return "none";
      disk.fault = () => "none";
      time.after(0, () => {
        ensemble.kill(victim.id, loss);
        if (!victim.down) this.#startLater(victim);
      });
      return "crash";
    };
    this.#later(2000, 4000, () => {
      disk.fault = () => "none";
    });
  }

  pause(victim: SimReplica): void {
    victim.machine.pause();
    this.#later(30, this.#host.random.pick([300, 1500, 5000]), () => victim.machine.resume());
  }

  #heal(low: number, high: number): void {
    this.#later(low, high, () => this.#host.ensemble.network.open());
  }

  isolate(victim: SimReplica): void {
    const { network, replicas } = this.#host.ensemble;
    for (const each of replicas.values()) {
      network.shut(victim.machine, each.machine);
      network.shut(each.machine, victim.machine);
    }
    this.#heal(200, 4000);
  }

  /** Two sides, gateways on both. */
  split(): void {
    const { ensemble, random } = this.#host;
    const { network } = ensemble;
    const machines = new Set([...ensemble.replicas.values(), ...ensemble.gateways].map((each) => each.machine));
    const left = new Set([...machines].filter(() => random.chance(0.45)));
    for (const a of machines) for (const b of machines) if (left.has(a) !== left.has(b)) network.shut(a, b);
    this.#heal(200, 4000);
  }

  oneWay(victim: SimReplica): void {
    const { ensemble, random } = this.#host;
    const { network } = ensemble;
    const away = random.chance(0.5);
    const share = random.pick([0.5, 1]);
    for (const each of ensemble.replicas.values()) {
      if (!random.chance(share)) continue;
      if (away) network.shut(victim.machine, each.machine);
      else network.shut(each.machine, victim.machine);
    }
    this.#heal(100, 3000);
  }

  breakWires(): void {
    const { ensemble, random } = this.#host;
    for (let i = random.between(1, 4); i > 0; i--) ensemble.network.breakOne();
  }

  slowNetwork(victim: SimReplica): void {
    const { ensemble, random } = this.#host;
    const { network } = ensemble;
    const all = random.chance(0.5);
    if (all) network.slowness = random.pick([10, 40, 150]);
    else network.slow.set(victim.machine, random.pick([20, 100, 400]));
    network.loss = random.chance(0.5) ? 0.05 : 0;
    this.#later(500, 4000, () => {
      network.slowness = 2;
      network.loss = 0;
      network.slow.clear();
    });
  }

  slowDisk(victim: SimReplica): void {
    const { pace } = victim.machine;
    pace.syncMillis = this.#host.random.pick([20, 80, 300]);
    this.#later(300, 4000, () => {
      pace.syncMillis = 3;
    });
  }

  /** Fsyncs begin and do not end, for a while. */
  hang(victim: SimReplica): void {
    const { disk } = victim.machine;
    disk.fault = ({ operation }) => (operation === "sync" ? "hang" : "none");
    this.#later(100, 4000, () => {
      disk.fault = () => "none";
      disk.resume();
    });
  }

  /** One fsync or write fails: the process ends itself; later, perhaps, the power goes too. */
  failDisk(victim: SimReplica): void {
    const { random } = this.#host;
    const { disk } = victim.machine;
    const operation = random.pick(["sync", "sync", "write", "syncFolder", "rename"] as const);
    disk.fault = (step) => {
      if (step.operation !== operation) return "none";
      disk.fault = () => "none";
      return "EIO";
    };
    if (random.chance(0.5)) this.#later(200, 1500, () => this.losePower(victim));
  }

  fillDisk(victim: SimReplica): void {
    const { random } = this.#host;
    const { disk } = victim.machine;
    disk.capacity = disk.used + random.between(0, 90_000);
    this.#later(500, 4000, () => {
      disk.capacity = Number.POSITIVE_INFINITY;
    });
  }

  jumpClock(victim: SimReplica): void {
    const { random } = this.#host;
    victim.machine.jump(random.pick([-1, 1]) * random.pick([500, 60_000, 86_400_000]));
  }

  handOver(target: SimReplica): void {
    const { town, ensemble, random } = this.#host;
    const gateway = random.pick(ensemble.gateways);
    const { machine } = gateway;
    machine.arrive(() => void gateway.backend?.handOver(target.id, 1000));
    void town;
  }

  killGateway(): void {
    const { ensemble, random } = this.#host;
    const gateway = random.pick(ensemble.gateways.filter((each) => each.number < 100));
    ensemble.killGateway(gateway);
    this.#later(50, 1500, () => ensemble.startGateway(gateway));
  }

  pauseGateway(): void {
    const { machine } = this.#host.random.pick(this.#host.ensemble.gateways.filter((each) => each.number < 100));
    machine.pause();
    this.#later(50, 4000, () => machine.resume());
  }

  /** Nobody asks anything for a while; then all lose their power: snapshots may be all that there is. */
  rest(): void {
    const { town, time } = this.#host;
    town.quietUntil = time.now + 1200;
    this.#later(500, 1000, () => this.loseAllPower());
  }

  /** Counts as failed until it is synchronized: never more than a minority at once. */
  emptyDisk(victim: SimReplica): void {
    const { ensemble } = this.#host;
    if (this.#forgetful().size >= Math.floor((ensemble.replicas.size - 1) / 2) || !victim.born) return;
    ensemble.kill(victim.id, "lost");
    victim.machine.disk.wipe();
    victim.initial = this.#host.random.chance(0.5);
    victim.born = false;
    this.#startLater(victim, 1500);
  }

  /** Those who have an empty disk, or had one and are not members again. */
  #forgetful(): Set<SimReplica> {
    return new Set([...this.#host.ensemble.replicas.values()].filter((each) => !each.born));
  }

  // --------------------------------------------------------------------------------------- faults that come alone

  /** Everybody is healed and holds everything; then the fault; nothing else until its victim serves again. */
  #strikeAlone(name: string, victim: SimReplica): void {
    this.#alone = true;
    this.#restore();
    this.#whenWhole(`before ${name}`, () => forgetting[name]?.(this, victim));
  }

  /** Calls `then` once all serve and hold the same; that this takes long is a violation of progress. */
  #whenWhole(when: string, then: () => void): void {
    const { time, ensemble } = this.#host;
    const limit = time.now + 15_000;
    const look = (): void => {
      if (!this.#on) return;
      if (ensemble.whole()) {
        then();
        return;
      }
      if (time.now > limit) throw new Violation("progress", `${when}: 15 s after healing ${ensemble.describe()}`);
      time.after(20, look);
    };
    time.after(20, look);
  }

  #over(when: string): void {
    this.#whenWhole(when, () => {
      this.#alone = false;
      for (const each of this.#host.ensemble.replicas.values()) each.excused = undefined;
    });
  }

  /** What it fsyncs is not durable, and then its power goes. */
  lie(victim: SimReplica): void {
    const { time, random, ensemble } = this.#host;
    const { disk } = victim.machine;
    victim.excused = /./;
    disk.fault = ({ operation }) => (operation === "sync" || operation === "syncFolder" ? "lie" : "none");
    time.after(random.between(20, 600), () => {
      if (!this.#on) return;
      const others = [...ensemble.replicas.values()].filter((each) => each !== victim);
      // Whatever it has counted for lies on all the others' disks before it forgets.
      ensemble.kill(victim.id);
      victim.down = true;
      time.after(300, () => {
        if (!this.#on) return;
        const held = others.every((each) => each.serves);
        disk.losePower(held ? random.pick(["lost", "torn"]) : "kept");
        disk.fault = () => "none";
        victim.down = false;
        ensemble.start(victim.id);
        this.#over("after a lying disk");
      });
    });
  }

  flipOnDisk(victim: SimReplica): void {
    const { time, random, ensemble, trace } = this.#host;
    const { disk } = victim.machine;
    victim.excused = /./;
    ensemble.kill(victim.id);
    victim.down = true;
    const files = disk.paths().filter((each) => disk.fileSize(each) > 0 && !each.endsWith("lock"));
    for (let i = random.between(1, 2); i > 0 && files.length > 0; i--) {
      const file = random.pick(files);
      const at = random.below(disk.fileSize(file));
      trace(`flips a bit of ${file} at ${at}`);
      disk.flipBit(file, at, random.below(8));
    }
    time.after(random.between(10, 500), () => {
      if (!this.#on) return;
      victim.down = false;
      ensemble.start(victim.id);
      this.#over("after a bit flip on disk");
    });
  }

  /**
   * One bit of a batch that waits to be applied, after it was written or before. The replica applies something else than
   * all others, which it has to notice, and to end itself for it.
   */
  flipInMemory(victim: SimReplica): void {
    const { time, random, trace } = this.#host;
    victim.excused = /./;
    const late = random.chance(0.5);
    victim.tamper = (batches) => {
      const { payload } = random.pick(batches);
      if (payload.length === 0) return;
      victim.tamper = undefined;
      this.#host.flipped(victim.id);
      const at = random.below(payload.length);
      const flip = (): void => {
        payload[at] = (payload[at] as number) ^ (1 << random.below(8));
      };
      trace(`flips a bit of ${payload.length} bytes in the memory of replica ${victim.id}`);
      if (late) time.after(0.1, flip);
      else flip();
    };
    time.after(1500, () => {
      victim.tamper = undefined;
      if (this.#on) this.#over("after a bit flip in memory");
    });
  }
}
