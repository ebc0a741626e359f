/**
 * Lanes make retries safe: every ordered stream of writes is (session, attachment, sequence). A lane remembers its last
 * sequence for as long as its session lives, and the outcomes that have not been acknowledged.
 *
 * A write more than `limits.laneWindow` ahead of what is acknowledged is a gap too: refused without a trace. Only a
 * gateway that breaks its own window sends one, and it is told so by getting nowhere.
 */
import { type Lane, limits, type Outcome, type SessionId, type Zxid } from "@quorate/api";
import { Hasher } from "./digest.ts";
import { failure } from "./failure.ts";
import { bytesOfOutcome, hashOutcome } from "./outcome-memory.ts";
import { type Home, type Store, type Stored, Table } from "./store.ts";

export class LaneRecord implements Stored {
  mark = 0;
  readonly session: SessionId;
  /** Raised by whoever takes the session over; the creator has 1. */
  readonly attachment: number;
  readonly lastSequence: number;
  readonly answeredUpTo: number;
  /** The outcomes behind `answeredUpTo`, by sequence; shared by successive records, the records in it are the state. */
  readonly memory: Map<number, OutcomeRecord>;

  constructor(
    session: SessionId,
    attachment: number,
    lastSequence: number,
    answeredUpTo: number,
    memory: Map<number, OutcomeRecord>,
  ) {
    this.session = session;
    this.attachment = attachment;
    this.lastSequence = lastSequence;
    this.answeredUpTo = answeredUpTo;
    this.memory = memory;
  }
}

export class OutcomeRecord implements Stored {
  mark = 0;
  readonly session: SessionId;
  readonly sequence: number;
  readonly outcome: Outcome;
  readonly bytes: number;
  /** Of the outcome: it is dear to hash, and every record is hashed when it comes and when it goes. */
  readonly hash: number;
  readonly memory: Map<number, OutcomeRecord>;

  constructor(session: SessionId, sequence: number, outcome: Outcome, memory: Map<number, OutcomeRecord>) {
    this.session = session;
    this.sequence = sequence;
    this.outcome = outcome;
    this.bytes = bytesOfOutcome(outcome);
    this.hash = hashOf(outcome);
    this.memory = memory;
  }
}

function hashLane(record: LaneRecord, hasher: Hasher): void {
  hasher.long(record.session);
  hasher.int(record.attachment);
  hasher.long(record.lastSequence);
  hasher.long(record.answeredUpTo);
}

const outcomeHasher = new Hasher();

function hashOf(outcome: Outcome): number {
  outcomeHasher.begin(0);
  hashOutcome(outcome, outcomeHasher);
  outcomeHasher.end();
  return outcomeHasher.a;
}

function hashRemembered(record: OutcomeRecord, hasher: Hasher, fresh: boolean): void {
  hasher.long(record.session);
  hasher.long(record.sequence);
  hasher.int(fresh ? hashOf(record.outcome) : record.hash);
}

class OutcomeHome implements Home<OutcomeRecord> {
  bytes = 0;
  readonly #lanes: ReadonlyMap<SessionId, LaneRecord>;

  constructor(lanes: ReadonlyMap<SessionId, LaneRecord>) {
    this.#lanes = lanes;
  }

  put(record: OutcomeRecord): void {
    record.memory.set(record.sequence, record);
    this.bytes += record.bytes;
  }

  remove(record: OutcomeRecord): void {
    record.memory.delete(record.sequence);
    this.bytes -= record.bytes;
  }

  *values(): Generator<OutcomeRecord, undefined, undefined> {
    for (const lane of this.#lanes.values()) yield* lane.memory.values();
  }
}

/** Up to where outcomes need not be kept, by what the command says; not beyond what was done. */
function answeredBy(record: LaneRecord, lane: Lane): number {
  return Math.max(record.answeredUpTo, Math.min(lane.answeredUpTo, record.lastSequence));
}

/** What to do with a command on a lane. */
export type LaneVerdict = "execute" | "gap" | Outcome;

export class Lanes implements Home<LaneRecord> {
  readonly table: Table<LaneRecord>;
  readonly outcomes: Table<OutcomeRecord>;
  readonly #map = new Map<SessionId, LaneRecord>();
  readonly #memory: OutcomeHome;

  constructor(store: Store) {
    this.table = new Table(store, 3, this, hashLane);
    this.#memory = new OutcomeHome(this.#map);
    this.outcomes = new Table(store, 4, this.#memory, hashRemembered);
  }

  /** What all outcomes remembered here take. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  get(session: SessionId): LaneRecord | undefined {
    return this.#map.get(session);
  }

  open(session: SessionId): LaneRecord {
    const lane = new LaneRecord(session, 1, 0, 0, new Map());
    this.table.replace(undefined, lane);
    return lane;
  }

  /** The lane's next attachment. */
  attach(lane: LaneRecord): LaneRecord {
    const { session, attachment, lastSequence, answeredUpTo, memory } = lane;
    const next = new LaneRecord(session, attachment + 1, lastSequence, answeredUpTo, memory);
    this.table.replace(lane, next);
    return next;
  }

  close(lane: LaneRecord): void {
    for (const record of [...lane.memory.values()]) this.outcomes.replace(record, undefined);
    this.table.replace(lane, undefined);
  }

  /** Whether this command is to be done; drops what it acknowledges (but for a gap, which leaves no trace). */
  judge(lane: Lane, zxid: Zxid): LaneVerdict {
    const record = this.#map.get(lane.session);
    if (record === undefined) {
      return failure(zxid, "sessionExpired", "the session whose lane carries this write is over; open a new one");
    }
    if (lane.attachment !== record.attachment) {
      const detail = `the lane has been taken over: attachment ${lane.attachment} was sent, ${record.attachment} holds`;
      return failure(zxid, "sessionMoved", detail);
    }
    const answered = answeredBy(record, lane);
    if (lane.sequence > record.lastSequence + 1) return "gap";
    if (lane.sequence - answered > limits.laneWindow) return "gap";
    this.#drop(record, answered);
    // The record itself is replaced by `remember`, once for both.
    if (lane.sequence > record.lastSequence) return "execute";
    if (answered > record.answeredUpTo) this.#advance(record, record.lastSequence, answered);
    const remembered = record.memory.get(lane.sequence);
    if (remembered !== undefined) return remembered.outcome;
    const detail = `write ${lane.sequence} of the lane was done and its outcome acknowledged: it is not kept any more`;
    return failure(zxid, "connectionLoss", detail);
  }

  /** The lane's command, the next one, was executed. Its session may have ended by it. */
  remember(lane: Lane, outcome: Outcome): void {
    const record = this.#map.get(lane.session);
    if (record === undefined) return;
    this.#advance(record, lane.sequence, answeredBy(record, lane));
    const remembered = new OutcomeRecord(lane.session, lane.sequence, outcome, record.memory);
    this.outcomes.replace(undefined, remembered);
  }

  #advance(record: LaneRecord, lastSequence: number, answeredUpTo: number): void {
    const { session, attachment, memory } = record;
    this.table.replace(record, new LaneRecord(session, attachment, lastSequence, answeredUpTo, memory));
  }

  #drop({ answeredUpTo, memory }: LaneRecord, upTo: number): void {
    for (let sequence = answeredUpTo + 1; sequence <= upTo; sequence++) {
      const record = memory.get(sequence);
      if (record !== undefined) this.outcomes.replace(record, undefined);
    }
  }

  put(record: LaneRecord): void {
    this.#map.set(record.session, record);
  }

  remove(record: LaneRecord): void {
    this.#map.delete(record.session);
  }

  values(): IterableIterator<LaneRecord> {
    return this.#map.values();
  }
}
