/**
 * The lanes that are at home here: writes go to the leader in order, outcomes come from this replica's own apply. After
 * every change of leader a lane is told where it stands, and its gateway sends again from there (ARCHITECTURE.md,
 * "Lanes").
 */
import {
  decodeCommand,
  type ErrorCode,
  newestForms,
  type Outcome,
  peekLane,
  readableOutcome,
  type SessionId,
  type SessionResult,
  tooNew,
  unknownForm,
  type Zxid,
} from "@quorate/api";
import { encodeToGateway, type FromGateway, type RequestId, type ToGateway } from "@quorate/proto";
import type { Applied, Tree } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";
import { replicaLimits } from "./replica-limits.ts";
import type { Refusal } from "./submissions.ts";

interface HomeLane {
  readonly session: SessionId;
  readonly attachment: number;
  readonly connection: GatewayConnection;
  readonly fence: number;
  /**
   * Which `lane` of all that came here: refusals are about one of them. Two gateways, one of which took the session over
   * from the other, may well give the same fence.
   */
  readonly round: number;
  /** Told where it stands since this replica last began to serve. */
  announced: boolean;
  /** The next number that is taken. */
  expected: number;
  /**
   * Its gateway has said nothing of it since this replica began to serve again: it has another home, perhaps, from where its
   * outcomes come. If not, it fences the lane anew, now that it was told where that stands.
   */
  left?: boolean;
  /**
   * A write of this round was refused: none behind it is taken any more. Its gateway takes back the numbers that were in no
   * other try, and gives them to other writes, perhaps at another home, whose outcomes come by here: what still lies on the
   * way would fit then, and be done twice. A gateway that was refused fences its lane before it sends more.
   */
  refused?: boolean;
  /**
   * A write of this round was submitted. The first one is looked at before: it may be what the lane has stood at since the round
   * before, for bytes that nobody can read use up no number.
   */
  begun?: boolean;
}

interface Opening {
  readonly connection: GatewayConnection;
  readonly id: RequestId;
}

export interface HomePorts {
  tree(): Tree;
  /** Serving, and the history that this replica was synchronized with is applied. */
  ready(): boolean;
  /** To the leader's queue, here or over the link: a refusal is known at once or comes as `refused`. */
  submit(session: SessionId, sequence: number, round: number, command: Uint8Array): Refusal | undefined;
  /** A gateway's first session, likewise; a refusal over the link comes as `openRefused`. */
  submitOpen(id: number, command: Uint8Array): Refusal | undefined;
}

type WriteMessage = Extract<FromGateway, { kind: "write" }>;
type LaneMessage = Extract<FromGateway, { kind: "lane" }>;

const notServing: Refusal = {
  code: "noLeader",
  detail: "this replica has no leader at the moment",
  retryAfterMillis: 50,
};

const unread: Refusal = {
  code: "unimplemented",
  detail: "this release cannot read the write: nothing was done; upgrade every replica, then try again",
  retryAfterMillis: 1000,
};

export class Home {
  readonly #ports: HomePorts;
  readonly #lanes = new Map<SessionId, HomeLane>();
  /** By the hash of the secret, in hex. */
  readonly #opening = new Map<string, Opening>();
  /** Lanes whose session, or its attachment, is younger than what is applied here. */
  #early = new Set<HomeLane>();
  #rounds = 0;
  #openCount = 0;
  readonly #openIds = new Map<number, string>();

  constructor(ports: HomePorts) {
    this.#ports = ports;
  }

  lane(connection: GatewayConnection, { session, attachment, fence }: LaneMessage): void {
    const former = this.#lanes.get(session);
    if (former && former.attachment > attachment) {
      // It was taken over, by whoever showed the newer attachment's outcome, whether that is applied here or not.
      tellState({ session, connection, fence }, former.attachment, this.#ports.tree().lane(session)?.lastSequence ?? 0);
      return;
    }
    const round = ++this.#rounds;
    const lane: HomeLane = { session, attachment, connection, fence, round, announced: false, expected: 1 };
    if (former) this.#early.delete(former);
    this.#lanes.set(session, lane);
    if (former && former.attachment < attachment) tellState(former, attachment, 0);
    if (this.#ports.ready()) this.#announce(lane);
  }

  write(connection: GatewayConnection, message: WriteMessage): void {
    const { session, sequence, command } = message;
    const within = peekLane(command);
    if (within?.session !== session || within.sequence !== sequence) {
      connection.close(`the bytes of write ${sequence} are of another lane`);
      return;
    }
    const lane = this.#lanes.get(session);
    if (lane?.connection !== connection || lane.attachment !== within.attachment) {
      // The session is over, or was taken over meanwhile: its gateway was told, and is told again when it asks.
      refuse({ session, connection }, sequence, notServing);
      return;
    }
    lane.left = false;
    if (!lane.announced) {
      refuseRound(lane, sequence, notServing);
      return;
    }
    const last = this.#ports.tree().lane(session)?.lastSequence ?? 0;
    if (sequence <= last) this.#answerFromMemory(lane, sequence);
    else if (lane.refused || sequence > lane.expected) refuseRound(lane, sequence, notServing);
    else if (sequence === lane.expected) this.#submit(lane, sequence, command);
  }

  #submit(lane: HomeLane, sequence: number, command: Uint8Array): void {
    const refusal = this.#unreadable(lane, command) ?? this.#ports.submit(lane.session, sequence, lane.round, command);
    if (refusal) refuseRound(lane, sequence, refusal);
    else lane.expected = sequence + 1;
  }

  #unreadable(lane: HomeLane, bytes: Uint8Array): Refusal | undefined {
    if (lane.begun) return undefined;
    lane.begun = true;
    const { rules } = this.#ports.tree();
    const command = decodeCommand(bytes);
    if (command === undefined) return unread;
    const form = unknownForm(command.operation, rules);
    return form && { code: "unimplemented", detail: tooNew(form, rules), retryAfterMillis: 1000 };
  }

  #answerFromMemory(lane: HomeLane, sequence: number): void {
    const tree = this.#ports.tree();
    const gone: Outcome = {
      ok: false,
      zxid: tree.applied,
      code: "connectionLoss",
      detail: "this write was applied and its outcome acknowledged already",
    };
    const outcome = tree.remembered(lane.session, sequence) ?? gone;
    send(lane.connection, {
      kind: "written",
      session: lane.session,
      sequence,
      outcome,
    });
  }

  /** The leader did not take a forwarded write, nor anything behind it. */
  refused(session: SessionId, sequence: number, round: number, refusal: Refusal): void {
    const lane = this.#lanes.get(session);
    if (!lane?.announced || lane.round !== round) return;
    if (sequence < lane.expected) lane.expected = sequence;
    refuseRound(lane, sequence, refusal);
  }

  /** A gateway asks for its own session: the only write without a lane. */
  open(connection: GatewayConnection, id: RequestId, bytes: Uint8Array): void {
    const command = decodeCommand(bytes);
    const operation = command?.operation;
    if (operation?.kind !== "createSession" || operation.role !== "gateway" || command?.lane) {
      answer(connection, id, failure("badArguments", "only a gateway's own session is opened without a lane"));
      return;
    }
    const hash = Buffer.from(operation.secretHash).toString("hex");
    const number = ++this.#openCount;
    const refusal = this.#ports.submitOpen(number, bytes);
    if (refusal) {
      answer(connection, id, failure(refusal.code, refusal.detail));
      return;
    }
    this.#opening.set(hash, { connection, id });
    this.#openIds.set(number, hash);
    if (this.#opening.size > replicaLimits.waitingOpens) this.#forgetOpening(this.#openIds.keys().next().value ?? 0);
  }

  openRefused(number: number, code: ErrorCode, detail: string): void {
    const opening = this.#opening.get(this.#openIds.get(number) ?? "");
    if (opening) answer(opening.connection, opening.id, failure(code, detail));
    this.#forgetOpening(number);
  }

  #forgetOpening(number: number): void {
    const hash = this.#openIds.get(number);
    this.#openIds.delete(number);
    if (hash !== undefined) this.#opening.delete(hash);
  }

  /** What was applied: outcomes of lanes that are at home here go out, whoever proposed them. */
  applied(results: readonly Applied[]): void {
    for (const { lane, outcome, zxid } of results) {
      if (outcome !== "gap" && outcome.ok && outcome.result.kind === "session") {
        this.#takenOver(outcome.result);
        if (lane === undefined && this.#opening.size > 0) this.#opened(outcome, zxid);
      }
      if (lane === undefined) continue;
      const home = this.#lanes.get(lane.session);
      // The fate of what came under another attachment is told to nobody: the number is another write's by now.
      if (home?.attachment !== lane.attachment) continue;
      if (outcome === "gap" || this.#isOwnEnd(lane.session, outcome)) {
        if (home.announced) this.#announce(home);
        continue;
      }
      const { session, sequence } = lane;
      if (sequence >= home.expected) home.expected = sequence + 1;
      if (!home.left) tellWritten(home.connection, session, sequence, outcome);
    }
    if (this.#early.size > 0 && this.#ports.ready()) {
      const early = this.#early;
      this.#early = new Set();
      for (const lane of early) this.#announce(lane);
    }
  }

  /** Somebody attached a session: whoever had it before is told at once, busy or not. */
  #takenOver({ session, attachment }: SessionResult): void {
    const lane = this.#lanes.get(session);
    if (lane && lane.attachment < attachment) this.#announce(lane);
  }

  /** Sessions that are over: likewise. */
  ended(sessions: Iterable<SessionId>): void {
    for (const session of sessions) {
      const lane = this.#lanes.get(session);
      if (lane?.announced) this.#announce(lane);
    }
  }

  /** The lane's own session is over: that is no answer to the client, the gateway has to open another. */
  #isOwnEnd(session: SessionId, outcome: Outcome): boolean {
    return !outcome.ok && outcome.code === "sessionExpired" && this.#ports.tree().lane(session) === undefined;
  }

  #opened(outcome: Outcome, zxid: Zxid): void {
    const record = this.#ports.tree().session(zxid as number as SessionId);
    if (!record) return;
    const hash = Buffer.from(record.secretHash).toString("hex");
    const opening = this.#opening.get(hash);
    if (!opening) return;
    answer(opening.connection, opening.id, outcome);
    for (const [number, each] of this.#openIds) if (each === hash) this.#openIds.delete(number);
    this.#opening.delete(hash);
  }

  /** Each lane is told where it stands: this replica serves (again), under a leader that knows none of its forwards. */
  becameReady(): void {
    for (const lane of this.#lanes.values()) {
      lane.left = true;
      this.#announce(lane);
    }
  }

  /** The forwards are forgotten; lanes wait to be announced again. */
  becameUnready(): void {
    for (const lane of this.#lanes.values()) lane.announced = false;
    for (const number of [...this.#openIds.keys()]) this.openRefused(number, "noLeader", "the leader changed");
  }

  closed(connection: GatewayConnection): void {
    for (const [session, lane] of this.#lanes) {
      if (lane.connection !== connection) continue;
      this.#lanes.delete(session);
      this.#early.delete(lane);
    }
    for (const [number, hash] of this.#openIds) {
      if (this.#opening.get(hash)?.connection === connection) this.#forgetOpening(number);
    }
  }

  #announce(lane: HomeLane): void {
    const tree = this.#ports.tree();
    const { session } = lane;
    const known = tree.lane(session);
    if (known ? known.attachment < lane.attachment : (session as number) > tree.applied) {
      lane.announced = false;
      this.#early.add(lane);
      return;
    }
    const holds = known?.attachment === lane.attachment;
    lane.announced = holds;
    lane.expected = (known?.lastSequence ?? 0) + 1;
    tellState(lane, known?.attachment ?? 0, known?.lastSequence ?? 0, known !== undefined);
    // Over, or taken over: it does not come back.
    if (!holds) this.#lanes.delete(session);
  }
}

type Told = Pick<HomeLane, "session" | "connection" | "fence">;

function tellState(
  { session, connection, fence }: Told,
  attachment: number,
  lastSequence: number,
  exists = true,
): void {
  send(connection, { kind: "laneState", session, exists, attachment, lastSequence, fence });
}

function refuseRound(lane: HomeLane, sequence: number, refusal: Refusal): void {
  lane.refused = true;
  refuse(lane, sequence, refusal);
}

/** Field by field: what the leader refused comes as its whole message, whose kind is another. */
function refuse(
  { session, connection }: Pick<HomeLane, "session" | "connection">,
  sequence: number,
  { code, detail, retryAfterMillis }: Refusal,
): void {
  send(connection, { kind: "refused", session, sequence, code, detail, retryAfterMillis });
}

function tellWritten(connection: GatewayConnection, session: SessionId, sequence: number, outcome: Outcome): void {
  const message = { kind: "written", session, sequence, outcome } as const;
  // A txn may have read data.
  if (connection.tell && !(outcome.ok && outcome.result.kind === "txn")) connection.tell(message);
  else send(connection, message);
}

/** A gateway of an older release drops a stream on which it is told what it cannot read. */
export function send(connection: GatewayConnection, message: ToGateway): void {
  const older = connection.rules < newestForms && (message.kind === "answer" || message.kind === "written");
  const told = older ? { ...message, outcome: readableOutcome(message.outcome, connection.rules) } : message;
  connection.send(encodeToGateway(told));
}

export function answer(connection: GatewayConnection, id: RequestId, outcome: Outcome, ageMillis = 0): void {
  send(connection, { kind: "answer", id, outcome, ageMillis });
}

export function failure(code: ErrorCode, detail: string): Outcome {
  return { ok: false, zxid: 0 as Zxid, code, detail };
}
