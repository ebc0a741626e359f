/**
 * Ordered connections between simulated machines, as TCP gives them: what is sent arrives in order or not at all, slowly,
 * and one way may be shut while the other is open. A broken connection is noticed by one side at once and by the other
 * perhaps much later, and what was under way may still arrive there: a peer that is back on a new connection meets the
 * last words of its old one.
 */
import type { VirtualTime } from "./events.ts";
import type { Machine } from "./machine.ts";
import type { SeededRandom } from "./random.ts";

/** What lives at one end of a wire. After `down` nothing more is heard. */
export interface End {
  received(messages: readonly Uint8Array[]): void;
  /** Not called for a `close` of one's own. */
  down(why: string): void;
  /** Little is under way again, after `writable` had been false. */
  drained(): void;
}

const writableBytes = 64 * 1024;
const usualSlowness = 2;

class Side {
  readonly machine: Machine;
  readonly life: number;
  readonly end: End;
  /** Hears and says nothing any more. */
  closed = false;
  /** Under way to this side. */
  readonly queue: { readonly messages: readonly Uint8Array[]; readonly at: number }[] = [];
  queuedBytes = 0;
  lastArrival = 0;
  full = false;
  constructor(machine: Machine, end: End) {
    this.machine = machine;
    this.life = machine.life;
    this.end = end;
  }
  get dead(): boolean {
    return this.closed || this.machine.life !== this.life;
  }
}

/** One end, as its owner holds it. */
export interface Wire {
  readonly writable: boolean;
  readonly queuedBytes: number;
  /** Takes the messages as they are: they are not to be changed afterwards. */
  send(messages: readonly Uint8Array[]): void;
  close(): void;
}

class Line {
  readonly sides: readonly [Side, Side];
  /** No more is taken from either side. */
  broken = false;
  constructor(a: Side, b: Side) {
    this.sides = [a, b];
  }
}

export class Network {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #lines = new Set<Line>();
  /** "a>b": nothing passes from a to b. */
  readonly #shut = new Set<string>();
  /** The longest a message takes, ms; of everybody, and of single machines. */
  slowness = usualSlowness;
  readonly slow = new Map<Machine, number>();
  /** How often a message has to be sent again, which holds up all behind it. */
  loss = 0;
  /** How often the break of a wire is noticed late at one side. */
  lateness = 0.3;
  /** Ways were shut or opened. */
  changed: () => void = () => {};

  constructor(time: VirtualTime, random: SeededRandom) {
    this.#time = time;
    this.#random = random;
  }

  /** Messages may be on their way for long. */
  get isSlow(): boolean {
    return this.slowness > usualSlowness || this.loss > 0 || this.slow.size > 0;
  }

  reaches(from: Machine, to: Machine): boolean {
    return !this.#shut.has(way(from, to));
  }

  /** Lays a wire from `from` to `to`, both alive; `accept` makes the far end when the first word arrives there. */
  connect(from: Machine, near: (wire: Wire) => End, to: Machine, far: (wire: Wire) => End): Wire {
    const wires: Wire[] = [];
    const ends: End[] = [];
    const lazy = (at: number): End => ({
      received: (messages) => ends[at]?.received(messages),
      down: (why) => ends[at]?.down(why),
      drained: () => ends[at]?.drained(),
    });
    const line = new Line(new Side(from, lazy(0)), new Side(to, lazy(1)));
    for (const at of [0, 1] as const) wires.push(this.#wire(line, at));
    this.#lines.add(line);
    ends[0] = near(wires[0] as Wire);
    ends[1] = far(wires[1] as Wire);
    return wires[0] as Wire;
  }

  #wire(line: Line, at: 0 | 1): Wire {
    const own = line.sides[at];
    const other = line.sides[at === 0 ? 1 : 0];
    return {
      get writable() {
        return other.queuedBytes < writableBytes;
      },
      get queuedBytes() {
        return other.queuedBytes;
      },
      send: (messages) => this.#send(line, own, other, messages),
      close: () => {
        own.closed = true;
        this.#break(line, "the other side closed the connection");
      },
    };
  }

  #send(line: Line, own: Side, other: Side, messages: readonly Uint8Array[]): void {
    if (line.broken || own.dead) return;
    for (const each of messages) other.queuedBytes += each.length;
    if (other.queuedBytes >= writableBytes) other.full = true;
    const at = Math.max(other.lastArrival, this.#time.now + this.#delay(own.machine, other.machine));
    other.lastArrival = at;
    other.queue.push({ messages, at });
    this.#time.after(at - this.#time.now, () => this.#pump(line, own, other));
  }

  #delay(from: Machine, to: Machine): number {
    if (from === to) return 0.02;
    const longest = Math.max(this.slowness, this.slow.get(from) ?? 0, this.slow.get(to) ?? 0);
    const usual = 0.05 + this.#random.below(longest * 50) / 100;
    if (this.#random.chance(this.loss)) return usual + 200;
    return this.#random.chance(0.02) ? usual * 10 : usual;
  }

  /** Hands over what has arrived. */
  #pump(line: Line, from: Side, to: Side): void {
    if (this.#shut.has(way(from.machine, to.machine))) return;
    while (!to.dead && to.queue.length > 0) {
      const next = to.queue[0] as (typeof to.queue)[number];
      if (next.at > this.#time.now) return;
      to.queue.shift();
      for (const each of next.messages) to.queuedBytes -= each.length;
      to.machine.arrive(() => {
        if (!to.closed) to.end.received(next.messages);
      });
      if (to.full && to.queuedBytes < writableBytes / 2) {
        to.full = false;
        if (!from.dead && !line.broken) from.machine.arrive(() => !from.closed && from.end.drained());
      }
    }
  }

  #tell(side: Side, why: string): void {
    if (side.dead) return;
    side.machine.arrive(() => {
      if (side.closed) return;
      side.closed = true;
      side.end.down(why);
    });
  }

  /** Ends a line: each side hears of it, at once or late, with or without what was under way to it. */
  #break(line: Line, why: string): void {
    if (line.broken) return;
    line.broken = true;
    this.#lines.delete(line);
    const late = this.#random.chance(this.lateness) ? this.#random.below(2) : -1;
    line.sides.forEach((side, at) => {
      if (side.dead) return;
      const keeps = this.#random.chance(0.5);
      if (!keeps) side.queue.length = 0;
      const delay = at === late ? this.#random.between(20, 1500) : this.#random.below(30) / 10;
      const other = line.sides[at === 0 ? 1 : 0];
      this.#time.after(Math.max(delay, keeps ? side.lastArrival - this.#time.now : 0), () => {
        this.#pump(line, other, side);
        side.queue.length = 0;
        this.#tell(side, why);
      });
    });
  }

  /** `machine`'s process has died. `silent`: nobody answers for it (its power went), so the others find out by themselves. */
  died(machine: Machine, silent: boolean): void {
    for (const line of [...this.#lines]) {
      if (!line.sides.some((side) => side.machine === machine)) continue;
      if (!silent) this.#break(line, "the other process ended");
      else this.#time.after(this.#random.between(300, 4000), () => this.#break(line, "the connection timed out"));
    }
  }

  /** Breaks all wires between the two; `deaf` notices only after so long, and what was under way to it is lost. */
  breakBetween(deaf: Machine, other: Machine, afterMillis: number): void {
    for (const line of [...this.#lines]) {
      const machines = line.sides.map((side) => side.machine);
      if (!machines.includes(deaf) || !machines.includes(other) || deaf === other) continue;
      line.broken = true;
      this.#lines.delete(line);
      for (const side of line.sides) {
        side.queue.length = 0;
        this.#time.after(side.machine === deaf ? afterMillis : 1, () => this.#tell(side, "the connection was reset"));
      }
    }
  }

  breakOne(): void {
    const lines = [...this.#lines];
    if (lines.length > 0) this.#break(this.#random.pick(lines), "the connection was reset");
  }

  /** Nothing passes from `from` to `to` until `open`. */
  shut(from: Machine, to: Machine): void {
    if (from === to) return;
    this.#shut.add(way(from, to));
    this.changed();
  }

  /** Everything passes again; what waited arrives, unless its wire was broken meanwhile. */
  open(): void {
    this.#shut.clear();
    this.changed();
    for (const line of this.#lines) {
      const [a, b] = line.sides;
      this.#time.after(this.#random.below(20) / 10, () => this.#pump(line, a, b));
      this.#time.after(this.#random.below(20) / 10, () => this.#pump(line, b, a));
    }
  }
}

function way(from: Machine, to: Machine): string {
  return `${from.name}>${to.name}`;
}
