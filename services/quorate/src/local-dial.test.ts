import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, type Outcome, type Path, type SessionId, type Zxid } from "@quorate/api";
import type { DirectRead, FromGateway, ToGateway } from "@quorate/proto";
import { encodeToGateway } from "@quorate/proto";
import type { Attachment, GatewayConnection } from "@quorate/replica";
import { createLocalDial } from "./local-dial.ts";

const outcome: Outcome = { ok: true, zxid: 7 as Zxid, result: { kind: "done", count: 0 } };
const read: DirectRead = { minZxid: 0 as Zxid, identity: anyone, operation: { kind: "get", path: "/a" as Path } };

function answerOf(id: number): ToGateway {
  return { kind: "answer", id, outcome, ageMillis: 0 };
}

/** A replica that only listens, and a clock that runs what is due soon by hand, the last first. */
function stage() {
  const due: (() => void)[] = [];
  const inbox: Iterable<FromGateway>[] = [];
  const received: ToGateway[][] = [];
  const seen: (Outcome | undefined)[] = [];
  let far: GatewayConnection | undefined;
  const attachment: Attachment = {
    received: (messages) => void inbox.push(messages),
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
  /** Of the replica's loop: what each of those that came together was. */
  const turn = (): FromGateway[][] => inbox.splice(0).map((messages) => [...messages]);
  run();
  return { near, far: () => far, say, flush: () => far?.flush(), run, turn, received, seen };
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
  const { far, say, flush, run, received } = stage();
  assert.equal(far()?.queuedBytes, 0);
  say(answerOf(1));
  say(answerOf(2));
  const encoded = 2 * encodeToGateway(answerOf(1)).length;
  assert.equal(far()?.queuedBytes, encoded);
  const written = { kind: "written", session: 5 as SessionId, sequence: 1, outcome } as const;
  far()?.tell?.(written);
  assert.ok((far()?.queuedBytes ?? 0) > encoded);
  flush();
  run();
  assert.equal(far()?.queuedBytes, 0);
  assert.equal(received.flat()[2], written, "as it is");
});

test("messages to the replica are taken together by its next turn, in order", () => {
  const { near, turn } = stage();
  const fence = (fence: number): FromGateway => ({ kind: "lane", session: 5 as SessionId, attachment: 1, fence });
  near.send(fence(1));
  near.send(fence(2));
  assert.deepEqual(turn(), [[fence(1), fence(2)]]);
  assert.deepEqual(turn(), []);
  near.send(fence(3));
  assert.deepEqual(turn(), [[fence(3)]]);
  near.close();
  near.send(fence(4));
  assert.deepEqual(turn(), []);
});
