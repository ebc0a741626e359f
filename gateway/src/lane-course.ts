/**
 * Where a lane is sent, and whether it flows: what the gateway's own lane and those of client sessions have in common
 * (rules 3 and 5 at the head of `lane.ts`).
 */
import type { FromGateway, ToGateway } from "@quorate/proto";
import type { LaneWindow, Numbered } from "./lane-window.ts";
import { linkLimits } from "./limits.ts";
import type { GatewayTimer } from "./ports.ts";
import type { ReplicaStream } from "./stream.ts";

export interface CoursePorts {
  now(): number;
  after(millis: number, run: () => void): GatewayTimer;
  /** Rises with each `lane` that is sent for one session. */
  nextFence(): number;
  /** The pump must run soon. */
  wake(): void;
}

export type LaneState = Extract<ToGateway, { kind: "laneState" }>;
export type Refused = Extract<ToGateway, { kind: "refused" }>;
export type Written = Extract<ToGateway, { kind: "written" }>;

/** What a `laneState` means to the lane. `setBack`: what the replicas know is not what this lane may have done. */
export type LaneVerdict = "nothing" | "flows" | "gone" | "moved" | "setBack";

type Phase = "homeless" | "opening" | "fencing" | "pausing" | "flowing";

export class LaneCourse<T extends Numbered> {
  readonly #ports: CoursePorts;
  /** There is a home: open the lane, or raise its fence. */
  readonly #begin: () => void;
  window: LaneWindow<T> | undefined;
  #phase: Phase = "homeless";
  /** Where the lane is sent; kept while that replica does not serve, as its refusals still count. */
  #stream: ReplicaStream | undefined;
  #suspended = true;
  #fence = 0;
  #timer: GatewayTimer | undefined;
  #failures = 0;
  #progressAt = 0;

  constructor(ports: CoursePorts, begin: () => void) {
    this.#ports = ports;
    this.#begin = begin;
  }

  get phase(): Phase {
    return this.#phase;
  }
  get flowing(): boolean {
    return this.#phase === "flowing" && !this.#suspended;
  }
  /** Undefined: there is no home. */
  get home(): ReplicaStream | undefined {
    return this.#suspended ? undefined : this.#stream;
  }
  /** Where what flows is sent. */
  get outlet(): ReplicaStream | undefined {
    return this.#phase === "flowing" && !this.#suspended ? this.#stream : undefined;
  }

  /** The home, or none for now. */
  moveTo(stream: ReplicaStream | undefined): void {
    if (stream === undefined) {
      this.#suspended = true;
      return;
    }
    if (stream === this.#stream && !this.#suspended) return;
    this.#suspended = false;
    this.#stream = stream;
    this.#begin();
  }

  /** The stream is broken; `moveTo` follows when there is another home. */
  lost(stream: ReplicaStream): void {
    if (stream !== this.#stream) return;
    this.window?.rewind();
    this.#stream = undefined;
    this.#suspended = true;
    this.enter("homeless");
  }

  enter(phase: Phase): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#phase = phase;
  }

  /** Of the present phase; not while there is no home. */
  after(millis: number, run: () => void): void {
    this.#timer = this.#ports.after(millis, () => {
      this.#timer = undefined;
      if (!this.#suspended) run();
    });
  }

  send(message: FromGateway): void {
    this.#stream?.send(message);
    this.#ports.wake();
  }

  /** (3), (5): what was sent is of unknown fate, and nothing goes out before the replica has echoed the fence. */
  raiseFence(): void {
    const { window } = this;
    if (!window) return;
    window.rewind();
    this.enter("fencing");
    this.#fence = this.#ports.nextFence();
    const { session, attachment } = window;
    this.send({ kind: "lane", session, attachment, fence: this.#fence });
    this.after(linkLimits.laneAnswerMillis, () => this.raiseFence());
  }

  /** Before the next try. */
  pause(retryAfterMillis: number): void {
    this.enter("pausing");
    const backOff = Math.min(10 * 2 ** Math.min(this.#failures, 5), 200);
    this.#failures += 1;
    const millis = Math.min(Math.max(retryAfterMillis, backOff), linkLimits.retryMaxMillis);
    this.after(millis, () => this.#begin());
  }

  laneState(stream: ReplicaStream, state: LaneState): LaneVerdict {
    const { window } = this;
    if (!window || stream !== this.#stream || state.session !== window.session || state.fence !== this.#fence)
      return "nothing";
    if (!state.exists) return "gone";
    if (state.attachment > window.attachment) return "moved";
    // A replica that has not applied this attachment yet waits with its answer.
    if (state.attachment < window.attachment) return "nothing";
    if (state.lastSequence < window.answered || state.lastSequence > window.highest) return "setBack";
    if (this.#suspended) return "nothing";
    if (this.#phase !== "fencing") {
      this.raiseFence();
      return "nothing";
    }
    this.enter("flowing");
    this.#progressAt = this.#ports.now();
    return "flows";
  }

  /** (5): whether a refusal from there is about the present try. */
  hears(stream: ReplicaStream): boolean {
    return stream === this.#stream && this.#phase === "flowing";
  }

  /** Something was decided. */
  progressed(): void {
    this.#failures = 0;
    this.#progressAt = this.#ports.now();
  }

  /** Before something is sent. */
  sending(): void {
    if (this.window?.inFlight === 0) this.#progressAt = this.#ports.now();
  }

  /** Nothing was answered for too long: the lane is sent again. */
  stalled(now: number): boolean {
    if (!this.window || !this.flowing || this.window.inFlight === 0) return false;
    if (now - this.#progressAt < linkLimits.laneStallMillis) return false;
    this.#progressAt = now;
    this.raiseFence();
    return true;
  }
}
