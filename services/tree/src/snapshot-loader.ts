/**
 * Reads a snapshot in pieces of any size and gives the tree that it is of. Nothing in it is believed: counts, the
 * digest, and that every znode has its parent and every outcome its lane are checked, and a fault is an answer.
 */
import { ByteReader, type Path, parentOf, rootPath, type SessionId, type Zxid } from "@quorate/api";
import { zookeeperRules } from "./known.ts";
import { LaneRecord, type OutcomeRecord } from "./lanes.ts";
import { memoryLimits, rulesVersion } from "./limits.ts";
import {
  headerTag,
  readAclRecord,
  readKey,
  readRemembered,
  readSession,
  readZNode,
  snapshotFormat,
  tableCount,
  tableTags,
  trailerTag,
} from "./snapshot-codec.ts";
import { State } from "./state.ts";
import type { Nature } from "./znode.ts";

/** Why it is no snapshot that this program can use; to be read behind a colon. */
export interface BadSnapshot {
  readonly bad: string;
}

export class SnapshotLoader {
  readonly #ringBytes: number;
  #state: State | undefined;
  #format = 0;
  #bad: string | undefined;
  /** Of a frame that has not come whole. */
  #pending = new Uint8Array(0);
  #pendingLength = 0;
  #ended = false;
  readonly #counts = new Array<number>(tableCount + 1).fill(0);
  readonly #memories = new Map<SessionId, Map<number, OutcomeRecord>>();
  readonly #natures = new Map<SessionId, Nature>();
  /** Znodes that came before their parents. */
  readonly #orphans: Path[] = [];

  constructor(ringBytes: number) {
    this.#ringBytes = ringBytes;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#bad === undefined) {
      if (this.#pendingLength === 0) {
        const length = frameLength(chunk, at, chunk.length);
        if (length !== undefined && at + length <= chunk.length) {
          this.#frame(chunk, at + 4, at + length);
          at += length;
          continue;
        }
      }
      at += this.#gather(chunk, at);
    }
  }

  /** Takes what the pending frame lacks; how many bytes those were. */
  #gather(chunk: Uint8Array, at: number): number {
    const known = frameLength(this.#pending, 0, this.#pendingLength);
    const wanted = known ?? 4;
    if (wanted > memoryLimits.frameBytes) {
      this.#bad = `a frame of ${wanted} bytes is no snapshot's`;
      return 0;
    }
    const taken = Math.min(wanted - this.#pendingLength, chunk.length - at);
    this.#reserve(this.#pendingLength + taken);
    this.#pending.set(chunk.subarray(at, at + taken), this.#pendingLength);
    this.#pendingLength += taken;
    if (this.#pendingLength === frameLength(this.#pending, 0, this.#pendingLength)) {
      const length = this.#pendingLength;
      this.#pendingLength = 0;
      this.#frame(this.#pending, 4, length);
    }
    return taken;
  }

  #reserve(length: number): void {
    if (length <= this.#pending.length) return;
    const grown = new Uint8Array(Math.max(length, 2 * this.#pending.length, 1024));
    grown.set(this.#pending.subarray(0, this.#pendingLength));
    this.#pending = grown;
  }

  #frame(bytes: Uint8Array, from: number, to: number): void {
    if (this.#ended) this.#bad = "there is something behind the end";
    const r = new ByteReader(bytes, from, to);
    while (r.remaining > 0 && this.#bad === undefined) {
      const tag = r.u8();
      if (tag === headerTag) this.#header(r);
      else if (this.#state === undefined) this.#bad = "it does not begin with the header";
      else if (tag === trailerTag) this.#trailer(r, this.#state);
      else this.#record(r, tag, this.#state);
    }
    if (r.failed) this.#bad ??= "a record is malformed";
  }

  #header(r: ByteReader): void {
    const format = r.u8();
    if (this.#state !== undefined) this.#bad = "there is a second header";
    else if (format < 1 || format > snapshotFormat) {
      this.#bad = `its format is ${format}; this program reads those up to ${snapshotFormat}`;
    } else {
      const state = new State(this.#ringBytes, r.f53() as Zxid);
      state.stamp = r.f53();
      state.acls.next = r.f53();
      if (format > 1) state.rules = r.u32();
      this.#state = state;
      this.#format = format;
      if (state.rules < 1 || state.rules > rulesVersion) {
        const known = `this program knows those up to ${rulesVersion}`;
        this.#bad = `its rules version is ${state.rules}; ${known}: start the newer program that wrote it`;
      }
    }
  }

  #record(r: ByteReader, tag: number, state: State): void {
    if (tag > tableCount) {
      this.#bad = `there is no table ${tag}`;
      return;
    }
    this.#counts[tag] = (this.#counts[tag] as number) + 1;
    switch (tag) {
      case tableTags.znode:
        this.#znode(r, state);
        return;
      case tableTags.session:
        state.sessions.table.replace(undefined, readSession(r));
        return;
      case tableTags.lane:
        state.lanes.table.replace(undefined, this.#lane(r));
        return;
      case tableTags.outcome:
        state.lanes.outcomes.replace(undefined, readRemembered(r, this.#memoryOf));
        return;
      case tableTags.key:
        state.keys.table.replace(undefined, readKey(r));
        return;
      case tableTags.acl:
        state.acls.table.replace(undefined, readAclRecord(r));
        return;
      default:
    }
  }

  #znode(r: ByteReader, state: State): void {
    const node = readZNode(r, this.#format, this.#natureOf);
    if (r.failed) return;
    const parent = parentOf(node.path);
    const family = parent === undefined ? undefined : state.znodes.get(parent)?.family;
    if (state.znodes.get(node.path) !== undefined) this.#bad = `${node.path} is in it twice`;
    else if (family !== undefined) family.index.insert(node.path);
    else if (parent !== undefined) this.#orphans.push(node.path);
    state.znodes.table.replace(undefined, node);
  }

  #lane(r: ByteReader): LaneRecord {
    const session = r.f53() as SessionId;
    return new LaneRecord(session, r.u32(), r.f53(), r.f53(), this.#memoryOf(session));
  }

  readonly #memoryOf = (session: SessionId): Map<number, OutcomeRecord> => {
    const known = this.#memories.get(session);
    if (known !== undefined) return known;
    const memory = new Map<number, OutcomeRecord>();
    this.#memories.set(session, memory);
    return memory;
  };

  readonly #natureOf = (session: SessionId): Nature => {
    const known = this.#natures.get(session);
    if (known !== undefined) return known;
    const nature: Nature = { kind: "ephemeral", owner: session, ttlMillis: 0 };
    this.#natures.set(session, nature);
    return nature;
  };

  #trailer(r: ByteReader, state: State): void {
    this.#ended = true;
    for (let i = 1; i <= tableCount; i++) {
      if (r.u32() !== this.#counts[i]) this.#bad ??= `table ${i} has not the records that its end counts`;
    }
    const { sum } = state.store;
    if (r.i32() !== sum.a || r.i32() !== sum.b) this.#bad ??= "its digest is not that of its records";
  }

  finish(): State | BadSnapshot {
    const state = this.#state;
    if (this.#bad !== undefined) return { bad: this.#bad };
    if (state === undefined || !this.#ended || this.#pendingLength > 0) return { bad: "it is cut off" };
    const bad = this.#disjoint(state);
    if (bad !== undefined) return { bad };
    state.keys.sort();
    if (state.rules >= zookeeperRules) state.quotas.begin();
    return state;
  }

  /** What no digest tells: whether the records belong together. */
  #disjoint(state: State): string | undefined {
    for (const path of this.#orphans) {
      const family = state.znodes.get(parentOf(path) ?? rootPath)?.family;
      if (family === undefined) return `${path} has no parent`;
      family.index.insert(path);
    }
    if (state.znodes.get(rootPath) === undefined) return "it has no root";
    for (const { path, family } of state.znodes.values()) {
      if (family !== undefined && family.count !== family.index.size) return `${path} has not the children it counts`;
    }
    for (const session of this.#memories.keys()) {
      if (state.lanes.get(session) === undefined) return "it has outcomes without a lane";
    }
    for (const { id } of state.sessions.values()) {
      if (state.lanes.get(id) === undefined) return "it has a session without a lane";
    }
    return state.acls.loaded();
  }
}

/** Bytes of the frame that begins at `at`, with its length; undefined if even that has not come. */
function frameLength(bytes: Uint8Array, at: number, end: number): number | undefined {
  if (at + 4 > end) return undefined;
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number];
  return 4 + ((a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
}
