/** What a gateway is told of its lane's writes that were not taken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anyone,
  decodeCommand,
  encodeCommand,
  joinCommands,
  newestForms,
  type Outcome,
  parsePath,
  persistentShape,
  type Result,
  rootPath,
  type SessionId,
  type Zxid,
} from "@quorate/api";
import { decodeToGateway, type ToGateway } from "@quorate/proto";
import { Tree } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";
import { answer, Home } from "./home.ts";
import type { Refusal } from "./submissions.ts";

const session = 0x1_0000_0001 as SessionId;

function command(sequence: number, attachment = 1, more: object = {}): Uint8Array {
  const path = parsePath("/a");
  if (typeof path !== "string") throw new Error("a path");
  return encodeCommand({
    identity: anyone,
    lane: { session, attachment, sequence, answeredUpTo: 0 },
    operation: {
      kind: "create",
      path,
      data: new Uint8Array(0),
      shape: persistentShape,
      sequential: false,
      parents: false,
      ...more,
    },
  });
}

/** A tree in which the lane's session is the first transaction. */
function treeWithSession(): Tree {
  const tree = new Tree();
  const payload = encodeCommand({
    identity: anyone,
    operation: {
      kind: "createSession",
      role: "gateway",
      timeoutMillis: 30_000,
      secretHash: new Uint8Array(32),
      name: "",
      address: "",
    },
  });
  const zxid = session as number as Zxid;
  const previous = 0 as Zxid;
  tree.apply({
    first: zxid,
    last: zxid,
    previous,
    commit: previous,
    stamp: 1,
    rules: 1,
    checksum: 1,
    payload: joinCommands([payload]),
  });
  return tree;
}

/** Further transactions, one in a batch. */
function apply(tree: Tree, home: Home, ...commands: readonly Uint8Array[]): void {
  for (const each of commands) {
    const previous = tree.applied;
    const last = (previous + 1) as Zxid;
    const payload = joinCommands([each]);
    home.applied(
      tree.apply({ first: last, last, previous, commit: previous, stamp: 1, rules: 1, checksum: 1, payload }),
    );
  }
}

const attach = encodeCommand({
  identity: anyone,
  acting: { session, secretHash: new Uint8Array(32) },
  operation: { kind: "attach", session },
});

interface Setting {
  readonly tree: Tree;
  readonly home: Home;
  readonly submitted: { readonly sequence: number; readonly round: number }[];
  connect(): { readonly connection: GatewayConnection; take(): string[] };
}

function setting(): Setting {
  const tree = treeWithSession();
  const submitted: { sequence: number; round: number }[] = [];
  const home = new Home({
    tree: () => tree,
    ready: () => true,
    submit: (_, sequence, round) => void submitted.push({ sequence, round }),
    submitOpen: () => undefined,
  });
  const connect = (): ReturnType<Setting["connect"]> => {
    const told: string[] = [];
    const send = (bytes: Uint8Array): void => {
      const each = decodeToGateway(bytes);
      if (each?.kind === "laneState") {
        told.push(`state ${each.exists} ${each.attachment} ${each.lastSequence} of ${each.fence}`);
      } else if (each?.kind === "written") {
        told.push(`written ${each.sequence} ${each.outcome.ok ? "ok" : each.outcome.code}`);
      } else if (each?.kind === "refused") told.push(`refused ${each.sequence} ${each.code}`);
      else told.push(String(each?.kind));
    };
    const close = (why: string): void => assert.fail(why);
    return {
      connection: { name: "a gateway", rules: 0, queuedBytes: 0, send, flush: () => {}, close },
      take: () => told.splice(0),
    };
  };
  return { tree, home, submitted, connect };
}

test("who has a session that is attached elsewhere is told at once, and nothing of what it still sends counts", () => {
  const { tree, home, submitted, connect } = setting();
  const [one, two] = [connect(), connect()];
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 5 });
  home.write(one.connection, { kind: "write", session, sequence: 1, command: command(1) });
  assert.deepEqual(one.take(), ["state true 1 0 of 5"]);
  apply(tree, home, attach);
  assert.deepEqual(one.take(), ["state true 2 0 of 5"]);
  home.lane(two.connection, { kind: "lane", session, attachment: 2, fence: 5 });
  assert.deepEqual(two.take(), ["state true 2 0 of 5"]);
  // What came under the first attachment, and is decided now, is no answer to the second one's first write.
  home.write(two.connection, { kind: "write", session, sequence: 1, command: command(1, 2) });
  apply(tree, home, command(1));
  assert.deepEqual(two.take(), []);
  // Nor is a refusal of it, though both had the same fence.
  home.refused(session, 1, submitted[0]?.round ?? 0, { code: "throttled", detail: "", retryAfterMillis: 1 });
  assert.deepEqual(two.take(), []);
  apply(tree, home, command(1, 2));
  assert.deepEqual(two.take(), ["written 1 ok"]);
  home.write(one.connection, { kind: "write", session, sequence: 2, command: command(2) });
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 6 });
  assert.deepEqual(one.take(), ["refused 2 noLeader", "state true 2 1 of 6"]);
  assert.deepEqual(
    submitted.map((each) => each.sequence),
    [1, 1],
  );
});

test("a lane whose attachment is not applied here yet waits for it", () => {
  const { tree, home, connect } = setting();
  const [one, two] = [connect(), connect()];
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 1 });
  one.take();
  home.lane(two.connection, { kind: "lane", session, attachment: 2, fence: 1 });
  assert.deepEqual([one.take(), two.take()], [["state true 2 0 of 1"], []]);
  home.write(two.connection, { kind: "write", session, sequence: 1, command: command(1, 2) });
  assert.deepEqual(two.take(), ["refused 1 noLeader"]);
  // The first one comes back, late.
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 2 });
  assert.deepEqual(one.take(), ["state true 2 0 of 2"]);
  apply(tree, home, command(1), attach);
  assert.deepEqual(two.take(), ["state true 2 1 of 1"]);
});

test("who has a session that ends is told at once", () => {
  const { tree, home, connect } = setting();
  const one = connect();
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 1 });
  apply(tree, home, encodeCommand({ identity: anyone, operation: { kind: "expireSession", session } }));
  home.ended([session]);
  assert.deepEqual(one.take(), ["state true 1 0 of 1", "state false 0 0 of 1"]);
});

test("a lane that was left with the change of a leader is told its state once more, and no outcomes", () => {
  const { tree, home, connect } = setting();
  const one = connect();
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 1 });
  apply(tree, home, command(1));
  home.becameUnready();
  apply(tree, home, command(2));
  assert.deepEqual(one.take(), ["state true 1 0 of 1", "written 1 ok", "written 2 nodeExists"]);
  home.becameReady();
  apply(tree, home, command(3));
  assert.deepEqual(one.take(), ["state true 1 2 of 1"]);
  // It was not left: a fence, or a write where this state was its fence's, and nothing is missing.
  home.write(one.connection, { kind: "write", session, sequence: 3, command: command(3) });
  apply(tree, home, command(4));
  assert.deepEqual(one.take(), ["written 3 nodeExists", "written 4 nodeExists"]);
  home.becameUnready();
  home.becameReady();
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 2 });
  apply(tree, home, command(5));
  assert.deepEqual(one.take(), ["state true 1 4 of 1", "state true 1 4 of 2", "written 5 nodeExists"]);
});

test("behind a refusal nothing of the round is taken, though the lane comes as far by another home", () => {
  const { tree, home, submitted, connect } = setting();
  const one = connect();
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 1 });
  home.becameUnready();
  home.write(one.connection, { kind: "write", session, sequence: 1, command: command(1) });
  home.becameReady();
  // The gateway has taken its numbers back, moved, and given them to other writes.
  apply(tree, home, command(1), command(2));
  home.write(one.connection, { kind: "write", session, sequence: 3, command: command(3) });
  assert.deepEqual(one.take(), [
    "state true 1 0 of 1",
    "refused 1 noLeader",
    "state true 1 0 of 1",
    "refused 3 noLeader",
  ]);
  assert.equal(submitted.length, 0);
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 2 });
  home.write(one.connection, { kind: "write", session, sequence: 3, command: command(3) });
  assert.equal(submitted.length, 1);
  // What the leader refused, likewise.
  home.refused(session, 3, submitted[0]?.round ?? 0, { code: "throttled", detail: "", retryAfterMillis: 1 });
  apply(tree, home, command(3));
  home.write(one.connection, { kind: "write", session, sequence: 4, command: command(4) });
  assert.equal(submitted.length, 1);
});

test("what the leader refused comes as a whole message, and leaves as a refusal", () => {
  const told: ToGateway[] = [];
  const connection: GatewayConnection = {
    name: "a gateway",
    rules: 0,
    queuedBytes: 0,
    send: (bytes) => void told.push(decodeToGateway(bytes) as ToGateway),
    flush: () => {},
    close: (why) => assert.fail(why),
  };
  const tree = treeWithSession();
  assert.ok(tree.lane(session), "the lane is there");
  const home = new Home({ tree: () => tree, ready: () => true, submit: () => undefined, submitOpen: () => undefined });
  home.lane(connection, { kind: "lane", session, attachment: 1, fence: 7 });
  home.write(connection, { kind: "write", session, sequence: 1, command: command(1) });
  const message = {
    kind: "forwardRefused",
    session,
    sequence: 1,
    fence: 1,
    code: "quotaExceeded",
    detail: "the leader's disk is full",
    retryAfterMillis: 5000,
  } as const;
  home.refused(session, 1, 1, message satisfies Refusal);
  const { code, detail, retryAfterMillis } = message;
  assert.deepEqual(told.at(-1), { kind: "refused", session, sequence: 1, code, detail, retryAfterMillis });
});

test("a gateway that knows no null data is told of no bytes, in a txn too, and all others of null", () => {
  const zero = 0 as Zxid;
  const times = { ctime: 1, mtime: 1, version: 0, cversion: 0, aversion: 0 };
  const rest = {
    ephemeralOwner: 0 as SessionId,
    dataLength: 0,
    numChildren: 0,
    kind: "persistent",
    ttlMillis: 0,
  } as const;
  const stat = { czxid: zero, mzxid: zero, pzxid: zero, ...times, ...rest };
  const plain: Result = { kind: "data", path: rootPath, data: new Uint8Array(0), stat };
  const ofNull: Result = { ...plain, nullData: true };
  const txn: Result = { kind: "txn", branch: "then", results: [plain, ofNull] };
  const toldTo = (rules: number, result: Result): Result | undefined => {
    let told: Result | undefined;
    const send = (bytes: Uint8Array): void => {
      const message = decodeToGateway(bytes);
      if (message?.kind === "answer" && message.outcome.ok) told = message.outcome.result;
    };
    const connection = { name: "a gateway", rules, queuedBytes: 0, send, flush: () => {}, close: () => {} };
    answer(connection, 1, { ok: true, zxid: zero, result } satisfies Outcome);
    return told;
  };
  for (const result of [plain, ofNull, txn]) assert.deepEqual(toldTo(newestForms, result), result);
  assert.deepEqual(toldTo(0, ofNull), plain);
  assert.deepEqual(toldTo(0, txn), { ...txn, results: [plain, plain] });
});

test("bytes that nobody can read are refused when the lane comes again because of them, and it goes on", () => {
  const { tree, home, submitted, connect } = setting();
  const one = connect();
  // Of a release that has operations which this one does not know.
  const foreign = command(2).slice();
  foreign[foreign.length - 1] = 0xff;
  assert.equal(decodeCommand(foreign), undefined);
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 1 });
  const bytes = [command(1), foreign, command(3)];
  bytes.forEach(
    (each, i) => void home.write(one.connection, { kind: "write", session, sequence: i + 1, command: each }),
  );
  apply(tree, home, ...bytes);
  assert.deepEqual(one.take(), ["state true 1 0 of 1", "written 1 ok", "state true 1 1 of 1"]);
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 2 });
  home.write(one.connection, { kind: "write", session, sequence: 2, command: foreign });
  assert.deepEqual(one.take(), ["state true 1 1 of 2", "refused 2 unimplemented"]);
  assert.deepEqual(
    submitted.map((each) => each.sequence),
    [1, 2, 3],
  );
  // So are forms that the rules do not know, of a gateway that does not ask for these.
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 3 });
  const tooNew = command(2, 1, { nullData: true });
  home.write(one.connection, { kind: "write", session, sequence: 2, command: tooNew });
  assert.deepEqual(one.take(), ["state true 1 1 of 3", "refused 2 unimplemented"]);
  home.lane(one.connection, { kind: "lane", session, attachment: 1, fence: 4 });
  home.write(one.connection, { kind: "write", session, sequence: 2, command: command(2) });
  apply(tree, home, command(2));
  assert.deepEqual(one.take(), ["state true 1 1 of 4", "written 2 nodeExists"]);
});
