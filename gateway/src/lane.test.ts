/** The lane by itself, against a scripted stream: the fence, refusals of former tries, and which numbers come back. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { composeZxid, decodeCommand, newestForms, type Outcome, sessionIdOf } from "@quorate/api";
import type { FromGateway } from "@quorate/proto";
import type { Answer } from "./backend.ts";
import { Lane } from "./lane.ts";
import { brief, create } from "./link-fixture.test-support.ts";
import type { ReplicaStream } from "./stream.ts";
import { VirtualWorld } from "./virtual-world.test-support.ts";

const session = sessionIdOf(composeZxid(1, 5));
const zxid = composeZxid(1, 6);
const opened: Outcome = {
  ok: true,
  zxid,
  result: { kind: "session", session, timeoutMillis: 30_000, attachment: 1, lastSequence: 0 },
};
const done: Outcome = { ok: true, zxid, result: { kind: "done", count: 0 } };

class Script implements ReplicaStream {
  readonly replica: number;
  readonly address = "r";
  readonly writable = true;
  rules: number = newestForms;
  sent: FromGateway[] = [];

  constructor(replica: number) {
    this.replica = replica;
  }

  send(message: FromGateway): void {
    this.sent.push(message);
  }

  /** What was sent since the last look: `lane` with its fence, a write with its number and path. */
  take(): string[] {
    const { sent } = this;
    this.sent = [];
    return sent.map((each) => {
      if (each.kind === "lane") return `lane ${each.fence}`;
      if (each.kind !== "write") return each.kind;
      const operation = decodeCommand(each.command)?.operation;
      return `${each.sequence} ${operation?.kind === "create" ? String(operation.path) : operation?.kind}`;
    });
  }
}

function start(): {
  lane: Lane;
  world: VirtualWorld;
  home: Script;
  write(limit?: number): { path: string; answer: Answer | undefined };
  state(lastSequence: number, fence: number, exists?: boolean): void;
  refuse(sequence: number, stream?: Script): void;
} {
  const world = new VirtualWorld(1);
  let id = 0;
  const lane = new Lane({ world, name: "g", log: () => {}, wake: () => {}, flows: () => {}, nextId: () => (id += 1) });
  const home = new Script(1);
  const state = (lastSequence: number, fence: number, exists = true): void => {
    lane.laneState(home, { kind: "laneState", session, exists, attachment: 1, lastSequence, fence });
    lane.pump();
  };
  const refuse = (sequence: number, stream = home): void => {
    const code = "noLeader";
    lane.refused(stream, { kind: "refused", session, sequence, code, detail: "", retryAfterMillis: 10 });
    lane.pump();
  };
  const write = (limit = 10_000): { path: string; answer: Answer | undefined } => {
    const request = create();
    const box: { path: string; answer: Answer | undefined } = { path: request.operation.path, answer: undefined };
    lane.write(request, world.now() + limit, (answer) => {
      box.answer = answer;
    });
    lane.pump();
    return box;
  };
  lane.moveTo(home);
  assert.deepEqual(home.take(), ["open"]);
  assert.ok(lane.opened(1, opened));
  assert.deepEqual(home.take(), ["lane 1"]);
  state(0, 1);
  return { lane, world, home, write, state, refuse };
}

it("takes back the numbers of a refused tail and gives them in the order of asking", async () => {
  const { world, home, write, state, refuse } = start();
  const [a, b] = [write(), write()];
  assert.deepEqual(home.take(), [`1 ${a.path}`, `2 ${b.path}`]);
  refuse(1);
  const c = write();
  assert.deepEqual(home.take(), [], "nothing is sent before the fence");
  await world.run(20);
  assert.deepEqual(home.take(), ["lane 2"]);
  refuse(2);
  state(0, 1);
  assert.deepEqual(home.take(), [], "the echo of a former fence is none");
  state(0, 2);
  assert.deepEqual(home.take(), [`1 ${a.path}`, `2 ${b.path}`, `3 ${c.path}`]);
});

it("gives a number that was never used to another command once its first is given up", async () => {
  const { lane, world, home, write, state, refuse } = start();
  const a = write(15);
  refuse(1);
  home.take();
  await world.run(30);
  lane.tick(world.now());
  assert.equal(brief(a.answer), "noLeader noEffect");
  const b = write();
  state(0, 2);
  assert.deepEqual(home.take(), ["lane 2", `1 ${b.path}`]);
});

it("keeps the number of a try of unknown fate, given up or not, whatever is refused later", async () => {
  const { lane, world, home, write, state, refuse } = start();
  const a = write(15);
  lane.lost(home);
  home.take();
  await world.run(30);
  lane.tick(world.now());
  assert.equal(brief(a.answer), "timeout unknown");
  lane.moveTo(home);
  const b = write();
  state(0, 2);
  assert.deepEqual(home.take(), ["lane 2", `1 ${a.path}`, `2 ${b.path}`]);
  refuse(1);
  await world.run(30);
  state(0, 3);
  assert.deepEqual(home.take(), ["lane 3", `1 ${a.path}`, `2 ${b.path}`]);
});

it("raises a fence at an unasked laneState, and hears no refusal of a former try meanwhile", () => {
  const { home, write, state, refuse } = start();
  const a = write();
  home.take();
  state(0, 1);
  const b = write();
  assert.deepEqual(home.take(), ["lane 2"]);
  refuse(1);
  state(0, 2);
  assert.deepEqual(home.take(), [`1 ${a.path}`, `2 ${b.path}`]);
  // 1 is tainted by the first try; 2 was sent once, behind the fence, and comes back.
  refuse(1);
  assert.equal(brief(a.answer), "none");
});

it("hears no refusal of a former home, but its outcomes", () => {
  const { lane, home, write } = start();
  const a = write();
  const next = new Script(2);
  lane.moveTo(next);
  lane.laneState(next, { kind: "laneState", session, exists: true, attachment: 1, lastSequence: 0, fence: 2 });
  lane.pump();
  const b = write();
  assert.deepEqual(next.take(), ["lane 2", `1 ${a.path}`, `2 ${b.path}`]);
  lane.refused(home, { kind: "refused", session, sequence: 1, code: "throttled", detail: "", retryAfterMillis: 1 });
  assert.equal(lane.flowing, true);
  assert.equal(brief(b.answer), "none");
  lane.written(home, { kind: "written", session, sequence: 1, outcome: done });
  assert.ok(a.answer?.kind === "outcome" && a.answer.servedBy === 1);
});

it("sends again also what is decided, as long as something before it is not", () => {
  const { lane, home, write, state } = start();
  const [a, b, c] = [write(), write(), write()];
  lane.written(home, { kind: "written", session, sequence: 2, outcome: done });
  assert.equal(brief(b.answer), "ok");
  home.take();
  state(3, 1);
  state(3, 2);
  assert.deepEqual(home.take(), ["lane 2", `1 ${a.path}`, `2 ${b.path}`, `3 ${c.path}`]);
});

it("opens a new session when the history was set back, or a write of unknown fate is refused for good", async () => {
  const one = start();
  const a = one.write();
  one.lane.written(one.home, { kind: "written", session, sequence: 1, outcome: done });
  const b = one.write();
  one.home.take();
  one.state(0, 1);
  assert.equal(brief(a.answer), "ok");
  assert.equal(brief(b.answer), "connectionLoss unknown");
  assert.deepEqual(one.home.take(), ["open"]);
  const two = start();
  const c = two.write();
  two.lane.lost(two.home);
  two.lane.moveTo(two.home);
  two.state(0, 2);
  const d = two.write();
  two.home.take();
  const refusal = { kind: "refused", session, sequence: 1, code: "tooLarge", detail: "", retryAfterMillis: 1 } as const;
  two.lane.refused(two.home, refusal);
  assert.equal(brief(c.answer), "connectionLoss unknown");
  assert.deepEqual(two.home.take(), ["open"]);
  assert.equal(brief(d.answer), "none", "it was never taken: it waits for the new session");
  assert.equal(two.lane.waiting, 1);
});

it("says `open` and `lane` again when nobody answers, and sends again when nothing is answered", async () => {
  const { lane, world, home, write, state } = start();
  const a = write(60_000);
  home.take();
  for (let each = 0; each < 52; each += 1) {
    await world.run(100);
    lane.tick(world.now());
  }
  assert.deepEqual(home.take(), ["lane 2"]);
  await world.run(3100);
  assert.deepEqual(home.take(), ["lane 3"]);
  state(0, 2);
  state(0, 3);
  assert.deepEqual(home.take(), [`1 ${a.path}`]);
  lane.over("test");
  assert.deepEqual(home.take(), ["open"]);
  await world.run(3100);
  assert.deepEqual(home.take(), ["open"]);
});
