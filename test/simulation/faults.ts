/**
 * What goes wrong in a simulated ensemble, drawn from the seed. A replica whose disk lied, lost or forgot something counts
 * as failed until it is synchronized again: such a fault comes alone, when everybody else serves and holds everything. Of
 * empty disks there is never more than a minority. All else may come together and to everybody.
 */
import { commonFaults } from "./common-faults.ts";
import type { FaultHost, Field } from "./fault-field.ts";
import { loneFaults } from "./lone-faults.ts";
import type { SimReplica } from "./sim-ensemble.ts";
import { Violation } from "./violation.ts";

const faultNames: readonly string[] = [...Object.keys(commonFaults), ...Object.keys(loneFaults)];

export class Faults implements Field {
  readonly host: FaultHost;
  /** Names with their weights: each run has a mix of its own. */
  readonly #mix: readonly string[];
  readonly #pace: number;
  on = false;
  /** A fault that comes alone is under way. */
  #alone = false;
  readonly counts = new Map<string, number>();

  constructor(host: FaultHost) {
    this.host = host;
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
    if (host.flips) mix.push(...Array.from({ length: 1 + mix.length / 3 }, () => "bitFlipInMemory"));
    if (mix.length === 0) mix.push("kill");
    this.#mix = mix;
    this.#pace = random.pick([60, 150, 300, 600, 1200]);
  }

  begin(): void {
    this.on = true;
    this.#next();
  }

  #next(): void {
    const { time, random } = this.host;
    time.after(random.between(20, this.#pace * 2), () => {
      if (!this.on) return;
      if (!this.#alone) this.#strike();
      this.#next();
    });
  }

  #strike(): void {
    const { random, ensemble, trace } = this.host;
    const name = random.pick(this.#mix);
    const leader = ensemble.leader();
    const victim = leader && random.chance(0.45) ? leader : random.pick([...ensemble.replicas.values()]);
    trace(`fault ${name} at ${victim.id}`);
    const common = commonFaults[name];
    if (common?.(this, victim) === false) return;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    if (!common) this.#strikeAlone(name, victim);
  }

  /** Everything works again from here on. */
  heal(): void {
    this.on = false;
    this.#restore();
    this.host.town.quietUntil = 0;
  }

  /** Everybody is whole: from here on nobody may end, but for a flipped bit that nobody has read yet. */
  healed(): void {
    for (const each of this.host.ensemble.replicas.values()) if (!each.flipped) each.excused = undefined;
  }

  #restore(): void {
    const { ensemble } = this.host;
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
      each.tamper = undefined;
      ensemble.start(each.id);
    }
    for (const gateway of ensemble.gateways) {
      gateway.machine.resume();
      if (gateway.number < 100) ensemble.startGateway(gateway);
    }
  }

  later(low: number, high: number, run: () => void): void {
    const { time, random } = this.host;
    time.after(random.between(low, high), () => {
      if (this.on && !this.#alone) run();
    });
  }

  startLater(victim: SimReplica, high = 2500): void {
    victim.down = true;
    this.later(10, high, () => {
      victim.down = false;
      this.host.ensemble.start(victim.id);
    });
  }

  // --------------------------------------------------------------------------------------- faults that come alone

  /** Everybody is healed and holds everything; then the fault; nothing else until its victim serves again. */
  #strikeAlone(name: string, victim: SimReplica): void {
    this.#alone = true;
    this.#restore();
    this.whenWhole(`before ${name}`, () => loneFaults[name]?.(this, victim));
  }

  /** Calls `then` once all serve and hold the same; that this takes long is a violation of progress. */
  whenWhole(when: string, then: () => void): void {
    const { time, ensemble } = this.host;
    const limit = time.now + 15_000;
    const look = (): void => {
      if (!this.on) return;
      if (ensemble.whole()) {
        then();
        return;
      }
      if (time.now > limit) throw new Violation("progress", `${when}: 15 s after healing ${ensemble.describe()}`);
      time.after(20, look);
    };
    time.after(20, look);
  }

  over(when: string): void {
    this.whenWhole(when, () => {
      this.#alone = false;
      for (const each of this.host.ensemble.replicas.values()) each.excused = undefined;
    });
  }
}
