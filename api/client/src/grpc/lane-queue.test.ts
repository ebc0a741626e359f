/** A session's calls against a model of the ensemble's side: streams that break, numbers that are given back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { v1 } from "@quorate/proto";
import fc from "fast-check";
import type { QuorateError } from "../quorate-error.ts";
import { type Ask, LaneQueue, laneLimits } from "./lane-queue.ts";

/** What the ensemble does with a lane: numbers in order, each once; answers from memory. */
class ModelLane {
  /** Names of writes, by number. */
  readonly applied: string[] = [];
  /** A number was given back: what is behind it is refused until it comes again. */
  #voided = false;

  take(
    { requestId = 0, sequence = 0, put, get }: v1.SessionOperation,
    refuses: "no" | "passing" | "final",
  ): v1.SessionReply {
    if (get) return { requestId, get: {} };
    const name = put?.path ?? "";
    if (sequence <= this.applied.length) {
      assert.equal(this.applied[sequence - 1], name, `number ${sequence} carries another write`);
      return { requestId, sequence, decided: true, put: { path: name } };
    }
    const next = sequence === this.applied.length + 1;
    assert.ok(next || this.#voided, `number ${sequence} came, ${this.applied.length} are applied`);
    if (!next || refuses !== "no") {
      this.#voided = true;
      // Behind a number that was given back the reason is not about the write: any will do.
      const reason = !next ? "BAD_ARGUMENTS" : refuses === "final" ? "TOO_LARGE" : "NO_LEADER";
      return { requestId, sequence, decided: false, error: { reason, certainty: "CERTAINTY_NO_EFFECT" } };
    }
    this.#voided = false;
    this.applied.push(name);
    return { requestId, sequence, decided: true, put: { path: name } };
  }
}

type Fate = "open" | "answered" | "failed" | "givenUp" | "doubt";

interface Run {
  readonly queue: LaneQueue;
  readonly model: ModelLane;
  readonly fates: Map<string, Fate>;
  readonly asks: Map<string, Ask>;
  readonly toServer: v1.SessionOperation[];
  readonly toClient: v1.SessionReply[];
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: "write" as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: "read" as const }) },
  { weight: 6, arbitrary: fc.constant({ kind: "send" as const }) },
  {
    weight: 8,
    arbitrary: fc
      .constantFrom("no", "no", "no", "passing", "final")
      .map((refuses) => ({ kind: "serve" as const, refuses })),
  },
  { weight: 8, arbitrary: fc.constant({ kind: "reply" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "break" as const }) },
  { weight: 1, arbitrary: fc.nat(30).map((at) => ({ kind: "giveUp" as const, at })) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function push(run: Run, write: boolean): void {
  const name = `${write ? "w" : "r"}${run.fates.size}`;
  run.fates.set(name, "open");
  const settle = (fate: Fate): void => {
    assert.equal(run.fates.get(name), "open", `${name} is told twice`);
    run.fates.set(name, fate);
  };
  const ask: Ask = {
    requestId: run.fates.size,
    write,
    bytes: 100,
    operation: write ? { put: { path: name } } : { get: { path: name } },
    answered: (reply) => {
      if (write) assert.equal(reply.put?.path, name);
      settle("answered");
    },
    failed: (error: QuorateError) => {
      assert.equal(error.code, "tooLarge", `${name} is told what is not about it`);
      settle("failed");
    },
  };
  run.asks.set(name, ask);
  run.queue.push(ask);
}

function take(run: Run, one: Step): void {
  const { queue, model, toServer, toClient } = run;
  switch (one.kind) {
    case "write":
    case "read":
      push(run, one.kind === "write");
      return;
    case "send":
      toServer.push(...queue.take());
      assert.ok(queue.answeredUpTo <= model.applied.length, "what was not answered is not acknowledged");
      return;
    case "serve": {
      const operation = toServer.shift();
      if (operation) toClient.push(model.take(operation, one.refuses as "no" | "passing" | "final"));
      return;
    }
    case "reply": {
      const reply = toClient.shift();
      if (reply) queue.reply(reply);
      return;
    }
    case "break":
      // Some of what was sent may have arrived; of the answers none does.
      toClient.length = 0;
      toServer.length = 0;
      queue.broken({} as QuorateError);
      return;
    case "giveUp": {
      const name = [...run.asks.keys()][one.at];
      const ask = name === undefined ? undefined : run.asks.get(name);
      if (name === undefined || ask === undefined || run.fates.get(name) !== "open") return;
      run.fates.set(name, queue.giveUp(ask) ? "givenUp" : "doubt");
    }
  }
}

test("each write is done once or never, in order, and its caller is told the truth", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 150, size: "max" }), (steps) => {
      const run: Run = {
        queue: new LaneQueue(),
        model: new ModelLane(),
        fates: new Map(),
        asks: new Map(),
        toServer: [],
        toClient: [],
      };
      for (const one of steps) take(run, one);
      // And then nothing more goes wrong.
      take(run, { kind: "break" });
      for (let turn = 0; turn < 400; turn++) {
        for (const kind of ["send", "reply"] as const) take(run, { kind });
        take(run, { kind: "serve", refuses: "no" });
      }
      const { applied } = run.model;
      assert.equal(new Set(applied).size, applied.length);
      const places = applied.map((name) => Number(name.slice(1)));
      assert.deepEqual(
        places,
        [...places].sort((a, b) => a - b),
        "in the order in which they were asked",
      );
      for (const [name, fate] of run.fates) {
        assert.notEqual(fate, "open", `${name} has no answer`);
        if (!name.startsWith("w") || fate === "doubt") continue;
        assert.equal(applied.includes(name), fate === "answered", `${name}: ${fate}`);
      }
      assert.equal(run.queue.length, 0);
    }),
    { numRuns: 600 },
  );
});

test("no more numbers are out than the ensemble remembers, and a message has an end", () => {
  const queue = new LaneQueue();
  const ask = (requestId: number, bytes = 10): Ask => {
    const nothing = (): void => undefined;
    return { requestId, write: true, bytes, operation: { put: {} }, answered: nothing, failed: nothing };
  };
  for (let id = 1; id <= laneLimits.window + 5; id++) queue.push(ask(id));
  const first = queue.take();
  assert.equal(first.length, laneLimits.window);
  assert.deepEqual(queue.take(), []);
  queue.reply({ requestId: 1, sequence: 1, decided: true });
  assert.equal(queue.answeredUpTo, 1);
  assert.deepEqual(
    queue.take().map(({ sequence }) => sequence),
    [laneLimits.window + 1],
  );
  const large = new LaneQueue();
  for (let id = 1; id <= 3; id++) large.push(ask(id, laneLimits.messageBytes - 1));
  assert.deepEqual([large.take().length, large.take().length, large.take().length, large.take().length], [1, 1, 1, 0]);
});
