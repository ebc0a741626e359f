/** Tables fit their terminal, whatever stands in them; a pipe's fields stay apart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { gridLines, nameColumns, pipeLine } from "./grid.ts";
import { progressLine } from "./progress.ts";
import { cut, visible, widthOf } from "./width.ts";

const plain = (width: number) => ({ width, heading: (text: string) => text });

test("columns stand under each other, numbers to the right", () => {
  const columns = [{ title: "NAME" }, { title: "SIZE", right: true }, { title: "KIND" }];
  assert.deepEqual(
    gridLines(
      columns,
      [
        ["a", "5", "x"],
        ["日本語", "1000", "y"],
      ],
      plain(80),
    ),
    ["NAME    SIZE  KIND", "a          5  x", "日本語  1000  y"],
  );
});

test("what gives way gives way first, and what is cut says so", () => {
  const columns = [{ title: "NAME", gives: true }, { title: "ZXID" }];
  const rows = [["a".repeat(50), "0x0000000100000005"]];
  const [, line = ""] = gridLines(columns, rows, plain(40));
  assert.equal(line, `${"a".repeat(19)}…  0x0000000100000005`);
  assert.equal(widthOf(line), 40);
});

test("where there is no room for all, what can be spared is left out before anything is cut to nothing", () => {
  const columns = [
    { title: "NAME", gives: true },
    { title: "KIND", spare: 1 },
    { title: "VERSION", spare: 2 },
    { title: "TOKEN" },
  ];
  const rows = [["a".repeat(30), "persistent", "7", "0x0000000100000005"]];
  const titles = (width: number): string[] => (gridLines(columns, rows, plain(width))[0] ?? "").split(/ +/);
  assert.deepEqual(titles(80), ["NAME", "KIND", "VERSION", "TOKEN"]);
  assert.deepEqual(titles(50), ["NAME", "KIND", "TOKEN"]);
  assert.deepEqual(titles(40), ["NAME", "TOKEN"]);
  assert.equal(gridLines(columns, rows, plain(40))[1], `${"a".repeat(19)}…  0x0000000100000005`);
});

test("no line is wider than the terminal, while it has room for the least", () => {
  const cell = fc.string({ unit: "grapheme", maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 24, max: 120 }),
      (rows, width) => {
        const columns = [
          { title: "A", gives: true },
          { title: "B", gives: true },
          { title: "C", right: true },
        ];
        for (const line of gridLines(columns, rows, plain(width)))
          assert.ok(widthOf(line) <= width, `${widthOf(line)}: ${line}`);
      },
    ),
  );
});

test("a text is cut between what belongs together, to at most its width", () => {
  assert.equal(cut("日本語", 5), "日本…");
  assert.equal(cut("日本語", 4), "日…");
  assert.equal(cut("abc", 3), "abc");
  assert.equal(cut("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, width) => {
      assert.ok(widthOf(cut(text, width)) <= Math.max(width, 1));
    }),
  );
});

test("nothing that steers a terminal passes", () => {
  assert.equal(visible("a\u001b[31m\u0007\u202eb\nc\t"), "a\\u001b[31m\\u0007\\u202eb\\nc\\t");
});

test("a field of a pipe keeps to its line and its place, and can be read back", () => {
  assert.equal(pipeLine(["a\tb", "c\nd", "e\\f"]), "a\\tb\tc\\nd\te\\\\f");
  const back = (field: string): string =>
    field.replace(/\\(.)/g, (_, letter: string) => ({ t: "\t", n: "\n", r: "\r" })[letter] ?? letter);
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom("a", "\\", "\t", "\n", "\r", "t") }), { minLength: 1 }),
      (row) => {
        const line = pipeLine(row);
        assert.ok(!/[\n\r]/.test(line));
        assert.deepEqual(line.split("\t").map(back), row);
      },
    ),
  );
});

test("names stand in as few lines as fit", () => {
  assert.deepEqual(nameColumns(["a", "bb", "c"], 80), ["a  bb  c"]);
  assert.deepEqual(nameColumns(["aaaa", "bbbb", "cccc"], 10), ["aaaa  cccc", "bbbb"]);
  assert.deepEqual(nameColumns(["a".repeat(30), "b"], 10), ["a".repeat(30), "b"]);
  assert.deepEqual(nameColumns([], 10), []);
});

test("progress tells how much is left, where that is known", () => {
  assert.equal(
    progressLine("import /a", "50 of 100 znodes", 0.5, 4000),
    `import /a  ${"█".repeat(12)}${"░".repeat(12)}  50 %  50 of 100 znodes  4s left`,
  );
  const narrow = progressLine("import /a", "50 of 100 znodes", 0.5, 4000, 52);
  assert.equal(narrow, `import /a  ${"█".repeat(4)}${"░".repeat(4)}  50 %  50 of 100 znodes  4s left`);
  assert.equal(progressLine("export /a", "50 znodes", undefined, 1500), "export /a  50 znodes  1s");
});
