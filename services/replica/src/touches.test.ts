import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionId, Zxid } from "@quorate/api";
import type { Tree } from "@quorate/tree";
import { Expiry } from "./expiry.ts";
import type { ShellMessage } from "./peer-messages.ts";
import { Touches } from "./touches.ts";

const living = 10 as SessionId;
const dead = 11 as SessionId;
const young = 99 as SessionId;

/** A leader with one session, whose confirmations the test answers. */
function leader(): {
  touches: Touches;
  expiry: Expiry;
  confirm: (index: number | undefined) => void;
  replies: () => unknown;
} {
  const expiry = new Expiry(() => 0);
  const waiting: ((index: Zxid | undefined) => void)[] = [];
  const sent: ShellMessage[] = [];
  const tree = { applied: 50 as Zxid, lane: (id: SessionId) => (id === living ? {} : undefined) };
  const touches = new Touches({
    tree: () => tree as unknown as Tree,
    expiry,
    leads: () => true,
    confirm: (done) => void waiting.push(done),
    toLeader: () => false,
    toPeer: (_link, message) => void sent.push(message),
  });
  return {
    touches,
    expiry,
    confirm: (index) => {
      for (const done of waiting.splice(0)) done(index as Zxid | undefined);
    },
    replies: () => sent.splice(0).map((each) => each.kind === "touchReply" && each.results.map(({ result }) => result)),
  };
}

test("a leader that has not applied its initial history calls no living session expired", () => {
  const { touches, confirm, replies } = leader();
  touches.forwarded(1, 1, [living, dead, young]);
  assert.deepEqual(replies(), [], "nobody is renewed without a confirmation");
  confirm(50);
  assert.deepEqual(replies(), [["behind", "expired", "behind"]]);
});

test("a session is renewed with a confirmation, not without, and not when its end is proposed", () => {
  const { touches, expiry, confirm, replies } = leader();
  expiry.begin([{ id: living, timeoutMillis: 100 }]);
  touches.forwarded(1, 1, [living]);
  confirm(undefined);
  assert.deepEqual(replies(), [["behind"]]);
  touches.forwarded(1, 2, [living]);
  confirm(50);
  assert.deepEqual(replies(), [["renewed"]]);
  expiry.confirmed(100);
  assert.deepEqual(
    expiry.due(1, () => true),
    [living],
  );
  // A repeated answer to its opening changes nothing.
  expiry.add(living, 100);
  touches.forwarded(1, 3, [living]);
  confirm(50);
  assert.deepEqual(replies(), [["closing"]]);
});

test("nobody is renewed by a leader that has not applied what was committed before", () => {
  const { touches, expiry, confirm, replies } = leader();
  expiry.begin([{ id: living, timeoutMillis: 100 }]);
  touches.forwarded(1, 1, [living]);
  confirm(51);
  assert.deepEqual(replies(), [["behind"]], "its end may be at 51");
});

test("what the state has closed is expired, also while the leader still counts its time", () => {
  const { touches, expiry, confirm, replies } = leader();
  expiry.begin([{ id: dead, timeoutMillis: 100 }]);
  touches.forwarded(1, 1, [dead]);
  confirm(50);
  assert.deepEqual(replies(), [["expired"]]);
});
