/**
 * The bytes of what gateways and replicas say to each other; each is one `message` of a Frame. A tag, then the fields
 * in the order of `quorate/internal/v1/replica.proto`. Decoding is total: undefined for what is not exactly well
 * formed, upon which the receiver drops the stream. Byte fields of a decoded message are views of its input.
 */
import {
  assert,
  ByteReader,
  ByteWriter,
  noSession,
  readErrorCode,
  readIdentity,
  readOutcome,
  readSessionId,
  readZxid,
  type SessionId,
  secretHashBytes,
  unreachable,
  writeErrorCode,
  writeIdentity,
  writeOutcome,
} from "@quorate/api";
import { type Feed, readFeed, writeFeed } from "./feed-codec.ts";
import { frameLimits } from "./frame.ts";
import type { Consistency, FromGateway, MemberStatus, ToGateway, TouchResult } from "./gateway-messages.ts";
import { memberBytes, readMember, readWord, writeMember } from "./member-codec.ts";

export const gatewayCodecLimits = {
  /** Renewals in one message: who has more sends several. */
  touchSessions: 100_000,
  /** Members that one status tells of, besides the sender. */
  members: 255,
  /** Why a write was refused. */
  textBytes: 65_536,
} as const;

/** `readBehind`: a `read` that has a `behind`. */
const fromTags = { lane: 1, open: 2, write: 3, read: 4, touch: 5, handOver: 6, readBehind: 7, unwatch: 8 } as const;
const toTags = {
  status: 1,
  laneState: 2,
  written: 3,
  refused: 4,
  answer: 5,
  touched: 6,
  feed: 7,
  feedBroken: 8,
  rules: 9,
} as const;
/** Each in the order of its numbers: append only. */
const consistencies: readonly Consistency[] = ["linearizable", "session", "stale"];
export const touchResults: readonly TouchResult[] = ["renewed", "expired", "badSecret", "behind", "closing"];
const noBytes = new Uint8Array(0);

type From<Kind extends FromGateway["kind"]> = Extract<FromGateway, { kind: Kind }>;
type To<Kind extends ToGateway["kind"]> = Extract<ToGateway, { kind: Kind }>;

/** One writer for all: encoding never yields in its midst. */
const writer = new ByteWriter();

/** The answer may share its memory with other messages (`ByteWriter.finish`), as suits what goes into a frame. */
export function encodeFromGateway(message: FromGateway): Uint8Array {
  const w = writer;
  w.reset();
  w.u8(message.kind === "read" && message.behind !== undefined ? fromTags.readBehind : fromTags[message.kind]);
  switch (message.kind) {
    case "lane":
      w.f53(message.session);
      w.u32(message.attachment);
      w.f53(message.fence);
      break;
    case "open":
      w.f53(message.id);
      w.bytes(message.command);
      break;
    case "write":
      w.f53(message.session);
      w.f53(message.sequence);
      w.bytes(message.command);
      break;
    case "read":
      writeRead(w, message);
      break;
    case "touch":
      writeTouch(w, message);
      break;
    case "handOver":
      w.f53(message.id);
      w.u8(message.target);
      break;
    case "unwatch":
      break;
    default:
      return unreachable(message);
  }
  return w.finish();
}

export function decodeFromGateway(bytes: Uint8Array): FromGateway | undefined {
  const r = new ByteReader(bytes);
  const message = readFromGateway(r);
  return r.finished ? message : undefined;
}

function readFromGateway(r: ByteReader): FromGateway | undefined {
  switch (r.u8()) {
    case fromTags.lane:
      return { kind: "lane", session: readSessionId(r), attachment: r.u32(), fence: r.f53() };
    case fromTags.open:
      return { kind: "open", id: r.f53(), command: r.bytes(frameLimits.messageBytes) };
    case fromTags.write:
      return {
        kind: "write",
        session: readSessionId(r),
        sequence: r.f53(),
        command: r.bytes(frameLimits.messageBytes),
      };
    case fromTags.read:
      return readRead(r);
    case fromTags.readBehind:
      return readReadBehind(r);
    case fromTags.unwatch:
      return { kind: "unwatch" };
    case fromTags.touch:
      return readTouch(r);
    case fromTags.handOver:
      return { kind: "handOver", id: r.f53(), target: r.u8() };
    default:
      return undefined;
  }
}

function writeRead(w: ByteWriter, message: From<"read">): void {
  const { behind } = message;
  if (behind !== undefined) {
    w.f53(behind.session);
    w.f53(behind.sequence);
  }
  w.f53(message.id);
  w.u8(consistencies.indexOf(message.consistency));
  w.f53(message.minZxid);
  w.millis(message.maxStaleMillis);
  w.millis(message.budgetMillis);
  writeIdentity(w, message.identity);
  const { acting } = message;
  w.f53(acting?.session ?? noSession);
  if (acting) w.raw(acting.secretHash);
  w.bytes(message.operation);
}

function readReadBehind(r: ByteReader): FromGateway {
  const behind = { session: readSessionId(r), sequence: r.f53() };
  return { ...readRead(r), behind };
}

function readRead(r: ByteReader): From<"read"> {
  const id = r.f53();
  const consistency = readWord(r, consistencies, "linearizable");
  const minZxid = readZxid(r);
  const maxStaleMillis = r.f53();
  const budgetMillis = r.f53();
  const identity = readIdentity(r);
  const session = readSessionId(r);
  const acting = session === noSession ? undefined : { session, secretHash: r.raw(secretHashBytes) };
  const operation = r.bytes(frameLimits.messageBytes);
  const message = {
    kind: "read",
    id,
    consistency,
    minZxid,
    maxStaleMillis,
    budgetMillis,
    identity,
    operation,
  } as const;
  return acting === undefined ? message : { ...message, acting };
}

function writeTouch(w: ByteWriter, message: From<"touch">): void {
  w.f53(message.id);
  w.u32(message.sessions.length);
  for (const { session, secretHash } of message.sessions) {
    const { length } = secretHash;
    assert(length === 0 || length === secretHashBytes, "a secret's hash has 32 bytes");
    w.f53(session);
    w.u8(length);
    w.raw(secretHash);
  }
}

function readTouch(r: ByteReader): FromGateway {
  const id = r.f53();
  const sessions: { session: SessionId; secretHash: Uint8Array }[] = [];
  const count = r.count(gatewayCodecLimits.touchSessions, 9);
  for (let i = 0; i < count && !r.failed; i++) {
    const session = readSessionId(r);
    const length = r.u8();
    if (length !== 0 && length !== secretHashBytes) r.fail();
    sessions.push({ session, secretHash: length === 0 ? noBytes : r.raw(length) });
  }
  return { kind: "touch", id, sessions };
}

/** As `encodeFromGateway`. */
export function encodeToGateway(message: ToGateway): Uint8Array {
  const w = writer;
  w.reset();
  w.u8(toTags[message.kind]);
  switch (message.kind) {
    case "status":
      writeMember(w, message.self);
      w.u32(message.others.length);
      for (const each of message.others) writeMember(w, each);
      break;
    case "rules":
      w.u32(message.rules);
      break;
    case "laneState":
      w.f53(message.session);
      w.bool(message.exists);
      w.u32(message.attachment);
      w.f53(message.lastSequence);
      w.f53(message.fence);
      break;
    case "written":
      w.f53(message.session);
      w.f53(message.sequence);
      writeOutcome(w, message.outcome);
      break;
    case "refused":
      writeRefused(w, message);
      break;
    case "answer":
      w.f53(message.id);
      w.millis(message.ageMillis);
      writeOutcome(w, message.outcome);
      break;
    case "touched":
      writeTouched(w, message);
      break;
    case "feed":
      writeFeed(w, message, (place) => place);
      break;
    case "feedBroken":
      break;
    default:
      return unreachable(message);
  }
  return w.finish();
}

/** A `written` whose outcome is encoded already: the same bytes as `encodeToGateway` gives. */
export function encodeWritten(session: SessionId, sequence: number, encodedOutcome: Uint8Array): Uint8Array {
  const w = writer;
  w.reset();
  w.u8(toTags.written);
  w.f53(session);
  w.f53(sequence);
  w.raw(encodedOutcome);
  return w.finish();
}

/** A feed whose changes refer to ACLs as the tree does: `place` says where in `acls` each stands. */
export function encodeFeed(feed: Omit<Feed, "kind">, place: (reference: number) => number): Uint8Array {
  const w = writer;
  w.reset();
  w.u8(toTags.feed);
  writeFeed(w, feed, place);
  return w.finish();
}

export function decodeToGateway(bytes: Uint8Array): ToGateway | undefined {
  const r = new ByteReader(bytes);
  const message = readToGateway(r);
  return r.finished ? message : undefined;
}

function readToGateway(r: ByteReader): ToGateway | undefined {
  switch (r.u8()) {
    case toTags.status:
      return readStatus(r);
    case toTags.laneState:
      return {
        kind: "laneState",
        session: readSessionId(r),
        exists: r.bool(),
        attachment: r.u32(),
        lastSequence: r.f53(),
        fence: r.f53(),
      };
    case toTags.written:
      return { kind: "written", session: readSessionId(r), sequence: r.f53(), outcome: readOutcome(r) };
    case toTags.refused:
      return {
        kind: "refused",
        session: readSessionId(r),
        sequence: r.f53(),
        code: readErrorCode(r),
        detail: r.string(gatewayCodecLimits.textBytes),
        retryAfterMillis: r.f53(),
      };
    case toTags.answer: {
      const id = r.f53();
      const ageMillis = r.f53();
      return { kind: "answer", id, outcome: readOutcome(r), ageMillis };
    }
    case toTags.touched:
      return readTouched(r);
    case toTags.feed:
      return readFeed(r);
    case toTags.feedBroken:
      return { kind: "feedBroken" };
    case toTags.rules:
      return { kind: "rules", rules: r.u32() };
    default:
      return undefined;
  }
}

function writeRefused(w: ByteWriter, message: To<"refused">): void {
  w.f53(message.session);
  w.f53(message.sequence);
  writeErrorCode(w, message.code);
  w.string(message.detail);
  w.millis(message.retryAfterMillis);
}

function writeTouched(w: ByteWriter, message: To<"touched">): void {
  w.f53(message.id);
  w.u32(message.results.length);
  for (const { session, result } of message.results) {
    w.f53(session);
    w.u8(touchResults.indexOf(result));
  }
}

function readTouched(r: ByteReader): ToGateway {
  const id = r.f53();
  const results: { session: SessionId; result: TouchResult }[] = [];
  const count = r.count(gatewayCodecLimits.touchSessions, 9);
  for (let i = 0; i < count && !r.failed; i++) {
    results.push({ session: readSessionId(r), result: readWord(r, touchResults, "behind") });
  }
  return { kind: "touched", id, results };
}

function readStatus(r: ByteReader): ToGateway {
  const self = readMember(r);
  const others: MemberStatus[] = [];
  const count = r.count(gatewayCodecLimits.members, memberBytes);
  for (let i = 0; i < count && !r.failed; i++) others.push(readMember(r));
  return { kind: "status", self, others };
}
