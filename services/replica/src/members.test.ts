import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberStatus } from "@quorate/proto";
import { Members } from "./members.ts";

function status(id: number, rules: number): MemberStatus {
  return { id, rules } as MemberStatus;
}

test("the common rules are the lowest that anybody has announced, and unknown while one is silent", () => {
  const members = new Members(3);
  assert.equal(members.commonRules(3), 0);
  members.heard(status(2, 5), 0);
  assert.equal(members.commonRules(3), 0);
  members.heard(status(3, 4), 0);
  assert.equal(members.commonRules(3), 3);
  assert.equal(members.commonRules(7), 4);
  // Restarted with another program: the last word counts.
  members.heard(status(3, 2), 0);
  assert.equal(members.commonRules(7), 2);
});

test("the word of a member that has left counts for nothing: it may be put back to an older program", () => {
  const members = new Members(3);
  members.heard(status(2, 5), 0);
  members.heard(status(3, 5), 0);
  members.left(3);
  assert.deepEqual([members.commonRules(7), members.others(0).length], [0, 2]);
  members.heard(status(3, 4), 1);
  assert.equal(members.commonRules(7), 4);
});

test("who is alone announces for all", () => {
  assert.equal(new Members(1).commonRules(2), 2);
});
