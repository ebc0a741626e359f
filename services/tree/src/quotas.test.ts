/** Quotas: what is counted, what is refused, and that every replica counts alike; beside a model that counts anew each time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, type Outcome, type Path, parentOf, sequenceSuffix, type WriteOperation } from "@quorate/api";
import fc from "fast-check";
import { memoryLimits } from "./limits.ts";
import { parseLimits } from "./quota-text.ts";
import { State } from "./state.ts";
import { Tree } from "./tree.ts";
import {
  bytesOf,
  createOperation,
  deleteOperation,
  putOperation,
  setOperation,
  superUser,
  TreeDriver,
} from "./tree-driver.test-support.ts";

const limitsOf = (path: string): string => `/zookeeper/quota${path}/zookeeper_limits`;
const statsOf = (path: string): string => `/zookeeper/quota${path}/zookeeper_stats`;

function setQuota(driver: TreeDriver, path: string, text: string): void {
  driver.done("node", putOperation(limitsOf(path), text, { parents: true }));
}

function textAt(tree: Tree, path: string): string | undefined {
  const outcome = tree.read({ kind: "get", path: path as Path }, anyone);
  return outcome.ok && outcome.result.kind === "data" ? String.fromCharCode(...outcome.result.data) : undefined;
}

function refusal(outcome: Outcome): string {
  return outcome.ok ? "ok" : `${outcome.code}: ${outcome.detail}`;
}

function loaded(tree: Tree): Tree {
  const cursor = tree.snapshot();
  const loader = Tree.loader();
  for (let chunk = cursor.next(300); chunk !== undefined; chunk = cursor.next(300)) loader.push(chunk);
  const copy = loader.finish();
  assert.ok(cursor.digestMatches && copy instanceof Tree);
  return copy;
}

test("the texts of ZooKeeper's clients are read, whichever release wrote them; others are none", () => {
  const none = { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 };
  for (const [text, expected] of [
    ["", none],
    ["count=5,bytes=-1", { ...none, count: 5 }],
    ["count=5,bytes=10", { ...none, count: 5, bytes: 10 }],
    [
      "count=5,bytes=10=;byteHardLimit=20;countHardLimit=7",
      { count: 5, bytes: 10, countHardLimit: 7, byteHardLimit: 20 },
    ],
    ["count=-1,bytes=-1=,countHardLimit=7,byteHardLimit=20", { ...none, countHardLimit: 7, byteHardLimit: 20 }],
    ["countHardLimit=0\n", { ...none, countHardLimit: 0 }],
    ["bytes=;count=+3;colour=7", { ...none, count: 3 }],
    ["count=-7", none],
  ] as const) {
    assert.deepEqual(parseLimits(text), expected, text);
  }
  for (const text of [
    "5",
    "count",
    ",count=5",
    "count=five",
    "count=5.5",
    "count= 5",
    "=5",
    "count=12345678901234567890",
  ]) {
    assert.equal(parseLimits(text), undefined, text);
  }
  assert.equal(parseLimits(new Uint8Array(2000)), undefined);
});

test("hard limits refuse what would go beyond them, by name; soft ones and what takes less do not", () => {
  const driver = new TreeDriver();
  driver.done("node", createOperation("/app", "1234"));
  setQuota(driver, "/app", "count=1,bytes=1=;byteHardLimit=10;countHardLimit=3");
  driver.done("node", createOperation("/app/a", "12"));
  driver.done("node", createOperation("/app/b", "12"));
  const full = driver.write(createOperation("/app/c"));
  const detail =
    "quota: /app would have 4 znodes with all below, countHardLimit=3 in /zookeeper/quota/app/zookeeper_limits is the most; delete some, or raise it";
  assert.equal(refusal(full), `quotaExceeded: ${detail}`);
  assert.ok(!full.ok && full.path === "/app/c");
  assert.equal(driver.code(createOperation("/app/a/-", "", { sequential: true })), "quotaExceeded");
  assert.equal(driver.code(putOperation("/app/c")), "quotaExceeded");
  assert.match(
    refusal(driver.write(setOperation("/app/a", "12345"))),
    /quotaExceeded: .* 11 bytes of data .* byteHardLimit=10 /,
  );
  assert.equal(driver.code(putOperation("/app/a", "12345")), "quotaExceeded");
  assert.equal(driver.code(setOperation("/app/a", "1234")), "ok");
  assert.equal(driver.code(setOperation("/app/b", "1")), "ok");
  driver.done("deleted", deleteOperation("/app/b"));
  assert.equal(driver.code(createOperation("/app/c", "123")), "quotaExceeded");
  assert.equal(driver.code(createOperation("/app/c", "12")), "ok");
  // One that is broken already refuses only what breaks it more, the super user too.
  setQuota(driver, "/app", "byteHardLimit=0,countHardLimit=0");
  assert.equal(driver.code(setOperation("/app/a", "123")), "ok");
  assert.equal(driver.code(setOperation("/app/a", "124")), "ok");
  assert.equal(driver.code(setOperation("/app/a", "1245")), "quotaExceeded");
  assert.equal(driver.code(createOperation("/app/d"), { identity: superUser }), "quotaExceeded");
  assert.equal(driver.code(createOperation("/apple")), "ok");
  driver.done("deleted", deleteOperation(limitsOf("/app")));
  assert.equal(driver.code(createOperation("/app/d", "123456789")), "ok");
});

test("it is judged before the version, behind the permission, and before the znode that a txn makes next", () => {
  const driver = new TreeDriver();
  driver.done("node", createOperation("/app", "1"));
  setQuota(driver, "/app", "byteHardLimit=1;countHardLimit=2");
  assert.equal(driver.code(setOperation("/app", "12", { version: 7 })), "quotaExceeded");
  assert.equal(driver.code(setOperation("/app", "1", { version: 7 })), "badVersion");
  assert.equal(driver.code(createOperation("/app")), "nodeExists");
  const txn = (...then: WriteOperation[]): WriteOperation => ({ kind: "txn", check: [], then }) as never;
  const both = driver.write(txn(createOperation("/app/a"), createOperation("/app/b")));
  assert.ok(!both.ok && both.code === "quotaExceeded" && both.op?.index === 1);
  assert.equal(driver.code(txn(createOperation("/app/a"), deleteOperation("/app/a"), createOperation("/app/b"))), "ok");
  assert.equal(driver.code(createOperation("/app/c/d", "", { parents: true })), "quotaExceeded");
});

test("zookeeper_stats tells the usage from when it is there, whatever is written to it, and nobody can tell that it changed", () => {
  const driver = new TreeDriver();
  driver.done("node", createOperation("/app", "123"));
  driver.done("node", createOperation("/app/a", "4"));
  setQuota(driver, "/app", "count=100,bytes=-1");
  const made = driver.done("node", createOperation(statsOf("/app"), "count=0,bytes=0"));
  assert.equal(textAt(driver.tree, statsOf("/app")), "count=2,bytes=4");
  const { applied } = driver.tree;
  driver.done("node", createOperation("/app/a/b/c/d", "12345", { parents: true }));
  assert.equal(textAt(driver.tree, statsOf("/app")), "count=5,bytes=9");
  const now = driver.tree.read({ kind: "exists", path: statsOf("/app") as Path }, anyone);
  assert.ok(now.ok && now.result.kind === "stat");
  assert.deepEqual(now.result.stat, { ...made.stat, dataLength: 15 });
  assert.ok(
    [...(driver.tree.changes.after(applied) as Iterable<{ path: string }>)].every(({ path }) =>
      path.startsWith("/app"),
    ),
  );
  driver.done("node", setOperation(statsOf("/app"), "count=7,bytes=7"));
  assert.equal(textAt(driver.tree, statsOf("/app")), "count=5,bytes=9");
  driver.done("deleted", deleteOperation("/app", true));
  assert.equal(textAt(driver.tree, statsOf("/app")), "count=0,bytes=0");
  driver.done("node", createOperation("/app", "", { nullData: true }));
  assert.equal(textAt(driver.tree, statsOf("/app")), "count=1,bytes=0");
  assert.equal(driver.tree.digest(), loaded(driver.tree).digest());
});

test("of quotas within each other the innermost is judged by, and each is told its whole subtree", () => {
  const driver = new TreeDriver();
  setQuota(driver, "/a", "countHardLimit=2");
  driver.done("node", createOperation(statsOf("/a")));
  setQuota(driver, "/a/b", "countHardLimit=3");
  driver.done("node", createOperation(statsOf("/a/b")));
  for (const path of ["/a", "/a/b", "/a/b/1", "/a/b/2"]) driver.done("node", createOperation(path));
  assert.equal(driver.code(createOperation("/a/b/3")), "quotaExceeded");
  assert.equal(driver.code(createOperation("/a/c")), "quotaExceeded");
  assert.deepEqual(
    [textAt(driver.tree, statsOf("/a")), textAt(driver.tree, statsOf("/a/b"))],
    ["count=4,bytes=0", "count=3,bytes=0"],
  );
});

test("the root and what is ZooKeeper's own have no quota", () => {
  const driver = new TreeDriver();
  for (const path of ["", "/zookeeper", "/zookeeper/quota", "/zookeeper/quota/a"]) {
    setQuota(driver, path, "countHardLimit=0,byteHardLimit=0");
    driver.done("node", putOperation(statsOf(path), "as it is", { parents: true }));
    assert.equal(textAt(driver.tree, statsOf(path)), "as it is");
  }
  assert.equal(driver.code(createOperation("/x", "data")), "ok");
  assert.equal(driver.code(createOperation("/zookeeper/x", "data")), "ok");
});

test("limits that are none are refused with their form, alone, in a txn and as data of a znode that is there", () => {
  const driver = new TreeDriver();
  const bad = driver.write(putOperation(limitsOf("/a"), "five", { parents: true }));
  assert.match(
    refusal(bad),
    /^badArguments: \/zookeeper\/quota\/a\/zookeeper_limits: the data is no limits of a quota; they are count=N/,
  );
  setQuota(driver, "/a", "count=5");
  assert.equal(driver.code(setOperation(limitsOf("/a"), "five")), "badArguments");
  assert.equal(
    driver.code({ kind: "txn", check: [], then: [setOperation(limitsOf("/a"), "five")] } as never),
    "badArguments",
  );
  assert.equal(textAt(driver.tree, limitsOf("/a")), "count=5");
  assert.equal(driver.code({ ...setOperation(limitsOf("/a")), nullData: true } as never), "ok");
});

test("a quota whose making is undone is none, and one that a txn makes anew goes on counting", () => {
  const driver = new TreeDriver();
  driver.done("node", createOperation("/a"));
  const failing = { kind: "check", path: "/none", exists: true };
  const txn = (...then: unknown[]): WriteOperation => ({ kind: "txn", check: [], then }) as never;
  const made = putOperation(limitsOf("/a"), "countHardLimit=1", { parents: true });
  assert.equal(driver.code(txn(made, failing)), "noNode");
  assert.equal(driver.code(createOperation("/a/1")), "ok");
  assert.equal(driver.code(txn(made, createOperation("/a/2"))), "quotaExceeded");
  driver.done("node", putOperation(limitsOf("/a"), "countHardLimit=3", { parents: true }));
  const lifted = txn(
    deleteOperation(limitsOf("/a")),
    createOperation("/a/2"),
    createOperation("/a/3"),
    createOperation(limitsOf("/a"), "countHardLimit=4"),
  );
  assert.equal(driver.code(lifted), "ok");
  assert.equal(driver.code(createOperation("/a/4")), "quotaExceeded");
});

test("what a new quota is about is counted by the cheaper way, and not beyond what one transaction may look at", () => {
  const state = new State(memoryLimits.ringBytes);
  const driver = new TreeDriver(new Tree({}, state));
  driver.done("node", createOperation("/big"));
  driver.done("node", createOperation("/bigger", "not below"));
  for (let i = 0; i < 200; i++) driver.done("node", createOperation(`/big/${i}`, "12"));
  driver.done("node", createOperation("/small/a/b", "123", { parents: true }));
  const { size } = state.znodes;
  const [big, small, none] = ["/big", "/small", "/none"].map((path) => limitsOf(path) as Path) as [Path, Path, Path];
  assert.deepEqual(
    [state.quotas.track(small, 24), state.quotas.track(small, 0), state.quotas.track(none, 0)],
    [24, 0, 0],
    "three are walked, and what is counted already costs nothing",
  );
  assert.deepEqual([state.quotas.track(big, size - 1), state.quotas.track(big, size)], [undefined, size]);
  for (const [path, text] of [
    ["/big", "count=201,bytes=400"],
    ["/small", "count=3,bytes=3"],
    ["/none", "count=0,bytes=0"],
  ] as const) {
    driver.done("node", putOperation(statsOf(path), "", { parents: true }));
    assert.equal(textAt(driver.tree, statsOf(path)), text);
  }
});

const name = fc.constantFrom("/a", "/b", "/a/x", "/a/x/1", "/a/y", "/b/x");
const subject = fc.constantFrom("/a", "/a/x", "/b", "/none", "/e");
const data = fc.constantFrom("", "1", "22", "4444");
const hard = fc.record({ count: fc.integer({ min: -1, max: 5 }), bytes: fc.integer({ min: -1, max: 9 }) });
const part: fc.Arbitrary<WriteOperation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(name, data, fc.boolean())
      .map(([path, text, parents]) => createOperation(path, text, { parents })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(name, data).map(([path, text]) => createOperation(path, text, { sequential: true })),
  },
  { weight: 3, arbitrary: fc.tuple(name, data).map(([path, text]) => setOperation(path, text)) },
  { weight: 3, arbitrary: fc.tuple(name, data).map(([path, text]) => putOperation(path, text, { parents: true })) },
  { weight: 2, arbitrary: fc.tuple(name, fc.boolean()).map(([path, recursive]) => deleteOperation(path, recursive)) },
  {
    weight: 2,
    arbitrary: fc.tuple(subject, hard).map(([path, { count, bytes }]) =>
      putOperation(limitsOf(path), `count=-1,bytes=-1=;byteHardLimit=${bytes};countHardLimit=${count}`, {
        parents: true,
      }),
    ),
  },
  { weight: 2, arbitrary: subject.map((path) => putOperation(statsOf(path), "", { parents: true })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(limitsOf("/a"), statsOf("/b"), "/zookeeper/quota/a")
      .map((path) => deleteOperation(path, true)),
  },
);
const operation: fc.Arbitrary<WriteOperation> = fc.oneof(
  { weight: 3, arbitrary: part },
  {
    weight: 1,
    arbitrary: fc
      .array(part, { maxLength: 5 })
      .map((then) => ({ kind: "txn" as const, check: [], then: then as never })),
  },
);

/** Counted anew, from a listing of all. */
function usageOf(entries: ReadonlyMap<string, string>, path: string): { count: number; bytes: number } {
  let [count, bytes] = [0, 0];
  for (const [each, text] of entries) {
    if (each !== path && !each.startsWith(`${path}/`)) continue;
    count += 1;
    bytes += text.length;
  }
  return { count, bytes };
}

function all(tree: Tree): Map<string, string> {
  const listing = tree.list({ path: "/" as Path, withData: true }, superUser);
  assert.ok(!("ok" in listing));
  const entries = new Map<string, string>();
  for (const { path, data: bytes } of listing.next(10_000, 1_000_000).entries) {
    entries.set(path, String.fromCharCode(...(bytes ?? bytesOf(""))));
  }
  return entries;
}

function innermost(entries: ReadonlyMap<string, string>, path: string): string | undefined {
  for (let at: string | undefined = path; at !== undefined && at !== "/"; at = parentOf(at as Path)) {
    if (entries.has(limitsOf(at))) return at;
  }
  return undefined;
}

/** Whether a write by itself goes beyond a quota, as simply as can be said: what it adds, added to what is there. */
function goesBeyond(entries: ReadonlyMap<string, string>, write: WriteOperation, sequence: number): boolean {
  if (write.kind !== "create" && write.kind !== "set" && write.kind !== "put") return false;
  const path = write.kind === "create" && write.sequential ? write.path + sequenceSuffix(sequence) : write.path;
  const former = entries.get(path);
  if (former === undefined ? write.kind === "set" : write.kind === "create") return false;
  const added = [path];
  for (let at = parentOf(path as Path); at !== undefined && !entries.has(at); at = parentOf(at)) added.push(at);
  if (added.length > 1 && !(write as { parents: boolean }).parents) return false;
  return added.some((each) => {
    const quota = innermost(entries, each);
    const limits = quota === undefined ? undefined : parseLimits(entries.get(limitsOf(quota)) as string);
    if (quota === undefined || limits === undefined) return false;
    const { count, bytes } = usageOf(entries, quota);
    const znodes = former === undefined ? added.filter((one) => innermost(entries, one) === quota).length : 0;
    const more = innermost(entries, path) === quota ? write.data.length - (former ?? "").length : 0;
    const { countHardLimit, byteHardLimit } = limits;
    const tooMany = znodes > 0 && countHardLimit >= 0 && count + znodes > countHardLimit;
    return tooMany || (more > 0 && byteHardLimit >= 0 && bytes + more > byteHardLimit);
  });
}

/** Of the next sequential name beside `path`. */
function nextSequence(tree: Tree, path: Path): number {
  const outcome = tree.read({ kind: "exists", path: parentOf(path) as Path }, superUser);
  if (!outcome.ok || outcome.result.kind !== "stat") return 0;
  const { cversion, numChildren } = outcome.result.stat;
  return (cversion + numChildren) / 2;
}

test("whatever is written, usage is what is there, limits hold, and twins and snapshots agree", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), fc.nat(40), (operations, snapshotAt) => {
      const driver = new TreeDriver();
      const acting = driver.openSession(3);
      driver.write(createOperation("/e", "333", { shape: { kind: "ephemeral", ttlMillis: 0 } }), { acting });
      let [copy, started] = [loaded(driver.tree), driver.batches.length];
      for (const [at, each] of operations.entries()) {
        if (at === snapshotAt) [copy, started] = [loaded(driver.tree), driver.batches.length];
        if (at === 20) driver.write({ kind: "closeSession", session: acting.session }, { acting });
        const before = all(driver.tree);
        const sequence = each.kind === "create" ? nextSequence(driver.tree, each.path) : 0;
        const outcome = driver.write(each);
        const after = all(driver.tree);
        if (each.kind !== "txn") {
          const refused = !outcome.ok && outcome.code === "quotaExceeded";
          assert.equal(refused, goesBeyond(before, each, sequence), JSON.stringify([each, outcome]));
        }
        if (!outcome.ok) assert.deepEqual(after, before);
        for (const [path, text] of after) {
          if (!path.endsWith("/zookeeper_stats")) continue;
          const { count, bytes } = usageOf(after, path.slice("/zookeeper/quota".length, -"/zookeeper_stats".length));
          assert.equal(text, `count=${count},bytes=${bytes}`, path);
        }
      }
      const twin = new Tree();
      for (const batch of driver.batches) twin.apply(batch);
      for (const batch of driver.batches.slice(started)) copy.apply(batch);
      assert.deepEqual([twin.digest(), copy.digest()], [driver.tree.digest(), driver.tree.digest()]);
    }),
    { numRuns: 300 },
  );
});
