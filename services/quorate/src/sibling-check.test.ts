import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberStatus } from "@quorate/proto";
import { SiblingCheck, type Statuses } from "./sibling-check.ts";

function member(id: number, serving: boolean, agoMillis = 0): MemberStatus {
  return {
    id,
    serving,
    agoMillis,
    role: serving ? "following" : "looking",
    epoch: 1,
    reason: "it looks",
  } as MemberStatus;
}

test("one that starts is not ready while others serve, and is when nobody does", () => {
  let others = [member(2, true)];
  const check = new SiblingCheck(
    () => 0,
    () => ({ self: member(1, false), others }),
  );
  assert.equal(check.check().ok, false);
  others = [member(2, true, 2000), member(3, false)];
  assert.equal(check.check().ok, true);
});

test("one that lost its leader has time to serve again, and is not ready when others do and it does not", () => {
  let now = 0;
  let statuses: Statuses = { self: member(1, true), others: [member(2, true)] };
  const check = new SiblingCheck(
    () => now,
    () => statuses,
  );
  check.look();
  statuses = { self: member(1, false), others: [member(2, true)] };
  now = 2900;
  check.look();
  assert.equal(check.check().ok, true);
  now = 3100;
  assert.equal(check.check().ok, false);
  statuses = { self: member(1, true), others: [] };
  assert.equal(check.check().ok, true);
});
