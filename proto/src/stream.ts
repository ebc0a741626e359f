/**
 * What a gRPC bidi call carries here, client or server side: frames of messages out and in, bounded, ended exactly
 * once. Nobody else touches a raw call. It knows nothing of what the messages mean.
 *
 * Coalescing: `send` only queues; `flush`, or the end of the loop's turn, makes frames. While `framesInFlight` frames
 * are with gRPC, what is sent gathers for the next one, so that a busy stream makes large frames and a lone message
 * waits for nothing.
 */
import { decodeFrame, frameLimits, frameOverheadBytes, varintBytes, writeFrameHeader } from "./frame.ts";

export const streamLimits = {
  /** Beyond it `send` answers false; `drained` follows when the queue has fallen to `lowWaterBytes`. */
  highWaterBytes: 1_048_576,
  lowWaterBytes: 262_144,
  /** Beyond it the stream is dropped: its reader is too slow, and memory has an end. */
  queueBytes: 64 * 1_048_576,
  framesInFlight: 2,
  /** How long a closing stream may take to bring its last words out. */
  closeGraceMillis: 200,
} as const;

assertRelations();

export interface StreamTimer {
  cancel(): void;
}

/** The part of a world's clock that a stream needs. */
export interface Timers {
  after(millis: number, run: () => void): StreamTimer;
}

export interface StreamEvents {
  /** The messages of one frame, in order. Subarrays of one buffer, which is the receiver's to keep. */
  received(messages: readonly Uint8Array[]): void;
  /** The queue has fallen below the low-water mark after `send` had answered false. */
  drained(): void;
  /** Exactly once, whoever ended it; nothing is called after it. */
  closed(reason: string): void;
}

/** What a call tells; each may come more than once, in any order, and the first end counts. */
export interface CallEvents {
  /** The other side has said its last. */
  ended(reason: string): void;
  /** Nothing goes in or out any more. */
  over(reason: string): void;
}

/** A duplex call of gRPC, the client's or the server's side (`grpc-call.ts`). */
export interface FrameCall {
  /** Once, before anything else. */
  open(events: CallEvents): void;
  /** Frames flow from here on; they are the receiver's to keep. */
  read(frame: (bytes: Uint8Array) => void): void;
  write(frame: Uint8Array, done: () => void): void;
  /** The last word of this side. A server's reason can be read at the other side. */
  end(reason: string): void;
  pause(): void;
  resume(): void;
}

export interface StreamOptions {
  /** The other side's address, for notes and for the rule about keys. */
  readonly remote: () => string;
  readonly timers: Timers;
  /** Breaks the connection below, at once. Idempotent. */
  readonly hangUp: () => void;
  /** The other side has proved itself. */
  readonly trusted?: () => unknown;
  /** Default: `streamLimits.queueBytes`. */
  readonly queueBytes?: number;
}

export class FrameStream {
  readonly #call: FrameCall;
  readonly #options: StreamOptions;
  readonly #queueLimit: number;
  #events: StreamEvents | undefined;
  #closed = false;
  #hungUp = false;

  /** Messages not yet in a frame, from `#first` on; `#bodies[i]` follows `#heads[i]` without a seam. */
  #heads: Uint8Array[] = [];
  #bodies: (Uint8Array | undefined)[] = [];
  #first = 0;
  /** Bytes of those. */
  #waitingBytes = 0;
  /** Sizes of the frames that gRPC has and has not written yet. */
  readonly #inFlight: number[] = [];
  #inFlightBytes = 0;
  #full = false;
  #scheduled = false;
  #grace: StreamTimer | undefined;

  constructor(call: FrameCall, options: StreamOptions) {
    this.#call = call;
    this.#options = options;
    this.#queueLimit = options.queueBytes ?? streamLimits.queueBytes;
    call.open({
      ended: (reason) => this.#end(reason),
      over: (reason) => {
        this.#end(reason);
        this.#hangUp();
      },
    });
  }

  get remote(): string {
    return this.#options.remote();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Not yet on the wire: neither in a frame, nor written by gRPC. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#inFlightBytes;
  }

  /** False from `send`'s false until `drained`. */
  get writable(): boolean {
    return !this.#closed && !this.#full;
  }

  /** Frames flow from the first call on; a later call replaces the receiver (the handshake gives way to the link). */
  listen(events: StreamEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (this.#closed || !first) return;
    this.#call.read((frame) => this.#receive(frame));
  }

  /** Hands on what a former receiver did not take. */
  deliver(messages: readonly Uint8Array[]): void {
    if (!this.#closed && messages.length > 0) this.#events?.received(messages);
  }

  /** Stops taking frames, so that the other side's queue grows and not this one's. */
  pause(): void {
    if (!this.#closed) this.#call.pause();
  }

  resume(): void {
    if (!this.#closed) this.#call.resume();
  }

  markTrusted(): void {
    this.#options.trusted?.();
  }

  /**
   * Queues one message, `body` behind `head`; neither may be changed afterwards. False: beyond the high-water mark (it
   * is queued none the less, and `drained` follows), or closed.
   */
  send(head: Uint8Array, body?: Uint8Array): boolean {
    if (this.#closed) return false;
    const length = head.length + (body === undefined ? 0 : body.length);
    if (length > frameLimits.messageBytes) {
      this.close(`a message of ${length} bytes is beyond the limit of ${frameLimits.messageBytes}`);
      return false;
    }
    this.#heads.push(head);
    this.#bodies.push(body);
    this.#waitingBytes += length + frameOverheadBytes;
    if (this.queuedBytes > this.#queueLimit) {
      const queued = this.queuedBytes;
      this.#end(`the other side is too slow: ${queued} bytes wait, the limit is ${this.#queueLimit}`);
      this.#hangUp();
      return false;
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
    if (this.queuedBytes > streamLimits.highWaterBytes) this.#full = true;
    return !this.#full;
  }

  /** Makes frames of what waits, as many as may be in flight; the rest follows as they are written. */
  flush(): void {
    while (!this.#closed && this.#first < this.#heads.length && this.#inFlight.length < streamLimits.framesInFlight) {
      const frame = this.#takeFrame();
      this.#inFlight.push(frame.length);
      this.#inFlightBytes += frame.length;
      this.#call.write(frame, this.#wrote);
    }
  }

  /** Ends the stream; what is already in a frame still goes out, within a short grace. Idempotent. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#end(reason);
  }

  readonly #wrote = (): void => {
    const size = this.#inFlight.shift() ?? 0;
    this.#inFlightBytes -= size;
    if (this.#closed) return;
    this.flush();
    if (this.#full && this.queuedBytes <= streamLimits.lowWaterBytes) {
      this.#full = false;
      this.#events?.drained();
    }
  };

  #takeFrame(): Uint8Array {
    const from = this.#first;
    const limit = Math.min(this.#heads.length, from + frameLimits.messages);
    let size = 0;
    let to = from;
    for (; to < limit; to++) {
      const length = this.#lengthOf(to);
      const bytes = 1 + varintBytes(length) + length;
      if (to > from && size + bytes > frameLimits.frameBytes) break;
      size += bytes;
      this.#waitingBytes -= length + frameOverheadBytes;
    }
    const frame = Buffer.allocUnsafe(size);
    let at = 0;
    for (let i = from; i < to; i++) {
      const head = this.#heads[i] as Uint8Array;
      const body = this.#bodies[i];
      at = writeFrameHeader(frame, at, this.#lengthOf(i));
      frame.set(head, at);
      at += head.length;
      if (body === undefined) continue;
      frame.set(body, at);
      at += body.length;
    }
    this.#forget(to);
    return frame;
  }

  #lengthOf(index: number): number {
    const body = this.#bodies[index];
    return (this.#heads[index] as Uint8Array).length + (body === undefined ? 0 : body.length);
  }

  /** Drops the messages before `to`; the arrays are made anew when they are empty, or mostly past. */
  #forget(to: number): void {
    this.#first = to;
    if (to === this.#heads.length) {
      this.#heads = [];
      this.#bodies = [];
      this.#first = 0;
    } else if (to > 4096 && to * 2 > this.#heads.length) {
      this.#heads = this.#heads.slice(to);
      this.#bodies = this.#bodies.slice(to);
      this.#first = 0;
    }
  }

  #receive(frame: Uint8Array): void {
    if (this.#closed) return;
    const messages = decodeFrame(frame);
    if (messages === undefined) this.#end("a frame does not decode");
    else if (messages.length > 0) this.#events?.received(messages);
  }

  /** The one end. Callers and the call's own events come here; only the first has an effect. */
  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#heads = [];
    this.#bodies = [];
    this.#first = 0;
    this.#waitingBytes = 0;
    this.#leave(reason);
    this.#events?.closed(reason);
  }

  /** Frames flow to nobody from here on, so that a paused call can end, too. */
  #leave(reason: string): void {
    this.#grace = this.#options.timers.after(streamLimits.closeGraceMillis, () => this.#hangUp());
    this.#call.resume();
    this.#call.end(reason);
  }

  #hangUp(): void {
    if (this.#hungUp) return;
    this.#hungUp = true;
    this.#grace?.cancel();
    this.#options.hangUp();
  }
}

function assertRelations(): void {
  const { lowWaterBytes, highWaterBytes, queueBytes } = streamLimits;
  if (!(lowWaterBytes < highWaterBytes && highWaterBytes < queueBytes && frameLimits.messageBytes < queueBytes)) {
    throw new Error("the stream's limits contradict each other");
  }
}
