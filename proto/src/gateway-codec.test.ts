import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from "@grpc/proto-loader";
import { encodeOutcome, openAcl, type ReplicaId, rootPath, type SessionId, type Zxid, zeroZxid } from "@quorate/api";
import fc, { type Arbitrary } from "fast-check";
import {
  errorCodeArbitrary,
  feedArbitrary,
  identityArbitrary,
  outcomeArbitrary,
  sessionIdArbitrary,
  zxidArbitrary,
} from "../../test/arbitraries.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import {
  decodeFromGateway,
  decodeToGateway,
  encodeFeed,
  encodeFromGateway,
  encodeToGateway,
  encodeWritten,
} from "./gateway-codec.ts";
import type { FromGateway, MemberStatus, ToGateway, TouchResult } from "./gateway-messages.ts";

const one = <T extends string>(...words: readonly T[]): Arbitrary<T> => fc.constantFrom(...words);
const record = <T>(fields: { [Key in keyof T]: Arbitrary<T[Key]> }): Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as Arbitrary<T>;
const safe = fc.maxSafeNat();
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const replica: Arbitrary<ReplicaId> = fc.nat(255);
const text = fc.string({ unit: "binary", maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 100 });
const secretBytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const secretHash = fc.oneof(fc.constant(new Uint8Array(0)), secretBytes);

const fromGateway: Arbitrary<FromGateway> = fc.oneof(
  record({ kind: one("lane"), session: sessionIdArbitrary, attachment: uint32, fence: safe }),
  record({ kind: one("open"), id: safe, command: bytes }),
  record({ kind: one("write"), session: sessionIdArbitrary, sequence: safe, command: bytes }),
  record({
    kind: one("read"),
    id: safe,
    consistency: one("linearizable", "session", "stale"),
    minZxid: zxidArbitrary,
    maxStaleMillis: safe,
    budgetMillis: safe,
    identity: identityArbitrary,
    operation: bytes,
  }),
  record({
    kind: one("read"),
    id: safe,
    consistency: one("linearizable", "session", "stale"),
    minZxid: zxidArbitrary,
    maxStaleMillis: safe,
    budgetMillis: safe,
    identity: identityArbitrary,
    operation: bytes,
    acting: record({ session: safe.map((id) => (id || 1) as SessionId), secretHash: secretBytes }),
    behind: record({ session: sessionIdArbitrary, sequence: safe }),
  }),
  record({ kind: one("unwatch") }),
  record({ kind: one("touch"), id: safe, sessions: fc.array(record({ session: sessionIdArbitrary, secretHash })) }),
  record({ kind: one("handOver"), id: safe, target: replica }),
);

const member: Arbitrary<MemberStatus> = record({
  id: replica,
  standing: one("founding", "joining", "member"),
  role: one("looking", "following", "leading"),
  serving: fc.boolean(),
  reason: text,
  leader: replica,
  epoch: uint32,
  acceptedEpoch: uint32,
  applied: zxidArbitrary,
  committed: zxidArbitrary,
  logged: zxidArbitrary,
  ensembleId: text,
  historyId: text,
  version: text,
  rules: uint32,
  digest: text,
  znodes: safe,
  sessions: safe,
  agoMillis: safe,
  address: text,
});
const touchResult = one<TouchResult>("renewed", "expired", "badSecret", "behind", "closing");

const toGateway: Arbitrary<ToGateway> = fc.oneof(
  record({ kind: one("status"), self: member, others: fc.array(member, { maxLength: 4 }) }),
  record({
    kind: one("laneState"),
    session: sessionIdArbitrary,
    exists: fc.boolean(),
    attachment: uint32,
    lastSequence: safe,
    fence: safe,
  }),
  record({ kind: one("written"), session: sessionIdArbitrary, sequence: safe, outcome: outcomeArbitrary }),
  record({
    kind: one("refused"),
    session: sessionIdArbitrary,
    sequence: safe,
    code: errorCodeArbitrary,
    detail: text,
    retryAfterMillis: safe,
  }),
  record({ kind: one("answer"), id: safe, outcome: outcomeArbitrary, ageMillis: safe }),
  record({
    kind: one("touched"),
    id: safe,
    results: fc.array(record({ session: sessionIdArbitrary, result: touchResult })),
  }),
  feedArbitrary.map((feed) => ({ kind: "feed" as const, ...feed })),
  record({ kind: one("feedBroken") }),
  record({ kind: one("rules"), rules: uint32 }),
);

/** Round trip, truncations and flipped bits of one direction. */
function provesCodec<T>(
  values: Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T | undefined,
): void {
  fc.assert(
    fc.property(values, fc.nat(), (value, at) => {
      const whole = encode(value).slice();
      assert.deepEqual(decode(whole), value);
      assert.equal(decode(whole.subarray(0, at % whole.length)), undefined);
      assert.equal(decode(Uint8Array.from([...whole, 0])), undefined);
      const bit = at % (whole.length * 8);
      whole[bit >> 3] = (whole[bit >> 3] as number) ^ (1 << (bit & 7));
      const other = decode(whole);
      if (other !== undefined) assert.deepEqual(encode(other), whole);
    }),
    { numRuns: 1000 },
  );
  const front = fc.nat(9).map((tag) => [tag]);
  fc.assert(
    fc.property(front, fc.uint8Array({ maxLength: 150, size: "max" }), (head, tail) => {
      const random = Uint8Array.from([...head, ...tail]);
      const other = decode(random);
      if (other !== undefined) assert.deepEqual(encode(other), random);
    }),
    { numRuns: 2000 },
  );
}

test("what gateways say comes back as it was; what is damaged is nothing", () => {
  provesCodec(fromGateway, encodeFromGateway, decodeFromGateway);
});

test("what replicas say comes back as it was; what is damaged is nothing", () => {
  provesCodec(toGateway, encodeToGateway, decodeToGateway);
});

test("every kind of message comes out of a Buffer as it went in", () => {
  const seen = new Set<string>();
  for (const message of fc.sample(fromGateway, 200)) {
    seen.add(message.kind);
    const decoded = decodeFromGateway(Buffer.from(encodeFromGateway(message)));
    assert.ok(decoded !== undefined);
    assert.deepEqual(encodeFromGateway(decoded), encodeFromGateway(message));
  }
  for (const message of fc.sample(toGateway, 200)) {
    seen.add(message.kind);
    const decoded = decodeToGateway(Buffer.from(encodeToGateway(message)));
    assert.ok(decoded !== undefined);
    assert.deepEqual(encodeToGateway(decoded), encodeToGateway(message));
  }
  assert.equal(seen.size, 16);
});

test("an outcome encoded once gives the same bytes as one encoded in place", () => {
  fc.assert(
    fc.property(sessionIdArbitrary, fc.maxSafeNat(), outcomeArbitrary, (session, sequence, outcome) => {
      const whole = encodeToGateway({ kind: "written", session, sequence, outcome });
      assert.deepEqual(encodeWritten(session, sequence, encodeOutcome(outcome)), whole);
    }),
  );
});

test("a feed written from a tree's own references is the same message", () => {
  fc.assert(
    fc.property(feedArbitrary, (feed) => {
      const changes = feed.changes.map((each) => ({ ...each, acl: each.acl + 700, parentAcl: each.parentAcl + 700 }));
      const whole = encodeToGateway({ kind: "feed", ...feed }).slice();
      assert.deepEqual(
        encodeFeed({ ...feed, changes }, (reference) => reference - 700),
        whole,
      );
    }),
  );
});

test("a change that refers to a list that is not there is nothing", () => {
  const change = { zxid: 7 as Zxid, type: "acl", path: rootPath, version: 0, czxid: zeroZxid, time: 1 } as const;
  const feed = (acl: number): Uint8Array =>
    encodeToGateway({
      kind: "feed",
      through: 7 as Zxid,
      acls: [openAcl],
      changes: [{ ...change, kind: "persistent", acl, parentAcl: 0 }],
      ended: [],
    });
  assert.notEqual(decodeToGateway(feed(0)), undefined);
  assert.equal(decodeToGateway(feed(1)), undefined);
});

test("fractions of milliseconds do not stop a process", () => {
  const outcome = { ok: true, zxid: zeroZxid, result: { kind: "done", count: 0 } } as const;
  const decoded = decodeToGateway(encodeToGateway({ kind: "answer", id: 1, outcome, ageMillis: 12.25 }));
  assert.equal(decoded?.kind === "answer" && decoded.ageMillis, 13);
});

test("a secret's hash has 32 bytes or none", () => {
  const touch = (length: number): FromGateway => {
    return { kind: "touch", id: 1, sessions: [{ session: 1 as SessionId, secretHash: new Uint8Array(length) }] };
  };
  assert.throws(() => encodeFromGateway(touch(31)), /32 bytes/);
  const wrong = encodeFromGateway(touch(32)).slice();
  wrong[21] = 31;
  assert.equal(decodeFromGateway(wrong), undefined);
});

test("a Frame of the written contract has the bytes that encodeFrame writes", () => {
  const file = fileURLToPath(new URL("../quorate/internal/v1/replica.proto", import.meta.url));
  const definitions = loadSync(file, { keepCase: true });
  const service = definitions["quorate.internal.v1.Replica"] as ServiceDefinition;
  const attach = service.Attach;
  assert.ok(attach?.requestStream && attach.responseStream);
  assert.equal(attach.path, "/quorate.internal.v1.Replica/Attach");
  assert.ok((definitions["quorate.internal.v1.Frame"] as MessageTypeDefinition<object, object>).type);
  const sizes = fc.array(fc.uint8Array({ maxLength: 400, size: "max" }), { maxLength: 8 });
  fc.assert(
    fc.property(sizes, (messages) => {
      const theirs = attach.requestSerialize({ message: messages });
      assert.deepEqual(Buffer.from(encodeFrame(messages)), theirs);
      assert.deepEqual(
        decodeFrame(theirs)?.map((each) => [...each]),
        messages.map((each) => [...each]),
      );
      const parsed = attach.responseDeserialize(theirs) as { message?: Uint8Array[] };
      assert.deepEqual(
        (parsed.message ?? []).map((each) => [...each]),
        messages.map((each) => [...each]),
      );
    }),
  );
});
