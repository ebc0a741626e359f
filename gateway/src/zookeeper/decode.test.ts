/** Records as ZooKeeper's own classes write them become values; anything else becomes a fault, and nothing throws. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openAcl } from "@quorate/api";
import fc from "fast-check";
import { decodeConnect as connectIn, decodeRequest as requestIn } from "./decode.ts";
import { type MultiOperation, opcodes, type RequestBody } from "./messages.ts";
import { frameOf, requests } from "./wire-vectors.test-support.ts";

const acl = [
  { scheme: "world", id: "anyone", perms: 31 },
  { scheme: "digest", id: "bob:x=", perms: 1 },
];
const hello = new Uint8Array(Buffer.from("hello"));
const empty = new Uint8Array(0);
const password = Uint8Array.from({ length: 16 }, (_, index) => index * 17);

type Vector = Exclude<keyof typeof requests, "connect" | "connectOld">;

const bodies: { readonly [name in Vector]: readonly [number, RequestBody] } = {
  getData: [7, { op: "getData", path: "/a/b", watch: true }],
  exists: [8, { op: "exists", path: "/a", watch: false }],
  create: [1, { op: "create", type: 1, path: "/a", data: hello, acl, flags: 1, ttlMillis: 0 }],
  createNull: [1, { op: "create", type: 15, path: "/é", data: undefined, acl, flags: 0, ttlMillis: 0 }],
  createTtl: [2, { op: "create", type: 21, path: "/t", data: empty, acl, flags: 5, ttlMillis: 31_536_000_000 }],
  createContainer: [2, { op: "create", type: 19, path: "/c", data: hello, acl, flags: 4, ttlMillis: 0 }],
  delete: [3, { op: "delete", path: "/a", version: -1 }],
  setData: [4, { op: "setData", path: "/a", data: hello, version: 2 }],
  setDataNull: [4, { op: "setData", path: "/a", data: undefined, version: -1 }],
  getChildren: [5, { op: "getChildren", path: "/", watch: true }],
  getChildren2: [5, { op: "getChildren2", path: "/", watch: false }],
  getAcl: [5, { op: "getAcl", path: "/a" }],
  setAcl: [5, { op: "setAcl", path: "/a", acl, version: 1 }],
  sync: [5, { op: "sync", path: "/a" }],
  ping: [-2, { op: "ping" }],
  close: [9, { op: "closeSession" }],
  reconfig: [9, { op: "reconfig" }],
  checkWatches: [9, { op: "checkWatches", path: "/a", watcherType: 3 }],
  removeWatches: [9, { op: "removeWatches", path: "/a", watcherType: 1 }],
  auth: [-4, { op: "auth", scheme: "digest", auth: new Uint8Array(Buffer.from("bob:pw")) }],
  setWatches: [
    -8,
    {
      op: "setWatches",
      relativeZxid: 0x200000017 as never,
      data: ["/a"],
      exist: ["/b", "/c"],
      child: [],
      persistent: [],
      persistentRecursive: [],
    },
  ],
  setWatches2: [
    -8,
    {
      op: "setWatches",
      relativeZxid: 0x200000017 as never,
      data: ["/a"],
      exist: [],
      child: ["/c"],
      persistent: ["/p"],
      persistentRecursive: ["/r"],
    },
  ],
  sasl: [1, { op: "sasl", token: hello }],
  getEphemerals: [1, { op: "getEphemerals", path: "/a" }],
  getEphemeralsNull: [1, { op: "getEphemerals", path: "" }],
  getAllChildrenNumber: [1, { op: "getAllChildrenNumber", path: "/a" }],
  addWatch: [1, { op: "addWatch", path: "/a", mode: 1 }],
  whoAmI: [1, { op: "whoAmI" }],
  multi: [
    6,
    {
      op: "multi",
      operations: [
        { op: "create", type: 1, path: "/a", data: hello, acl, flags: 1, ttlMillis: 0 },
        { op: "delete", path: "/b", version: 3 },
        { op: "setData", path: "/c", data: undefined, version: -1 },
        { op: "check", path: "/d", version: 7 },
        { op: "create", type: 21, path: "/t", data: hello, acl, flags: 5, ttlMillis: 5000 },
        { op: "create", type: 19, path: "/k", data: hello, acl, flags: 4, ttlMillis: 0 },
      ],
    },
  ],
  multiRead: [
    6,
    {
      op: "multiRead",
      operations: [
        { op: "getData", path: "/a" },
        { op: "getChildren", path: "/b" },
      ],
    },
  ],
  multiEmpty: [6, { op: "multi", operations: [] }],
};

/** Behind other bytes and before others, as in a chunk. */
function within<T>(frame: Uint8Array, decode: (bytes: Uint8Array, from: number, to: number) => T): T {
  const chunk = new Uint8Array(frame.length + 7).fill(0xee);
  chunk.set(frame, 3);
  return decode(chunk, 3, 3 + frame.length);
}

const decodeConnect = (frame: Uint8Array) => within(frame, connectIn);
const decodeRequest = (frame: Uint8Array) => within(frame, requestIn);

const names = Object.keys(bodies) as Vector[];

test("every record that a client sends", () => {
  for (const name of names) {
    const [xid, body] = bodies[name];
    assert.deepEqual(decodeRequest(frameOf(requests[name])), { xid, body }, name);
  }
});

test("what stands behind a record is not looked at", () => {
  for (const name of names) {
    const [xid, body] = bodies[name];
    assert.deepEqual(decodeRequest(frameOf(`${requests[name]}00ff00ff07`)), { xid, body }, name);
  }
});

/** Half of these ends the connection. */
const closes: ReadonlySet<string> = new Set(["auth", "sasl"]);

test("a record that is cut off is malformed, and names its opcode; without a header there is nothing", () => {
  for (const name of names) {
    const frame = frameOf(requests[name]);
    const type = Buffer.from(frame).readInt32BE(4);
    for (let length = 0; length < frame.length; length++) {
      const request = decodeRequest(frame.subarray(0, length));
      if (length < 8 || closes.has(name)) assert.equal(request, undefined, name);
      else {
        const [op, named] = request?.body.op === "malformed" ? ["malformed", request.body.type] : [request?.body.op];
        assert.deepEqual([op, named], ["malformed", type], `${name}, ${length} bytes`);
      }
    }
  }
});

test("a connect request, with the flag and without it", () => {
  const expected = {
    protocolVersion: 0,
    lastZxidSeen: 0x200000017,
    timeoutMillis: 30_000,
    session: 0x200000002,
    password,
    readOnly: true,
  };
  const frame = frameOf(requests.connect);
  assert.deepEqual(decodeConnect(frame), expected);
  assert.deepEqual(decodeConnect(frame.subarray(0, frame.length - 1)), { ...expected, readOnly: undefined });
  for (let length = 0; length < frame.length - 1; length++) {
    assert.equal(decodeConnect(frame.subarray(0, length)), undefined, `${length} bytes`);
  }
  const fresh = decodeConnect(frameOf(requests.connectOld));
  assert.deepEqual([fresh?.session, fresh?.lastZxidSeen, fresh?.readOnly], [0, 0, false]);
});

test("a number that none of ours can be matches nothing, and is not rounded to one of ours", () => {
  const connect = (lastZxid: bigint, session: bigint) => {
    const frame = Buffer.from(requests.connect, "hex");
    frame.writeBigInt64BE(lastZxid, 4);
    frame.writeBigInt64BE(session, 16);
    const request = decodeConnect(frame);
    return [request?.lastZxidSeen, request?.session];
  };
  const greatest = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(connect(2n ** 53n - 1n, 2n ** 53n - 1n), [greatest, greatest]);
  assert.deepEqual(connect(2n ** 53n, 2n ** 53n), [greatest, undefined]);
  assert.deepEqual(connect(2n ** 53n + 1n, 2n ** 53n + 1n), [greatest, undefined]);
  assert.deepEqual(connect(2n ** 63n - 1n, 0x100_0000_0000_0001n), [greatest, undefined]);
  assert.deepEqual(connect(-1n, -1n), [0, undefined]);
  assert.deepEqual(connect(-(2n ** 63n), -(2n ** 63n)), [0, undefined]);
  assert.deepEqual(connect(1n, 0n), [1, 0]);
});

test("an opcode that no client sends alone is unknown; one that no multi has spoils it", () => {
  for (const type of [0, 10, 13, 20, 23, 108, -10, -1, 2_147_483_647, -2_147_483_648]) {
    const frame = Buffer.alloc(40);
    frame.writeInt32BE(3, 0);
    frame.writeInt32BE(type, 4);
    assert.deepEqual(decodeRequest(frame), { xid: 3, body: { op: "unknown", type } });
  }
  const path = "000000022f61";
  const end = "ffffffff01ffffffff";
  const head = (type: number) => `${Buffer.of(0, 0, 0, type).toString("hex")}00ffffffff`;
  const record: { readonly [name: string]: string } = {
    get: `${head(opcodes.getData)}${path}00`,
    delete: `${head(opcodes.delete)}${path}ffffffff`,
    exists: `${head(opcodes.exists)}${path}00`,
    deleteContainer: `${head(opcodes.deleteContainer)}${path}`,
  };
  const opOf = (type: number, ...records: readonly string[]) =>
    decodeRequest(frameOf(`00000001000000${type.toString(16).padStart(2, "0")}${records.join("")}${end}`))?.body.op;
  assert.equal(opOf(14, record.delete ?? ""), "multi");
  assert.equal(opOf(22, record.get ?? ""), "multiRead");
  for (const wrong of [record.get, record.exists, record.deleteContainer]) {
    assert.equal(opOf(14, record.delete ?? "", wrong ?? ""), "malformed");
  }
  for (const wrong of [record.delete, record.exists]) {
    assert.equal(opOf(22, record.get ?? "", wrong ?? ""), "malformed");
  }
});

test("flags that no create mode has: judged by the door alone, malformed in a multi", () => {
  for (const flags of [7, -1, 2_147_483_647]) {
    const bytes = Buffer.from(requests.create, "hex");
    bytes.writeInt32BE(flags, bytes.length - 4);
    const alone = decodeRequest(bytes);
    assert.equal(alone?.body.op === "create" && alone.body.flags, flags);
    const record = bytes.subarray(8).toString("hex");
    const multi = `000000010000000e0000000100ffffffff${record}ffffffff01ffffffff`;
    assert.equal(decodeRequest(frameOf(multi))?.body.op, "malformed");
  }
});

test("the ACL that nearly all have is the one value of it; any other is not taken for it", () => {
  const open = "000000010000001f00000005776f726c6400000006616e796f6e65";
  const aclOf = (hex: string) => {
    const body = decodeRequest(frameOf(`0000000500000007000000022f61${hex}00000001`))?.body;
    return body?.op === "setAcl" ? body.acl : body?.op;
  };
  assert.equal(aclOf(open), openAcl);
  assert.deepEqual(aclOf(open.replace("1f", "1e")), [{ scheme: "world", id: "anyone", perms: 30 }]);
  assert.deepEqual(aclOf(open.replace("6f6e65", "6f6e66")), [{ scheme: "world", id: "anyonf", perms: 31 }]);
  assert.equal(aclOf(open.replace("00000001", "00000002")), "malformed");
});

test("lengths and counts that lie are faults; null and negative counts are none", () => {
  const setAcl = (count: string) => decodeRequest(frameOf(`0000000500000007000000022f61${count}00000001`))?.body;
  assert.deepEqual(setAcl("ffffffff"), { op: "setAcl", path: "/a", acl: [], version: 1 });
  assert.deepEqual(setAcl("80000000"), { op: "setAcl", path: "/a", acl: [], version: 1 });
  const setWatches = (count: string) =>
    decodeRequest(frameOf(`fffffff8000000650000000000000000${count}0000000000000000`))?.body.op;
  assert.deepEqual([setWatches("00000000"), setWatches("80000000")], ["setWatches", "setWatches"]);
  assert.deepEqual([setWatches("ffffffff"), setWatches("00000003")], ["malformed", "malformed"]);
  const entry = (scheme: string, id: string) => setAcl(`000000010000001f${scheme}${id}`);
  assert.deepEqual(entry("ffffffff", "0000000161"), {
    op: "setAcl",
    path: "/a",
    acl: [{ scheme: "", id: "a", perms: 31 }],
    version: 1,
  });
  const auth = entry("0000000461757468", "ffffffff");
  assert.deepEqual(auth, { op: "setAcl", path: "/a", acl: [{ scheme: "auth", id: "", perms: 31 }], version: 1 });
  for (const scheme of ["00000005776f726c64", "000000026970", "00000006646967657374"]) {
    assert.equal(entry(scheme, "ffffffff")?.op, "malformed", scheme);
  }
  for (const count of ["00000001", "7fffffff", "00ffffff"]) assert.equal(setAcl(count)?.op, "malformed", count);
  for (const length of ["fffffffe", "80000000", "7fffffff", "00000003"]) {
    assert.equal(decodeRequest(frameOf(`0000000500000006${length}2f61`))?.body.op, "malformed", length);
    assert.equal(decodeRequest(frameOf(`0000000500000067${length}2f61`))?.body.op, "malformed", length);
  }
  // A path that is null is a fault but where ZooKeeper looks at it first, or at nothing.
  const opOf = (type: string) => decodeRequest(frameOf(`00000005000000${type}ffffffff${"00".repeat(40)}`))?.body;
  for (const type of ["01", "02", "03", "04", "06", "08", "0c", "0f", "13", "15", "68"]) {
    assert.equal(opOf(type)?.op, "malformed", type);
  }
  for (const type of ["05", "07", "11", "12", "67", "6a"]) {
    const body = opOf(type);
    assert.equal(body && "path" in body ? body.path : body, "", type);
  }
  assert.deepEqual(opOf("09"), { op: "sync", path: undefined });
  const setData = "0000000500ffffffffffffffff00000000ffffffffffffffff01ffffffff";
  assert.equal(decodeRequest(frameOf(`000000010000000e${setData}`))?.body.op, "malformed");
});

test("bytes that are no UTF-8 are texts that no path may be", () => {
  const getAcl = (bytes: string) =>
    decodeRequest(frameOf(`0000000500000006${(bytes.length / 2).toString(16).padStart(8, "0")}${bytes}`))?.body;
  assert.deepEqual(getAcl("2ffc61"), { op: "getAcl", path: "/\ufffda" });
  // A surrogate pair as Java's writer has it: three bytes each.
  const pair = getAcl("2feda0bdedb880");
  assert.match((pair as { path: string }).path, /^\/\ufffd+$/);
  assert.deepEqual(getAcl("2ff09f9880"), { op: "getAcl", path: "/😀" });
  assert.deepEqual(getAcl("efbbbf2f61ff"), { op: "getAcl", path: "\ufeff/a\ufffd" }, "a byte order mark stays");
});

/** What was made of the frame: characters, bytes and objects, roughly. */
function weightOf(value: unknown): number {
  if (typeof value === "string") return 16 + value.length * 2;
  if (value instanceof Uint8Array) return 64;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + 8 + weightOf(each), 16);
  if (typeof value !== "object" || value === null) return 8;
  return Object.values(value).reduce((sum: number, each) => sum + weightOf(each), 16);
}

const known = Object.values(requests).map((hex) => new Uint8Array(Buffer.from(hex, "hex")));

const mutated = fc
  .tuple(
    fc.constantFrom(...known),
    fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }))), {
      maxLength: 6,
    }),
    fc.option(fc.nat(), { nil: undefined }),
    fc.uint8Array({ maxLength: 8 }),
  )
  .map(([frame, changes, cut, more]) => {
    const bytes = Buffer.concat([frame, more]);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return new Uint8Array(cut === undefined ? bytes : bytes.subarray(0, cut % (bytes.length + 1)));
  });

test("any bytes: no throw, and never more than a few times their size", () => {
  const random = fc.tuple(fc.integer({ min: -12, max: 110 }), fc.uint8Array({ maxLength: 300 })).map(([type, rest]) => {
    const head = Buffer.alloc(8);
    head.writeInt32BE(type, 4);
    return new Uint8Array(Buffer.concat([head, rest]));
  });
  fc.assert(
    fc.property(fc.oneof(mutated, random, fc.uint8Array({ maxLength: 64 })), (frame) => {
      decodeConnect(frame);
      const request = decodeRequest(frame);
      const authenticates = frame.length >= 8 && [100, 102].includes(Buffer.from(frame).readInt32BE(4));
      if (!authenticates) assert.equal(request === undefined, frame.length < 8);
      const fault = request?.body.op === "malformed" ? 300 : 0;
      assert.ok(weightOf(request) <= 600 + fault + frame.length * 12, `${weightOf(request)} of ${frame.length} bytes`);
    }),
    { numRuns: 3000 },
  );
});

test("a multi of a whole frame's smallest operations", () => {
  const smallest = Buffer.from("0000000200ffffffff00000000ffffffff", "hex");
  const count = Math.floor(1_000_000 / smallest.length);
  const frame = Buffer.concat([
    Buffer.from("000000060000000e", "hex"),
    ...Array.from({ length: count }, () => smallest),
    Buffer.from("ffffffff01ffffffff", "hex"),
  ]);
  const body = decodeRequest(frame)?.body as { op: string; operations: readonly MultiOperation[] };
  assert.deepEqual([body.op, body.operations.length], ["multi", count]);
});
