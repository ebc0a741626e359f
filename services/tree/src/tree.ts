/**
 * The replicated state machine. Batches in, outcomes and changes out; reads at the last applied zxid; a snapshot exact
 * at one zxid while batches go on being applied. It reads no clock, draws no lot and never waits.
 */
import type {
  Acl,
  Acting,
  AuthId,
  Batch,
  Failure,
  Identity,
  Outcome,
  ReadOperation,
  SessionId,
  SessionRole,
  SweepOperation,
  Zxid,
} from "@quorate/api";
import { type Applied, applyBatch } from "./apply.ts";
import type { ChangeRing } from "./change-ring.ts";
import { expand } from "./compact-data.ts";
import { memoryLimits } from "./limits.ts";
import { Listing, type ListingRequest } from "./listing.ts";
import { read } from "./read.ts";
import { type SessionRecord, secretIs } from "./sessions.ts";
import { type SnapshotCursor, SnapshotWriter } from "./snapshot.ts";
import { type BadSnapshot, SnapshotLoader } from "./snapshot-loader.ts";
import { State } from "./state.ts";

export interface TreeOptions {
  /** Memory of the change ring; not a rule, replicas may differ. */
  readonly ringBytes?: number;
}

/** A session as the shell sees it. */
export interface SessionView {
  readonly id: SessionId;
  readonly role: SessionRole;
  readonly timeoutMillis: number;
  readonly secretHash: Uint8Array;
  readonly name: string;
  readonly address: string;
  readonly identity: readonly AuthId[];
  readonly createdAt: number;
  readonly attachment: number;
  readonly lastSequence: number;
  readonly ephemeralCount: number;
}

export interface LaneView {
  readonly attachment: number;
  readonly lastSequence: number;
  readonly answeredUpTo: number;
}

export interface TreeLoader {
  /** The snapshot's bytes in order, in pieces of any size. */
  push(chunk: Uint8Array): void;
  finish(): Tree | BadSnapshot;
}

export class Tree {
  readonly #state: State;

  /** `state`: what a loader has filled. */
  constructor(options: TreeOptions = {}, state?: State) {
    this.#state = state ?? new State(options.ringBytes ?? memoryLimits.ringBytes);
  }

  /** Position of the last batch applied. */
  get applied(): Zxid {
    return this.#state.applied;
  }

  /** The highest stamp of all batches applied; ms since 1970. */
  get stamp(): number {
    return this.#state.stamp;
  }

  /** The rules version of the last batch applied: no later one has a lower one. */
  get rules(): number {
    return this.#state.rules;
  }

  get znodeCount(): number {
    return this.#state.znodes.size;
  }

  /** Of all paths and data: ZooKeeper's approximate data size. */
  get bytes(): number {
    return this.#state.znodes.bytes;
  }

  get ephemeralCount(): number {
    return this.#state.znodes.ephemerals;
  }

  get sessionCount(): number {
    return this.#state.sessions.size;
  }

  /** Without the gateways' own. */
  get clientSessionCount(): number {
    return this.#state.sessions.clients;
  }

  /** The recent changes; begins anew at a snapshot. */
  get changes(): ChangeRing {
    return this.#state.ring;
  }

  /** One answer for each command, in order. Asserts that the batch is the next one; no payload makes it throw. */
  apply(batch: Batch): readonly Applied[] {
    return applyBatch(this.#state, batch);
  }

  read(operation: ReadOperation, identity: Identity, acting?: Acting): Outcome {
    return read(this.#state, operation, identity, acting);
  }

  /** A subtree at `applied` of this moment, whatever is applied afterwards; whoever opens one closes it. */
  list(request: ListingRequest, identity: Identity): Listing | Failure {
    return Listing.begin(this.#state, request, identity);
  }

  /** Undefined: there is no such session. */
  lane(session: SessionId): LaneView | undefined {
    const lane = this.#state.lanes.get(session);
    if (lane === undefined) return undefined;
    return { attachment: lane.attachment, lastSequence: lane.lastSequence, answeredUpTo: lane.answeredUpTo };
  }

  /** The outcome of the lane's write `sequence`, while it is not acknowledged. */
  remembered(session: SessionId, sequence: number): Outcome | undefined {
    return this.#state.lanes.get(session)?.memory.get(sequence)?.outcome;
  }

  session(id: SessionId): SessionView | undefined {
    const record = this.#state.sessions.get(id);
    return record === undefined ? undefined : this.#view(record);
  }

  /** Of both roles; not to be held across applies. */
  *sessions(): Generator<SessionView, undefined, undefined> {
    for (const record of this.#state.sessions.values()) yield this.#view(record);
  }

  #view(record: SessionRecord): SessionView {
    const { id, role, timeoutMillis, name, address, identity, createdAt } = record;
    const lane = this.#state.lanes.get(id);
    return {
      id,
      role,
      timeoutMillis,
      secretHash: expand(record.secret),
      name,
      address,
      identity,
      createdAt,
      attachment: lane?.attachment ?? 0,
      lastSequence: lane?.lastSequence ?? 0,
      ephemeralCount: this.#state.znodes.ephemeralCount(id),
    };
  }

  /** False too for a session that is not there. The time it takes does not tell how much of the hash is right. */
  secretMatches(id: SessionId, hash: Uint8Array): boolean {
    const record = this.#state.sessions.get(id);
    return record !== undefined && secretIs(record, hash);
  }

  /** Of the whole replicated state; 16 hex digits. */
  digest(): string {
    return this.#state.digest();
  }

  /** Exact at `applied` of this moment, whatever is applied afterwards; one at a time. */
  snapshot(): SnapshotCursor {
    return new SnapshotWriter(this.#state);
  }

  /** Makes a tree of a snapshot's bytes; its ring begins at the snapshot's zxid. */
  static loader(options: TreeOptions = {}): TreeLoader {
    const loader = new SnapshotLoader(options.ringBytes ?? memoryLimits.ringBytes);
    return {
      push: (chunk) => loader.push(chunk),
      finish: () => {
        const state = loader.finish();
        return "bad" in state ? state : new Tree(options, state);
      },
    };
  }

  /** At most `most` znodes that a sweep may delete at the stamp `now`. */
  sweepCandidates(now: number, most: number): SweepOperation["candidates"] {
    const { znodes } = this.#state;
    return znodes.sweeps.candidates(now, most, (path) => znodes.get(path));
  }

  /** The list that a change's `acl` or `parentAcl` refers to, for as long as the ring has the change. */
  acl(reference: number): Acl | undefined {
    return this.#state.acls.get(reference) ?? this.#state.ring.retired(reference);
  }
}
