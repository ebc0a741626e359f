/**
 * The one order of batches as it is first seen, for all invariants of a run: who applies a batch first sets what it is,
 * and the first of sound memory what it did. `note` may be called by each invariant with the same observation.
 *
 * A replica may come back from its disk further than anybody was seen to apply (its log said so): then the order has a
 * hole until somebody is seen to fill it. `end` is where it is whole, `knownThrough` where its results are known too.
 */
import type { Batch, Change, Command, ReplicaId, SessionId, SessionRole, Success, Zxid } from "@quorate/api";
import type { Applied } from "@quorate/tree";
import { type AppliedBatch, requestOf } from "../observation.ts";
import { Suspects } from "./suspects.ts";

/** A command that did something: not a failure, not a gap, not a duplicate answered from memory. */
export interface Execution {
  readonly zxid: Zxid;
  readonly command: Command;
  readonly outcome: Success;
  readonly request: number | undefined;
}

/** Of a replicated session, whatever its role, as the order has it. */
export interface SessionLife {
  readonly session: SessionId;
  readonly role: SessionRole;
  readonly timeoutMillis: number;
  /** True time at which its opening was first applied. */
  readonly openedAt: number;
  ended: Zxid | undefined;
  endedAt: number;
  endedBy: "closeSession" | "expireSession" | undefined;
}

export interface Entry {
  readonly batch: Batch;
  commands: readonly (Command | undefined)[];
  /** True time at which somebody first applied it. */
  readonly at: number;
  /** Undefined until a replica of sound memory has applied it. */
  results: readonly Applied[] | undefined;
  executed: readonly Execution[];
  /** Undefined: the ring was too small to hold them, or they are not known yet. */
  changes: readonly Change[] | undefined;
}

export interface Noted {
  readonly entry: Entry;
  /** The replica applied something else than the order has there. */
  readonly clash: boolean;
  /** The first of sound memory: its results are the reference, its tree stands at the entry's end. */
  readonly fresh: boolean;
  /** What the order's known part grew by, in order. */
  readonly revealed: readonly Entry[];
}

export interface Digest {
  readonly digest: string;
  readonly replica: ReplicaId;
}

const none: readonly Entry[] = [];

export class Order {
  readonly suspects: Suspects = new Suspects();
  /** Of all sessions that ever were; in the order's known part. */
  readonly sessions = new Map<SessionId, SessionLife>();
  /** How many of them live. */
  living = 0;
  /** The state's digest at each position, as a replica of sound memory first had it. */
  readonly digests = new Map<Zxid, Digest>();
  readonly #behind = new Map<Zxid, Entry>();
  readonly #ends = new Map<Zxid, Entry>();
  /** From the beginning on, without a hole. */
  readonly #chain: Entry[] = [];
  /** How many of `#chain` are known with what they did. */
  #known = 0;
  #seen: AppliedBatch | undefined;
  #noted: Noted | undefined;

  /** Where the order ends, as far as it is without a hole. */
  get end(): Zxid {
    return this.#chain.at(-1)?.batch.last ?? (0 as Zxid);
  }

  /** Up to here what the batches did is known, too. */
  get knownThrough(): Zxid {
    return this.#chain[this.#known - 1]?.batch.last ?? (0 as Zxid);
  }

  /** Nothing that was seen is waiting for a hole to be filled. */
  get whole(): boolean {
    return this.#known === this.#ends.size;
  }

  /** Whether a position is the end of a batch that somebody applied; 0 is. */
  isEnd(position: Zxid): boolean {
    return position === 0 || this.#ends.has(position);
  }

  note(seen: AppliedBatch): Noted {
    if (this.#seen === seen && this.#noted !== undefined) return this.#noted;
    this.#seen = seen;
    this.#noted = this.#take(seen);
    return this.#noted;
  }

  #take(seen: AppliedBatch): Noted {
    const { batch } = seen;
    const known = this.#behind.get(batch.previous);
    if (known !== undefined && !isSame(known.batch, batch)) {
      return { entry: known, clash: true, fresh: false, revealed: none };
    }
    const entry = known ?? this.#add(seen);
    if (entry.results !== undefined || this.suspects.has(seen.replica)) {
      return { entry, clash: false, fresh: false, revealed: none };
    }
    // Whose memory was flipped may have had other commands, too.
    entry.commands = seen.commands;
    entry.results = seen.results;
    entry.executed = executionsOf(seen);
    const changes = seen.tree.changes.after(batch.previous);
    entry.changes = changes === "tooOld" ? undefined : [...changes];
    return { entry, clash: false, fresh: true, revealed: this.#reveal() };
  }

  #add({ batch, commands, at }: AppliedBatch): Entry {
    const entry: Entry = { batch, commands, at, results: undefined, executed: [], changes: undefined };
    this.#behind.set(batch.previous, entry);
    this.#ends.set(batch.last, entry);
    for (let next = this.#behind.get(this.end); next !== undefined; next = this.#behind.get(this.end)) {
      this.#chain.push(next);
    }
    return entry;
  }

  #reveal(): readonly Entry[] {
    const revealed: Entry[] = [];
    for (let next = this.#chain[this.#known]; next?.results !== undefined; next = this.#chain[this.#known]) {
      this.#known++;
      for (const each of next.executed) this.#follow(each, next);
      revealed.push(next);
    }
    return revealed;
  }

  /** What an executed command does to the sessions. */
  #follow({ zxid, command: { operation }, outcome }: Execution, { at }: Entry): void {
    if (operation.kind === "createSession" && outcome.result.kind === "session") {
      const { session } = outcome.result;
      const { role, timeoutMillis } = operation;
      const life = { session, role, timeoutMillis, openedAt: at, ended: undefined, endedAt: 0, endedBy: undefined };
      this.sessions.set(session, life);
      this.living++;
    } else if (operation.kind === "closeSession" || operation.kind === "expireSession") {
      const life = this.sessions.get(operation.session);
      // The leader's judgement may come late: of a session that is gone there is nothing to do.
      if (life === undefined || life.ended !== undefined) return;
      life.ended = zxid;
      life.endedAt = at;
      life.endedBy = operation.kind;
      this.living--;
    }
  }

  /** The entry that has the command `zxid`; undefined: not in the order, as far as that is without a hole. */
  locate(zxid: Zxid): Entry | undefined {
    let low = 0;
    let high = this.#chain.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chain[middle] as Entry).batch.last < zxid) low = middle + 1;
      else high = middle;
    }
    const entry = this.#chain[low];
    return entry !== undefined && entry.batch.first <= zxid ? entry : undefined;
  }

  /** Whether the session is there in the state at `zxid`. */
  livesAfter(session: SessionId, zxid: Zxid): boolean {
    const life = this.sessions.get(session);
    return life !== undefined && (session as number) <= zxid && (life.ended === undefined || life.ended > zxid);
  }

  /** Whether the session was there when `zxid` was applied (its own end not counted). */
  lives(session: SessionId, zxid: Zxid): boolean {
    const life = this.sessions.get(session);
    return life !== undefined && (session as number) < zxid && (life.ended === undefined || life.ended >= zxid);
  }
}

function isSame(a: Batch, b: Batch): boolean {
  return a.first === b.first && a.last === b.last && a.checksum === b.checksum && a.stamp === b.stamp;
}

function executionsOf({ commands, results }: AppliedBatch): Execution[] {
  const executed: Execution[] = [];
  for (let i = 0; i < results.length; i++) {
    const { outcome, zxid } = results[i] as Applied;
    const command = commands[i];
    if (command === undefined || outcome === "gap" || !outcome.ok || outcome.zxid !== zxid) continue;
    executed.push({ zxid, command, outcome, request: requestOf(command) });
  }
  return executed;
}
