import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { composeZxid, epochLimit, errorCodes, type SessionId, type Zxid } from "@quorate/api";
import { type MemberStatus, touchResults } from "@quorate/proto";
import type { PeerMessage } from "@quorate/zab";
import fc, { type Arbitrary } from "fast-check";
import { decodePeerWire, PeerEncoder, shellTags } from "./peer-codec.ts";
import type { PeerWire, ShellMessage } from "./peer-messages.ts";
import { runningChecksum } from "./record.ts";
import { zabTags } from "./zab-codec.ts";

/** Ordinary objects, as decoders make them. */
function record<T>(model: { [K in keyof T]: Arbitrary<T[K]> }): Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true }) as Arbitrary<T>;
}

const safe = fc.maxSafeNat();
const zxid = safe.map((value) => value as Zxid);
const session = safe.map((value) => value as SessionId);
const epoch = fc.nat(epochLimit - 1);
const replica = fc.nat(255);
const uint32 = fc.nat(0xffff_ffff);
const id = fc.stringMatching(/^([0-9a-f]{32})?$/);
const standing = fc.constantFrom("founding", "joining", "member");
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 300 });

const batch = record({
  epoch: fc.integer({ min: 1, max: epochLimit - 1 }),
  counter: fc.integer({ min: 2, max: 2 ** 31 }),
  count: fc.nat(1000),
  payload: bytes,
  stamp: safe,
  rules: fc.nat(100),
}).map(({ epoch: e, counter, count, payload, stamp, rules }) => {
  const fields = {
    first: composeZxid(e, counter),
    last: composeZxid(e, counter + count),
    previous: composeZxid(e, counter - 1),
    stamp,
    rules,
    payload,
  };
  return { ...fields, commit: composeZxid(e, 1), checksum: runningChecksum(7, fields) };
});

type ZabArbitraries = { readonly [K in PeerMessage["kind"]]: Arbitrary<Extract<PeerMessage, { kind: K }>> };
const kind = <K extends string>(name: K): Arbitrary<K> => fc.constant(name);

/** One per kind: a kind without one does not compile. */
const zabMessages: ZabArbitraries = {
  vote: record({
    kind: kind("vote"),
    phase: fc.constantFrom("waiting", "looking", "following", "leading"),
    credentials: record({
      id: replica,
      standing,
      ensembleId: id,
      acceptedEpoch: epoch,
      currentEpoch: epoch,
      position: zxid,
    }),
    choice: replica,
    reach: replica,
    preferred: replica,
  }),
  followerInfo: record({ kind: kind("followerInfo"), standing, ensembleId: id, acceptedEpoch: epoch }),
  ackEpoch: record({
    kind: kind("ackEpoch"),
    epoch,
    counts: fc.boolean(),
    standing,
    ensembleId: id,
    currentEpoch: epoch,
    position: zxid,
    base: zxid,
    epochs: fc.array(record({ epoch, last: zxid }), { maxLength: 20 }),
  }),
  refuseEpoch: record({ kind: kind("refuseEpoch"), acceptedEpoch: epoch }),
  ackNewLeader: record({ kind: kind("ackNewLeader"), epoch }),
  ack: record({ kind: kind("ack"), epoch, through: zxid }),
  pong: record({ kind: kind("pong"), epoch, number: safe }),
  newEpoch: record({ kind: kind("newEpoch"), epoch, ensembleId: id, founding: fc.boolean() }),
  truncate: record({ kind: kind("truncate"), to: zxid }),
  snapshot: record({
    kind: kind("snapshot"),
    at: zxid,
    checksum: uint32,
    offset: safe,
    chunk: bytes,
    done: fc.boolean(),
  }),
  propose: record({ kind: kind("propose"), batch }),
  newLeader: record({ kind: kind("newLeader"), epoch, last: zxid }),
  commit: record({ kind: kind("commit"), epoch, through: zxid }),
  ping: record({
    kind: kind("ping"),
    epoch,
    number: safe,
    commit: zxid,
    confirmed: safe,
    echo: safe,
    established: fc.boolean(),
  }),
  handOver: record({ kind: kind("handOver"), epoch, target: replica }),
};

const member: Arbitrary<MemberStatus> = record({
  id: replica,
  standing,
  role: fc.constantFrom("looking", "following", "leading"),
  serving: fc.boolean(),
  reason: text,
  leader: replica,
  epoch,
  acceptedEpoch: epoch,
  applied: zxid,
  committed: zxid,
  logged: zxid,
  ensembleId: id,
  historyId: id,
  version: text,
  rules: uint32,
  digest: id,
  znodes: safe,
  sessions: safe,
  agoMillis: safe,
  address: text,
});
const code = fc.constantFrom(...errorCodes);
const sessions = fc.array(session, { maxLength: 20 });

type ShellArbitraries = { readonly [K in ShellMessage["kind"]]: Arbitrary<Extract<ShellMessage, { kind: K }>> };
const shellMessages: ShellArbitraries = {
  forward: record({ kind: kind("forward"), session, sequence: safe, fence: safe, command: bytes }),
  forwardRefused: record({
    kind: kind("forwardRefused"),
    session,
    sequence: safe,
    fence: safe,
    code,
    detail: text,
    retryAfterMillis: safe,
  }),
  forwardOpen: record({ kind: kind("forwardOpen"), id: safe, command: bytes }),
  openRefused: record({ kind: kind("openRefused"), id: safe, code, detail: text }),
  confirmRequest: record({ kind: kind("confirmRequest"), id: safe }),
  confirmReply: record({ kind: kind("confirmReply"), id: safe, index: zxid }),
  confirmRefused: record({ kind: kind("confirmRefused"), id: safe, detail: text }),
  touchForward: record({ kind: kind("touchForward"), id: safe, sessions }),
  touchReply: record({
    kind: kind("touchReply"),
    id: safe,
    results: fc.array(record({ session, result: fc.constantFrom(...touchResults) }), { maxLength: 20 }),
  }),
  status: record({ kind: kind("status"), self: member }),
  digest: record({ kind: kind("digest"), at: zxid, digest: id }),
  handOver: record({ kind: kind("handOver"), id: safe, target: replica }),
  handOverReply: record({ kind: kind("handOverReply"), id: safe, ok: fc.boolean(), detail: text }),
  storedRequest: record({ kind: kind("storedRequest"), id: safe }),
  storedReply: record({ kind: kind("storedReply"), id: safe }),
};

const kinds: readonly (readonly [string, Arbitrary<PeerWire>])[] = [
  ...Object.entries(zabMessages).map(
    ([name, each]) =>
      [name, (each as Arbitrary<PeerMessage>).map((message): PeerWire => ({ kind: "zab", message }))] as const,
  ),
  ...Object.entries(shellMessages).map(([name, each]) => [`shell ${name}`, each as Arbitrary<PeerWire>] as const),
];

const encoder = new PeerEncoder();

function wireBytes(wire: PeerWire): Uint8Array {
  const { head, body } = encoder.encode(wire);
  return Uint8Array.from(Buffer.concat(body ? [head, body] : [head]));
}

for (const [name, arbitrary] of kinds) {
  test(`${name} comes back as it was, and no truncation does`, () => {
    fc.assert(
      fc.property(arbitrary, (wire) => {
        const whole = wireBytes(wire);
        const back = decodePeerWire(whole);
        assert.deepEqual(back, wire);
        // The last field of some is "the rest": its truncation is another message of that kind, never a fault.
        const open = /^(snapshot|shell forward|shell forwardOpen)$/.test(name);
        if (!open) assert.equal(decodePeerWire(whole.subarray(0, -1)), undefined);
        for (let length = 0; length < whole.length; length += 7) {
          const cut = decodePeerWire(whole.subarray(0, length));
          if (!open) assert.equal(cut, undefined);
        }
        if (!open) assert.equal(decodePeerWire(Uint8Array.of(...whole, 0)), undefined);
      }),
      { numRuns: 60 },
    );
  });
}

test("from a Buffer in the midst of a frame, too", () => {
  fc.assert(
    fc.property(fc.oneof(...kinds.map(([, each]) => each)), (wire) => {
      const whole = wireBytes(wire);
      const back = decodePeerWire(Buffer.concat([Buffer.from([1, 2, 3]), whole, Buffer.from([4])]).subarray(3, -1));
      assert.deepEqual(back && [...wireBytes(back)], [...whole]);
    }),
    { numRuns: 300 },
  );
});

test("random bytes and flipped bits never throw; a batch with a flipped bit is no batch", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(63), (random, tag) => {
      decodePeerWire(random);
      decodePeerWire(Uint8Array.of(tag, ...random));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.oneof(...kinds.map(([, each]) => each)), fc.nat(), (wire, position) => {
      const whole = wireBytes(wire);
      const bit = position % (whole.length * 8);
      whole[bit >> 3] = (whole[bit >> 3] as number) ^ (1 << (bit & 7));
      const back = decodePeerWire(whole);
      if (wire.kind === "zab" && wire.message.kind === "propose" && bit >> 3 > 0) assert.equal(back, undefined);
    }),
    { numRuns: 2000 },
  );
});

test("an epoch or a word that does not exist is refused, and lists that lie allocate nothing", () => {
  assert.equal(decodePeerWire(Uint8Array.of(zabTags.ackNewLeader, 0, 0, 0x20, 0)), undefined);
  assert.notEqual(decodePeerWire(Uint8Array.of(zabTags.ackNewLeader, 0xff, 0xff, 0x1f, 0)), undefined);
  assert.equal(decodePeerWire(Uint8Array.of(zabTags.followerInfo, 3, 0, 0, 0, 0, 0, 0, 0, 0)), undefined);
  assert.equal(decodePeerWire(Uint8Array.of(40, 1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)), undefined);
  assert.equal(decodePeerWire(new Uint8Array(0)), undefined);
});

test("one batch to many links: its header is made once, its payload is not copied", () => {
  const [sample] = fc.sample(batch, 1);
  assert.ok(sample);
  const wire: PeerWire = { kind: "zab", message: { kind: "propose", batch: sample } };
  const [first, second] = [encoder.encode(wire), encoder.encode(wire)];
  assert.equal(first.head, second.head);
  assert.equal(first.body, sample.payload);
});

test("a detail beyond its limit is cut, not refused", () => {
  const wire: PeerWire = {
    kind: "confirmRefused",
    id: 1,
    detail: `${"x".repeat(4095)}\u{1f600}${"y".repeat(100_000)}`,
  };
  const back = decodePeerWire(wireBytes(wire));
  assert.equal(back?.kind === "confirmRefused" && back.detail.startsWith("xxx") && back.detail.length <= 4096, true);
});

test("peer.proto lists every message under its number, and no other", () => {
  const file = new URL("../../../proto/quorate/internal/v1/peer.proto", import.meta.url);
  const lines = readFileSync(file, "utf8").matchAll(/^\/\/ {3}(\d+) (\w+)/gm);
  const listed = [...lines].map(([, tag, name]) => `${tag} ${name}`);
  const ours = [...Object.entries(zabTags), ...Object.entries(shellTags)].map(([name, tag]) => `${tag} ${name}`);
  assert.deepEqual(listed, ours);
});
