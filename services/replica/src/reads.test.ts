import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, encodeRead, type Path, type SessionId, type Zxid } from "@quorate/api";
import { type Consistency, type DirectRead, decodeToGateway, type ToGateway } from "@quorate/proto";
import type { Tree } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";
import { Reads } from "./reads.ts";
import { replicaLimits } from "./replica-limits.ts";

/** Reads at a replica that has applied up to 10; the test answers the confirmations. */
function reading(): {
  reads: Reads;
  ask: (consistency: Consistency, minZxid?: number, maxStaleMillis?: number) => void;
  confirm: (index: number | undefined) => void;
  answers: () => string[];
  state: { applied: number; serves: boolean; now: number; queuedBytes: number };
} {
  const state = { applied: 10, serves: true, now: 0, queuedBytes: 0 };
  const waiting: ((index: Zxid | undefined) => void)[] = [];
  const answers: string[] = [];
  const tree = {
    get applied() {
      return state.applied;
    },
    lane: () => ({ lastSequence: 3 }),
    read: () => ({ ok: true, zxid: state.applied as Zxid, result: { kind: "done", count: 0 } }),
  };
  const reads = new Reads({
    tree: () => tree as unknown as Tree,
    now: () => state.now,
    serves: () => state.serves,
    freshSince: () => undefined,
    historyId: () => "",
    watched: () => undefined,
    confirm: (done) => void waiting.push(done),
    decorate: (outcome) => outcome,
    push: (work) => work(),
  });
  const connection = {
    get queuedBytes() {
      return state.queuedBytes;
    },
    send: (bytes: Uint8Array) => {
      const message = decodeToGateway(bytes) as ToGateway;
      if (message.kind !== "answer") return;
      answers.push(message.outcome.ok ? `at ${message.outcome.zxid}` : message.outcome.code);
    },
  } as unknown as GatewayConnection;
  let id = 0;
  const operation = encodeRead({ kind: "get", path: "/a" as Path });
  return {
    reads,
    state,
    answers: () => answers.splice(0),
    ask: (consistency, minZxid = 0, maxStaleMillis = 0) =>
      reads.read(connection, {
        kind: "read",
        id: ++id,
        consistency,
        minZxid: minZxid as Zxid,
        maxStaleMillis,
        budgetMillis: 1000,
        identity: anyone,
        operation,
      }),
    confirm: (index) => {
      for (const done of waiting.splice(0)) done(index as Zxid | undefined);
    },
  };
}

test("a linearizable read waits for its confirmation, and then until that much is applied", () => {
  const { reads, ask, confirm, answers, state } = reading();
  ask("linearizable");
  assert.deepEqual(answers(), []);
  confirm(12);
  assert.deepEqual(answers(), []);
  state.applied = 11;
  reads.applied();
  assert.deepEqual(answers(), []);
  state.applied = 12;
  reads.applied();
  assert.deepEqual(answers(), ["at 12"]);
});

test("a session's read is never older than what its client saw", () => {
  const { reads, ask, answers, state } = reading();
  ask("session", 10);
  ask("session", 11);
  assert.deepEqual(answers(), ["at 10"]);
  state.now = 1000;
  reads.tick();
  assert.deepEqual(answers(), ["behind"]);
});

test("of unknown age something is read by whoever takes any age, and by nobody else", () => {
  const { reads, ask, answers, state } = reading();
  ask("stale", 0, Number.MAX_SAFE_INTEGER - 1);
  ask("stale", 0, Number.MAX_SAFE_INTEGER);
  ask("stale", 11, Number.MAX_SAFE_INTEGER);
  assert.deepEqual(answers(), ["at 10"]);
  state.now = 1000;
  reads.tick();
  assert.deepEqual(answers(), ["behind", "behind"]);
});

test("nothing is read here before this replica is synchronized", () => {
  const { reads, ask, answers, state } = reading();
  state.serves = false;
  ask("session");
  assert.deepEqual(answers(), []);
  state.serves = true;
  reads.tick();
  assert.deepEqual(answers(), ["at 10"]);
});

test("reads that wait for a confirmation are bounded, too", () => {
  const { reads, ask, confirm, answers } = reading();
  for (let n = 0; n < replicaLimits.waitingReads; n++) ask("linearizable");
  assert.equal(reads.waiting, replicaLimits.waitingReads);
  ask("linearizable");
  assert.deepEqual(answers(), ["throttled"]);
  confirm(10);
  assert.equal(answers().length, replicaLimits.waitingReads);
  assert.equal(reads.waiting, 0);
  ask("linearizable");
  confirm(undefined);
  assert.equal(reads.waiting, 1, "what could not be confirmed is asked again");
});

test("nothing more is answered to a gateway that does not take what it was answered", () => {
  const { reads, ask, confirm, answers, state } = reading();
  state.queuedBytes = replicaLimits.answeredBytes + 1;
  ask("session");
  ask("linearizable");
  confirm(10);
  reads.applied();
  reads.tick();
  assert.deepEqual([answers(), reads.waiting], [[], 2]);
  state.queuedBytes = 0;
  reads.tick();
  assert.deepEqual([answers(), reads.waiting], [["at 10", "at 10"], 0]);
  state.queuedBytes = replicaLimits.answeredBytes + 1;
  ask("session");
  state.now = 1000;
  reads.tick();
  assert.deepEqual(answers(), ["behind"]);
});

test("what is answered at once is what need not wait, and has no place of its own on the stream", () => {
  const { reads, state } = reading();
  const get = { kind: "get", path: "/a" as Path } as const;
  const now = (more: Partial<DirectRead>): Zxid | undefined =>
    reads.now({ minZxid: 0 as Zxid, identity: anyone, operation: get, ...more })?.zxid;
  assert.equal(now({}), 10);
  assert.equal(now({ minZxid: 10 as Zxid }), 10);
  assert.equal(now({ minZxid: 11 as Zxid }), undefined);
  const session = 5 as SessionId;
  assert.equal(now({ behind: { session, sequence: 3 } }), 10);
  assert.equal(now({ behind: { session, sequence: 4 } }), undefined);
  const scopes = { node: ["/a" as Path], children: [], subtree: [] };
  assert.equal(now({ operation: { kind: "watch", scopes } }), undefined);
  assert.equal(now({ operation: { kind: "tree", listing: 1, path: "/a" as Path, withData: false } }), undefined);
  state.serves = false;
  assert.equal(now({}), undefined);
});
