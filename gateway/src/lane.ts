/**
 * The gateway's lane: one numbered stream of writes to the home replica, on an internal session of the gateway's own.
 *
 * What may be said of a write, and why it is true (numbers as in the code):
 *
 * 1. A write gets its number when it is sent and not before. One that waits never left this process: its deadline
 *    makes it `noLeader`, `noEffect`.
 * 2. A number in a try whose fate is not known is *tainted*: it belongs to its command for as long as the session
 *    lives, and is sent again on every new stream until the replicated state has decided it. Its client may have had its
 *    `timeout`, `unknown`, long before. Bytes of a broken stream may still lie in some replica's socket and be forwarded
 *    late; they meet their own command in the replicated memory, or fill their own place; never another's.
 * 3. What taints: the stream breaks, the home moves, the replica says `laneState` unasked (it forgot its forwards), or
 *    nothing is answered for too long. All that was sent and not refused becomes tainted: a prefix of the unanswered, as
 *    a lane is sent in order.
 * 4. `refused` n: this try of n was not taken, nor anything behind it on this stream. A number behind n that is not
 *    tainted was in no other try: it was never used, and is taken back. Its write is as if it had never been sent (1), and
 *    the number may be given to the next one. A tainted number keeps its command and is tried again. So a replica may
 *    refuse only what was not proposed, with nothing behind it proposed either; a gap met at apply is told by `laneState`.
 * 5. A refusal must be about the try that we think it is about: one of an earlier try would take back numbers that
 *    are under way. So before anything is sent again on a stream, a *fence* goes first: `lane` with a new fence number, and
 *    whatever comes before the `laneState` that echoes it is not heard as a refusal.
 * 6. A refusal that says something to the client (`throttled`, `quotaExceeded`: they are about the replica, not about
 *    the command) answers at once all whose numbers are taken back; another fault of the command itself answers that command.
 *    `noLeader` and its like are tried again until the deadline.
 * 7. `laneState` that knows no session, or whose sequence is not between what was answered and what was given (the history
 *    was set back), ends the lane: tainted and sent writes are `connectionLoss`, `unknown`; those that wait go on in a new
 *    session. The old one's numbers die with it: a late copy of them meets `sessionExpired`.
 * 8. An outcome is certain from wherever it comes, also from a former home's stream: (session, number) names one command.
 * 9. A write in a form that the rules which hold at home do not know never gets a number: nobody could read it, so that
 *    the number would stay open, and all behind it. It is `unimplemented`, `noEffect`. Rules that hold once hold for good,
 *    so what has its number may go to any home.
 */
import {
  anyone,
  type Command,
  type ErrorCode,
  encodeCommand,
  type Outcome,
  type SessionId,
  tooNew,
  unknownForm,
} from "@quorate/api";
import type { RequestId } from "@quorate/proto";
import type { Answer, WriteRequest } from "./backend.ts";
import { Deadlines } from "./deadlines.ts";
import { LaneCourse, type LaneState, type Refused, type Written } from "./lane-course.ts";
import { LaneWindow } from "./lane-window.ts";
import { linkLimits } from "./limits.ts";
import type { GatewayWorld } from "./ports.ts";
import { Queue } from "./queue.ts";
import { type ReplicaStream, unavailable, type WriteMessage } from "./stream.ts";
import { WriteEntry } from "./write-entry.ts";

export interface LanePorts {
  readonly world: GatewayWorld;
  /** For operators: who holds the session. */
  readonly name: string;
  nextId(): RequestId;
  /** The pump must run soon. */
  wake(): void;
  log(text: string): void;
  /** The lane flows: at first and after each move. */
  flows(): void;
}

/** About the replica, not about the command: whoever was refused with it may as well be told. */
export const general: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["throttled", "quotaExceeded"]);
/** Nothing to tell a client before its time is over. */
export const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "noLeader",
  "behind",
  "timeout",
  "connectionLoss",
  "internal",
  "sessionExpired",
  "sessionMoved",
]);

export class Lane {
  readonly #ports: LanePorts;
  readonly #waiting = new Queue<WriteEntry>();
  readonly #deadlines: Deadlines<WriteEntry>;
  readonly #course: LaneCourse<WriteEntry>;
  #waitingBytes = 0;
  #secretHash: Uint8Array;
  #lastFence = 0;
  #openId: RequestId = 0;
  #stopped = false;

  constructor(ports: LanePorts) {
    const { world } = ports;
    this.#ports = ports;
    this.#secretHash = world.randomBytes(32);
    const course = {
      now: () => world.now(),
      after: (millis: number, run: () => void) => world.after(millis, run),
      nextFence: () => (this.#lastFence += 1),
      wake: () => ports.wake(),
    };
    this.#course = new LaneCourse(course, () => this.#begin());
    this.#deadlines = new Deadlines(world.now(), (entry) => this.#expire(entry));
  }

  /** The gateway's own session; undefined while it has none. */
  get session(): SessionId | undefined {
    return this.#course.window?.session;
  }
  get flowing(): boolean {
    return this.#course.flowing;
  }
  get waiting(): number {
    return this.#waiting.size;
  }
  get unanswered(): number {
    return this.#course.window?.size ?? 0;
  }

  write(request: WriteRequest, deadline: number, resolve: (answer: Answer) => void): void {
    if (this.#stopped) {
      resolve(unavailable("noLeader", "noEffect", "this gateway is stopping"));
      return;
    }
    const entry = new WriteEntry(request, deadline, resolve);
    const full =
      this.#waiting.size >= linkLimits.waitingWrites || this.#waitingBytes + entry.size > linkLimits.waitingWriteBytes;
    if (full) {
      resolve(unavailable("throttled", "noEffect", "too many writes wait in this gateway; try again later"));
      return;
    }
    this.#waiting.push(entry);
    this.#waitingBytes += entry.size;
    this.#deadlines.add(entry);
    this.#ports.wake();
  }

  /** The home, or none for now. */
  moveTo(stream: ReplicaStream | undefined): void {
    this.#course.moveTo(stream);
  }

  /** The stream is broken; `moveTo` follows when there is another home. */
  lost(stream: ReplicaStream): void {
    this.#course.lost(stream);
  }

  #begin(): void {
    if (this.#course.window) this.#course.raiseFence();
    else this.#open();
  }

  #open(): void {
    this.#course.enter("opening");
    this.#openId = this.#ports.nextId();
    const command: Command = {
      identity: anyone,
      operation: {
        kind: "createSession",
        role: "gateway",
        timeoutMillis: linkLimits.laneSessionTimeoutMillis,
        secretHash: this.#secretHash,
        name: this.#ports.name,
        address: "",
      },
    };
    this.#course.send({ kind: "open", id: this.#openId, command: encodeCommand(command) });
    this.#course.after(linkLimits.laneAnswerMillis, () => this.#open());
  }

  /** The answer to `open`; false: it is somebody else's. */
  opened(id: RequestId, outcome: Outcome): boolean {
    if (id !== this.#openId) return false;
    if (this.#course.phase !== "opening") return true;
    if (outcome.ok && outcome.result.kind === "session") {
      const { session, attachment, lastSequence } = outcome.result;
      this.#course.window = new LaneWindow(session, attachment, lastSequence);
      this.#course.raiseFence();
    } else {
      if (!outcome.ok && general.has(outcome.code)) {
        this.#refuseWaiting(unavailable(outcome.code, "noEffect", outcome.detail));
      }
      this.#course.pause(0);
    }
    return true;
  }

  #refuseWaiting(answer: Answer): void {
    for (let entry = this.#waiting.first; entry; entry = this.#waiting.first) this.#settle(entry, answer);
  }

  laneState(stream: ReplicaStream, state: LaneState): void {
    const verdict = this.#course.laneState(stream, state);
    if (verdict === "gone") this.over("its session is over");
    else if (verdict === "moved") this.over("its session was taken over");
    else if (verdict === "setBack") this.over(`the replicas know ${state.lastSequence} as its last, which cannot be`);
    else if (verdict === "flows") {
      this.#ports.flows();
      this.#ports.wake();
    }
  }

  /** (7) The session is gone with all that it remembered. */
  over(why: string): void {
    const { window } = this.#course;
    if (!window) return;
    // One that stops has closed it itself.
    if (!this.#stopped)
      this.#ports.log(`the gateway's lane is opened anew: ${why}; ${window.size} writes are of unknown fate`);
    this.#course.window = undefined;
    for (const entry of window.entries()) {
      this.#settle(
        entry,
        unavailable("connectionLoss", "unknown", "the gateway's session ended before the answer came"),
      );
    }
    if (this.#course.home && !this.#stopped) this.#open();
    else this.#course.enter("homeless");
  }

  written(stream: ReplicaStream, { session, sequence, outcome }: Written): void {
    const { window } = this.#course;
    if (!window || session !== window.session) return;
    const entry = window.decide(sequence);
    if (!entry) return;
    this.#course.progressed();
    if (!outcome.ok && outcome.code === "connectionLoss") {
      this.#settle(entry, unavailable("connectionLoss", "unknown", outcome.detail));
    } else {
      this.#settle(entry, { kind: "outcome", outcome, servedBy: stream.replica, ageMillis: 0 });
    }
    if (this.#waiting.size > 0) this.#ports.wake();
  }

  refused(stream: ReplicaStream, refusal: Refused): void {
    const { window } = this.#course;
    if (!window || refusal.session !== window.session || !this.#course.hears(stream)) return;
    const free = window.refuse(refusal.sequence);
    if (!free) return;
    const { code } = refusal;
    const own = !general.has(code) && !passing.has(code);
    const hopeless = own && window.next !== refusal.sequence;
    const answer = unavailable(code, "noEffect", refusal.detail, refusal.retryAfterMillis);
    for (let at = free.length - 1; at >= 0; at -= 1) {
      const entry = free[at] as WriteEntry;
      if (!entry.resolve) continue;
      if (general.has(code) || (own && !hopeless && at === 0)) this.#settle(entry, answer);
      else this.#wait(entry);
    }
    // A full disk stays full for a while: those that wait need not wait for their time to be over.
    if (code === "quotaExceeded") this.#refuseWaiting(answer);
    if (hopeless) this.over(`a write of unknown fate is refused for good (${code})`);
    else this.#course.pause(refusal.retryAfterMillis);
  }

  #wait(entry: WriteEntry): void {
    this.#waiting.pushFront(entry);
    this.#waitingBytes += entry.size;
  }

  /** Sends what may be sent. */
  pump(): void {
    const { window, outlet: stream } = this.#course;
    if (!window || !stream) return;
    this.#course.sending();
    while (stream.writable) {
      const again = window.takeUnsent();
      if (again) {
        stream.send(again.message as WriteMessage);
        continue;
      }
      const entry = this.#waiting.first;
      if (!entry) return;
      // (9)
      const form = unknownForm((entry.request as WriteRequest).operation, stream.rules);
      if (form) {
        this.#settle(entry, unavailable("unimplemented", "noEffect", tooNew(form, stream.rules)));
        continue;
      }
      if (!window.admits(entry.size)) return;
      this.#waiting.remove(entry);
      this.#waitingBytes -= entry.size;
      const message = this.#encode(window, entry.request as WriteRequest);
      window.append(entry, message);
      stream.send(message);
    }
  }

  #encode(window: LaneWindow<WriteEntry>, request: WriteRequest): WriteMessage {
    const { session, attachment, next: sequence, answered: answeredUpTo } = window;
    const lane = { session, attachment, sequence, answeredUpTo };
    const command = encodeCommand({ ...request, lane });
    return { kind: "write", session, sequence, command };
  }

  tick(now: number): void {
    this.#deadlines.tick(now);
    if (!this.#course.stalled(now)) return;
    this.#ports.log(`no write was answered for ${linkLimits.laneStallMillis} ms: the lane is sent again`);
  }

  #expire(entry: WriteEntry): void {
    if (entry.sequence > 0) {
      this.#settle(entry, unavailable("timeout", "unknown", "no answer came in time; the write may still be done"));
    } else {
      const why = this.flowing ? "the gateway's lane was full" : "no leader took it";
      this.#settle(entry, unavailable("noLeader", "noEffect", `${why} within the time limit`));
    }
  }

  /** Answers whoever waits for it, once; a numbered one stays in the window until it is decided. */
  #settle(entry: WriteEntry, answer: Answer): void {
    if (entry.queue === this.#waiting) {
      this.#waiting.remove(entry);
      this.#waitingBytes -= entry.size;
    }
    this.#deadlines.remove(entry);
    const { resolve } = entry;
    entry.resolve = undefined;
    entry.request = undefined;
    resolve?.(answer);
  }

  /** Answers all; `closed` is called once the session is closed, or could not be in time. */
  stop(closed: () => void): void {
    if (this.#stopped) {
      closed();
      return;
    }
    this.#refuseWaiting(unavailable("noLeader", "noEffect", "this gateway is stopping"));
    const { window } = this.#course;
    for (const entry of window?.entries() ?? []) {
      this.#settle(entry, unavailable("connectionLoss", "unknown", "this gateway stopped before the answer came"));
    }
    if (window && this.flowing) {
      const acting = { session: window.session, secretHash: this.#secretHash };
      const operation = { kind: "closeSession", session: window.session } as const;
      const deadline = this.#ports.world.now() + linkLimits.stopMillis;
      this.write({ identity: anyone, acting, operation }, deadline, closed);
      this.#stopped = true;
      this.pump();
      return;
    }
    this.#stopped = true;
    this.#course.enter("homeless");
    closed();
  }
}
