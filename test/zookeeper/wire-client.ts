/**
 * One connection of ZooKeeper's client protocol, for tests: it says what it is told to, in frames or in raw bytes, pipelined, and
 * keeps the order in which replies and notifications came. It pings only when it is told to, never comes back by itself, and
 * knows nothing of the door's own code.
 */
import { connect as connectSocket, type Socket } from "node:net";
import { decodeResult, encodeRequest } from "./wire-codec.ts";
import { JuteReader, JuteWriter } from "./wire-jute.ts";
import type { WireEvent, WireRequest, WireResults } from "./wire-records.ts";

export interface WireConnectOptions {
  readonly host?: string;
  readonly protocolVersion?: number;
  readonly lastZxidSeen?: bigint;
  readonly timeoutMillis?: number;
  /** 0n, or none: a new session. */
  readonly session?: bigint;
  readonly password?: Uint8Array | null;
  /** `null`: the flag is not sent, as by clients before 3.4. */
  readonly readOnly?: boolean | null;
  /** How long the answer is waited for. */
  readonly patienceMillis?: number;
}

export interface WireReply<Result> {
  readonly xid: number;
  readonly zxid: bigint;
  /** KeeperException.Code; 0: well. */
  readonly error: number;
  /** What was answered; undefined where the error is not 0. */
  readonly result: Result | undefined;
  /** Bytes behind an error, where a real server forgets half a record; clients do not look at them. */
  readonly surplus: number;
  /** Place among all that came on this connection, notifications included, from 0. */
  readonly place: number;
}
export type PlacedEvent = WireEvent & { readonly place: number };

export type Arrival =
  | { readonly kind: "reply"; readonly request: WireRequest; readonly reply: WireReply<object> }
  | { readonly kind: "event"; readonly event: PlacedEvent };

/** The other side ended the connection, or it never stood. */
export class WireClosed extends Error {
  constructor(why: string) {
    super(why);
    this.name = "WireClosed";
  }
}

interface Pending {
  readonly xid: number;
  readonly request: WireRequest;
  readonly resolve: (reply: WireReply<object>) => void;
  readonly reject: (error: Error) => void;
}

const specialXids = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

export class WireClient {
  /** As the server answered; 0 and 0n: it refused the session. */
  readonly timeoutMillis: number;
  readonly session: bigint;
  readonly password: Buffer;
  /** Undefined: the server did not send it. */
  readonly readOnly: boolean | undefined;
  /** All that came, in order. */
  readonly arrivals: Arrival[] = [];
  readonly events: PlacedEvent[] = [];
  /** The highest zxid of any header: what a client that comes back says it has seen. */
  lastZxid = 0n;
  /** Called for each frame, before whoever waits for it goes on. */
  onArrival: ((arrival: Arrival) => void) | undefined;
  readonly #socket: Socket;
  /** Requests in order; those of the special xids are answered by their xid. */
  readonly #pending: Pending[] = [];
  readonly #closed = Promise.withResolvers<string>();
  #nextXid = 1;
  #place = 0;
  #ended: string | undefined;

  private constructor(socket: Socket, frames: FrameReader, answer: Buffer) {
    this.#socket = socket;
    const from = new JuteReader(answer);
    from.int();
    this.timeoutMillis = from.int();
    this.session = from.long();
    this.password = from.buffer() ?? Buffer.alloc(0);
    this.readOnly = from.left > 0 ? from.bool() : undefined;
    from.end();
    socket.on("error", (error) => this.#end(error.message));
    socket.on("close", () => this.#end("the other side closed the connection"));
    frames.listen((frame) => this.#take(frame));
  }

  /** Rejects with `WireClosed` when the server closes instead of answering. A refused session is an answer: `session` is 0n. */
  static async connect(port: number, options: WireConnectOptions = {}): Promise<WireClient> {
    const socket = await openSocket(port, options.host ?? "127.0.0.1");
    const frames = new FrameReader(socket);
    socket.write(framed(connectRequest(options)));
    const answer = await frames.first(options.patienceMillis ?? 60_000);
    return new WireClient(socket, frames, answer);
  }

  get accepted(): boolean {
    return this.session !== 0n;
  }

  get open(): boolean {
    return this.#ended === undefined;
  }

  /** Resolves with the reason once the connection has ended. */
  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  /** How many requests wait for their replies. */
  get outstanding(): number {
    return this.#pending.length;
  }

  /** Sends at once; any number may be under way. Rejects with `WireClosed` when the connection ends first. */
  send<R extends WireRequest>(request: R): Promise<WireReply<WireResults[R["op"]]>> {
    const xid = this.#xidOf(request);
    return this.sendAs(xid, request);
  }

  /** The same under a number of the caller's choice. */
  sendAs<R extends WireRequest>(xid: number, request: R): Promise<WireReply<WireResults[R["op"]]>> {
    if (this.#ended !== undefined) return Promise.reject(new WireClosed(this.#ended));
    const { promise, resolve, reject } = Promise.withResolvers<WireReply<object>>();
    this.#pending.push({ xid, request, resolve, reject });
    this.#socket.write(framed(encodeRequest(xid, request)));
    // `#take` decodes by the request's own opcode.
    return promise as Promise<WireReply<WireResults[R["op"]]>>;
  }

  /** Bytes as they stand: no length before them, no reply awaited. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Stops taking what comes, so that the other side's buffers fill. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Waits until `check` holds of what has come; it is asked at each frame. */
  async until(check: () => boolean, millis = 60_000): Promise<void> {
    if (check()) return;
    const held = Promise.withResolvers<void>();
    const former = this.onArrival;
    const timer = setTimeout(() => held.reject(new Error(`not within ${millis} ms`)), millis);
    this.onArrival = (arrival) => {
      former?.(arrival);
      if (check()) held.resolve();
    };
    void this.closed.then((why) => held.reject(new WireClosed(why)));
    try {
      await held.promise;
    } finally {
      clearTimeout(timer);
      this.onArrival = former;
    }
  }

  /** Ends the session and waits until the server has closed the connection. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.send({ op: "closeSession" }).catch(() => undefined);
    const timer = setTimeout(() => this.#socket.destroy(), 2_000);
    await this.closed;
    clearTimeout(timer);
  }

  /** Cuts the connection; the session stays. */
  cut(): void {
    this.#end("cut by the test");
    this.#socket.destroy();
  }

  /** Cuts it with a reset instead of an end. */
  reset(): void {
    this.#end("reset by the test");
    this.#socket.resetAndDestroy();
  }

  #xidOf(request: WireRequest): number {
    if (request.op === "ping") return specialXids.ping;
    if (request.op === "auth") return specialXids.auth;
    if (request.op === "setWatches" || request.op === "setWatches2") return specialXids.setWatches;
    return this.#nextXid++;
  }

  #take(frame: Buffer): void {
    try {
      this.#judge(frame);
    } catch (error) {
      this.#end(`what came is no reply: ${error instanceof Error ? error.message : error} (${frame.toString("hex")})`);
      this.#socket.destroy();
    }
  }

  #judge(frame: Buffer): void {
    const from = new JuteReader(frame);
    const xid = from.int();
    const zxid = from.long();
    const error = from.int();
    const body = from.rest();
    const place = this.#place++;
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    if (xid === specialXids.notification) {
      const event = new JuteReader(body);
      const read = { zxid, type: event.int(), state: event.int(), path: event.string(), place };
      event.end();
      this.events.push(read);
      this.#arrived({ kind: "event", event: read });
      return;
    }
    const pending = this.#pendingOf(xid);
    try {
      const result = error === 0 ? decodeResult(pending.request.op, body) : undefined;
      const reply: WireReply<object> = { xid, zxid, error, result, surplus: error === 0 ? 0 : body.length, place };
      this.#arrived({ kind: "reply", request: pending.request, reply });
      pending.resolve(reply);
    } catch (fault) {
      const why = fault instanceof Error ? fault.message : String(fault);
      pending.reject(new Error(`the answer to ${pending.request.op} is no record (${why}): ${body.toString("hex")}`));
      throw fault;
    }
  }

  /** Pings and auth have no place in the order; everything else is answered in the order it was sent. */
  #pendingOf(xid: number): Pending {
    const outOfOrder = (each: number): boolean => each === specialXids.ping || each === specialXids.auth;
    const at = outOfOrder(xid)
      ? this.#pending.findIndex((each) => each.xid === xid)
      : this.#pending.findIndex((each) => !outOfOrder(each.xid));
    const pending = this.#pending[at];
    if (!pending || pending.xid !== xid) {
      throw new Error(`xid ${xid} was answered where ${pending?.xid ?? "nothing"} was awaited`);
    }
    this.#pending.splice(at, 1);
    return pending;
  }

  #arrived(arrival: Arrival): void {
    this.arrivals.push(arrival);
    this.onArrival?.(arrival);
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    for (const each of this.#pending.splice(0)) each.reject(new WireClosed(why));
    this.#closed.resolve(why);
  }
}

/** With its length before it. */
export function framed(payload: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

export function connectRequest(options: WireConnectOptions): Buffer {
  const password = options.password === undefined ? Buffer.alloc(16) : options.password;
  const writer = new JuteWriter()
    .int(options.protocolVersion ?? 0)
    .long(options.lastZxidSeen ?? 0n)
    .int(options.timeoutMillis ?? 10_000)
    .long(options.session ?? 0n)
    .buffer(password);
  const readOnly = options.readOnly === undefined ? false : options.readOnly;
  if (readOnly !== null) writer.bool(readOnly);
  return writer.done();
}

function openSocket(port: number, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ port, host, noDelay: true });
    socket.once("error", (error) => reject(new WireClosed(error.message)));
    socket.once("connect", () => resolve(socket));
  });
}

/** Cuts what comes into frames. */
class FrameReader {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #listener: ((frame: Buffer) => void) | undefined;
  readonly #waiting: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (part: Buffer) => this.#feed(part));
  }

  listen(listener: (frame: Buffer) => void): void {
    for (const each of this.#waiting.splice(0)) listener(each);
    this.#listener = listener;
  }

  /** The first frame, which answers the connect request. */
  first(millis: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        this.#socket.destroy();
        reject(new WireClosed(why));
      };
      const timer = setTimeout(() => fail(`no answer within ${millis} ms`), millis);
      const onClose = (): void => fail("closed instead of an answer");
      this.#socket.on("error", (error) => fail(error.message));
      this.#socket.once("close", onClose);
      this.#listener = (frame) => {
        clearTimeout(timer);
        this.#socket.removeListener("close", onClose);
        this.#listener = undefined;
        resolve(frame);
      };
    });
  }

  #feed(part: Buffer): void {
    this.#held = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
    let at = 0;
    while (this.#held.length - at >= 4) {
      const length = this.#held.readInt32BE(at);
      if (length < 0) {
        this.#socket.destroy(new Error(`the server sent a frame of ${length} bytes`));
        return;
      }
      if (this.#held.length - at - 4 < length) break;
      const frame = this.#held.subarray(at + 4, at + 4 + length);
      at += 4 + length;
      if (this.#listener) this.#listener(frame);
      else this.#waiting.push(frame);
    }
    this.#held = this.#held.subarray(at);
  }
}
