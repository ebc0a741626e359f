/** One request on a client session's lane, in the queue in which they are answered. */
import {
  type Acting,
  blankRefusal,
  blankWrite,
  encodeCommand,
  type Identity,
  limits,
  type Outcome,
  type ReadOperation,
  tooNew,
  unknownForm,
  type Zxid,
} from "@quorate/api";
import type { Consistency } from "@quorate/proto";
import type { Answer, LaneAnswer, LaneWrite, ReadRequest } from "./backend.ts";
import type { OrderedRead } from "./calls.ts";
import type { Numbered } from "./lane-window.ts";
import { type ReplicaStream, type Unavailable, unavailable, type WriteMessage } from "./stream.ts";

export class LaneRequest implements Numbered {
  /** Of a write. */
  readonly write: LaneWrite | undefined;
  /** Of a read. */
  readonly read: ReadRequest | undefined;
  /** Of the one that it is. */
  readonly #written: ((answer: LaneAnswer) => void) | undefined;
  readonly #seen: ((answer: Answer) => void) | undefined;
  /** Of the memory that it takes while it is not answered. */
  readonly cost: number;
  readonly deadline: number;
  /** A write that is sent. 0: it is not, and no try of it is of unknown fate. */
  sequence: number = 0;
  message: WriteMessage | undefined = undefined;
  size: number;
  decided: boolean = false;
  /** A write was sent before: reads that are open by now were given behind it. */
  cleared: boolean = false;
  /** A blank write went out under its number: why. */
  blank: string | undefined = undefined;
  /** A read that is asked when it is the first. */
  waits: boolean = false;
  /** A read that writes could be seen by. */
  open: boolean = false;
  told: boolean = false;
  /** Tries of a read; an answer to an earlier one is not heard. */
  tries: number = 0;
  giveUp: (() => void) | undefined = undefined;
  /** The write that a read was asked behind. */
  behind: number = 0;
  /** Once it is known. */
  answer: Answer | undefined = undefined;
  /** On whose stream it came. */
  from: ReplicaStream | undefined = undefined;
  next: LaneRequest | undefined = undefined;

  private constructor(
    write: LaneWrite | undefined,
    read: ReadRequest | undefined,
    cost: number,
    deadline: number,
    written: ((answer: LaneAnswer) => void) | undefined,
    seen: ((answer: Answer) => void) | undefined,
  ) {
    this.write = write;
    this.read = read;
    this.cost = cost;
    this.size = cost;
    this.deadline = deadline;
    this.#written = written;
    this.#seen = seen;
  }

  static ofWrite(write: LaneWrite, cost: number, done: (answer: LaneAnswer) => void): LaneRequest {
    return new LaneRequest(write, undefined, cost, 0, done, undefined);
  }

  static ofRead(read: ReadRequest, cost: number, deadline: number, done: (answer: Answer) => void): LaneRequest {
    return new LaneRequest(undefined, read, cost, deadline, undefined, done);
  }

  /** Was sent, or needs not be. */
  get underWay(): boolean {
    return this.sequence > 0 || this.tries > 0 || this.waits || this.answer !== undefined;
  }

  answered(answer: Answer, from: ReplicaStream | undefined): void {
    this.answer = answer;
    this.from = from;
  }

  /** Its answer is that of a state older than `zxid`. */
  isOlder(zxid: Zxid): boolean {
    if (this.answer?.kind !== "outcome") return false;
    const { outcome } = this.answer;
    // What is refused for its form shows nothing.
    return outcome.zxid !== 0 && outcome.zxid < zxid;
  }

  /** Tells its answer. */
  tell(): void {
    const answer = this.answer as Answer;
    if (this.#seen) this.#seen(answer);
    else this.#written?.({ answer, decided: this.decided });
  }
}

/** A read as it is asked. It is looked at anew at each try: what the session saw meanwhile counts, too. */
export class LaneRead implements OrderedRead {
  readonly identity: Identity;
  readonly acting: Acting | undefined;
  readonly operation: ReadOperation;
  readonly consistency: Consistency;
  readonly maxStaleMillis: number;
  readonly behind: OrderedRead["behind"];
  readonly #minZxid: Zxid;
  readonly #floor: () => Zxid;

  constructor(read: ReadRequest, behind: OrderedRead["behind"], floor: () => Zxid) {
    this.identity = read.identity;
    this.acting = read.acting;
    this.operation = read.operation;
    this.consistency = read.consistency;
    this.maxStaleMillis = read.maxStaleMillis;
    this.behind = behind;
    this.#minZxid = read.minZxid;
    this.#floor = floor;
  }

  get minZxid(): Zxid {
    return Math.max(this.#minZxid, this.#floor()) as Zxid;
  }
}

/** What is wrong with a write's numbers. */
export function faultOf(sequence: number, answeredUpTo: number): string | undefined {
  if (!Number.isSafeInteger(sequence) || sequence < 1) return `the sequence ${sequence} is not 1 or more`;
  if (!Number.isSafeInteger(answeredUpTo) || answeredUpTo < 0) return `answeredUpTo ${answeredUpTo} is not 0 or more`;
  if (sequence - answeredUpTo <= limits.laneWindow) return undefined;
  return `write ${sequence} is more than ${limits.laneWindow} ahead of ${answeredUpTo}, the last answered; raise that`;
}

/** The bytes of a write under its number; `rules` hold where it is sent (rule 10 of `session-lane.ts`). */
export function commandOf(
  request: LaneRequest,
  write: LaneWrite,
  acting: Acting,
  attachment: number,
  rules: number,
): Uint8Array {
  const { sequence, identity, key, operation } = write;
  const answeredUpTo = Math.min(write.answeredUpTo, sequence - 1);
  const lane = { session: acting.session, attachment, sequence, answeredUpTo };
  const form = unknownForm(operation, rules);
  request.blank = form && tooNew(form, rules);
  if (form) return encodeCommand({ lane, identity, acting, operation: blankWrite });
  return encodeCommand(
    key === undefined ? { lane, identity, acting, operation } : { lane, identity, acting, key, operation },
  );
}

/** What its client is told: of a blank write, perhaps of an earlier attachment, that the form was too new. */
export function outcomeOf({ blank }: LaneRequest, outcome: Outcome): Outcome {
  if (outcome.ok || outcome.code !== "badArguments" || outcome.detail !== blankRefusal) return outcome;
  const detail = blank ?? "it came while a member ran an older release, which cannot read it: nothing was done";
  return { ok: false, zxid: outcome.zxid, code: "unimplemented", detail };
}

export const notAttached = "the session is not attached yet";

/** `fault` undefined: there is no room for it. */
export function refusalOf(fault: string | undefined): Unavailable {
  if (fault !== undefined) return unavailable("badArguments", "noEffect", fault, 0);
  return unavailable("throttled", "noEffect", "too many requests of this session are not answered; wait for answers");
}
