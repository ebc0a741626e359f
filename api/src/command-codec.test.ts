import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commandArbitrary, laneArbitrary } from "../../test/arbitraries.ts";
import { decodeCommand, encodeCommand, joinCommands, peekLane, splitCommands } from "./command-codec.ts";
import { limits } from "./limits.ts";
import { anyone } from "./node.ts";
import { codecLimits } from "./node-codec.ts";
import { type Command, persistentShape, type TxnOperation, type WriteOperation } from "./operation.ts";
import { type Path, rootPath } from "./path.ts";
import type { SessionId, Zxid } from "./zxid.ts";

const hash = new Uint8Array(32).fill(7);
const noBytes = new Uint8Array(0);
const path = "/app/config" as Path;
const put: WriteOperation = { kind: "put", path, data: noBytes, parents: false, condition: {} };

/** Does the command of this operation come back? */
function survives(operation: WriteOperation, rest: Partial<Command> = {}): boolean {
  return decodeCommand(encodeCommand({ identity: anyone, operation, ...rest })) !== undefined;
}

test("every command comes back as it was, from a Buffer in the midst of others too", () => {
  fc.assert(
    fc.property(commandArbitrary, (command) => {
      const bytes = encodeCommand(command);
      assert.deepEqual(decodeCommand(bytes), command);
      const wide = Buffer.alloc(bytes.length + 20, 0xff);
      wide.set(bytes, 11);
      const again = decodeCommand(wide.subarray(11, 11 + bytes.length));
      assert.ok(again !== undefined);
      assert.deepEqual(encodeCommand(again), bytes);
    }),
    { numRuns: 600 },
  );
});

test("no truncation and no extension of a command decodes", () => {
  fc.assert(
    fc.property(commandArbitrary, (command) => {
      const bytes = encodeCommand(command);
      for (let length = 0; length < bytes.length; length++) {
        assert.equal(decodeCommand(bytes.subarray(0, length)), undefined);
      }
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      assert.equal(decodeCommand(longer), undefined);
    }),
    { numRuns: 60 },
  );
});

test("a flipped bit gives nothing, or another command with exactly these bytes", () => {
  fc.assert(
    fc.property(commandArbitrary, fc.nat(), (command, at) => {
      const bytes = encodeCommand(command).slice();
      const bit = at % (bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const decoded = decodeCommand(bytes);
      if (decoded !== undefined) assert.deepEqual(encodeCommand(decoded), bytes);
    }),
    { numRuns: 2000 },
  );
});

test("random bytes never throw, and what decodes has one form only", () => {
  const head = fc.constantFrom([], [1], [1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 10], [1, 0, 0, 0, 0, 0, 0, 15]);
  fc.assert(
    fc.property(head, fc.uint8Array({ maxLength: 80, size: "max" }), (front, tail) => {
      const bytes = Uint8Array.from([...front, ...tail]);
      const decoded = decodeCommand(bytes);
      if (decoded !== undefined) assert.deepEqual(encodeCommand(decoded), bytes);
      peekLane(bytes);
      splitCommands(bytes, 3);
    }),
    { numRuns: 3000 },
  );
});

test("the lane can be seen in front of what does not decode", () => {
  fc.assert(
    fc.property(laneArbitrary, (lane) => {
      const bytes = encodeCommand({ lane, identity: anyone, operation: put });
      assert.deepEqual(peekLane(bytes), lane);
      assert.deepEqual(peekLane(bytes.subarray(0, 30)), lane);
      assert.equal(peekLane(bytes.subarray(0, 29)), undefined);
    }),
  );
  assert.equal(peekLane(encodeCommand({ identity: anyone, operation: put })), undefined);
  assert.equal(peekLane(noBytes), undefined);
});

test("what breaks a limit does not decode", () => {
  const create = (at: string, sequential: boolean): WriteOperation => {
    return { kind: "create", path: at as Path, data: noBytes, shape: persistentShape, sequential, parents: false };
  };
  assert.ok(survives(create("/a/", true)));
  assert.ok(!survives(create("/a/", false)));
  for (const bad of ["", "a", "//", "/a//b", "/a/.", "/a/..", "/./a", "/\u0001", "/\u007f", "/\uf8ff"]) {
    assert.ok(!survives(create(bad, false)), JSON.stringify(bad));
    assert.ok(!survives(create(bad, true)), JSON.stringify(bad));
  }
  assert.ok(survives({ ...put, data: new Uint8Array(limits.dataBytes) }));
  assert.ok(!survives({ ...put, data: new Uint8Array(limits.dataBytes + 1) }));
  const ttl = (ttlMillis: number): WriteOperation => ({ ...put, shape: { kind: "ttl", ttlMillis } });
  assert.ok(survives(ttl(1)) && survives(ttl(limits.ttlMaxMillis)));
  assert.ok(!survives(ttl(0)) && !survives(ttl(limits.ttlMaxMillis + 1)));
  const acl = (count: number, perms: number): WriteOperation => {
    const entries = Array.from({ length: count }, () => ({ scheme: "world", id: "anyone", perms }));
    return { kind: "setAcl", path, acl: entries, aversion: -1 };
  };
  assert.ok(survives(acl(limits.aclEntries, 31)));
  assert.ok(!survives(acl(limits.aclEntries + 1, 31)) && survives(acl(1, 0)) && !survives(acl(1, 32)));
  const mzxids = (count: number): WriteOperation => {
    return { ...put, condition: { mzxids: new Array<Zxid>(count).fill(1 as Zxid) } };
  };
  assert.ok(survives(mzxids(codecLimits.conditionZxids)) && !survives(mzxids(codecLimits.conditionZxids + 1)));
});

test("what breaks a txn's or a session's limits does not decode", () => {
  const txn = (count: number, operation: TxnOperation): WriteOperation => {
    return { kind: "txn", check: [], then: new Array<TxnOperation>(count).fill(operation) };
  };
  const get: TxnOperation = { kind: "get", path: rootPath };
  assert.ok(survives(txn(limits.multiOperations, get)) && !survives(txn(limits.multiOperations + 1, get)));
  const page = (limit: number): TxnOperation => ({ kind: "children", path: rootPath, limit, withData: false });
  assert.ok(survives(txn(1, page(1))) && survives(txn(1, page(limits.listedNames))));
  assert.ok(!survives(txn(1, page(0))) && !survives(txn(1, page(limits.listedNames + 1))));
  const session = (timeoutMillis: number, name = ""): WriteOperation => {
    return { kind: "createSession", role: "client", timeoutMillis, secretHash: hash, name, address: "" };
  };
  assert.ok(survives(session(1000)) && survives(session(86_400_000, "x".repeat(256))));
  assert.ok(!survives(session(999)) && !survives(session(86_400_001)) && !survives(session(1000, "x".repeat(257))));
  const key = (text: string): Partial<Command> => ({ key: { key: text, requestHash: new Uint8Array(16) } });
  assert.ok(survives(put, key("k")) && survives(put, key("~".repeat(64))));
  for (const bad of ["", "~".repeat(65), "a b", "a\n", "ä", "\u007f"]) assert.ok(!survives(put, key(bad)), bad);
});

test("a txn in a txn, reads as commands and unknown tags do not decode", () => {
  const bytes = encodeCommand({
    identity: anyone,
    operation: { kind: "txn", check: [], then: [{ kind: "get", path }] },
  });
  const at = bytes.length - 4 - path.length - 1;
  assert.equal(bytes[at], 7);
  for (let tag = 0; tag < 256; tag++) {
    const other = bytes.slice();
    other[at] = tag;
    // A get (7) and an exists (8) have the same fields; nothing else fits these bytes.
    assert.equal(decodeCommand(other) !== undefined, tag === 7 || tag === 8, `tag ${tag} in a txn`);
  }
  const nested = { kind: "txn", check: [], then: [] } as unknown as TxnOperation;
  assert.throws(() => encodeCommand({ identity: anyone, operation: { kind: "txn", check: [], then: [nested] } }));
  const read = Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 7, 1, 0, 0, 0, 47]);
  assert.equal(decodeCommand(read), undefined);
  assert.equal(
    decodeCommand(Uint8Array.from([2, ...encodeCommand({ identity: anyone, operation: put }).subarray(1)])),
    undefined,
  );
});

test("counts and lengths that lie reserve nothing", () => {
  const lying = [
    [1, 0, 0, 0xff, 0xff, 0xff, 0xff],
    [1, 0, 0, 0, 0, 0, 0, 10, 0, 0xe8, 3, 0, 0],
    [1, 0, 0, 0, 0, 0, 0, 15, 0x10, 0x27, 0, 0],
    [1, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0, 0, 47, 0xff, 0xff, 0x0f, 0],
  ];
  const before = process.memoryUsage().arrayBuffers;
  for (const each of lying) assert.equal(decodeCommand(Uint8Array.from(each)), undefined);
  assert.equal(splitCommands(Uint8Array.from([0xff, 0xff, 0xff, 0x7f]), 2 ** 32), undefined);
  assert.ok(process.memoryUsage().arrayBuffers - before < 100_000);
});

test("numbers out of range and hashes of a wrong length are broken invariants of the encoder", () => {
  const session = 1 as SessionId;
  assert.throws(() => survives({ ...put, condition: { version: 2 ** 31 } }), /int32/);
  assert.throws(() => survives({ ...put, condition: { mzxids: [(2 ** 53) as Zxid] } }), /safe integer/);
  assert.throws(() => survives(put, { acting: { session, secretHash: noBytes } }), /32 bytes/);
  assert.throws(() => survives(put, { key: { key: "k", requestHash: hash } }), /16 bytes/);
  assert.ok(survives(put), "the writer works on after a refusal");
});

test("a payload splits into its commands, and only with the right count", () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
  fc.assert(
    fc.property(payloads, fc.nat(13), (commands, count) => {
      const payload = joinCommands(commands);
      const split = splitCommands(payload, count);
      if (count !== commands.length) return assert.equal(split, undefined);
      assert.deepEqual(split, commands);
      if (payload.length > 0) assert.equal(splitCommands(payload.subarray(0, -1), count), undefined);
    }),
  );
  const commands = [Uint8Array.of(1, 2, 3)];
  const payload = joinCommands(commands);
  assert.equal(splitCommands(payload, 1)?.[0]?.buffer, payload.buffer, "views, no copies");
});

test("commands handed out stay as they were while others are encoded", () => {
  const sizes = [10, 9000, 100, 20_000, 3, 16_000, 1_000_000, 5];
  const made = [...sizes, ...sizes].map((size, i) => {
    return encodeCommand({ identity: anyone, operation: { ...put, data: new Uint8Array(size).fill(i) } });
  });
  for (const [i, bytes] of made.entries()) {
    const operation = decodeCommand(bytes)?.operation;
    assert.ok(operation?.kind === "put" && operation.data.length === sizes[i % sizes.length]);
    assert.ok(operation.data.every((each) => each === i));
  }
});

test("null data is one bit, that of no data comes back without it, and null with bytes is malformed", () => {
  const create: WriteOperation = {
    kind: "create",
    path,
    data: noBytes,
    shape: persistentShape,
    sequential: false,
    parents: false,
  };
  const set: WriteOperation = { kind: "set", path, data: noBytes, condition: { version: 3 } };
  for (const operation of [create, set]) {
    const plain = encodeCommand({ identity: anyone, operation }).slice();
    const nothing = encodeCommand({ identity: anyone, operation: { ...operation, nullData: true } }).slice();
    const turned = [...plain].filter((byte, at) => byte !== nothing[at]);
    assert.deepEqual([turned.length, plain.length], [1, nothing.length]);
    assert.deepEqual(decodeCommand(nothing)?.operation, { ...operation, nullData: true });
    assert.ok(!("nullData" in (decodeCommand(plain) as Command).operation));
    assert.ok(!survives({ ...operation, data: Uint8Array.of(1), nullData: true }));
  }
});
