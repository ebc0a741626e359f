import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ChangeType, type Path, parentOf } from "@quorate/api";
import fc from "fast-check";
import { NaiveTables } from "./naive-watches.test-support.ts";
import { fires, WatchTable, watchKinds } from "./watch-table.ts";

const { data, child, persistent, recursive } = watchKinds;

/** `data /a, child /`: what is watched. */
type Watched = readonly (readonly [kinds: number, path: string])[];

/** `created /a`, `childrenChanged /`: what is told, in order. */
function told(table: WatchTable, type: ChangeType, path: string): string[] {
  const found = table.fire(type, path as Path);
  const events: string[] = [];
  if (found & fires.own) events.push(`${type} ${path}`);
  if (found & fires.parent) events.push(`childrenChanged ${parentOf(path as Path)}`);
  return events;
}

function tableOf(watched: Watched): WatchTable {
  const table = new WatchTable();
  for (const [kinds, path] of watched) table.add(path as Path, kinds);
  return table;
}

interface Case {
  readonly of: string;
  readonly watched: Watched;
  /** In turn: a change and what it tells. */
  readonly then: readonly (readonly [type: ChangeType, path: string, ...told: string[]])[];
}

const cases: readonly Case[] = [
  {
    of: "a data watch hears one change",
    watched: [[data, "/a"]],
    then: [
      ["changed", "/a", "changed /a"],
      ["changed", "/a"],
    ],
  },
  {
    of: "a data watch of what is absent (exists) hears its creation",
    watched: [[data, "/a"]],
    then: [
      ["created", "/a", "created /a"],
      ["deleted", "/a"],
    ],
  },
  {
    of: "a data watch hears nothing of children",
    watched: [[data, "/a"]],
    then: [
      ["created", "/a/b"],
      ["deleted", "/a/b"],
      ["deleted", "/a", "deleted /a"],
    ],
  },
  {
    of: "a child watch hears children come and go, once",
    watched: [[child, "/a"]],
    then: [
      ["changed", "/a/b"],
      ["changed", "/a"],
      ["created", "/a/b/c"],
      ["created", "/a/b", "childrenChanged /a"],
      ["deleted", "/a/b"],
    ],
  },
  {
    of: "a child watch of the root",
    watched: [[child, "/"]],
    then: [
      ["created", "/a/b"],
      ["deleted", "/a", "childrenChanged /"],
    ],
  },
  {
    of: "a child watch hears the deletion of its own path",
    watched: [[child, "/a"]],
    then: [
      ["deleted", "/a", "deleted /a"],
      ["created", "/a"],
    ],
  },
  {
    of: "a data and a child watch of one path hear its deletion as one event, and are both gone",
    watched: [[data | child, "/a"]],
    then: [
      ["deleted", "/a", "deleted /a"],
      ["created", "/a"],
      ["created", "/a/b"],
    ],
  },
  {
    of: "what spends the data watch leaves the child watch",
    watched: [[data | child, "/a"]],
    then: [
      ["changed", "/a", "changed /a"],
      ["created", "/a/b", "childrenChanged /a"],
      ["changed", "/a"],
    ],
  },
  {
    of: "deleted comes before its parent's childrenChanged; created too",
    watched: [
      [persistent, "/a"],
      [persistent, "/a/b"],
    ],
    then: [
      ["created", "/a/b", "created /a/b", "childrenChanged /a"],
      ["deleted", "/a/b", "deleted /a/b", "childrenChanged /a"],
    ],
  },
  {
    of: "a persistent watch hears its path and its children, for ever",
    watched: [[persistent, "/a"]],
    then: [
      ["created", "/a", "created /a"],
      ["changed", "/a", "changed /a"],
      ["created", "/a/b", "childrenChanged /a"],
      ["changed", "/a/b"],
      ["created", "/a/b/c"],
      ["deleted", "/a/b", "childrenChanged /a"],
      ["deleted", "/a", "deleted /a"],
      ["created", "/a", "created /a"],
    ],
  },
  {
    of: "a recursive watch hears its path and all below, and no childrenChanged",
    watched: [[recursive, "/a"]],
    then: [
      ["created", "/a", "created /a"],
      ["created", "/a/b", "created /a/b"],
      ["changed", "/a/b/c", "changed /a/b/c"],
      ["deleted", "/a/b", "deleted /a/b"],
      ["created", "/ab"],
      ["deleted", "/a", "deleted /a"],
    ],
  },
  {
    of: "a recursive watch of the root hears all",
    watched: [[recursive, "/"]],
    then: [
      ["changed", "/", "changed /"],
      ["created", "/a/b/c/d", "created /a/b/c/d"],
    ],
  },
  {
    of: "persistent and recursive on one path: one event of it, lists of children by the persistent one",
    watched: [[persistent | recursive, "/a"]],
    then: [
      ["changed", "/a", "changed /a"],
      ["created", "/a/b", "created /a/b", "childrenChanged /a"],
      ["changed", "/a/b", "changed /a/b"],
    ],
  },
  {
    of: "a one-shot watch beside a lasting one is spent, the lasting one is not",
    watched: [
      [data | child | persistent, "/a"],
      [recursive, "/"],
    ],
    then: [
      ["changed", "/a", "changed /a"],
      ["created", "/a/b", "created /a/b", "childrenChanged /a"],
      ["deleted", "/a/b", "deleted /a/b", "childrenChanged /a"],
    ],
  },
  {
    of: "a child watch below a recursive one: the event of the child, then the list",
    watched: [
      [recursive, "/"],
      [child, "/a"],
    ],
    then: [
      ["created", "/a/b", "created /a/b", "childrenChanged /a"],
      ["created", "/a/c", "created /a/c"],
    ],
  },
  {
    of: "one transaction that deletes a child and its parent",
    watched: [
      [data | child, "/a"],
      [data, "/a/b"],
      [child, "/"],
    ],
    then: [
      ["deleted", "/a/b", "deleted /a/b", "childrenChanged /a"],
      // The child watch is spent, the data watch is not.
      ["deleted", "/a", "deleted /a", "childrenChanged /"],
    ],
  },
];

for (const { of, watched, then } of cases) {
  test(of, () => {
    const table = tableOf(watched);
    for (const [type, path, ...expected] of then) {
      assert.equal(table.meets(type, path as Path), expected.length > 0, `${type} ${path} meets it`);
      assert.deepEqual(told(table, type, path), expected, `${type} ${path}`);
    }
  });
}

const paths = ["/", "/a", "/a/b", "/a/b/c", "/a/c", "/ab", "/b", "/b/c"] as const;
const anyPath = fc.constantFrom(...paths);
const anyKind = fc.constantFrom(data, child, persistent, recursive);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ step: fc.constant("add" as const), kind: anyKind, path: anyPath }) },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant("remove" as const),
      kind: fc.oneof(anyKind, fc.constant(15)),
      path: anyPath,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      step: fc.constant("change" as const),
      type: fc.constantFrom<ChangeType>("created", "changed", "deleted"),
      path: anyPath,
    }),
  },
);

test("any sequence is as ZooKeeper's two tables have it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const table = new WatchTable();
      const naive = new NaiveTables();
      for (const each of steps) {
        const path = each.path as Path;
        if (each.step === "add") {
          table.add(path, each.kind);
          naive.add(each.kind, path);
        } else if (each.step === "remove") {
          assert.equal(table.remove(path, each.kind) !== 0, naive.remove(each.kind, path));
        } else assert.deepEqual(told(table, each.type, path), naive.change(each.type, path));
        assert.equal(table.count, naive.data.size + naive.child.size);
        assert.equal([...table.dataPaths()].length, naive.data.size);
      }
      for (const at of paths) {
        const kinds = table.get(at as Path);
        assert.equal((kinds & data) !== 0, naive.data.has(at, "standard"));
        assert.equal((kinds & child) !== 0, naive.child.has(at, "standard"));
        assert.equal((kinds & persistent) !== 0, naive.data.has(at, "persistent"));
        assert.equal((kinds & recursive) !== 0, naive.data.has(at, "recursive"));
      }
    }),
    { numRuns: 2000 },
  );
});

test("a watch takes little beside its path", (t) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const count = 10_000;
  const names = Array.from({ length: count }, (_, i) => `/service/instances/${i}` as Path);
  collect();
  const before = process.memoryUsage().heapUsed;
  const table = new WatchTable();
  for (const each of names) table.add(each, data);
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / count;
  assert.equal(table.size, count);
  t.diagnostic(`${bytes.toFixed(0)} bytes a watch`);
  assert.ok(bytes < 100, `${bytes} bytes`);
});
