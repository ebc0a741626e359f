/**
 * Writes a snapshot that is exact at the zxid at which it began, in slices between which batches are applied; how it
 * stays exact is told in `store.ts`. Beside writing it recomputes the digest from the records' content, so that memory
 * that has changed without apply is found.
 */
import { assert, ByteWriter, type Zxid } from "@quorate/api";
import type { AclRecord } from "./acls.ts";
import { DigestSum } from "./digest.ts";
import type { KeyRecord } from "./keys.ts";
import type { LaneRecord, OutcomeRecord } from "./lanes.ts";
import { memoryLimits } from "./limits.ts";
import type { SessionRecord } from "./sessions.ts";
import {
  formatOf,
  headerTag,
  tableCount,
  tableTags,
  trailerTag,
  writeAclRecord,
  writeKey,
  writeLane,
  writeRemembered,
  writeSession,
  writeZNode,
} from "./snapshot-codec.ts";
import type { State } from "./state.ts";
import type { RunningSnapshot, Stored, Table } from "./store.ts";
import type { ZNode } from "./znode.ts";

export interface SnapshotCursor {
  /** What it is exact at. */
  readonly zxid: Zxid;
  /** One frame more, of about `budgetBytes` (and at most about a mebibyte); undefined: it was finished by the call before. */
  next(budgetBytes: number): Uint8Array | undefined;
  /** At the end: whether the digest of what was written is the state's at `zxid`. */
  readonly digestMatches: boolean;
  /** Ends it early. Harmless when it is over. */
  cancel(): void;
}

/** Records looked at for a byte of budget: what needs no writing must not hold the loop either. */
const bytesPerVisit = 16;
const leastVisits = 1024;
const lengthBytes = 4;
const pieceBytes = 4096;

export class SnapshotWriter implements SnapshotCursor {
  readonly zxid: Zxid;
  readonly #state: State;
  readonly #running: RunningSnapshot;
  readonly #expected: DigestSum;
  readonly #sum = new DigestSum();
  readonly #counts = new Array<number>(tableCount + 1).fill(0);
  readonly #records: Iterator<{ readonly table: Table<Stored>; readonly record: Stored }>;
  /** The records last written: few bytes at a time, so that the writer stays in its slab. */
  readonly #piece = new ByteWriter();
  /** The frame under way, behind room for its length; kept from frame to frame. */
  #frame = new Uint8Array(memoryLimits.frameTargetBytes / 4);
  #frameLength = lengthBytes;
  #phase: "records" | "trailer" | "over" = "records";

  constructor(state: State) {
    this.zxid = state.applied;
    this.#state = state;
    this.#running = state.store.beginSnapshot();
    this.#expected = state.store.sum.copy();
    this.#records = walk(state);
    this.#writeHeader();
  }

  get digestMatches(): boolean {
    return this.#phase === "over" && this.#sum.equals(this.#expected);
  }

  next(budgetBytes: number): Uint8Array | undefined {
    if (this.#phase === "over") return undefined;
    this.#fill(Math.min(budgetBytes, memoryLimits.frameTargetBytes));
    if (this.#phase === "trailer") this.#writeTrailer();
    this.#flush();
    const length = this.#frameLength - lengthBytes;
    for (let i = 0; i < lengthBytes; i++) this.#frame[i] = length >>> (8 * i);
    const frame = this.#frame.slice(0, this.#frameLength);
    this.#frameLength = lengthBytes;
    return frame;
  }

  /** The piece into the frame. */
  #flush(): void {
    const piece = this.#piece.finish();
    const needed = this.#frameLength + piece.length;
    if (needed > this.#frame.length) {
      const grown = new Uint8Array(2 * needed);
      grown.set(this.#frame.subarray(0, this.#frameLength));
      this.#frame = grown;
    }
    this.#frame.set(piece, this.#frameLength);
    this.#frameLength = needed;
  }

  cancel(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    // Never equal: a snapshot that was cut off matches nothing.
    this.#sum.a = (this.#expected.a + 1) | 0;
    this.#state.store.endSnapshot();
  }

  /** Records up to the budget; the former ones of changed records first, so that few wait. */
  #fill(budgetBytes: number): void {
    let visits = Math.max(leastVisits, Math.floor(budgetBytes / bytesPerVisit));
    while (this.#frameLength + this.#piece.length < budgetBytes && visits-- > 0) {
      if (this.#piece.length > pieceBytes) this.#flush();
      const kept = this.#running.kept.pop();
      if (kept !== undefined) {
        this.#write(kept.table, kept.record);
        continue;
      }
      const step = this.#records.next();
      if (step.done) {
        this.#phase = "trailer";
        return;
      }
      const { table, record } = step.value;
      if (record.mark === this.#running.number) continue;
      record.mark = this.#running.number;
      this.#write(table, record);
    }
  }

  #writeHeader(): void {
    const w = this.#piece;
    w.u8(headerTag);
    w.u8(formatOf(this.#state.rules));
    w.f53(this.#state.applied);
    w.f53(this.#state.stamp);
    w.f53(this.#state.acls.next);
    w.u32(this.#state.rules);
  }

  #write(table: Table<Stored>, record: Stored): void {
    const w = this.#piece;
    table.addFresh(record, this.#sum);
    this.#counts[table.number] = (this.#counts[table.number] as number) + 1;
    w.u8(table.number);
    switch (table.number) {
      case tableTags.znode:
        writeZNode(w, record as ZNode);
        return;
      case tableTags.session:
        writeSession(w, record as SessionRecord);
        return;
      case tableTags.lane:
        writeLane(w, record as LaneRecord);
        return;
      case tableTags.outcome:
        writeRemembered(w, record as OutcomeRecord);
        return;
      case tableTags.key:
        writeKey(w, record as KeyRecord);
        return;
      case tableTags.acl:
        writeAclRecord(w, record as AclRecord);
        return;
      default:
        assert(false, `there is no table ${table.number}`);
    }
  }

  #writeTrailer(): void {
    const w = this.#piece;
    w.u8(trailerTag);
    for (let i = 1; i <= tableCount; i++) w.u32(this.#counts[i] as number);
    w.i32(this.#sum.a);
    w.i32(this.#sum.b);
    this.#phase = "over";
    this.#state.store.endSnapshot();
  }
}

/** All live records; what is added while it walks is walked too. */
function* walk(state: State): Generator<{ table: Table<Stored>; record: Stored }, undefined, undefined> {
  const { acls, sessions, lanes, keys, znodes } = state;
  const tables = [acls.table, sessions.table, lanes.table, lanes.outcomes, keys.table, znodes.table];
  for (const each of tables) {
    const table = each as unknown as Table<Stored>;
    for (const record of table.home.values()) yield { table, record };
  }
}
