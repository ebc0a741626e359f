/**
 * The bytes of a link between replicas; `quorate/internal/v1/peer.proto` is the written contract. A tag, then the
 * fields. What is large (a batch, a command, a piece of a snapshot) is the message's end and is not copied here: the
 * stream lays it behind the head, once. Decoding is total: undefined for what is not exactly well formed.
 */
import {
  type Batch,
  ByteReader,
  ByteWriter,
  readErrorCode,
  readSessionId,
  readZxid,
  type SessionId,
  unreachable,
  writeErrorCode,
} from "@quorate/api";
import { readMember, type TouchResult, touchResults, writeMember } from "@quorate/proto";
import type { PeerWire, ShellMessage } from "./peer-messages.ts";
import { decodeBatch, encodeBatchHeader } from "./record.ts";
import { readWord, readZab, writeZab, zabTags } from "./zab-codec.ts";

export const peerCodecLimits = {
  /** Sessions in one touch: who has more sends several. */
  sessions: 100_000,
  textBytes: 65_536,
  /** A detail for people is cut to this. */
  detailCharacters: 4096,
  digestBytes: 128,
} as const;

/** One message in two pieces: `body` follows `head` on the wire without a seam. */
export interface EncodedWire {
  readonly head: Uint8Array;
  readonly body: Uint8Array | undefined;
}

/** Numbers of messages, behind the protocol's own: append only, never reused. */
export const shellTags = {
  forward: 33,
  forwardRefused: 34,
  forwardOpen: 35,
  openRefused: 36,
  confirmRequest: 37,
  confirmReply: 38,
  confirmRefused: 39,
  touchForward: 40,
  touchReply: 41,
  status: 42,
  digest: 43,
  handOver: 44,
  handOverReply: 45,
  storedRequest: 46,
  storedReply: 47,
} as const satisfies Record<ShellMessage["kind"], number>;

type Shell<Kind extends ShellMessage["kind"]> = Extract<ShellMessage, { kind: Kind }>;

/** One for all links of a process: the header of a batch that goes to many followers is made once. */
export class PeerEncoder {
  readonly #writer = new ByteWriter();
  #batch: Batch | undefined;
  #batchHead: Uint8Array | undefined;

  encode(wire: PeerWire): EncodedWire {
    if (wire.kind !== "zab") return this.#end(writeShell(this.#writer, wire));
    if (wire.message.kind === "propose")
      return { head: this.#headOf(wire.message.batch), body: wire.message.batch.payload };
    return this.#end(writeZab(this.#writer, wire.message));
  }

  #end(body: Uint8Array | undefined): EncodedWire {
    return { head: this.#writer.finish(), body };
  }

  #headOf(batch: Batch): Uint8Array {
    if (this.#batch === batch && this.#batchHead) return this.#batchHead;
    const record = encodeBatchHeader(batch);
    const head = new Uint8Array(1 + record.length);
    head[0] = zabTags.propose;
    head.set(record, 1);
    this.#batch = batch;
    this.#batchHead = head;
    return head;
  }
}

/** Answers the body. */
function writeShell(w: ByteWriter, message: ShellMessage): Uint8Array | undefined {
  w.u8(shellTags[message.kind]);
  switch (message.kind) {
    case "forward":
      w.f53(message.session);
      w.f53(message.sequence);
      w.f53(message.fence);
      return message.command;
    case "forwardRefused":
      w.f53(message.session);
      w.f53(message.sequence);
      w.f53(message.fence);
      writeErrorCode(w, message.code);
      writeText(w, message.detail);
      w.millis(message.retryAfterMillis);
      return;
    case "status":
      writeMember(w, message.self);
      return;
    case "digest":
      w.f53(message.at);
      w.string(message.digest);
      return;
    default:
      w.f53(message.id);
      return writeRequest(w, message);
  }
}

/** Of those that have an id: what follows it. */
function writeRequest(w: ByteWriter, message: Extract<ShellMessage, { id: number }>): Uint8Array | undefined {
  switch (message.kind) {
    case "forwardOpen":
      return message.command;
    case "openRefused":
      writeErrorCode(w, message.code);
      writeText(w, message.detail);
      return;
    case "confirmRequest":
    case "storedRequest":
    case "storedReply":
      return;
    case "confirmReply":
      w.f53(message.index);
      return;
    case "confirmRefused":
      writeText(w, message.detail);
      return;
    case "touchForward":
      w.u32(message.sessions.length);
      for (const session of message.sessions) w.f53(session);
      return;
    case "touchReply":
      w.u32(message.results.length);
      for (const { session, result } of message.results) {
        w.f53(session);
        w.u8(touchResults.indexOf(result));
      }
      return;
    case "handOver":
      w.u8(message.target);
      return;
    case "handOverReply":
      w.bool(message.ok);
      writeText(w, message.detail);
      return;
    default:
      return unreachable(message);
  }
}

/** Byte fields of the answer are views of `bytes`. */
export function decodePeerWire(bytes: Uint8Array): PeerWire | undefined {
  if (bytes[0] === zabTags.propose) return decodePropose(bytes);
  const r = new ByteReader(bytes);
  const tag = r.u8();
  let wire: PeerWire | undefined;
  if (tag < shellTags.forward) {
    const message = readZab(r, tag);
    wire = message && { kind: "zab", message };
  } else wire = readShell(r, tag);
  return r.finished ? wire : undefined;
}

function decodePropose(bytes: Uint8Array): PeerWire | undefined {
  const decoded = decodeBatch(bytes, 1);
  if (typeof decoded === "string" || decoded.next !== bytes.length) return undefined;
  return { kind: "zab", message: { kind: "propose", batch: decoded.batch } };
}

function readShell(r: ByteReader, tag: number): ShellMessage | undefined {
  switch (tag) {
    case shellTags.forward:
      return {
        kind: "forward",
        session: readSessionId(r),
        sequence: r.f53(),
        fence: r.f53(),
        command: r.raw(r.remaining),
      };
    case shellTags.forwardRefused:
      return {
        kind: "forwardRefused",
        session: readSessionId(r),
        sequence: r.f53(),
        fence: r.f53(),
        code: readErrorCode(r),
        detail: readText(r),
        retryAfterMillis: r.f53(),
      };
    case shellTags.status:
      return { kind: "status", self: readMember(r) };
    case shellTags.digest:
      return { kind: "digest", at: readZxid(r), digest: r.string(peerCodecLimits.digestBytes) };
    default:
      return readRequest(r, tag, r.f53());
  }
}

function readRequest(r: ByteReader, tag: number, id: number): ShellMessage | undefined {
  switch (tag) {
    case shellTags.forwardOpen:
      return { kind: "forwardOpen", id, command: r.raw(r.remaining) };
    case shellTags.openRefused:
      return { kind: "openRefused", id, code: readErrorCode(r), detail: readText(r) };
    case shellTags.confirmRequest:
      return { kind: "confirmRequest", id };
    case shellTags.confirmReply:
      return { kind: "confirmReply", id, index: readZxid(r) };
    case shellTags.confirmRefused:
      return { kind: "confirmRefused", id, detail: readText(r) };
    case shellTags.touchForward:
      return { kind: "touchForward", id, sessions: readSessions(r) };
    case shellTags.touchReply:
      return { kind: "touchReply", id, results: readResults(r) };
    case shellTags.handOver:
      return { kind: "handOver", id, target: r.u8() };
    case shellTags.handOverReply:
      return { kind: "handOverReply", id, ok: r.bool(), detail: readText(r) };
    case shellTags.storedRequest:
      return { kind: "storedRequest", id };
    case shellTags.storedReply:
      return { kind: "storedReply", id };
    default:
      return undefined;
  }
}

function readSessions(r: ByteReader): SessionId[] {
  const sessions: SessionId[] = [];
  for (let left = r.count(peerCodecLimits.sessions, 8); left > 0; left--) sessions.push(readSessionId(r));
  return sessions;
}

function readResults(r: ByteReader): Shell<"touchReply">["results"] {
  const results: { session: SessionId; result: TouchResult }[] = [];
  for (let left = r.count(peerCodecLimits.sessions, 9); left > 0; left--) {
    results.push({ session: readSessionId(r), result: readWord(r, touchResults, "behind") });
  }
  return results;
}

/** Cut between surrogates, a text would not decode. */
function writeText(w: ByteWriter, text: string): void {
  w.string(text.slice(0, peerCodecLimits.detailCharacters).toWellFormed());
}

const readText = (r: ByteReader): string => r.string(peerCodecLimits.textBytes);
