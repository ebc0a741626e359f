/**
 * A client session's own lane: its client gives the numbers, and its reads stand in the same order as its writes.
 *
 * The rules of `lane.ts` hold, but for what follows.
 *
 * 1. Attaching is a write on the gateway's own lane. From its outcome on nothing of a former attachment is applied any
 *    more; up to `lastSequence` all is. So who attaches knows the fate of everything that was sent before.
 * 2. A number is the client's. The next one is a new write; a lower one is sent for its outcome, which the replicated
 *    memory has, or does not keep any more. The window begins anew at a number that does not follow the one before it, once
 *    it is empty; what the replicated state holds already is tainted from the beginning, and never taken back.
 * 3. A number that a refusal gives back stays its write's, which is sent again: unless the refusal says something to the
 *    client. Then that write and all behind it are answered `decided: false`, and so are those that still come before
 *    the first of them comes again: the client had given them before it knew.
 * 4. Answers leave in the order of requests.
 * 5. A read is asked once all writes before it were sent, and bears the last of them (`behind`), those of former attachments
 *    too, wherever it is asked: the order of messages does not matter to it, nor whether the lane flows. If that write is
 *    given back to the client, it is asked again, behind the one before.
 *    Where reads are answered at once (an embedded gateway's), one of consistency `session` is asked when all before it is answered.
 * 6. A write that a read given before it could see (`open-reads.ts`) is not sent before that read is answered. For a
 *    replica applies whole batches, and a read that waits, or that is asked again at another home, sees all that is there.
 * 7. No read shows less than was answered before it: one that does, from another home perhaps, is asked again.
 * 8. A newer attachment ends the lane with `sessionMoved`, the session's end with `sessionExpired`; if the lane cannot go on
 *    (the history was set back, or a write of unknown fate is refused for good), `connectionLoss`. What is not answered then
 *    is of unknown fate, which the next attachment tells (1).
 * 9. But for stale reads, no answer shows what a watch of the session has not told yet, whoever answered it. Nor does a read show
 *    less than what the session follows was told, and is told from: what was asked before is asked again.
 * 10. The number of a write in a form that the rules which hold at home do not know (`lane.ts`, rule 9) is its client's: a
 *    blank write goes out under it, which any replica answers and nobody does, and its refusal is told as `unimplemented`.
 */
import { type Acting, assert, type ErrorCode, type Zxid } from "@quorate/api";
import type { Answer, LaneAnswer, LaneListener, LaneOpening, LaneWrite, ReadRequest, SessionLane } from "./backend.ts";
import type { OrderedRead, ReadAnswered } from "./calls.ts";
import { general, passing } from "./lane.ts";
import { type CoursePorts, LaneCourse, type LaneState, type Refused, type Written } from "./lane-course.ts";
import { commandOf, faultOf, LaneRead, LaneRequest, notAttached, outcomeOf, refusalOf } from "./lane-request.ts";
import { LaneRoom } from "./lane-room.ts";
import { LaneWindow } from "./lane-window.ts";
import { OpenReads } from "./open-reads.ts";
import { type ReplicaStream, type Unavailable, unavailable, type WriteMessage } from "./stream.ts";
import type { Watches } from "./watch/hub.ts";
import { sizeOfWrite } from "./write-entry.ts";

/** Where the session's watches stand; while `told` is false the answer waits. */
export interface SessionLanePorts extends CoursePorts, Pick<Watches, "told" | "floor"> {
  read(request: OrderedRead, deadline: number, done: ReadAnswered): () => void;
  /** Session reads are answered at once, if they need not wait: but not to whoever is told of something just now. */
  readsNow(): boolean;
  /** `readOn` is due when all that came together was told. */
  later(lane: AttachedLane): void;
  /** More, or less, memory is taken; false: all lanes together take too much. */
  take(bytes: number): boolean;
  /** What it has could not be put on the stream: it wants to be pumped when that has drained. */
  blocked(lane: AttachedLane): void;
  /** It is over. */
  gone(lane: AttachedLane): void;
}

export class AttachedLane implements SessionLane {
  readonly acting: Acting;
  readonly #ports: SessionLanePorts;
  readonly #listener: LaneListener;
  readonly #course: LaneCourse<LaneRequest>;
  readonly #reads = new OpenReads();
  /** The queue of what is not answered, and the first in it that may not be under way. */
  #first: LaneRequest | undefined;
  #last: LaneRequest | undefined;
  #unsent: LaneRequest | undefined;
  readonly #room: LaneRoom;
  /** The highest number that was given, and the highest that is known to be applied. */
  #given = 0;
  #applied = 0;
  /** Why numbers from `#given` + 1 on were given back. */
  #voided: Unavailable | undefined;
  /** The newest that was answered. */
  #seen = 0 as Zxid;
  #telling = false;
  #over = false;
  /** Nothing older may be shown. */
  readonly #floor = (): Zxid => Math.max(this.#seen, this.#ports.floor(this.acting.session)) as Zxid;

  constructor(acting: Acting, ports: SessionLanePorts, listener: LaneListener) {
    this.acting = acting;
    this.#ports = ports;
    this.#listener = listener;
    this.#room = new LaneRoom((bytes) => ports.take(bytes));
    this.#course = new LaneCourse(ports, () => this.#course.raiseFence());
  }

  get over(): boolean {
    return this.#over;
  }
  /** 0: it is not open yet. */
  get attachment(): number {
    return this.#course.window?.attachment ?? 0;
  }
  get unanswered(): number {
    return this.#room.count;
  }
  get writable(): boolean {
    return this.#room.writable;
  }

  opened(opening: LaneOpening, home: ReplicaStream | undefined): void {
    const { attachment, lastSequence } = opening;
    this.#given = lastSequence;
    this.#applied = lastSequence;
    this.#course.window = new LaneWindow(this.acting.session, attachment, lastSequence);
    this.#course.moveTo(home);
    this.#listener.opened(opening);
  }

  /** The last word. */
  end(code: ErrorCode, detail: string, retryAfterMillis = 0): void {
    if (this.#over) return;
    this.close();
    this.#listener.ended({ code, detail, retryAfterMillis });
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#course.enter("homeless");
    for (let each = this.#first; each; each = each.next) each.giveUp?.();
    this.#room.close();
    this.#first = undefined;
    this.#last = undefined;
    this.#unsent = undefined;
    this.#ports.gone(this);
  }

  write(write: LaneWrite, done: (answer: LaneAnswer) => void): void {
    if (this.#over) return;
    const request = LaneRequest.ofWrite(write, sizeOfWrite(write.operation), done);
    const refusal = this.#refusal(write);
    if (refusal) request.answer = refusal;
    else if (write.sequence > this.#given) {
      this.#given = write.sequence;
      this.#voided = undefined;
    }
    this.#push(request);
  }

  /** Why it is not taken. If it is the next one, what is behind it is not taken either. */
  #refusal({ sequence, answeredUpTo }: LaneWrite): Unavailable | undefined {
    const next = this.#given + 1;
    const isNext = sequence === next;
    const fault = this.attachment === 0 ? notAttached : faultOf(sequence, answeredUpTo);
    if (fault === undefined && (isNext || sequence < next) && this.writable) return undefined;
    if (!isNext && sequence > next && this.#voided) return this.#voided;
    const early = sequence > next ? `write ${sequence} came before write ${next} of the session` : undefined;
    const refusal = refusalOf(fault ?? early);
    if (isNext) this.#voided = refusal;
    return refusal;
  }

  read(read: ReadRequest, deadlineMillis: number, done: (answer: Answer) => void): void {
    if (this.#over) return;
    const deadline = this.#ports.now() + deadlineMillis;
    const request = LaneRequest.ofRead(read, 512, deadline, done);
    if (this.attachment === 0) request.answer = refusalOf(notAttached);
    else if (!this.writable) request.answer = refusalOf(undefined);
    this.#push(request);
  }

  #push(request: LaneRequest): void {
    if (this.#last) this.#last.next = request;
    else this.#first = request;
    this.#last = request;
    this.#unsent ??= request;
    this.#room.enter(request.cost);
    this.pump();
    if (request.answer) this.#tell();
  }

  /** Sends what may be sent. */
  pump(): void {
    const { window, outlet } = this.#course;
    if (!window) return;
    if (outlet) {
      this.#course.sending();
      while (window.resending && outlet.writable)
        outlet.send((window.takeUnsent() as LaneRequest).message as WriteMessage);
      if (window.resending) this.#ports.blocked(this);
    }
    for (let each = this.#unsent; each; each = this.#unsent) {
      const { read, write } = each;
      if (write && !each.underWay && !this.#send(each, write, outlet)) return;
      this.#unsent = each.next;
      if (read && !each.underWay) this.#begin(each, read);
    }
  }

  #begin(request: LaneRequest, read: ReadRequest): void {
    request.waits = request !== this.#first && read.consistency === "session" && this.#ports.readsNow();
    if (request.waits) this.#open(request, read);
    else this.#ask(request, read);
  }

  /** The reads whose turn it is. */
  readOn(): void {
    for (let each = this.#first; each?.waits; each = this.#first) {
      each.waits = false;
      this.#ask(each, each.read as ReadRequest);
    }
  }

  /** Writes behind it that it could see wait. */
  #open(request: LaneRequest, read: ReadRequest): void {
    if (request.open || request.told) return;
    request.open = true;
    this.#reads.add(read.operation);
  }

  /** False: not now. */
  #send(request: LaneRequest, write: LaneWrite, outlet: ReplicaStream | undefined): boolean {
    if (!outlet) return false;
    if (!outlet.writable) {
      this.#ports.blocked(this);
      return false;
    }
    const { sequence } = write;
    let window = this.#course.window as LaneWindow<LaneRequest>;
    if (window.next !== sequence) {
      if (window.size > 0) return false;
      assert(sequence <= this.#applied + 1, "what is given has no gap");
      window = new LaneWindow(window.session, window.attachment, sequence - 1, this.#applied);
      this.#course.window = window;
    }
    if (!window.admits(request.size)) return false;
    if (!request.cleared && this.#reads.couldSee(write.operation)) return false;
    request.cleared = true;
    const { session, attachment } = window;
    const command = commandOf(request, write, this.acting, attachment, outlet.rules);
    const message: WriteMessage = { kind: "write", session, sequence, command };
    window.append(request, message);
    outlet.send(message);
    return true;
  }

  #ask(request: LaneRequest, read: ReadRequest): void {
    const window = this.#course.window as LaneWindow<LaneRequest>;
    const { session } = window;
    request.tries += 1;
    // Before the first nothing is undecided.
    request.behind = request === this.#first ? this.#applied : Math.max(window.next - 1, this.#applied);
    const { tries, behind } = request;
    const ordered = new LaneRead(read, behind > 0 ? { session, sequence: behind } : undefined, this.#floor);
    const giveUp = this.#ports.read(ordered, request.deadline, (answer, from) => {
      if (this.#over || tries !== request.tries || request.answer) return;
      request.giveUp = undefined;
      request.answered(answer, from);
      this.#tell();
    });
    if (request.answer === undefined) request.giveUp = giveUp;
    this.#open(request, read);
  }

  /** (7), (9): all of them at once, or each would wait for the one before it. */
  #askOldAgain(first: LaneRequest): void {
    for (let each: LaneRequest | undefined = first; each; each = each.next) if (this.#isOld(each)) this.#askAgain(each);
  }

  /** (3), (7): asked from the beginning. */
  #askAgain(request: LaneRequest): void {
    request.giveUp?.();
    request.answer = undefined;
    this.#ask(request, request.read as ReadRequest);
  }

  written(stream: ReplicaStream, { sequence, outcome }: Written): void {
    const { window } = this.#course;
    if (!window) return;
    if (!outcome.ok && outcome.code === "sessionMoved") return this.#moved();
    const request = window.decide(sequence);
    if (!request) return;
    this.#course.progressed();
    if (sequence > this.#applied) this.#applied = sequence;
    const lost = !outcome.ok && outcome.code === "connectionLoss";
    if (lost) request.answer = unavailable("connectionLoss", "unknown", outcome.detail);
    else {
      const told = outcomeOf(request, outcome);
      request.answered({ kind: "outcome", outcome: told, servedBy: stream.replica, ageMillis: 0 }, stream);
    }
    this.#tell();
    if (this.#unsent) this.pump();
  }

  /** Tells what is answered, in order. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    for (let first = this.#first; first?.answer && !this.#over; first = this.#first) {
      if (this.#isAhead(first, first.answer)) break;
      if (this.#isOld(first)) this.#askOldAgain(first);
      if (first.answer === undefined) break;
      this.#drop(first);
      first.tell();
    }
    this.#telling = false;
    if (this.#over) return;
    if (this.#unsent) this.pump();
    if (this.#first?.waits) this.#ports.later(this);
    if (this.#room.relieved()) this.#listener.drained();
  }

  /** (9): what was answered may be told now. */
  eventsTold(): void {
    if (this.#first?.answer) this.#tell();
  }

  #isAhead({ read, from }: LaneRequest, answer: Answer): boolean {
    if (read?.consistency === "stale") return false;
    return answer.kind === "outcome" && !this.#ports.told(this.acting.session, answer.outcome.zxid, from);
  }

  /** A read that shows less than it may: (7), (9). */
  #isOld(request: LaneRequest): boolean {
    const { read } = request;
    if (!read || request.isOlder(this.#seen)) return read !== undefined;
    return read.consistency !== "stale" && request.isOlder(this.#ports.floor(this.acting.session));
  }

  #drop(request: LaneRequest): void {
    this.#first = request.next;
    if (!this.#first) {
      this.#last = undefined;
      this.#unsent = undefined;
    }
    this.#room.leave(request.cost);
    request.told = true;
    if (request.read && request.open) this.#reads.remove(request.read.operation);
    const { answer } = request;
    if (answer?.kind === "outcome" && answer.outcome.zxid > this.#seen) this.#seen = answer.outcome.zxid;
  }

  refused(stream: ReplicaStream, refusal: Refused): void {
    const { window } = this.#course;
    if (!window || !this.#course.hears(stream)) return;
    const free = window.refuse(refusal.sequence);
    if (!free) return;
    const { code, detail, retryAfterMillis } = refusal;
    this.#unsent = this.#first;
    this.#course.pause(retryAfterMillis);
    if (passing.has(code)) return;
    if (!general.has(code) && window.next !== refusal.sequence) {
      this.end("connectionLoss", `a write of unknown fate is refused for good (${code}: ${detail})`);
      return;
    }
    this.#giveBack(Math.max(window.next, this.#applied + 1), unavailable(code, "noEffect", detail, retryAfterMillis));
    this.#tell();
  }

  /** (3): all writes from this number on; none of them is in any try. */
  #giveBack(from: number, why: Unavailable): void {
    if (from > this.#given) return;
    this.#given = from - 1;
    this.#voided = why;
    for (let each = this.#first; each; each = each.next) {
      if (each.answer) continue;
      if (each.write && each.write.sequence >= from && each.sequence === 0) each.answer = why;
      else if (each.tries > 0 && each.behind >= from) this.#askAgain(each);
    }
  }

  laneState(stream: ReplicaStream, state: LaneState): void {
    switch (this.#course.laneState(stream, state)) {
      case "gone":
        return this.end("sessionExpired", "the session is over (expired or closed); open a new one");
      case "moved":
        return this.#moved();
      case "setBack":
        return this.end("connectionLoss", `the replicas know ${state.lastSequence} as its last write; attach again`);
      case "flows":
        return this.pump();
      default:
    }
  }

  #moved(): void {
    this.end("sessionMoved", "the session was attached elsewhere");
  }

  moveTo(stream: ReplicaStream | undefined): void {
    this.#course.moveTo(stream);
  }

  lost(stream: ReplicaStream): void {
    this.#course.lost(stream);
  }

  /** True: nothing was answered for too long, and it is sent again. */
  stalled(now: number): boolean {
    return this.#course.stalled(now);
  }
}
