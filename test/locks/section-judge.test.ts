/** The judge of sections, shown what it must find and what it must let through. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LockMode } from "./rest-locks.ts";
import { SectionJudge } from "./section-judge.ts";

/** `1w 1w 2r`: whose token wrote, and how (x: exclusive, w, r, p: permit). Answers whether something was found. */
function finds(capacity: number, writes: string): boolean {
  const judge = new SectionJudge(capacity);
  const modes: Readonly<Record<string, LockMode>> = { x: "exclusive", w: "write", r: "read", p: "permit" };
  const found = writes.split(" ").map((each, at) => {
    const mode = modes[each.slice(-1)];
    assert.ok(mode);
    return judge.accepted({ at: at + 1, token: Number(each.slice(0, -1)), mode });
  });
  return found.some((each) => each !== undefined);
}

test("sections one after the other are right, and those that interleave are not", () => {
  assert.ok(!finds(1, "1x 1x 2x 2x 5x"));
  assert.ok(finds(1, "1x 2x 1x"));
  assert.ok(finds(1, "1x 2x 2x 3x 1x"), "one that comes back late");
  assert.ok(finds(1, "1x 1x 3x 2x"), "out of the queue's order");
});

test("readers share, and nobody writes between", () => {
  assert.ok(!finds(1, "1r 2r 1r 3r 2r 4w 4w 5r 6r 5r"));
  assert.ok(finds(1, "1r 2w 1r"), "a writer within a reader's section");
  assert.ok(finds(1, "1w 2r 1w"), "a reader within a writer's section");
  assert.ok(finds(1, "1w 3r 2w"), "a reader before the writer that stands before it");
  assert.ok(finds(1, "2r 1w"), "a writer out of its turn");
});

test("so many permits and no more", () => {
  assert.ok(!finds(2, "1p 2p 1p 2p 3p 2p 4p"));
  assert.ok(!finds(2, "1p 2p 3p 1p 4p 5p 1p"), "one that holds for long");
  assert.ok(finds(2, "1p 2p 3p 1p 2p"));
  assert.ok(finds(2, "1p 2p 4p 2p 3p 1p"), "out of the queue's order");
});

test("one that overtakes is blamed once, and a late report counts as well as one in time", () => {
  const judge = new SectionJudge(1);
  const write = (at: number, token: number): string | undefined => judge.accepted({ at, token, mode: "exclusive" });
  assert.equal(write(1, 1), undefined);
  assert.equal(write(10, 2), undefined);
  assert.equal(write(5, 1), undefined, "it lies before the second began");
  assert.match(write(11, 1) ?? "", /0x1 \(exclusive\) wrote at 0xb, after 0x2/);
  assert.equal(write(12, 1), undefined);
  assert.deepEqual([judge.sections, judge.writes], [2, 5]);
});
