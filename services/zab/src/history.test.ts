import assert from "node:assert/strict";
import { test } from "node:test";
import { type Batch, composeZxid, type Zxid } from "@quorate/api";
import { History } from "./history.ts";

const z = composeZxid;
const zero = 0 as Zxid;

function batch(previous: Zxid, first: Zxid, last: Zxid = first, bytes = 10): Batch {
  const payload = new Uint8Array(bytes);
  return { first, last, previous, commit: zero, stamp: 1, rules: 1, checksum: last % 65_537, payload };
}

/** (5,1) (5,2–4) (6,1) (7,1), all durable. */
function grown(): History {
  const history = History.behind(zero, 0);
  history.append(batch(zero, z(5, 1)));
  history.append(batch(z(5, 1), z(5, 2), z(5, 4)));
  history.append(batch(z(5, 4), z(6, 1)));
  history.append(batch(z(6, 1), z(7, 1)));
  history.written(z(7, 1));
  return history;
}

const ends = (history: History): unknown => history.epochs().map(({ epoch, last }) => [epoch, last]);

test("each epoch's end is known, and a position is a batch's end", () => {
  const history = grown();
  assert.deepEqual(ends(history), [
    [5, z(5, 4)],
    [6, z(6, 1)],
    [7, z(7, 1)],
  ]);
  assert.deepEqual(
    [zero, z(5, 1), z(5, 3), z(5, 4), z(6, 1)].map((at) => history.knows(at)),
    [true, true, false, true, true],
  );
  assert.throws(() => history.append(batch(z(7, 1), z(6, 9))), /zxids only grow/);
});

test("a cut takes the epochs behind it along, and the checksum goes back", () => {
  const history = grown();
  history.truncate(z(5, 4));
  history.cut(z(5, 4));
  assert.deepEqual(ends(history), [[5, z(5, 4)]]);
  assert.deepEqual([history.last, history.durable, history.checksum], [z(5, 4), z(5, 4), z(5, 4) % 65_537]);
  history.truncate(z(5, 1));
  assert.deepEqual(ends(history), [[5, z(5, 1)]]);
  history.truncate(zero);
  assert.deepEqual([ends(history), history.last, history.checksum], [[], zero, 0]);
  assert.throws(() => grown().truncate(z(5, 3)), /batch's end/);
});

test("a cut down to the snapshot below keeps the snapshot's epoch", () => {
  const history = History.behind(z(5, 9), 77);
  history.append(batch(z(5, 9), z(6, 1)));
  history.written(z(6, 1));
  history.truncate(z(5, 9));
  history.cut(z(5, 9));
  assert.deepEqual([ends(history), history.durable, history.checksum], [[[5, z(5, 9)]], z(5, 9), 77]);
});

test("what is asked for is not durable before its write has finished", () => {
  const history = History.behind(zero, 0);
  history.append(batch(zero, z(1, 1)));
  history.append(batch(z(1, 1), z(1, 2)));
  assert.deepEqual([history.last, history.durable], [z(1, 2), zero]);
  history.written(z(1, 1));
  assert.equal(history.durable, z(1, 1));
  assert.throws(() => history.written(z(1, 3)), /nothing is durable/);
});

test("a range is served from the window; what is delivered leaves it, what is not stays", () => {
  const history = grown();
  assert.deepEqual(
    history.between(z(5, 1), z(6, 1)).map((each) => each.last),
    [z(5, 4), z(6, 1)],
  );
  history.evict(z(5, 4), 15);
  assert.equal(history.windowStart, z(5, 4));
  assert.equal(history.knows(z(5, 4)), true);
  assert.throws(() => history.between(z(5, 1), z(6, 1)), /window/);
  assert.deepEqual(
    history.between(z(5, 4), z(7, 1)).map((each) => each.last),
    [z(6, 1), z(7, 1)],
  );
  assert.equal(history.base, zero, "the files still have it");
});

test("pruning moves the base, and its epoch stays known", () => {
  const history = grown();
  history.prune(z(5, 4));
  assert.deepEqual(ends(history), [
    [5, z(5, 4)],
    [6, z(6, 1)],
    [7, z(7, 1)],
  ]);
  history.prune(z(7, 1));
  assert.deepEqual([history.base, ends(history)], [z(7, 1), [[7, z(7, 1)]]]);
  history.prune(z(5, 4));
  assert.equal(history.base, z(7, 1), "it never moves back");
});

test("a recovered tail is history, and its checksum is checked", () => {
  const tail = [batch(z(5, 4), z(6, 1))];
  const recovered = { base: zero, applied: z(5, 4), tail, appliedChecksum: 3, epochs: [{ epoch: 5, last: z(5, 4) }] };
  const history = new History({ ...recovered, checksum: z(6, 1) % 65_537 });
  assert.deepEqual([history.last, history.durable, history.windowStart], [z(6, 1), z(6, 1), z(5, 4)]);
  assert.throws(() => new History({ ...recovered, checksum: 1 }), /checksum/);
});
