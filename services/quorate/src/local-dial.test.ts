import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, type Outcome, type Path, type Zxid } from "@quorate/api";
import type { DirectRead, FromGateway, ToGateway } from "@quorate/proto";
import { encodeFromGateway, encodeToGateway } from "@quorate/proto";
import type { Attachment, GatewayConnection } from "@quorate/replica";
import { createLocalDial } from "./local-dial.ts";

const outcome: Outcome = { ok: true, zxid: 7 as Zxid, result: { kind: "done", count: 0 } };
const read: DirectRead = { minZxid: 0 as Zxid, identity: anyone, operation: { kind: "get", path: "/a" as Path } };
const noMoreWatchers: FromGateway = { kind: "unwatch" };

function answerOf(id: number): ToGateway {
  return { kind: "answer", id, outcome, ageMillis: 0 };
}

/** A replica that only listens, and a clock that runs what is due soon by hand, the last first. */
function stage() {
  const due: (() => void)[] = [];
  const heard: FromGateway[] = [];
  const received: ToGateway[][] = [];
  const seen: (Outcome | undefined)[] = [];
  let far: GatewayConnection | undefined;
  const attachment: Attachment = {
    received: (messages) => void heard.push(...messages),
    readNow: () => outcome,
    closed: () => undefined,
  };
  const point = {
    attach(connection: GatewayConnection) {
      far = connection;
      return attachment;
    },
  };
  const remote = () => assert.fail("nobody else is dialled");
  const dial = createLocalDial("here:1", "replica 1", point, remote, (run) => void due.push(run));
  const near = dial("here:1", {
    up: () => undefined,
    received(messages) {
      received.push([...messages]);
      seen.push(near.readNow?.(read));
    },
    down: () => undefined,
    drained: () => undefined,
  });
  const say = (message: ToGateway): void => {
    far?.send(encodeToGateway(message).slice());
  };
  const run = (): void => {
    for (let next = due.pop(); next; next = due.pop()) next();
  };
  run();
  return { near, say, flush: () => far?.flush(), run, heard, received, seen, queuedBytes: () => far?.queuedBytes };
}

test("a read is answered at once when all that the replica said has been received", () => {
  const { near, say, flush, run, seen } = stage();
  assert.equal(near.readNow?.(read), outcome);
  say(answerOf(1));
  assert.equal(near.readNow?.(read), undefined);
  flush();
  assert.equal(near.readNow?.(read), undefined);
  run();
  // While it was being received, what stands behind in the same messages had not been.
  assert.deepEqual(seen, [undefined]);
  assert.equal(near.readNow?.(read), outcome);
  near.close();
  assert.equal(near.readNow?.(read), undefined);
});

test("what the replica says stays in order, however soon comes", () => {
  const { say, flush, run, received } = stage();
  say(answerOf(1));
  flush();
  say(answerOf(2));
  flush();
  run();
  assert.deepEqual(received.flat(), [answerOf(1), answerOf(2)]);
});

test("the replica knows how much of what it said is not received", () => {
  const { say, flush, run, queuedBytes } = stage();
  assert.equal(queuedBytes(), 0);
  say(answerOf(1));
  say(answerOf(2));
  assert.equal(queuedBytes(), 2 * encodeToGateway(answerOf(1)).length);
  flush();
  run();
  assert.equal(queuedBytes(), 0);
});

test("messages to the replica come as they were sent, with the flush", () => {
  const { near, heard } = stage();
  near.send(encodeFromGateway(noMoreWatchers).slice());
  assert.deepEqual(heard, []);
  near.flush();
  assert.deepEqual(heard, [noMoreWatchers]);
});
