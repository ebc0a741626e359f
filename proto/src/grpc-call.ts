/**
 * One bidi call of gRPC on one stream of HTTP/2, by the letter of gRPC's PROTOCOL-HTTP2.md: each message behind five
 * bytes, the status in the trailers. `node:http2` does what HTTP/2 is; whoever speaks gRPC may be the other side.
 */
import type {
  ClientHttp2Stream,
  Http2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
} from "node:http2";
import type { CallEvents, FrameCall } from "./stream.ts";

/** The codes of gRPC that are said here; what is refused is told in words. */
export const grpcStatus = { aborted: 10, unimplemented: 12 } as const;

export const contentType = "application/grpc";

const prefixBytes = 5;
/** Up to here a copy behind its prefix is cheaper than two writes. */
const copiedBytes = 16_384;

export const otherClosed = "the other side closed the stream";
const broke = "the connection broke";

/** Cuts messages out of what arrives. A message that comes in pieces takes as much memory as has come of it, twice. */
export class MessageCutter {
  readonly #limit: number;
  /** The beginning of a message, with its prefix, and how much of the buffer that is. */
  #gathered: Buffer | undefined;
  #filled = 0;
  /** Of `#gathered`, before it is looked at again. */
  #wanted = prefixBytes;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Hands on each message that is whole; answers what is wrong with the bytes, after which there is nothing to cut. */
  take(chunk: Buffer, message: (bytes: Buffer) => void): string | undefined {
    if (this.#gathered !== undefined) {
      this.#gather(chunk);
      if (this.#filled < this.#wanted) return undefined;
    }
    const bytes = this.#gathered?.subarray(0, this.#filled) ?? chunk;
    this.#gathered = undefined;
    this.#filled = 0;
    this.#wanted = prefixBytes;
    let at = 0;
    while (bytes.length - at >= prefixBytes) {
      if (bytes[at] !== 0) return "a message is compressed, or none";
      const length = bytes.readUInt32BE(at + 1);
      if (length > this.#limit) return `a message of ${length} bytes is beyond the limit of ${this.#limit}`;
      this.#wanted = prefixBytes + length;
      if (bytes.length - at < this.#wanted) break;
      message(bytes.subarray(at + prefixBytes, at + this.#wanted));
      at += this.#wanted;
      this.#wanted = prefixBytes;
    }
    if (at < bytes.length) this.#gather(bytes.subarray(at));
    return undefined;
  }

  #gather(chunk: Buffer): void {
    const filled = this.#filled + chunk.length;
    const room = this.#gathered?.length ?? 0;
    if (filled > room) {
      const larger = Buffer.allocUnsafeSlow(Math.max(filled, Math.min(this.#wanted, room * 2)));
      this.#gathered?.copy(larger, 0, 0, this.#filled);
      this.#gathered = larger;
    }
    chunk.copy(this.#gathered as Buffer, this.#filled);
    this.#filled = filled;
  }
}

function writeMessage(stream: Http2Stream, frame: Uint8Array, done: () => void): void {
  if (stream.destroyed || stream.writableEnded) return;
  const small = frame.length <= copiedBytes;
  const head = Buffer.allocUnsafe(small ? prefixBytes + frame.length : prefixBytes);
  head[0] = 0;
  head.writeUInt32BE(frame.length, 1);
  if (small) {
    head.set(frame, prefixBytes);
    stream.write(head, done);
    return;
  }
  stream.cork();
  stream.write(head);
  stream.write(frame, done);
  stream.uncork();
}

/** What both sides have in common. */
function createCall(stream: Http2Stream, messageBytes: number): Omit<FrameCall, "end"> & { events?: CallEvents } {
  const call: Omit<FrameCall, "end"> & { events?: CallEvents } = {
    open(events) {
      call.events = events;
    },
    read(frame) {
      const cutter = new MessageCutter(messageBytes);
      stream.on("data", (chunk: Buffer) => {
        const fault = cutter.take(chunk, frame);
        if (fault !== undefined) call.events?.over(fault);
      });
    },
    write: (frame, done) => writeMessage(stream, frame, done),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
  };
  return call;
}

/** The side that called. */
export function clientCall(stream: ClientHttp2Stream, messageBytes: number): FrameCall {
  const call = createCall(stream, messageBytes);
  /** What the other side said of the end. */
  let told: string | undefined;
  const over = (reason: string): void => call.events?.over(told ?? reason);
  const heard = (headers: IncomingHttpHeaders): void => {
    if (headers["grpc-status"] !== undefined) told = statusText(headers);
  };
  stream.on("response", (headers) => {
    const status = headers[":status"];
    if (status !== 200) told = `the other side answers with HTTP status ${status}`;
    heard(headers);
    if (status !== 200) over("");
  });
  stream.on("trailers", heard);
  // Behind all messages.
  stream.on("end", () => over(otherClosed));
  stream.on("error", (error) => over(messageOf(error)));
  stream.on("close", () => over(broke));
  return { ...call, end: () => stream.end() };
}

/** The side that was called; its headers leave at once. */
export function serverCall(stream: ServerHttp2Stream, messageBytes: number): FrameCall {
  const call = createCall(stream, messageBytes);
  let farewell: string | undefined;
  stream.on("wantTrailers", () => {
    if (isGone(stream)) return;
    stream.sendTrailers({ "grpc-status": `${grpcStatus.aborted}`, "grpc-message": percentEncoded(farewell ?? "") });
  });
  stream.on("end", () => call.events?.ended(otherClosed));
  stream.on("error", (error) => call.events?.over(messageOf(error)));
  stream.on("aborted", () => call.events?.over(broke));
  // After a farewell the stream is closed before its bytes have left.
  stream.on("close", () => farewell === undefined && call.events?.over(broke));
  if (!isGone(stream)) stream.respond({ ":status": 200, "content-type": contentType }, { waitForTrailers: true });
  return {
    ...call,
    end(reason) {
      farewell = reason;
      stream.end();
    },
  };
}

/** Answers what is no call of ours, as gRPC has it. */
export function refuseCall(stream: ServerHttp2Stream, isGrpc: boolean): void {
  stream.on("error", () => undefined);
  if (isGone(stream)) return;
  const answer = isGrpc
    ? { ":status": 200, "grpc-status": `${grpcStatus.unimplemented}`, "grpc-message": "there is no such method here" }
    : { ":status": 415 };
  stream.respond({ ...answer, "content-type": contentType }, { endStream: true });
  stream.close();
}

/** It may be reset in the very packet that opened it, or later: then what is said to it throws. */
function isGone(stream: Http2Stream): boolean {
  return stream.destroyed || stream.closed;
}

export function callHeaders(authority: string, path: string): OutgoingHttpHeaders {
  const target = { ":method": "POST", ":authority": authority, ":path": path };
  return { ...target, te: "trailers", "content-type": contentType, "user-agent": "quorate" };
}

function statusText(headers: IncomingHttpHeaders): string {
  const text = percentDecoded(`${headers["grpc-message"] ?? ""}`);
  if (text !== "") return text;
  const status = `${headers["grpc-status"]}`;
  return status === "0" ? otherClosed : `the other side ended the call with gRPC status ${status}`;
}

/** What the socket said, if it is in there. */
function messageOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** A status text is printable ASCII but for the sign itself: what else there is in it travels as a question mark. */
function percentEncoded(text: string): string {
  return plain(text).replaceAll("%", "%25");
}

/** Total: what is no such text stays as it is. These texts go into the log. */
function percentDecoded(text: string): string {
  try {
    return plain(decodeURIComponent(text));
  } catch {
    return plain(text);
  }
}

function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 500);
}
