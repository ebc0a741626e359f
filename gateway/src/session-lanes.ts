/**
 * The lanes of the client sessions that are attached through this gateway: opens them, finds them by their session, and
 * lets all of them share one clock, one account of memory, and one pace when the home moves.
 */
import type { Acting, Identity, SessionId } from "@quorate/api";
import type { Answer, LaneListener, SessionLane, WriteRequest } from "./backend.ts";
import type { OrderedRead, ReadAnswered } from "./calls.ts";
import { Deadlines, type Timed } from "./deadlines.ts";
import type { LaneState, Refused, Written } from "./lane-course.ts";
import { linkLimits } from "./limits.ts";
import type { GatewayTimer, GatewayWorld } from "./ports.ts";
import { AttachedLane, type SessionLanePorts } from "./session-lane.ts";
import type { ReplicaStream } from "./stream.ts";
import type { Watches } from "./watch/hub.ts";

/** While `told` is false: `eventsTold` comes when that may be otherwise. */
export interface SessionLanesPorts extends Pick<Watches, "told" | "floor"> {
  readonly world: GatewayWorld;
  home(): ReplicaStream | undefined;
  /** On the gateway's own lane. */
  write(request: WriteRequest, deadline: number, done: (answer: Answer) => void): void;
  read(request: OrderedRead, deadline: number, done: ReadAnswered): () => void;
  /** The pump must run soon. */
  wake(): void;
  log(text: string): void;
}

/** A timer on the wheel that all lanes share. */
class Alarm implements Timed, GatewayTimer {
  readonly deadline: number;
  readonly run: () => void;
  readonly #wheel: Deadlines<Alarm>;
  wheelSlot: number = -1;
  wheelPlace: number = 0;

  constructor(wheel: Deadlines<Alarm>, deadline: number, run: () => void) {
    this.#wheel = wheel;
    this.deadline = deadline;
    this.run = run;
    wheel.add(this);
  }

  cancel(): void {
    this.#wheel.remove(this);
  }
}

export class SessionLanes {
  readonly #ports: SessionLanesPorts;
  readonly #lanePorts: SessionLanePorts;
  readonly #lanes = new Map<SessionId, AttachedLane>();
  /** Their attachment is under way. */
  readonly #opening = new Set<AttachedLane>();
  readonly #blocked = new Set<AttachedLane>();
  /** Whose reads have their turn when all that came together was told. */
  readonly #readers = new Set<AttachedLane>();
  /** Not told of the present home yet. */
  readonly #toMove = new Set<AttachedLane>();
  readonly #alarms: Deadlines<Alarm>;
  #fence = 0;
  #bytes = 0;
  #checkedAt = 0;
  #stopped = false;

  constructor(ports: SessionLanesPorts) {
    const { world } = ports;
    this.#ports = ports;
    this.#alarms = new Deadlines(world.now(), (alarm) => alarm.run());
    this.#lanePorts = {
      now: () => world.now(),
      after: (millis, run) => new Alarm(this.#alarms, world.now() + millis, run),
      nextFence: () => (this.#fence += 1),
      wake: () => ports.wake(),
      read: (request, deadline, done) => ports.read(request, deadline, done),
      told: (session, zxid, from) => ports.told(session, zxid, from),
      floor: (session) => ports.floor(session),
      take: (bytes) => {
        this.#bytes += bytes;
        return this.#bytes < linkLimits.allSessionBytes;
      },
      blocked: (lane) => void this.#blocked.add(lane),
      readsNow: () => ports.home()?.readNow !== undefined,
      later: (lane) => this.#later(lane),
      gone: (lane) => this.#gone(lane),
    };
  }

  get size(): number {
    return this.#lanes.size + this.#opening.size;
  }
  /** Of requests that are not answered. */
  get bytes(): number {
    return this.#bytes;
  }

  attach(acting: Acting, identity: Identity, deadlineMillis: number, listener: LaneListener): SessionLane {
    const { world } = this.#ports;
    const lane = new AttachedLane(acting, this.#lanePorts, listener);
    if (this.#stopped || this.size >= linkLimits.sessionLanes) {
      const detail = `${linkLimits.sessionLanes} sessions are attached through this gateway, which is the most`;
      world.soon(() =>
        this.#stopped
          ? lane.end("noLeader", "this gateway is stopping", 1000)
          : lane.end("throttled", `${detail}; try another one`, 1000),
      );
      return lane;
    }
    this.#opening.add(lane);
    const operation = { kind: "attach", session: acting.session } as const;
    let returned = false;
    this.#ports.write({ identity, acting, operation }, world.now() + deadlineMillis, (answer) => {
      if (returned) this.#attached(lane, answer);
      else world.soon(() => this.#attached(lane, answer));
    });
    returned = true;
    return lane;
  }

  #attached(lane: AttachedLane, answer: Answer): void {
    this.#opening.delete(lane);
    if (lane.over) return;
    if (answer.kind === "unavailable") return lane.end(answer.code, answer.detail, answer.retryAfterMillis);
    const { outcome, servedBy } = answer;
    if (!outcome.ok) return lane.end(outcome.code, outcome.detail);
    if (outcome.result.kind !== "session") return lane.end("internal", "the attachment got another command's outcome");
    const { attachment, lastSequence, timeoutMillis } = outcome.result;
    const { session } = lane.acting;
    const former = this.#lanes.get(session);
    // Outcomes may come in another order than they were decided in.
    if (former && former.attachment > attachment) return lane.end("sessionMoved", "the session was attached once more");
    this.#lanes.set(session, lane);
    lane.opened({ attachment, lastSequence, timeoutMillis, servedBy, zxid: outcome.zxid }, this.#ports.home());
    former?.end("sessionMoved", "the session was attached once more");
  }

  #later(lane: AttachedLane): void {
    this.#readers.add(lane);
    if (this.#readers.size > 1) return;
    this.#ports.world.next(() => {
      const readers = [...this.#readers];
      this.#readers.clear();
      for (const each of readers) each.readOn();
    });
  }

  #gone(lane: AttachedLane): void {
    const { session } = lane.acting;
    if (this.#lanes.get(session) === lane) this.#lanes.delete(session);
    this.#opening.delete(lane);
    this.#blocked.delete(lane);
    this.#readers.delete(lane);
    this.#toMove.delete(lane);
  }

  /** These three: false if no such session is attached here. */
  written(stream: ReplicaStream, message: Written): boolean {
    const lane = this.#lanes.get(message.session);
    lane?.written(stream, message);
    return lane !== undefined;
  }

  refused(stream: ReplicaStream, message: Refused): boolean {
    const lane = this.#lanes.get(message.session);
    lane?.refused(stream, message);
    return lane !== undefined;
  }

  laneState(stream: ReplicaStream, message: LaneState): boolean {
    const lane = this.#lanes.get(message.session);
    lane?.laneState(stream, message);
    return lane !== undefined;
  }

  /** What waited for events of the session's watches may go on. */
  eventsTold(session: SessionId): void {
    this.#lanes.get(session)?.eventsTold();
  }

  lost(stream: ReplicaStream): void {
    for (const lane of this.#lanes.values()) lane.lost(stream);
  }

  /** None: they wait at once. Another one: some in each turn, as each has to be fenced. */
  moved(home: ReplicaStream | undefined): void {
    this.#toMove.clear();
    for (const lane of this.#lanes.values()) {
      if (home) this.#toMove.add(lane);
      else lane.moveTo(undefined);
    }
  }

  pump(): void {
    if (this.#toMove.size > 0) this.#move();
    if (this.#blocked.size === 0) return;
    const blocked = [...this.#blocked];
    this.#blocked.clear();
    for (const lane of blocked) lane.pump();
  }

  #move(): void {
    const home = this.#ports.home();
    let left: number = linkLimits.fencesPerTurn;
    for (const lane of this.#toMove) {
      if (!home?.writable) return;
      if (left === 0) {
        this.#ports.wake();
        return;
      }
      left -= 1;
      this.#toMove.delete(lane);
      lane.moveTo(home);
    }
  }

  tick(now: number): void {
    this.#alarms.tick(now);
  }

  /** Now and then. */
  check(now: number): void {
    if (now - this.#checkedAt < 1000) return;
    this.#checkedAt = now;
    let count = 0;
    for (const lane of this.#lanes.values()) if (lane.stalled(now)) count += 1;
    if (count > 0) this.#ports.log(`no write of ${count} sessions was answered for long: their lanes are sent again`);
  }

  /** All end: their clients attach elsewhere. */
  stop(): void {
    this.#stopped = true;
    for (const lane of [...this.#lanes.values(), ...this.#opening]) {
      lane.end("connectionLoss", "this gateway is stopping");
    }
  }
}
