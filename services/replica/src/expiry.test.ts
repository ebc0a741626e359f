import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionId } from "@quorate/api";
import fc from "fast-check";
import { Expiry } from "./expiry.ts";

const one = 1 as SessionId;
const all = (): boolean => true;

test("a renewal holds for the timeout from the renewal, not from the confirmation before it", () => {
  let now = 0;
  const expiry = new Expiry(() => now);
  expiry.begin([{ id: one, timeoutMillis: 1000 }]);
  expiry.confirmed(100);
  now = 195;
  assert.equal(expiry.renew(one), "renewed");
  expiry.confirmed(495);
  expiry.confirmed(895);
  expiry.confirmed(1194);
  assert.deepEqual(expiry.due(10, all), []);
  expiry.confirmed(1195);
  assert.deepEqual(expiry.due(10, all), [one]);
  assert.equal(expiry.renew(one), "closing");
  assert.deepEqual(expiry.due(10, all), [], "its end is proposed once");
});

test("a session that is opened is held for the timeout from its opening", () => {
  let now = 0;
  const expiry = new Expiry(() => now);
  expiry.begin([]);
  now = 90;
  expiry.add(one, 300);
  expiry.confirmed(389);
  assert.deepEqual(expiry.due(10, all), []);
  expiry.confirmed(390);
  assert.deepEqual(expiry.due(10, all), [one]);
});

test("a new leader counts from its beginning, whatever was confirmed before", () => {
  const expiry = new Expiry(() => 1000);
  expiry.begin([{ id: one, timeoutMillis: 300 }]);
  expiry.confirmed(900);
  expiry.confirmed(1299);
  assert.deepEqual(expiry.due(10, all), []);
  expiry.confirmed(1300);
  assert.deepEqual(expiry.due(10, all), [one]);
});

test("a stopped process expires nobody, and holds nobody for the time that it was stopped", () => {
  let now = 0;
  const expiry = new Expiry(() => now);
  expiry.begin([{ id: one, timeoutMillis: 1000 }]);
  now = 60_000;
  assert.equal(expiry.renew(one), "renewed");
  expiry.confirmed(60_000);
  assert.deepEqual(expiry.due(10, all), []);
  for (now = 60_100; now < 61_000; now += 100) expiry.confirmed(now);
  assert.deepEqual(expiry.due(10, all), []);
  expiry.confirmed(61_000);
  assert.deepEqual(expiry.due(10, all), [one]);
});

test("what the state does not know any more is forgotten", () => {
  let now = 0;
  const expiry = new Expiry(() => now);
  expiry.begin([{ id: one, timeoutMillis: 100 }]);
  now = 100;
  expiry.confirmed(100);
  assert.deepEqual(expiry.due(10, all), [one]);
  assert.deepEqual(
    expiry.due(10, () => false),
    [],
  );
  assert.equal(expiry.renew(one), "unknown");
});

test("no session is due before its last renewal plus its timeout, and every one is once confirmations go on", () => {
  const step = fc.record({ wait: fc.nat(900), act: fc.constantFrom("renew", "confirm", "confirmLate") });
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 3000 }), fc.array(step, { maxLength: 60 }), (timeoutMillis, steps) => {
      let now = 0;
      const expiry = new Expiry(() => now);
      expiry.begin([{ id: one, timeoutMillis }]);
      let renewedAt = 0;
      let due = false;
      for (const { wait, act } of steps) {
        const before = now;
        now += wait;
        if (act === "renew" && expiry.renew(one) === "renewed") renewedAt = now;
        if (act === "confirm") expiry.confirmed(now);
        if (act === "confirmLate") expiry.confirmed(before);
        if (expiry.due(10, all).length > 0) {
          assert.ok(now >= renewedAt + timeoutMillis, `due ${renewedAt + timeoutMillis - now} ms early`);
          due = true;
        }
      }
      for (const end = now + timeoutMillis + 1000; !due && now <= end; now += 100) {
        expiry.confirmed(now);
        due = expiry.due(10, all).length > 0;
      }
      assert.ok(due, "it is due in the end");
    }),
  );
});
