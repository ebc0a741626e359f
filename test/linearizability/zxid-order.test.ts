/** Zxids that contradict real time, within an object and across objects; histories badly recorded; histories as text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { append, history, open, put, putCall, read, renew, write } from "./hand-made.ts";
import { checkHistory, formatHistory, type Operation, parseHistory } from "./index.ts";
import { mixedHistory } from "./virtual-history.ts";

type Operations = Parameters<typeof history>[0];

function violationsOf(operations: Operations): string {
  return checkHistory(history(operations)).violations.join("\n");
}

const other = (operation: Operations[number]): Operations[number] =>
  ({ ...operation, object: "/other" }) as Operations[number];

test("writes acknowledged one after the other have rising zxids, through all objects", () => {
  const first = put([0, 1], "a", ["v1", 0, 11]);
  assert.equal(violationsOf([first, other(put([2, 3], "a", ["v2", 0, 12]))]), "");
  assert.match(
    violationsOf([first, other(put([2, 3], "a", ["v2", 0, 10]))]),
    /acknowledged first has the greater zxid/,
  );
  assert.equal(violationsOf([first, other(put([1, 3], "a", ["v2", 0, 10]))]), "");
});

test("no two writes have one zxid", () => {
  const writes = [put([0, 9], "a", ["v1", 0, 11]), other(put([0, 9], "a", ["v2", 0, 11]))];
  assert.match(violationsOf(writes), /zxid used twice/);
});

test("a linearizable read is as new as all that was told before it was asked for", () => {
  const first = put([0, 1], "a", ["v1", 0, 11]);
  assert.equal(violationsOf([first, other(read([2, 3], "a", null, 11))]), "");
  assert.match(
    violationsOf([first, other(read([2, 3], "a", null, 10))]),
    /an answer as of 0x000000000000000a, asked for when/,
  );
  assert.equal(violationsOf([first, other(read([1, 3], "a", null, 10))]), "");
});

test("what a reader was shown counts as told", () => {
  const unanswered = write([0, Number.POSITIVE_INFINITY], putCall("a", "v1"));
  const seen = read([1, 2], "a", ["v1", 0, 11]);
  assert.match(
    violationsOf([unanswered, seen, other(read([3, 4], "a", null, 10))]),
    /asked for when 0x000000000000000b/,
  );
});

test("an answer shows nothing newer than it says it is", () => {
  const first = put([0, 1], "a", ["v1", 0, 11]);
  assert.match(violationsOf([first, read([1, 2], "a", ["v1", 0, 11], 10)]), /an answer as of 0x000000000000000a shows/);
});

test("a renewal is no read", () => {
  const renewal = renew([4, 5], "s", { kind: "ok", result: { kind: "session" }, zxid: 3 });
  assert.equal(violationsOf([open([0, 1], "s", 9, 100), renewal]), "");
});

test("what is recorded otherwise than agreed is told, and not searched", () => {
  const first = put([0, 1], "a", ["v1", 0, 11]);
  const cases: readonly [Operations, RegExp][] = [
    [[first, put([2, 3], "a", ["v1", 1, 12])], /recording: one value, or prefix, in two operations/],
    [[append([0, 1], "x-", 0), append([2, 3], "x-", 1)], /recording: one value, or prefix/],
    [[put([2, 1], "a", ["v1", 0, 11])], /recording: times that cannot be/],
    [[write([0, 5], putCall("a", "v1"))], /recording: only what is unknown/],
    [
      [write([0, 5], putCall("a", "v1"), { kind: "failed", code: "badVersion" })],
      /recording: a failure that it cannot have had/,
    ],
    [[first, put([2, 3], "a", ["v2", 1, 12], { mzxid: 10 })], /recording: a condition on an mzxid that no answer had/],
    [
      [first, { ...append([2, 3], "x-", 0), object: "/group" } as Operations[number]],
      /recording: \/group is recorded as/,
    ],
    [
      [write([0, 1], { kind: "read", key: "a" }, { kind: "ok", result: { kind: "put", version: 0, mzxid: 1 } })],
      /recording: an answer to something else/,
    ],
  ];
  for (const [operations, rule] of cases) assert.match(violationsOf(operations), rule);
  const twice = history([first, read([2, 3], "a", null)]).operations.map((each) => ({ ...each, id: 7 }) as Operation);
  assert.match(checkHistory({ operations: twice }).violations.join(), /recording: two operations with one id/);
});

test("a history comes back from its text as it was", () => {
  const whole = mixedHistory({ seed: 3, calls: 10, network: { unknown: 0.3 } });
  assert.deepEqual(parseHistory(formatHistory(whole)), whole);
  const bounds = {
    sessionEndBoundMillis: Number.POSITIVE_INFINITY,
    outages: [{ from: 1, to: Number.POSITIVE_INFINITY }],
  };
  const endless = history([put([0, 1], "never", ["never", 0, 11])], bounds);
  assert.deepEqual(parseHistory(formatHistory(endless)), endless);
});
