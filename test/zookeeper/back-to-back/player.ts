/**
 * Plays the same steps to two sides and compares what every client was told, in order. It stops at the first difference that no
 * row of `differences.ts` covers: whatever comes after it would differ by it.
 */
import { sleep } from "../../integration/ensemble.ts";
import { meantBy } from "../differences.ts";
import type { WireClient } from "../wire-client.ts";
import { createFlags, openAcl, type WireRequest } from "../wire-records.ts";
import { Comparison } from "./comparison.ts";
import { Generator, type GeneratorOptions } from "./generator.ts";
import { compareMissed, dropOwnEnd, eventsLast, evenWatches, orderEnd, takeMissed } from "./missed.ts";
import { settleContainers } from "./settle.ts";
import type { Entry, Side, Slot } from "./side.ts";
import { type Step, show, showStep } from "./step.ts";
import { Tally } from "./tally.ts";
import { empty, walk, withoutConfig } from "./tree-walk.ts";

export interface PlayOptions extends Omit<GeneratorOptions, "followers"> {
  readonly operations: number;
  /** Clients sit at different servers: each asks for a `sync` before it goes on behind another. */
  readonly spread: boolean;
  readonly onProgress?: (tally: Tally) => void;
  /** Of the second side, where that one remembers what its clients missed; it is told of everything. */
  readonly witness?: WireClient;
}

export interface Finding {
  readonly operation: number;
  readonly why: string;
  /** The last steps, the guilty one last. */
  readonly steps: readonly string[];
  /** What the client was told last on either side. */
  readonly a: readonly string[];
  readonly b: readonly string[];
}

export interface Played {
  readonly tally: Tally;
  readonly finding: Finding | undefined;
}

/** Operations after which all sessions end, the trees are compared whole, and emptied. */
const roundOperations = 400;
/** Steps between two barriers, behind which nothing may be outstanding. */
const barrierSteps = 25;
const shownSteps = 40;
const shownEntries = 12;
/** How long a connection may take to close behind what ends it. */
const closingMillis = 60;

class DifferenceFound extends Error {
  readonly slot: number;
  constructor(slot: number, why: string) {
    super(why);
    this.slot = slot;
  }
}

export async function play(a: Side, b: Side, options: PlayOptions): Promise<Played> {
  const player = new Player(a, b, options);
  return player.run();
}

class Player {
  readonly #a: Side;
  readonly #b: Side;
  readonly #options: PlayOptions;
  readonly #generator: Generator;
  readonly #comparison: Comparison;
  readonly #tally = new Tally();
  /** How much of each client's two streams has been compared. */
  readonly #compared: { a: number; b: number }[];
  readonly #steps: string[] = [];
  #lastSlot = -1;

  constructor(a: Side, b: Side, options: PlayOptions) {
    this.#a = a;
    this.#b = b;
    this.#options = options;
    this.#generator = new Generator({ ...options, followers: options.spread });
    this.#comparison = new Comparison({ momentsOfReads: options.pipelined === 1 });
    this.#compared = a.slots.map(({ stream }, slot) => ({ a: stream.length, b: b.slot(slot).stream.length }));
  }

  async run(): Promise<Played> {
    const tally = this.#tally;
    try {
      while (tally.operations < this.#options.operations) {
        await this.#round(Math.min(roundOperations, this.#options.operations - tally.operations));
        this.#options.onProgress?.(tally);
      }
      return { tally, finding: undefined };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { tally, finding: this.#finding(error) };
    }
  }

  async #round(operations: number): Promise<void> {
    const end = this.#tally.operations + operations;
    this.#generator.beginRound();
    for (let steps = 1; this.#tally.operations < end; steps++) {
      await this.#step(this.#generator.next(this.#a.slots));
      if (steps % barrierSteps === 0) await this.#barrier();
    }
    await this.#endRound();
  }

  async #step(step: Step): Promise<void> {
    this.#steps.push(`${this.#tally.operations}: ${showStep(step)}`);
    if (this.#steps.length > shownSteps) this.#steps.shift();
    if (step.kind === "expire") await this.#both(expiring(step));
    if (step.kind === "cut" || step.kind === "close" || step.kind === "expire") await this.#barrier();
    if (this.#options.spread && step.slot !== this.#lastSlot) await this.#catchUp(step.slot);
    this.#lastSlot = step.slot;
    await this.#both(step);
  }

  async #both(step: Step): Promise<void> {
    const before = [this.#a, this.#b].map((side) => side.slot(step.slot).lastZxid);
    await Promise.all([this.#a.play(step), this.#b.play(step)]);
    this.#tally.played(step);
    if (step.kind === "send" && step.requests.length > 1) await this.#settleBurst(step.slot);
    if (step.kind === "close" || step.kind === "expire") await this.#settleEnd(step);
    if (step.kind === "return") await this.#judgeMissed(step.slot, before[0] ?? 0n, before[1] ?? 0n);
    await this.#settleClosing(step);
    await settleContainers(this.#a, this.#b, this.#generator.knowledge);
    this.#compareAll();
  }

  /**
   * Where several requests are under way, Quorate may tell of the later ones before it answers the earlier ones that have nothing
   * to do with them: replies and events are compared each in their order. That none is told too late each side shows by itself.
   */
  async #settleBurst(slot: number): Promise<void> {
    await Promise.all([this.#a.barrier(), this.#b.barrier()]);
    eventsLast(this.#a.slot(slot), this.#compared[slot]?.a ?? 0);
    eventsLast(this.#b.slot(slot), this.#compared[slot]?.b ?? 0);
  }

  /** The ephemerals of a session go in no order, at one zxid: everyone's events of it are brought into one. */
  async #settleEnd({ kind, slot }: Step): Promise<void> {
    await Promise.all([this.#a.barrier(), this.#b.barrier()]);
    for (const [at, compared] of this.#compared.entries()) {
      orderEnd(this.#a.slot(at), compared.a);
      orderEnd(this.#b.slot(at), compared.b);
    }
    if (kind === "close" && this.#options.witness) dropOwnEnd(this.#a.slot(slot), this.#compared[slot]?.a ?? 0);
  }

  async #judgeMissed(at: number, afterA: bigint, afterB: bigint): Promise<void> {
    const compared = this.#compared[at] ?? { a: 0, b: 0 };
    const a = takeMissed(this.#a.slot(at), compared.a, afterA);
    const b = takeMissed(this.#b.slot(at), compared.b, afterB);
    const { witness } = this.#options;
    // What the witness has not been told yet is on its way: its reply is behind it.
    await witness?.send({ op: "sync", path: "/" });
    const why = compareMissed(a, b, witness, (path) => this.#generator.knowledge.isOpen(path));
    if (why !== undefined) throw new DifferenceFound(at, why);
    this.#tally.missed(a.events.length, b.events.length);
    if (this.#b.slot(at).isOpen) await evenWatches(this.#a, this.#b, at);
  }

  /** What another client has done is seen by this one, wherever it sits. */
  async #catchUp(slot: number): Promise<void> {
    const requests: WireRequest[] = [{ op: "sync", path: "/" }];
    const isOpen = this.#a.slot(slot).isOpen && this.#b.slot(slot).isOpen;
    if (isOpen) await this.#both({ kind: "send", slot, requests });
  }

  /** A connection that ends on one side ends on the other; whoever might end by the step is waited for a moment. */
  async #settleClosing(step: Step): Promise<void> {
    const [a, b] = [this.#a.slot(step.slot), this.#b.slot(step.slot)];
    if (step.kind === "send" && mayEnd(step.requests)) {
      const either = Promise.race([a.client?.closed, b.client?.closed]);
      await Promise.race([either, sleep(closingMillis)]);
    }
    if (a.isOpen === b.isOpen) return;
    await Promise.race([(a.isOpen ? a : b).client?.closed, sleep(3_000)]);
    if (a.isOpen !== b.isOpen) {
      const [closed, open] = a.isOpen ? [this.#b, this.#a] : [this.#a, this.#b];
      throw new DifferenceFound(step.slot, `${closed.name} has closed the connection, ${open.name} has not`);
    }
  }

  async #barrier(): Promise<void> {
    await Promise.all([this.#a.barrier(), this.#b.barrier()]);
    this.#compareAll();
    for (const [slot, compared] of this.#compared.entries()) {
      const left = (from: Slot, at: number): string => from.stream.slice(at).map(showEntry).join(" ");
      const [a, b] = [left(this.#a.slot(slot), compared.a), left(this.#b.slot(slot), compared.b)];
      if (a !== "" || b !== "")
        throw new DifferenceFound(slot, `only one was told something: ${a || "-"} | ${b || "-"}`);
    }
  }

  #compareAll(): void {
    const fault = this.#a.fault ?? this.#b.fault;
    if (fault !== undefined) throw new Error(fault);
    for (const [slot, compared] of this.#compared.entries()) {
      const [a, b] = [this.#a.slot(slot).stream, this.#b.slot(slot).stream];
      for (;;) {
        const [one, other] = [a[compared.a], b[compared.b]];
        if (!one || !other) break;
        const why = this.#comparison.differs(one, other);
        if (why !== undefined) this.#judge(slot, one, other, why);
        if (one.kind === "reply") this.#generator.knowledge.learn(one.request, one.reply);
        this.#tally.told(one);
        compared.a++;
        compared.b++;
      }
    }
  }

  #judge(slot: number, a: Entry, b: Entry, why: string): void {
    const meant = this.#options.witness && meantBy(a, b);
    if (meant === undefined) throw new DifferenceFound(slot, why);
    this.#tally.meant(meant.what);
  }

  /** Everyone's session ends; then the trees are equal, whole, and are emptied. */
  async #endRound(): Promise<void> {
    for (const [slot, { session }] of this.#a.slots.entries()) {
      if (session === 0n) continue;
      if (!this.#a.slot(slot).isOpen) await this.#step({ kind: "return", slot, wrongPassword: false });
      if (this.#a.slot(slot).isOpen) await this.#step({ kind: "close", slot });
    }
    await this.#barrier();
    const admins = await Promise.all([this.#a.admin(), this.#b.admin()]);
    const [a, b] = await Promise.all([walk(admins[0]), walk(admins[1])]);
    const shown = this.#options.witness ? withoutConfig : (nodes: typeof a) => nodes;
    const why = this.#comparison.values("tree", shown(a), shown(b));
    if (why !== undefined) throw new DifferenceFound(0, why);
    await Promise.all([empty(admins[0], a), empty(admins[1], b)]);
    this.#tally.rounds++;
  }

  #finding(error: Error): Finding {
    const slot = error instanceof DifferenceFound ? error.slot : Math.max(this.#lastSlot, 0);
    const last = (side: Side, at: number): string[] =>
      side
        .slot(slot)
        .stream.slice(Math.max(0, at - shownEntries), at + 3)
        .map(showEntry);
    const compared = this.#compared[slot] ?? { a: 0, b: 0 };
    const why = error instanceof DifferenceFound ? `client ${slot}: ${error.message}` : (error.stack ?? error.message);
    const [a, b] = [last(this.#a, compared.a), last(this.#b, compared.b)];
    return { operation: this.#tally.operations, why, steps: [...this.#steps], a, b };
  }
}

function expiring({ slot, path }: { readonly slot: number; readonly path: string }): Step {
  const requests: WireRequest[] = [{ op: "create", path, data: null, acl: openAcl, flags: createFlags.ephemeral }];
  return { kind: "send", slot, requests };
}

function mayEnd(requests: readonly WireRequest[]): boolean {
  return requests.some(({ op }) => op === "raw" || op === "auth" || op === "sasl" || op === "check");
}

function showEntry(entry: Entry): string {
  if (entry.kind === "event") return `event ${show(entry.event)}`;
  if (entry.kind !== "reply") return show(entry);
  const { zxid, error, result } = entry.reply;
  return `${entry.request.op} -> ${error} at ${show(zxid)} ${show(result) ?? ""}`;
}
