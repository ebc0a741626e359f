/** Questions whose home moves there and back: what an answer to a former try is good for. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { anyone, asZxid, type Outcome, type Path, type ReadOperation } from "@quorate/api";
import type { Answer } from "./backend.ts";
import { Calls } from "./calls.ts";
import type { ReplicaStream } from "./stream.ts";
import { VirtualWorld } from "./virtual-world.test-support.ts";

const done: Outcome = { ok: true, zxid: asZxid(1), result: { kind: "done", count: 0 } };

interface Scene {
  readonly calls: Calls;
  readonly streams: readonly [ReplicaStream, ReplicaStream];
  /** Ids of what was sent, with the replica that it was sent to. */
  readonly sent: { replica: number; id: number; budgetMillis: number }[];
  readonly answers: [Answer, ReplicaStream | undefined][];
  giveUp(): void;
  move(home: ReplicaStream): void;
}

function ask(operation: ReadOperation, deadline = 5000): Scene {
  const sent: Scene["sent"] = [];
  const streamOf = (replica: number): ReplicaStream => ({
    replica,
    address: `r${replica}`,
    rules: 0,
    writable: true,
    send: (message) => {
      assert.ok(message.kind === "read");
      sent.push({ replica, id: message.id, budgetMillis: message.budgetMillis });
    },
  });
  const streams = [streamOf(1), streamOf(2)] as const;
  let home: ReplicaStream = streams[0];
  let id = 0;
  const calls = new Calls({
    world: new VirtualWorld(1),
    nextId: () => ++id,
    home: () => home,
    anywhere: () => home,
    learn: () => {},
    wake: () => {},
  });
  const answers: Scene["answers"] = [];
  const read = { identity: anyone, consistency: "linearizable", minZxid: asZxid(0), maxStaleMillis: 0 } as const;
  const giveUp = calls.read({ ...read, operation }, deadline, (answer, stream) => void answers.push([answer, stream]));
  calls.pump();
  const move = (to: ReplicaStream): void => {
    home = to;
    calls.moved(to);
  };
  return { calls, streams, sent, answers, giveUp, move };
}

const watch: ReadOperation = { kind: "watch", scopes: { node: ["/a" as Path], children: [], subtree: [] } };

it("takes for a watch only the answer to its last try", () => {
  for (const pumped of [true, false]) {
    const { calls, streams, sent, answers, move } = ask(watch);
    const [one, two] = streams;
    move(two);
    if (pumped) calls.pump();
    move(one);
    calls.answered(one, (sent[0] as { id: number }).id, done, 0);
    assert.equal(answers.length, 0, "the feed may have been turned off since");
    calls.pump();
    const last = sent.at(-1) as { replica: number; id: number };
    assert.equal(last.replica, 1);
    calls.answered(one, last.id, done, 0);
    assert.deepEqual(
      answers.map(([answer, stream]) => [answer.kind, stream]),
      [["outcome", one]],
    );
    assert.equal(calls.size, 0);
  }
});

it("takes any try's answer for another read", () => {
  const { calls, streams, sent, answers, move } = ask({ kind: "exists", path: "/a" as Path });
  move(streams[1]);
  calls.answered(streams[0], (sent[0] as { id: number }).id, done, 0);
  assert.equal(answers.length, 1);
});

it("forgets a question that is given up", () => {
  const { calls, streams, sent, answers, giveUp } = ask(watch);
  giveUp();
  giveUp();
  assert.equal(calls.size, 0);
  calls.answered(streams[0], (sent[0] as { id: number }).id, done, 0);
  calls.lost(streams[0]);
  calls.tick(100_000);
  assert.equal(answers.length, 0);
});

it("asks for a watch before the reads that wait", () => {
  const { calls, streams, sent, move } = ask({ kind: "exists", path: "/a" as Path });
  const read = { identity: anyone, consistency: "linearizable", minZxid: asZxid(0), maxStaleMillis: 0 } as const;
  move(streams[1]);
  calls.read({ ...read, operation: { kind: "sync" } }, 5000, () => {});
  calls.read({ ...read, operation: watch }, 5000, () => {});
  calls.pump();
  assert.deepEqual(
    sent.map(({ replica, id }) => [replica, id]),
    [
      [1, 1],
      [2, 3],
      [2, 1],
      [2, 2],
    ],
  );
});

it("leaves a replica's verdict time to arrive before the time is over", () => {
  for (const [deadline, budgetMillis] of [
    [5000, 4750],
    [1000, 750],
    [200, 150],
  ] as const) {
    // The world's clock begins at 1,000.
    const { sent } = ask({ kind: "exists", path: "/a" as Path }, 1000 + deadline);
    assert.equal(sent[0]?.budgetMillis, budgetMillis);
  }
});
