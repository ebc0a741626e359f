/**
 * A write in a form that the rules which hold do not know: nobody can read it, so that its number would never be used, and
 * the lane would stand. It is refused by itself, and the lane goes on.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import {
  anyone,
  blankRefusal,
  composeZxid,
  decodeCommand,
  newestForms,
  type Outcome,
  type Path,
  persistentShape,
  sessionIdOf,
  type WriteOperation,
} from "@quorate/api";
import type { FromGateway, MemberStatus } from "@quorate/proto";
import type { Answer } from "./backend.ts";
import { Endpoint } from "./endpoint.ts";
import { Lane } from "./lane.ts";
import { ScriptedStream, session, start, zxid } from "./session-lane-fixture.test-support.ts";
import type { ReplicaEvents } from "./stream.ts";
import { VirtualWorld } from "./virtual-world.test-support.ts";

const older = newestForms - 1;

function create(path: string, more: object = {}): WriteOperation {
  const base = { kind: "create", path: path as Path, data: new Uint8Array(0), shape: persistentShape } as const;
  return { ...base, sequential: false, parents: false, ...more };
}

const plain = create("/plain");
const tooNew = create("/null", { nullData: true });

class Sent extends ScriptedStream {
  readonly operations: (WriteOperation | undefined)[] = [];

  override send(message: FromGateway): void {
    super.send(message);
    if (message.kind === "write") this.operations.push(decodeCommand(message.command)?.operation);
  }
}

/** The gateway's own lane, which flows. */
function laneTo(home: Sent): { lane: Lane; write(operation: WriteOperation): { answer: Answer | undefined } } {
  const world = new VirtualWorld(1);
  const lane = new Lane({ world, name: "g", log: () => {}, wake: () => {}, flows: () => {}, nextId: () => 1 });
  const own = sessionIdOf(composeZxid(1, 5));
  const result = { kind: "session", session: own, timeoutMillis: 9000, attachment: 1, lastSequence: 0 } as const;
  lane.moveTo(home);
  lane.opened(1, { ok: true, zxid: zxid(6), result });
  const state = { session: own, exists: true, attachment: 1, lastSequence: 0, fence: 1 };
  lane.laneState(home, { kind: "laneState", ...state });
  home.take();
  return {
    lane,
    write: (operation) => {
      const box: { answer: Answer | undefined } = { answer: undefined };
      lane.write({ identity: anyone, operation }, world.now() + 5000, (answer) => {
        box.answer = answer;
      });
      return box;
    },
  };
}

it("gets no number on the gateway's own lane, and says what is to be done", () => {
  const home = new Sent(1);
  home.rules = older;
  const { lane, write } = laneTo(home);
  const [before, between, behind] = [write(plain), write(tooNew), write(plain)];
  lane.pump();
  assert.deepEqual(home.take(), ["1 /plain", "2 /plain"]);
  assert.deepEqual([before.answer, behind.answer], [undefined, undefined]);
  assert.ok(between.answer?.kind === "unavailable");
  const { code, certainty, detail } = between.answer;
  assert.deepEqual([code, certainty], ["unimplemented", "noEffect"]);
  assert.match(
    detail,
    /^null data needs rules version 2, and rules version 1 holds, for a member .* upgrade every replica/,
  );
  home.rules = newestForms;
  write(tooNew);
  lane.pump();
  assert.deepEqual(home.take(), ["3 /null"], "once the rules hold it is a write as any other");
});

it("each of the newer forms is found, also within a txn, and nothing else is", () => {
  const silent = [{ scheme: "world", id: "anyone", perms: 0 }];
  const list = Array.from({ length: 1001 }, () => ({ kind: "check", path: "/a", version: 1 }));
  const txn = (more: object): WriteOperation => ({ kind: "txn", check: [], then: [], ...more });
  const children = { kind: "children", path: "/a", limit: 10_001, withData: false };
  const forms: readonly (readonly [WriteOperation, RegExp])[] = [
    [tooNew, /^null data/],
    [{ kind: "set", path: "/a" as Path, data: new Uint8Array(0), nullData: true, condition: {} }, /^null data/],
    [create("/a", { shape: { ...persistentShape, acl: silent } }), /^an ACL entry that gives no permission/],
    [{ kind: "setAcl", path: "/a" as Path, acl: silent, aversion: -1 }, /^an ACL entry/],
    [txn({ then: list }), /^a list of more than 1000 operations/],
    [txn({ else: [plain, tooNew] }), /^null data/],
    [txn({ then: [children] }), /^a list of more than 10000 children/],
  ];
  const home = new Sent(1);
  home.rules = older;
  const { lane, write } = laneTo(home);
  for (const [operation, what] of forms) {
    const box = write(operation);
    lane.pump();
    const { answer } = box;
    assert.match(answer?.kind === "unavailable" ? answer.detail : "", what);
  }
  write(txn({ then: list.slice(1), else: [plain, { ...children, limit: 10_000 }] }));
  lane.pump();
  assert.equal(home.operations.length, 1);
});

it("uses up its client's number on a session's lane, and what is behind it is done", () => {
  const f = start();
  const lane = f.open();
  f.home.rules = older;
  f.write(lane, 1, "", plain);
  f.write(lane, 2, "", tooNew);
  f.write(lane, 3, "", plain);
  assert.deepEqual(f.home.take(), ["1 /plain", "2 sweep", "3 /plain"]);
  const refused: Outcome = { ok: false, zxid: zxid(102), code: "badArguments", detail: blankRefusal };
  f.written(1);
  f.lanes.written(f.home, { kind: "written", session, sequence: 2, outcome: refused });
  f.written(3);
  assert.deepEqual(f.told.splice(0), ["1 ok 101", "2 unimplemented", "3 ok 103"]);
  // Asked for once more when the rules hold, the replicated memory has what became of the blank one.
  f.home.rules = newestForms;
  f.write(lane, 2, "", tooNew);
  assert.deepEqual(f.home.take(), ["2 /null"]);
  f.lanes.written(f.home, { kind: "written", session, sequence: 2, outcome: refused });
  assert.deepEqual(f.told, ["2 unimplemented"]);
});

it("what has its number keeps its bytes, at whichever home it is decided", () => {
  const f = start();
  const lane = f.open();
  f.home.rules = older;
  f.write(lane, 1, "", tooNew);
  f.home.take();
  f.home.rules = newestForms;
  f.state(0, 1);
  const fence = Number(f.home.take()[0]?.split(" ").at(-1));
  f.state(0, fence);
  assert.deepEqual(f.home.take(), ["1 sweep"]);
});

it("a stream counts on what its replica tells, and of one that does not on what it knows", () => {
  let events: ReplicaEvents | undefined;
  const dial = (_: string, heard: ReplicaEvents) => {
    events = heard;
    return { send: () => {}, flush: () => {}, close: () => {}, queuedBytes: 0 };
  };
  const nothing = (): void => {};
  const endpointEvents = { changed: nothing, received: nothing, lost: nothing, failed: nothing };
  const world = new VirtualWorld(1);
  const endpoint = new Endpoint("r", true, dial, world, { ...endpointEvents, drained: nothing, queued: nothing });
  endpoint.start();
  const status = { kind: "status", self: { id: 1, rules: 7 } as MemberStatus, others: [] } as const;
  events?.received([status]);
  assert.equal(endpoint.stream?.rules, 7);
  events?.received([{ kind: "rules", rules: 5 }, status]);
  assert.equal(endpoint.stream?.rules, 5);
  events?.received([{ kind: "rules", rules: 6 }]);
  assert.equal(endpoint.stream?.rules, 6);
  events?.down("cut");
  endpoint.start();
  events?.received([status]);
  assert.equal(endpoint.stream?.rules, 7, "another stream, perhaps to an older program");
  endpoint.close();
});
