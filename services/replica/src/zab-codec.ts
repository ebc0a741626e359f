/**
 * The bytes of the protocol's own messages, but for `propose`, which is a batch as it lies on disk (`peer-codec.ts`).
 * `quorate/internal/v1/peer.proto` is the written contract.
 */
import { type ByteReader, type ByteWriter, type Epoch, epochLimit, readZxid, unreachable } from "@quorate/api";
import type { EpochEnd, PeerMessage, Standing, VoteMessage } from "@quorate/zab";

/** Hex digits of an ensemble's id, or none. */
export const idLimitBytes = 64;

/** Numbers of messages: append only, never reused. */
export const zabTags = {
  vote: 1,
  followerInfo: 2,
  ackEpoch: 3,
  refuseEpoch: 4,
  ackNewLeader: 5,
  ack: 6,
  pong: 7,
  newEpoch: 8,
  truncate: 9,
  snapshot: 10,
  propose: 11,
  newLeader: 12,
  commit: 13,
  ping: 14,
  handOver: 15,
} as const satisfies Record<PeerMessage["kind"], number>;

/** Each in the order of its numbers: append only. */
const phases: readonly VoteMessage["phase"][] = ["waiting", "looking", "following", "leading"];
const standings: readonly Standing[] = ["founding", "joining", "member"];

type Zab<Kind extends PeerMessage["kind"]> = Extract<PeerMessage, { kind: Kind }>;

/** Answers the body. */
export function writeZab(w: ByteWriter, message: Exclude<PeerMessage, { kind: "propose" }>): Uint8Array | undefined {
  w.u8(zabTags[message.kind]);
  switch (message.kind) {
    case "vote":
      writeVote(w, message);
      return;
    case "followerInfo":
      w.u8(standings.indexOf(message.standing));
      w.string(message.ensembleId);
      w.u32(message.acceptedEpoch);
      return;
    case "ackEpoch":
      writeAckEpoch(w, message);
      return;
    case "refuseEpoch":
      w.u32(message.acceptedEpoch);
      return;
    case "ackNewLeader":
      w.u32(message.epoch);
      return;
    case "ack":
    case "commit":
      w.u32(message.epoch);
      w.f53(message.through);
      return;
    case "pong":
      w.u32(message.epoch);
      w.f53(message.number);
      return;
    case "newEpoch":
      w.u32(message.epoch);
      w.string(message.ensembleId);
      w.bool(message.founding);
      return;
    case "truncate":
      w.f53(message.to);
      return;
    case "snapshot":
      w.f53(message.at);
      w.u32(message.checksum);
      w.f53(message.offset);
      w.bool(message.done);
      return message.chunk;
    case "newLeader":
      w.u32(message.epoch);
      w.f53(message.last);
      return;
    case "ping":
      writePing(w, message);
      return;
    case "handOver":
      w.u32(message.epoch);
      w.u8(message.target);
      return;
    default:
      return unreachable(message);
  }
}

function writeVote(w: ByteWriter, { phase, credentials, choice, reach, preferred }: Zab<"vote">): void {
  w.u8(phases.indexOf(phase));
  w.u8(credentials.id);
  w.u8(standings.indexOf(credentials.standing));
  w.string(credentials.ensembleId);
  w.u32(credentials.acceptedEpoch);
  w.u32(credentials.currentEpoch);
  w.f53(credentials.position);
  w.u8(choice);
  w.u8(reach);
  w.u8(preferred);
}

function writeAckEpoch(w: ByteWriter, message: Zab<"ackEpoch">): void {
  w.u32(message.epoch);
  w.bool(message.counts);
  w.u8(standings.indexOf(message.standing));
  w.string(message.ensembleId);
  w.u32(message.currentEpoch);
  w.f53(message.position);
  w.f53(message.base);
  w.u32(message.epochs.length);
  for (const { epoch, last } of message.epochs) {
    w.u32(epoch);
    w.f53(last);
  }
}

function writePing(w: ByteWriter, message: Zab<"ping">): void {
  w.u32(message.epoch);
  w.f53(message.number);
  w.f53(message.commit);
  w.f53(message.confirmed);
  w.f53(message.echo);
  w.bool(message.established);
}

/** Undefined: no such message; fields that are wrong make the reader fail. */
export function readZab(r: ByteReader, tag: number): PeerMessage | undefined {
  switch (tag) {
    case zabTags.vote:
      return readVote(r);
    case zabTags.followerInfo:
      return { kind: "followerInfo", standing: readStanding(r), ensembleId: readId(r), acceptedEpoch: readEpoch(r) };
    case zabTags.ackEpoch:
      return readAckEpoch(r);
    case zabTags.refuseEpoch:
      return { kind: "refuseEpoch", acceptedEpoch: readEpoch(r) };
    case zabTags.ackNewLeader:
      return { kind: "ackNewLeader", epoch: readEpoch(r) };
    case zabTags.ack:
      return { kind: "ack", epoch: readEpoch(r), through: readZxid(r) };
    case zabTags.commit:
      return { kind: "commit", epoch: readEpoch(r), through: readZxid(r) };
    case zabTags.pong:
      return { kind: "pong", epoch: readEpoch(r), number: r.f53() };
    case zabTags.newEpoch:
      return { kind: "newEpoch", epoch: readEpoch(r), ensembleId: readId(r), founding: r.bool() };
    case zabTags.truncate:
      return { kind: "truncate", to: readZxid(r) };
    case zabTags.snapshot:
      return readSnapshot(r);
    case zabTags.newLeader:
      return { kind: "newLeader", epoch: readEpoch(r), last: readZxid(r) };
    case zabTags.ping:
      return readPing(r);
    case zabTags.handOver:
      return { kind: "handOver", epoch: readEpoch(r), target: r.u8() };
    default:
      return undefined;
  }
}

function readVote(r: ByteReader): Zab<"vote"> {
  return {
    kind: "vote",
    phase: readWord(r, phases, "waiting"),
    credentials: {
      id: r.u8(),
      standing: readStanding(r),
      ensembleId: readId(r),
      acceptedEpoch: readEpoch(r),
      currentEpoch: readEpoch(r),
      position: readZxid(r),
    },
    choice: r.u8(),
    reach: r.u8(),
    preferred: r.u8(),
  };
}

function readAckEpoch(r: ByteReader): Zab<"ackEpoch"> {
  const epoch = readEpoch(r);
  const counts = r.bool();
  const standing = readStanding(r);
  const ensembleId = readId(r);
  const currentEpoch = readEpoch(r);
  const position = readZxid(r);
  const base = readZxid(r);
  const epochs: EpochEnd[] = [];
  for (let left = r.count(epochLimit, 12); left > 0; left--) epochs.push({ epoch: readEpoch(r), last: readZxid(r) });
  return { kind: "ackEpoch", epoch, counts, standing, ensembleId, currentEpoch, position, base, epochs };
}

function readSnapshot(r: ByteReader): Zab<"snapshot"> {
  const at = readZxid(r);
  const checksum = r.u32();
  const offset = r.f53();
  const done = r.bool();
  return { kind: "snapshot", at, checksum, offset, done, chunk: r.raw(r.remaining) };
}

function readPing(r: ByteReader): Zab<"ping"> {
  return {
    kind: "ping",
    epoch: readEpoch(r),
    number: r.f53(),
    commit: readZxid(r),
    confirmed: r.f53(),
    echo: r.f53(),
    established: r.bool(),
  };
}

const readId = (r: ByteReader): string => r.string(idLimitBytes);
const readStanding = (r: ByteReader): Standing => readWord(r, standings, "joining");

/** An epoch beyond the limit is not believed: composing a zxid from it would be a broken invariant here. */
function readEpoch(r: ByteReader): Epoch {
  const epoch = r.u32();
  if (epoch < epochLimit) return epoch;
  r.fail();
  return 0;
}

/** The word whose number follows; fails, and answers `none`, for numbers that have none. */
export function readWord<T>(r: ByteReader, words: readonly T[], none: T): T {
  const word = words[r.u8()];
  if (word === undefined) r.fail();
  return word ?? none;
}
