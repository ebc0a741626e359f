/** Links between simulated peers: ordered and reliable while they stand, slow, breakable, and deaf in one direction. */
import type { ReplicaId } from "@quorate/api";
import type { LinkId, PeerMessage } from "@quorate/zab";
import type { VirtualTime } from "./events.ts";
import type { SeededRandom } from "./random.ts";

interface Line {
  readonly id: LinkId;
  readonly a: ReplicaId;
  readonly b: ReplicaId;
  up: boolean;
  /** When the last message sent in each direction arrives: later ones arrive no earlier. */
  readonly arrival: Map<ReplicaId, number>;
  /** Messages to these wait until the line breaks: a one-way partition. */
  readonly deaf: Set<ReplicaId>;
}

export interface NetworkEvents {
  up(to: ReplicaId, link: LinkId, peer: ReplicaId): void;
  down(to: ReplicaId, link: LinkId): void;
  received(to: ReplicaId, link: LinkId, message: PeerMessage): void;
  alive(id: ReplicaId): boolean;
}

export class SimNetwork {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #events: NetworkEvents;
  readonly #lines = new Map<LinkId, Line>();
  readonly #cut = new Set<string>();
  readonly #members: readonly ReplicaId[];
  #nextLink = 1;
  /** Milliseconds: the longest a message takes. */
  slowness = 4;
  /** A transport that is worse than it may be: proposals vanish from a link that stands. */
  lossOfProposals = 0;
  /** How often one side does not notice at once that a link broke. */
  lateness = 0.15;

  constructor(members: readonly ReplicaId[], time: VirtualTime, random: SeededRandom, events: NetworkEvents) {
    this.#members = members;
    this.#time = time;
    this.#random = random;
    this.#events = events;
  }

  /** Connects every pair that may be connected and is not. */
  connect(): void {
    for (const a of this.#members) {
      for (const b of this.#members) {
        if (a >= b || this.#cut.has(pair(a, b)) || !this.#events.alive(a) || !this.#events.alive(b)) continue;
        if (this.#between(a, b)) continue;
        const line: Line = { id: this.#nextLink++, a, b, up: true, arrival: new Map(), deaf: new Set() };
        this.#lines.set(line.id, line);
        this.#events.up(a, line.id, b);
        if (line.up) this.#events.up(b, line.id, a);
      }
    }
  }

  send(from: ReplicaId, link: LinkId, message: PeerMessage): void {
    const line = this.#lines.get(link);
    if (!line?.up) return;
    const to = line.a === from ? line.b : line.a;
    if (message.kind === "propose" && this.#random.chance(this.lossOfProposals)) return;
    const usual = this.#random.below(this.slowness * 10) / 10;
    const delay = this.#random.chance(0.01) ? usual * 20 : usual;
    const at = Math.max(line.arrival.get(to) ?? 0, this.#time.now + delay);
    line.arrival.set(to, at);
    this.#time.after(at - this.#time.now, () => {
      if (line.up && !line.deaf.has(to) && this.#events.alive(to)) this.#events.received(to, link, message);
    });
  }

  /**
   * Breaks a link; what was under way on it is lost. Both sides hear of it, one perhaps much later: a peer that was
   * restarted meanwhile may long be linked with others. The two are linked again when both have heard.
   */
  break(link: LinkId): void {
    const line = this.#lines.get(link);
    if (!line?.up) return;
    line.up = false;
    const late = this.#random.chance(this.lateness) ? this.#random.pick([line.a, line.b]) : undefined;
    for (const side of [line.a, line.b]) if (side !== late) this.#tellDown(side, link);
    if (late === undefined) this.#lines.delete(link);
    else {
      this.#time.after(this.#random.between(20, 1500), () => {
        this.#lines.delete(link);
        this.#tellDown(late, link);
      });
    }
  }

  #tellDown(side: ReplicaId, link: LinkId): void {
    if (this.#events.alive(side)) this.#events.down(side, link);
  }

  breakAllOf(id: ReplicaId): void {
    for (const line of [...this.#lines.values()]) if (line.a === id || line.b === id) this.break(line.id);
  }

  breakOne(): void {
    const lines = [...this.#lines.values()];
    if (lines.length > 0) this.break(this.#random.pick(lines).id);
  }

  /** One direction of one line goes silent, until it breaks for silence. */
  deafenOne(): void {
    const lines = [...this.#lines.values()];
    if (lines.length === 0) return;
    const line = this.#random.pick(lines);
    line.deaf.add(this.#random.chance(0.5) ? line.a : line.b);
    this.#time.after(this.#random.between(50, 1500), () => this.break(line.id));
  }

  /** No connection between the two groups until healed. */
  partition(group: ReadonlySet<ReplicaId>): void {
    for (const a of this.#members) {
      for (const b of this.#members) {
        if (a < b && group.has(a) !== group.has(b)) this.cut(a, b);
      }
    }
  }

  /** No connection between these two, the smaller first, until healed. */
  cut(a: ReplicaId, b: ReplicaId): void {
    this.#cut.add(pair(a, b));
    const line = this.#between(a, b);
    if (line) this.break(line.id);
  }

  heal(): void {
    this.#cut.clear();
    for (const line of [...this.#lines.values()]) if (line.deaf.size > 0) this.break(line.id);
  }

  #between(a: ReplicaId, b: ReplicaId): Line | undefined {
    for (const line of this.#lines.values()) if (line.a === a && line.b === b) return line;
    return undefined;
  }
}

function pair(a: ReplicaId, b: ReplicaId): string {
  return `${a}-${b}`;
}
