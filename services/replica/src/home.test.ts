/** What a gateway is told of its lane's writes that were not taken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anyone,
  encodeCommand,
  joinCommands,
  parsePath,
  persistentShape,
  type SessionId,
  type Zxid,
} from "@quorate/api";
import { decodeToGateway, type ToGateway } from "@quorate/proto";
import { Tree } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";
import { Home } from "./home.ts";
import type { Refusal } from "./submissions.ts";

const session = 0x1_0000_0001 as SessionId;

function command(sequence: number): Uint8Array {
  const path = parsePath("/a");
  if (typeof path !== "string") throw new Error("a path");
  return encodeCommand({
    identity: anyone,
    lane: { session, attachment: 1, sequence, answeredUpTo: 0 },
    operation: {
      kind: "create",
      path,
      data: new Uint8Array(0),
      shape: persistentShape,
      sequential: false,
      parents: false,
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

test("what the leader refused comes as a whole message, and leaves as a refusal", () => {
  const told: ToGateway[] = [];
  const connection: GatewayConnection = {
    name: "a gateway",
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
    fence: 7,
    code: "quotaExceeded",
    detail: "the leader's disk is full",
    retryAfterMillis: 5000,
  } as const;
  home.refused(session, 1, 7, message satisfies Refusal);
  const { code, detail, retryAfterMillis } = message;
  assert.deepEqual(told.at(-1), { kind: "refused", session, sequence: 1, code, detail, retryAfterMillis });
});
