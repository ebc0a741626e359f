/** What the door answers is what ZooKeeper's own classes write, byte by byte; what no client could read is not sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionId, Stat, Zxid } from "@quorate/api";
import fc from "fast-check";
import { encodeConnectResponse, encodeHeader, encodeNotification, replyLimitBytes } from "./encode.ts";
import { FrameCutter } from "./frames.ts";
import { JuteWriter, Slabs } from "./jute.ts";
import { type ReplyBody, writeReply } from "./reply.ts";
import { replies } from "./wire-vectors.test-support.ts";

const zxid = 0x200000019 as Zxid;
const stat: Stat = {
  czxid: 0x200000017 as Zxid,
  mzxid: 0x200000018 as Zxid,
  pzxid: 0x200000019 as Zxid,
  ctime: 1_700_000_000_123,
  mtime: 1_700_000_000_456,
  version: 3,
  cversion: 4,
  aversion: 1,
  ephemeralOwner: 0x200000002 as SessionId,
  dataLength: 5,
  numChildren: 2,
  kind: "ephemeral",
  ttlMillis: 0,
};
const hello = Buffer.from("hello");
const acl = [
  { scheme: "world", id: "anyone", perms: 31 },
  { scheme: "digest", id: "bob:x=", perms: 1 },
];
const gone = { op: "error", code: -101 } as const;

type Vector = Exclude<keyof typeof replies, "connect" | "header" | "ping" | "event">;

const bodies: { readonly [name in Vector]: ReplyBody } = {
  path: { kind: "path", path: "/a" },
  pathStat: { kind: "pathStat", path: "/a", stat },
  stat: { kind: "stat", stat },
  data: { kind: "data", data: hello, stat },
  dataNull: { kind: "data", data: undefined, stat },
  dataEmpty: { kind: "data", data: new Uint8Array(0), stat },
  acl: { kind: "acl", acl, stat },
  children: { kind: "children", children: ["x", "é", ""] },
  children2: { kind: "children", children: ["x"], stat },
  ephemerals: { kind: "paths", paths: ["/a/e"] },
  count: { kind: "number", number: 70_000 },
  whoAmI: {
    kind: "identities",
    ids: [
      { scheme: "ip", id: "127.0.0.1" },
      { scheme: "digest", id: "bob" },
    ],
  },
  addWatch: { kind: "number", number: 0 },
  multi: {
    kind: "multi",
    results: [
      { op: "create", path: "/a" },
      { op: "create2", path: "/b", stat },
      { op: "setData", stat },
      { op: "delete" },
      { op: "check" },
    ],
  },
  multiError: { kind: "multi", results: [{ op: "error", code: 0 }, gone, { op: "error", code: -2 }] },
  multiRead: {
    kind: "multi",
    results: [{ op: "getData", data: hello, stat }, { op: "getChildren", children: ["x", "y"] }, gone],
  },
};

function framesOf(writer: JuteWriter): string[] {
  const cutter = new FrameCutter(0x7fffffff);
  cutter.push(writer.take());
  const frames: string[] = [];
  while (cutter.next()) frames.push(Buffer.from(cutter.bytes.subarray(cutter.from, cutter.to)).toString("hex"));
  assert.equal(cutter.waiting, 0);
  return frames;
}

test("every reply, event and answer to a connect, all in one buffer", () => {
  const writer = new JuteWriter(new Slabs());
  const expected: string[] = [];
  for (const [name, body] of Object.entries(bodies)) {
    assert.equal(writeReply(writer, 7, zxid, 0, body), true);
    expected.push(replies[name as Vector]);
  }
  encodeHeader(writer, 7, zxid, -101);
  encodeHeader(writer, -2, zxid, 0);
  encodeNotification(writer, { zxid, type: 3, path: "/a", place: 0 });
  const password = Uint8Array.from({ length: 16 }, (_, index) => index * 17);
  const session = 0x200000002 as SessionId;
  encodeConnectResponse(writer, { timeoutMillis: 30_000, session, password, readOnly: false });
  encodeConnectResponse(writer, { timeoutMillis: 30_000, session, password, readOnly: undefined });
  expected.push(replies.header, replies.ping, replies.event, replies.connect, replies.connect.slice(0, -2));
  assert.deepEqual(framesOf(writer), expected);
  assert.equal(writer.length, 0);
});

test("a path that was null is answered as null", () => {
  const writer = new JuteWriter(new Slabs());
  assert.equal(writeReply(writer, 7, zxid, 0, { kind: "path", path: undefined }), true);
  assert.deepEqual(framesOf(writer), [`${replies.path.slice(0, 32)}ffffffff`]);
});

test("a reply that clients cannot read becomes an error, and what stands around it stays", () => {
  const filled = (bytes: number): ReplyBody => ({ kind: "data", data: new Uint8Array(bytes), stat });
  const most = replyLimitBytes - 16 - 4 - 68;
  const many = (count: number, text: string) => Array.from({ length: count }, () => text);
  const cases: readonly (readonly [ReplyBody, boolean])[] = [
    [filled(most), true],
    [filled(most + 1), false],
    [{ kind: "multi", results: [{ op: "getData", data: new Uint8Array(most - 18), stat }] }, true],
    [{ kind: "multi", results: [{ op: "getData", data: new Uint8Array(most - 17), stat }] }, false],
    [{ kind: "children", children: many(131_069, "abcd") }, true],
    [{ kind: "children", children: many(131_069, "abcé") }, false],
    [{ kind: "paths", paths: many(200_000, "/abcdef") }, false],
  ];
  for (const [body, fits] of cases) {
    const writer = new JuteWriter(new Slabs());
    encodeHeader(writer, 6, zxid, -101);
    assert.equal(writeReply(writer, 7, zxid, 0, body), fits, body.kind);
    encodeHeader(writer, 8, zxid, -101);
    const [before, frame, after] = framesOf(writer);
    assert.equal(before, `00000006${replies.header.slice(8)}`);
    assert.equal(after, `00000008${replies.header.slice(8)}`);
    assert.equal(fits || frame === "000000070000000200000019fffffff8", true);
    assert.ok((frame?.length ?? 0) / 2 <= replyLimitBytes);
  }
});

test("writers that share their memory do not touch what another one has", () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 20_000, max: 90_000 }));
  const step = fc.record({ who: fc.integer({ min: 0, max: 2 }), size, take: fc.boolean(), drop: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const slabs = new Slabs();
      const writers = [new JuteWriter(slabs), new JuteWriter(slabs), new JuteWriter(slabs)];
      const written: number[][][] = [[], [], []];
      const taken: { readonly bytes: Uint8Array; readonly expected: number[][] }[] = [];
      steps.forEach(({ who, size: length, take, drop }, index) => {
        const writer = writers[who] as JuteWriter;
        const before = writer.length;
        const buffer = new Uint8Array(length).fill(index + 1);
        writer.buffer(buffer);
        if (drop) writer.rewind(before);
        else (written[who] as number[][]).push([length, index + 1]);
        if (take) taken.push({ bytes: writer.take(), expected: (written[who] as number[][]).splice(0) });
      });
      for (const { bytes, expected } of taken) {
        let at = 0;
        for (const [length = 0, value = 0] of expected) {
          assert.equal(Buffer.from(bytes.buffer, bytes.byteOffset + at, 4).readInt32BE(), length);
          assert.equal(
            bytes.subarray(at + 4, at + 4 + length).every((each) => each === value),
            true,
          );
          at += 4 + length;
        }
        assert.equal(at, bytes.length);
      }
    }),
  );
});
