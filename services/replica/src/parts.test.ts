/** How the parts hang together where no single one can show it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { anyone, encodeRead, type Path, type Zxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";
import { createParts, type Host, type Parts } from "./parts.ts";
import { create, TestStream, TreeScene } from "./tree-scene.test-support.ts";

const watch = encodeRead({ kind: "watch", scopes: { node: ["/a" as Path], children: [], subtree: [] } }).slice();

const status: MemberStatus = {
  ...{ id: 1, standing: "member", role: "following", serving: true, reason: "", leader: 2, epoch: 1, acceptedEpoch: 1 },
  ...{ applied: 0 as Zxid, committed: 0 as Zxid, logged: 0 as Zxid, ensembleId: "", historyId: "", version: "" },
  ...{ rules: 9, digest: "", znodes: 0, sessions: 0, agoMillis: 0, address: "" },
};

/** The parts of a replica whose storage has one snapshot, of `leader`'s state. */
function partsOver(own: TreeScene, leader: TreeScene): Parts {
  const cursor = leader.tree.snapshot();
  const content: Uint8Array[] = [];
  for (let part = cursor.next(65_536); part; part = cursor.next(65_536)) content.push(part);
  const push = (work: () => void): void => work();
  const host = {
    options: {
      id: 1,
      members: [1, 2, 3],
      world: { clock: { now: () => 0, soon: push } },
      storage: {
        newestSnapshot: () => ({ checksum: 1 }),
        readSnapshot: async function* (): AsyncGenerator<Uint8Array> {
          yield* content;
        },
      },
      recovered: { history: { appliedChecksum: 0, tail: [] } },
      log: () => undefined,
    },
    push,
    serves: () => true,
    historyId: () => "",
    freshSince: () => 0,
    ready: () => true,
    advanced: () => undefined,
    memberStatuses: () => ({ self: status, others: [] }),
  };
  return createParts(host as unknown as Host, own.tree);
}

function readWatch(parts: Parts, stream: TestStream, id: number): void {
  const [minZxid, maxStaleMillis, budgetMillis] = [0 as Zxid, 0, 1000];
  const rest = { consistency: "session", minZxid, maxStaleMillis, budgetMillis, identity: anyone } as const;
  parts.reads.read(stream, { kind: "read", id, ...rest, operation: watch });
}

test("a leader's snapshot in the place of the state breaks the feeds; watches go on from the new state", async () => {
  const own = new TreeScene();
  const leader = new TreeScene();
  leader.write(create("/a"), create("/b"));
  const parts = partsOver(own, leader);
  const stream = new TestStream();
  readWatch(parts, stream, 1);
  assert.equal(parts.feeds.size, 1);
  parts.applier.install(leader.tree.applied);
  while (parts.applier.restoring) await setImmediate();
  assert.deepEqual(
    stream.taken().map((each) => each.kind),
    ["answer", "feedBroken"],
  );
  readWatch(parts, stream, 2);
  leader.write(create("/c"));
  parts.applier.deliver(leader.batches.slice(-1));
  parts.applier.slice(0);
  const [answer, feed] = stream.taken();
  assert.ok(answer?.kind === "answer" && answer.outcome.ok && answer.outcome.zxid === leader.tree.applied - 1);
  assert.ok(feed?.kind === "feed" && feed.through === leader.tree.applied);
  assert.deepEqual(
    feed.changes.map(({ path }) => path),
    ["/c"],
  );
});

test("gateways are told which rules hold, and when they rise; those that would not understand are not", () => {
  const own = new TreeScene();
  const parts = partsOver(own, own);
  const [one, former] = [new TestStream(2), new TestStream()];
  const told = (stream: TestStream): unknown[] =>
    stream.taken().map((each) => (each.kind === "rules" ? each.rules : each.kind));
  for (const each of [one, former]) parts.desk.attach(each);
  assert.deepEqual([told(one), told(former)], [["status", 1], ["status"]]);
  const apply = (rules: number): void => {
    const { applied: previous } = own.tree;
    const zxid = (previous + 1) as Zxid;
    const around = { first: zxid, last: zxid, previous, commit: previous };
    parts.applier.deliver([{ ...around, stamp: 2000, rules, checksum: 9, payload: new Uint8Array(4) }]);
    parts.applier.slice(0);
  };
  apply(1);
  told(one);
  apply(2);
  assert.deepEqual(told(one), [2]);
  apply(2);
  assert.deepEqual([told(one), told(former)], [[], []]);
});
