/** The queue against one that is sorted anew each time, through wraps of the number; and how contenders are called. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isBadPath, type Path, parsePath, type SessionId, sequenceSuffix } from "@quorate/api";
import fc from "fast-check";
import { inferShape, modesOf, parseContender, prefixOf, type QueueShape, signOf } from "./layout.ts";
import { decodeMark, encodeMark, resolve, type Wish, wishOf } from "./mark.ts";
import { ContenderQueue } from "./queue.ts";

const lock = { recipe: "lock" } as const;
const shapes: readonly QueueShape[] = [
  { ...lock, layout: "curator", kind: "mutex" },
  { ...lock, layout: "kazoo", kind: "mutex" },
  { ...lock, layout: "curator", kind: "readWrite" },
  { ...lock, layout: "kazoo", kind: "readWrite" },
  { ...lock, layout: "curator", kind: "semaphore", permits: 3 },
  { recipe: "election", layout: "curator", kind: "mutex" },
  { recipe: "election", layout: "kazoo", kind: "mutex" },
];

interface Standing {
  readonly name: string;
  readonly reads: boolean;
}

/** In the order of their coming. */
function naiveHolders(queue: readonly Standing[], { kind, permits = 1 }: QueueShape): readonly string[] {
  const holders = queue.filter(({ reads }, index) => {
    if (kind === "mutex") return index === 0;
    if (kind === "semaphore") return index < permits;
    return index === 0 || (reads && queue.slice(0, index).every((each) => each.reads));
  });
  return holders.map(({ name }) => name);
}

describe("a queue", () => {
  it("has the order and the holders of a naive one, and tells each who comes to hold once", () => {
    const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(1000), fc.boolean()), { minLength: 1, maxLength: 120 });
    const first = fc.constantFrom(0, 5, 2 ** 31 - 20, 2 ** 32 - 20);
    fc.assert(
      fc.property(fc.constantFrom(...shapes), first, fc.nat(40), steps, (shape, start, before, moves) => {
        let number = start;
        const naive: Standing[] = [];
        const make = (reads: boolean): string => {
          const modes = modesOf(shape);
          const mode = modes[reads ? modes.length - 1 : 0] ?? "exclusive";
          const session = (number + 1) as SessionId;
          const name = prefixOf(shape, mode, session, new Uint8Array(8)) + sequenceSuffix(number);
          number += 1;
          naive.push({ name, reads: mode === "read" });
          return name;
        };
        for (let i = 0; i < before; i += 1) make(i % 3 > 0);
        const unsorted = [...naive].reverse().map(({ name }) => name);
        const queue = new ContenderQueue(shape, ["stranger", ...unsorted, "lock-12"]);
        const told = new Set(queue.list(0, queue.holders).map(({ name }) => name));
        for (const [what, where, reads] of moves) {
          if (what < 4 || naive.length === 0) assert.ok(queue.add(make(reads)));
          else {
            // Mostly from the front.
            const [gone] = naive.splice(what < 7 ? 0 : where % naive.length, 1);
            assert.ok(gone !== undefined && queue.remove(gone.name));
          }
          for (const { name } of queue.advance()) {
            assert.ok(!told.has(name), `${name} is told once`);
            told.add(name);
          }
          const names = naive.map(({ name }) => name);
          assert.deepEqual(
            queue.list(0, 1000).map(({ name }) => name),
            names,
          );
          const holders = naiveHolders(naive, shape);
          assert.deepEqual(
            queue.list(0, queue.holders).map(({ name }) => name),
            holders,
          );
          assert.ok(holders.every((name) => told.has(name)));
          for (const [index, name] of names.entries()) assert.equal(queue.rank(name), index);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("puts the reader that Curator makes with a writer's number right behind that writer", () => {
    const shape = { ...lock, layout: "curator", kind: "readWrite" } as const;
    const queue = new ContenderQueue(shape, ["_c_a-__WRIT__0000000004", "_c_b-__WRIT__0000000005"]);
    queue.add("_c_a-__READ__0000000004");
    assert.deepEqual(queue.advance(), []);
    queue.remove("_c_a-__WRIT__0000000004");
    assert.deepEqual(
      queue.advance().map(({ name }) => name),
      ["_c_a-__READ__0000000004"],
    );
    assert.equal(queue.holds("_c_b-__WRIT__0000000005"), false);
  });

  it("of ten thousand takes and gives up places in microseconds", () => {
    const shape = shapes[0] as QueueShape;
    const name = (n: number): string =>
      prefixOf(shape, "exclusive", n as SessionId, new Uint8Array(8)) + sequenceSuffix(n);
    const queue = new ContenderQueue(
      shape,
      Array.from({ length: 10_000 }, (_, n) => name(n)),
    );
    const began = process.cpuUsage().user;
    for (let n = 0; n < 20_000; n += 1) {
      queue.add(name(n + 10_000));
      queue.remove(name(n % 3 === 0 && n > 5000 ? n + 5000 : n));
      queue.advance();
    }
    const perMove = (process.cpuUsage().user - began) / 40_000;
    assert.ok(perMove < 200, `${perMove} microseconds each`);
  });
});

describe("names", () => {
  it("are as Curator's and kazoo's clients call theirs, and begin with the session's sign", () => {
    const session = 0x12_0000_0034 as SessionId;
    const chance = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 0xff]);
    const expected = [
      /^_c_00000012-0000-0034-0102-0304050607ff-lock-$/,
      /^000000120000003401020304050607ff__lock__$/,
      /^_c_00000012-0000-0034-0102-0304050607ff-__WRIT__$/,
      /^000000120000003401020304050607ff__lock__$/,
      /^_c_00000012-0000-0034-0102-0304050607ff-lock-$/,
      /^_c_00000012-0000-0034-0102-0304050607ff-latch-$/,
      /^000000120000003401020304050607ff__lock__$/,
    ];
    for (const [index, shape] of shapes.entries()) {
      const [mode = "exclusive"] = modesOf(shape);
      const prefix = prefixOf(shape, mode, session, chance);
      assert.match(prefix, expected[index] as RegExp);
      assert.ok(prefix.startsWith(signOf(shape, session)));
      assert.deepEqual(parseContender(shape, `${prefix}0000000012`)?.number, 12);
      assert.equal(inferShape([`${prefix}0000000012`], shape)?.layout, shape.layout);
    }
  });

  it("that say no number, or none of an int32, are no contenders", () => {
    const shape = shapes[0] as QueueShape;
    for (const name of ["x-lock-1", "x-lock-00000000012", "x-lock-9999999999", "x-latch-0000000001", "lock", ""]) {
      assert.equal(parseContender(shape, name), undefined, name);
    }
    assert.equal(parseContender(shape, "x-lock--2147483648")?.number, -(2 ** 31));
    assert.equal(parseContender(shape, "lock--000000001")?.number, -1);
  });
});

function path(text: string): Path {
  const parsed = parsePath(text);
  if (isBadPath(parsed)) throw new Error(parsed.bad);
  return parsed;
}

describe("a queue's data", () => {
  it("says what it is; what is no such text is another's", () => {
    for (const shape of shapes) assert.deepEqual(decodeMark(encodeMark(shape)), shape);
    assert.equal(decodeMark(new Uint8Array(0)), "unsaid");
    const encoder = new TextEncoder();
    const foreign = [
      "x",
      "null",
      "[]",
      "{}",
      '{"recipe":"lock"}',
      '{"recipe":"lock","layout":"curator","kind":"semaphore"}',
    ];
    for (const text of [...foreign, '{"recipe":"lock","layout":"curator","kind":"semaphore","permits":10001}']) {
      assert.equal(decodeMark(encoder.encode(text)), "foreign", text);
    }
    assert.equal(decodeMark(Uint8Array.from([0xff, 0x22])), "foreign");
  });

  it("decides over what is wished, and the wish where it says nothing", () => {
    const wish: Wish = wishOf({ mode: "exclusive" });
    const found = resolve(wish, path("/x"), undefined, []);
    assert.deepEqual(found, { kind: "shape", shape: { ...lock, layout: "curator", kind: "mutex" }, marks: true });
    const kazoo = resolve(wish, path("/x"), "unsaid", ["a__lock__0000000001"]);
    assert.deepEqual(kazoo, { kind: "shape", shape: { ...lock, layout: "kazoo", kind: "mutex" }, marks: true });
    const reader = resolve(wishOf({ mode: "read" }), path("/x"), "unsaid", ["a__lock__0000000001"]);
    assert.ok(reader.kind === "shape" && reader.shape.kind === "readWrite");
    assert.equal(resolve(wish, path("/x"), "foreign", []).kind, "misfit");
    assert.equal(resolve(wish, path("/x"), "unsaid", ["x-latch-0000000001"]).kind, "misfit");
  });
});
