import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionId } from "@quorate/api";
import { replicaLimits } from "./replica-limits.ts";
import { type Refusal, Submissions } from "./submissions.ts";

const lane = 5 as SessionId;
const command = new Uint8Array(8);
const full: Refusal = { code: "throttled", detail: "full", retryAfterMillis: 1 };

function gated(): { submissions: Submissions; close: (refusal: Refusal | undefined) => void } {
  let closed: Refusal | undefined;
  return {
    submissions: new Submissions(() => closed),
    close: (refusal) => {
      closed = refusal;
    },
  };
}

test("what is behind a refused command is refused in the same try, also when there is room again", () => {
  const { submissions, close } = gated();
  assert.equal(submissions.accept(1, lane, 4, 1, command), undefined);
  close(full);
  assert.equal(submissions.accept(1, lane, 5, 1, command), full);
  close(undefined);
  assert.equal(submissions.accept(1, lane, 6, 1, command), full, "6 must not be done without 5");
  assert.equal(submissions.accept(1, lane, 7, 1, command), full);
  assert.equal(submissions.waiting, 1);
});

test("the next try may go on behind the refused number: another copy of that was applied meanwhile", () => {
  const { submissions, close } = gated();
  close(full);
  assert.equal(submissions.accept(1, lane, 5, 1, command), full);
  close(undefined);
  // The gateway learned the outcome of 5 from its first try, which stood in the queue; it goes on with 6, fenced anew.
  assert.equal(submissions.accept(1, lane, 6, 2, command), undefined);
  assert.equal(submissions.accept(1, lane, 7, 2, command), undefined);
});

test("another lane is not refused with it", () => {
  const { submissions, close } = gated();
  close(full);
  assert.equal(submissions.accept(1, lane, 5, 1, command), full);
  close(undefined);
  assert.equal(submissions.accept(1, 6 as SessionId, 9, 1, command), undefined);
});

test("the queue is bounded by count and by bytes, and the leader's own commands are never refused", () => {
  const { submissions } = gated();
  const large = new Uint8Array(replicaLimits.submissionBytes);
  assert.equal(submissions.accept(1, lane, 1, 1, large), undefined);
  assert.equal(submissions.accept(1, lane, 2, 1, command)?.code, "throttled");
  submissions.own(command);
  assert.equal(submissions.waiting, 2);
});

test("a link that is gone takes its forwards along, and no others", () => {
  const { submissions } = gated();
  submissions.accept(1, lane, 1, 1, Uint8Array.of(1));
  submissions.accept(2, 6 as SessionId, 1, 1, Uint8Array.of(2));
  submissions.own(Uint8Array.of(3));
  submissions.dropLink(1);
  assert.equal(submissions.waiting, 2);
  assert.equal(submissions.take()?.count, 2);
  assert.equal(submissions.take(), undefined);
});

test("of lanes that were refused and never come again the oldest are forgotten", () => {
  const { submissions, close } = gated();
  close(full);
  for (let each = 0; each <= replicaLimits.refusedLanes; each++) {
    assert.equal(submissions.accept(1, (lane + each) as SessionId, 5, 1, command), full);
  }
  close(undefined);
  assert.equal(submissions.accept(1, lane, 6, 1, command), undefined);
  assert.equal(submissions.accept(1, (lane + 1) as SessionId, 6, 1, command), full);
});
