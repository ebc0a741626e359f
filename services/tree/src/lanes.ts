/**
 * Lanes make retries safe: every ordered stream of writes is (session, attachment, sequence). A lane remembers its last
 * sequence for as long as its session lives, and the outcomes that have not been acknowledged.
 *
 * A write more than `limits.laneWindow` ahead of what is acknowledged is a gap too: refused without a trace. Only a
 * gateway that breaks its own window sends one, and it is told so by getting nowhere.
 */
import { type Lane, limits, type Outcome, type SessionId, type Zxid } from "@quorate/api";
import type { Hasher } from "./digest.ts";
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
  readonly memory: Map<number, OutcomeRecord>;

  constructor(session: SessionId, sequence: number, outcome: Outcome, memory: Map<number, OutcomeRecord>) {
    this.session = session;
    this.sequence = sequence;
    this.outcome = outcome;
    this.bytes = bytesOfOutcome(outcome);
    this.memory = memory;
  }
}

function hashLane(record: LaneRecord, hasher: Hasher): void {
  hasher.long(record.session);
  hasher.int(record.attachment);
  hasher.long(record.lastSequence);
  hasher.long(record.answeredUpTo);
}

function hashRemembered(record: OutcomeRecord, hasher: Hasher): void {
  hasher.long(record.session);
  hasher.long(record.sequence);
  hashOutcome(record.outcome, hasher);
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
    const answered = Math.max(record.answeredUpTo, Math.min(lane.answeredUpTo, record.lastSequence));
    if (lane.sequence > record.lastSequence + 1) return "gap";
    if (lane.sequence - answered > limits.laneWindow) return "gap";
    if (answered > record.answeredUpTo) this.#acknowledge(record, answered);
    if (lane.sequence > record.lastSequence) return "execute";
    const remembered = record.memory.get(lane.sequence);
    if (remembered !== undefined) return remembered.outcome;
    const detail = `write ${lane.sequence} of the lane was done and its outcome acknowledged: it is not kept any more`;
    return failure(zxid, "connectionLoss", detail);
  }

  /** The command `sequence`, the next one, was executed. Its session may have ended by it. */
  remember(session: SessionId, sequence: number, outcome: Outcome): void {
    const lane = this.#map.get(session);
    if (lane === undefined) return;
    const { attachment, answeredUpTo, memory } = lane;
    this.table.replace(lane, new LaneRecord(session, attachment, sequence, answeredUpTo, memory));
    this.outcomes.replace(undefined, new OutcomeRecord(session, sequence, outcome, memory));
  }

  #acknowledge(lane: LaneRecord, upTo: number): void {
    const { session, attachment, lastSequence, answeredUpTo, memory } = lane;
    for (let sequence = answeredUpTo + 1; sequence <= upTo; sequence++) {
      const record = memory.get(sequence);
      if (record !== undefined) this.outcomes.replace(record, undefined);
    }
    this.table.replace(lane, new LaneRecord(session, attachment, lastSequence, upTo, memory));
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
