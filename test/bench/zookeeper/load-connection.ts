/**
 * One client of the load: keeps a number of requests in flight, and reads nothing of an answer but its length, xid and
 * error. It shares the machine with what it measures, so it allocates nothing for an operation and copies nothing.
 */
import { connect, type Socket } from "node:net";
import { closeFrame, connectFrame, type Frames, writeNumber } from "./load-frames.ts";

/** Length, xid, zxid, error. */
const headBytes = 20;

/** Latencies in steps of 5 µs up to 50 ms, then of 1 ms; the last for all above 10 s. */
const [fineSteps, finePerMilli] = [10_000, 200];
export const latencySteps = 20_000;

function stepOf(millis: number): number {
  const fine = Math.floor(millis * finePerMilli);
  if (fine < fineSteps) return fine;
  return Math.min(fineSteps + Math.floor(millis - fineSteps / finePerMilli), latencySteps - 1);
}

/** The middle of a step. */
export function millisOf(step: number): number {
  return step < fineSteps ? (step + 0.5) / finePerMilli : fineSteps / finePerMilli + step - fineSteps + 0.5;
}

/** What all connections of one run count. */
export interface Counts {
  ops: number;
  readonly latencies: Uint32Array;
}

export class LoadConnection {
  readonly #frames: Frames;
  readonly #depth: number;
  readonly #counts: Counts;
  readonly #fail: (why: string) => void;
  readonly #socket: Socket;
  readonly #sentAt: Float64Array;
  readonly #head = Buffer.alloc(headBytes);
  #headFilled = 0;
  /** Bytes of the present answer that are still to come. */
  #skip = 0;
  /** Places in the ring. */
  #nextSend = 0;
  #nextAnswer = 0;
  #inFlight = 0;
  #created = 0;
  #connected: (() => void) | undefined;
  #drained: (() => void) | undefined;
  #stopping = false;
  #closed = false;

  constructor(port: number, frames: Frames, depth: number, counts: Counts, fail: (why: string) => void) {
    this.#frames = frames;
    this.#depth = depth;
    this.#counts = counts;
    this.#fail = fail;
    this.#sentAt = new Float64Array(frames.count);
    const onread = {
      buffer: Buffer.alloc(65_536),
      callback: (bytes: number, buffer: Uint8Array): boolean => {
        this.#received(buffer, bytes);
        return true;
      },
    };
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
    this.#socket.on("error", (error) => this.#broken(error.message));
    this.#socket.on("close", () => this.#broken("the server closed the connection"));
  }

  /** A session of its own is open. */
  open(): Promise<void> {
    this.#socket.write(connectFrame(30_000));
    return new Promise((resolve) => {
      this.#connected = resolve;
    });
  }

  begin(): void {
    this.#send(this.#depth, performance.now());
  }

  /** Sends nothing more; resolves when all is answered and the session is closed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    this.#closed = true;
    this.#socket.end(closeFrame(this.#frames.count + 1));
    this.#socket.resume();
    await new Promise((resolve) => this.#socket.once("close", resolve));
  }

  #broken(why: string): void {
    if (!this.#closed) this.#fail(why);
    this.#closed = true;
  }

  #send(count: number, now: number): void {
    const { bytes, starts, digits, count: places } = this.#frames;
    const from = this.#nextSend;
    const until = Math.min(from + count, places);
    for (let place = from; place < until; place++) {
      this.#sentAt[place] = now;
      if (digits) writeNumber(bytes, digits[place] as number, this.#created++);
    }
    this.#socket.write(bytes.subarray(starts[from], starts[until]));
    this.#inFlight += until - from;
    this.#nextSend = until === places ? 0 : until;
    if (until - from < count) this.#send(count - (until - from), now);
  }

  #received(buffer: Uint8Array, length: number): void {
    if (this.#closed) return;
    const now = performance.now();
    let at = Math.min(this.#skip, length);
    this.#skip -= at;
    let answers = 0;
    while (at < length) {
      if (this.#headFilled > 0 || length - at < headBytes) {
        at = this.#readPart(buffer, at, length);
        if (this.#headFilled > 0) break;
        answers += this.#answered(this.#head, 0, now);
      } else {
        answers += this.#answered(buffer, at, now);
        at += headBytes;
      }
      const skipped = Math.min(this.#skip, length - at);
      at += skipped;
      this.#skip -= skipped;
    }
    if (answers === 0 || this.#closed) return;
    this.#counts.ops += answers;
    this.#inFlight -= answers;
    if (!this.#stopping) this.#send(answers, now);
    else if (this.#inFlight === 0) this.#drained?.();
  }

  /** A head that comes in parts; `#headFilled` is 0 once it is whole. */
  #readPart(buffer: Uint8Array, at: number, length: number): number {
    const take = Math.min(headBytes - this.#headFilled, length - at);
    this.#head.set(buffer.subarray(at, at + take), this.#headFilled);
    this.#headFilled += take;
    if (this.#headFilled === headBytes) this.#headFilled = 0;
    return at + take;
  }

  /** 1: a request was answered. */
  #answered(buffer: Uint8Array, at: number, now: number): number {
    this.#skip = intAt(buffer, at) + 4 - headBytes;
    if (this.#connected) {
      // Of a connect's answer the second number is the timeout, 0 if it was refused.
      if (intAt(buffer, at + 8) === 0) this.#broken("the session was refused");
      this.#connected();
      this.#connected = undefined;
      return 0;
    }
    const place = this.#nextAnswer;
    const xid = intAt(buffer, at + 4);
    const error = intAt(buffer, at + 16);
    if (xid !== place + 1) this.#broken(`the answer to ${xid} came where ${place + 1} was due`);
    else if (error !== 0) this.#broken(`request ${xid} was answered with error ${error}`);
    const step = stepOf(now - (this.#sentAt[place] as number));
    this.#counts.latencies[step] = (this.#counts.latencies[step] as number) + 1;
    this.#nextAnswer = place + 1 === this.#frames.count ? 0 : place + 1;
    return 1;
  }
}

function intAt(buffer: Uint8Array, at: number): number {
  return (
    ((buffer[at] as number) << 24) |
    ((buffer[at + 1] as number) << 16) |
    ((buffer[at + 2] as number) << 8) |
    (buffer[at + 3] as number)
  );
}
