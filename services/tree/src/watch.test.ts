/** Watches at the tree's door, against a naive model of changes, scopes and rights. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Acl,
  anyone,
  type Identity,
  limits,
  type Outcome,
  openAcl,
  type Path,
  type TxnOperation,
  type WatchEvent,
  type WatchedResult,
  type WatchScopes,
  type WriteOperation,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import fc from "fast-check";
import { memoryLimits } from "./limits.ts";
import { Tree } from "./tree.ts";
import {
  createOperation,
  deleteOperation,
  secretOf,
  setOperation,
  superUser,
  TreeDriver,
} from "./tree-driver.test-support.ts";
import {
  ann,
  lists,
  naive,
  type Plain,
  type PlainChange,
  secret,
  step,
  type Told,
  writeOnly,
} from "./watch-model.test-support.ts";

const none: WatchScopes = { node: [], children: [], subtree: [] };
const of = (scopes: Partial<{ [scope in keyof WatchScopes]: readonly string[] }>): WatchScopes =>
  ({ ...none, ...scopes }) as WatchScopes;

function ask(tree: Tree, scopes: WatchScopes, after?: number, identity: Identity = anyone): Outcome {
  return tree.read(
    after === undefined ? { kind: "watch", scopes } : { kind: "watch", scopes, after: after as Zxid },
    identity,
  );
}

function watched(outcome: Outcome): WatchedResult {
  assert.ok(outcome.ok, outcome.ok ? "" : `${outcome.code}: ${outcome.detail}`);
  assert.equal(outcome.result.kind, "watched");
  return outcome.result as WatchedResult;
}

function codeOf(outcome: Outcome): string {
  return outcome.ok ? "ok" : `${outcome.code} ${outcome.path ?? ""}`.trim();
}

const setAcl = (path: string, acl: Acl): TxnOperation & WriteOperation => {
  return { kind: "setAcl", path: path as Path, acl, aversion: -1 };
};
const shaped = (acl: Acl): object => ({ shape: { kind: "persistent", ttlMillis: 0, acl } });

/** Asks again and again until all is told. */
function follow(tree: Tree, scopes: WatchScopes, after: number, identity: Identity): Told {
  const events: WatchEvent[] = [];
  for (let cursor = after; ; ) {
    const outcome = ask(tree, scopes, cursor, identity);
    if (!outcome.ok) return { events, end: codeOf(outcome) };
    const result = watched(outcome);
    assert.ok(result.events.every((each) => each.zxid > cursor && each.zxid <= result.through));
    events.push(...result.events);
    if (!result.more) {
      assert.equal(result.through, tree.applied);
      return { events, end: "open" };
    }
    assert.ok(result.through > cursor, "each answer tells of one transaction at least");
    cursor = result.through;
  }
}

/** As a gateway asks, which judges rights by itself: changes, with the lists that they refer to. */
function followRaw(tree: Tree, scopes: WatchScopes, after: number): PlainChange[] {
  const told: PlainChange[] = [];
  for (let cursor = after; ; ) {
    const result = watched(tree.read({ kind: "watch", scopes, after: cursor as Zxid, raw: true }, anyone));
    const { changes, acls, more, through } = result;
    assert.ok(changes && acls && result.events.length + result.states.length === 0);
    for (const { kind, acl, parentAcl, ...rest } of changes) {
      assert.ok(kind === "persistent" && rest.zxid > cursor && rest.zxid <= through);
      told.push({ ...rest, acl: acls[acl] as Acl, parentAcl: acls[parentAcl] as Acl });
    }
    if (!more) return told;
    cursor = through;
  }
}

/** Whoever may read it. */
function meet(log: readonly PlainChange[], scopes: WatchScopes, after: number): PlainChange[] {
  const everybody = naive(new Map(), log, scopes, after, superUser).events;
  return log.filter((change) =>
    everybody.some(({ zxid, path, type, version }) => {
      return zxid === change.zxid && path === change.path && type === change.type && version === change.version;
    }),
  );
}

const paths = ["/", "/a", "/b", "/a-", "/a/x", "/a/y", "/a/x/1", "/b/x"];
const path = fc.constantFrom(...paths) as fc.Arbitrary<Path>;
const list = fc.oneof({ weight: 6, arbitrary: fc.constant(openAcl) }, fc.constantFrom(...lists));
const simple: fc.Arbitrary<TxnOperation & WriteOperation> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(path, list).map(([p, acl]) => createOperation(p, "", shaped(acl)) as never) },
  { weight: 4, arbitrary: path.map((p) => setOperation(p) as never) },
  { weight: 2, arbitrary: fc.tuple(path, fc.boolean()).map(([p, all]) => deleteOperation(p, all) as never) },
  { weight: 1, arbitrary: fc.tuple(path, list).map(([p, acl]) => setAcl(p, acl)) },
);
const operation: fc.Arbitrary<WriteOperation> = fc.oneof(
  { weight: 3, arbitrary: simple },
  fc
    .array(simple, { minLength: 1, maxLength: 4 })
    .map((then) => ({ kind: "txn" as const, check: [], then: then as readonly TxnOperation[] })),
);
const some = fc.uniqueArray(path, { maxLength: 3 });
const identity = fc.constantFrom(anyone, ann, superUser);

test("the events behind a cursor are those of a naive model, for every scope and identity", () => {
  let told = 0;
  const ends = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 1, maxLength: 25, size: "max" }),
      fc.array(fc.tuple(fc.record({ node: some, children: some, subtree: some }), fc.nat(), identity), {
        minLength: 6,
        maxLength: 6,
      }),
      (operations, watchers) => {
        const driver = new TreeDriver();
        const first = driver.tree.applied;
        let state: Plain = new Map([["/", { czxid: 0, version: 0, acl: openAcl }]]);
        const log: PlainChange[] = [];
        for (const each of operations) {
          driver.stamp += 10.5;
          const outcome = driver.write(each, { identity: superUser });
          const next = step(state, each, outcome.zxid, Math.floor(driver.stamp));
          assert.equal(outcome.ok, next !== undefined);
          if (next === undefined) continue;
          state = next.to;
          log.push(...next.changes);
        }
        for (const [scopes, at, who] of watchers) {
          const after = first + (at % (driver.tree.applied - first + 1));
          const is = follow(driver.tree, scopes, after, who);
          assert.deepEqual(is, naive(state, log, scopes, after, who));
          assert.deepEqual(followRaw(driver.tree, scopes, after), meet(log, scopes, after));
          told += is.events.length;
          ends.add(is.end.split(" ")[0] as string);
        }
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(told > 1000, `the scopes meet the operations: ${told}`);
  assert.deepEqual([...ends].sort(), ["noAuth", "open"]);
});

// ------------------------------------------------------------------------------------------------------- by hand

test("without a cursor: the state of each path, from one zxid", () => {
  const driver = new TreeDriver();
  driver.writeAll([createOperation("/a", "one"), createOperation("/a/c"), createOperation("/a/b"), setOperation("/a")]);
  const result = watched(
    ask(driver.tree, of({ node: ["/a", "/none"], children: ["/a", "/a/b", "/none"], subtree: ["/a"] })),
  );
  assert.deepEqual([result.through, result.more, result.events], [driver.tree.applied, false, []]);
  assert.deepEqual(
    result.states.map((each) => [each.scope, each.path, each.stat?.version, "children" in each ? each.children : []]),
    [
      ["node", "/a", 1, []],
      ["node", "/none", undefined, []],
      ["children", "/a", 1, ["b", "c"]],
      ["children", "/a/b", 0, []],
      ["children", "/none", undefined, []],
    ],
  );
  assert.ok(result.states[0]?.scope === "node" && result.states[0].data?.length === 0);
  assert.ok(result.states[1]?.scope === "node" && result.states[1].data === undefined);
});

test("states over 1 MiB together are too large, data and names alike; exactly that much is not", () => {
  const driver = new TreeDriver();
  driver.writeAll([createOperation("/d", "x".repeat(limits.dataBytes)), createOperation("/e", "x")]);
  const read = (scopes: WatchScopes): string => codeOf(ask(driver.tree, scopes));
  assert.equal(read(of({ node: ["/d"] })), "ok");
  assert.equal(read(of({ node: ["/d", "/e"] })), "ok");
  assert.equal(read(of({ node: ["/d", "/e", "/e"] })), "tooLarge /e");
  assert.equal(read(of({ node: ["/d", "/e"], children: ["/"] })), "tooLarge /");
  driver.write(createOperation("/n"));
  const name = "x".repeat(4000);
  for (let n = 0; n < 270; n++) driver.done("node", createOperation(`/n/${n}${name}`));
  assert.equal(read(of({ children: ["/n"] })), "tooLarge /n");
  assert.equal(read(of({ children: ["/"], subtree: ["/n"] })), "ok");
});

test("a session that is shown is judged first, and its timeout told", () => {
  const driver = new TreeDriver();
  driver.write(createOperation("/a", "", shaped(secret)));
  const acting = driver.openSession(3);
  const read = (shown: typeof acting, path: string): Outcome =>
    driver.tree.read({ kind: "watch", scopes: of({ node: [path] }) }, anyone, shown);
  assert.equal(watched(read(acting, "/b")).sessionTimeoutMillis, 10_000);
  assert.equal(watched(ask(driver.tree, of({ node: ["/b"] }))).sessionTimeoutMillis, 0);
  assert.equal(codeOf(read(acting, "/a")), "noAuth /a");
  assert.equal(codeOf(read({ ...acting, secretHash: secretOf(4) }, "/a")), "authFailed");
  driver.done("done", { kind: "closeSession", session: acting.session }, { acting });
  assert.equal(codeOf(read(acting, "/a")), "sessionExpired");
});

test("rights that were lost end a watch where they were, behind what came before", () => {
  const driver = new TreeDriver();
  driver.write(createOperation("/a"));
  const after = driver.tree.applied;
  driver.write(setOperation("/a"));
  const before = driver.tree.applied;
  driver.writeAll([setAcl("/a", secret), setAcl("/a", openAcl), setOperation("/a")], { identity: superUser });
  const result = watched(ask(driver.tree, of({ node: ["/a"] }), after));
  assert.deepEqual([result.events.length, result.through, result.more], [1, before, true]);
  for (const scope of ["node", "children", "subtree"]) {
    assert.equal(codeOf(ask(driver.tree, of({ [scope]: ["/a"] }), before)), "noAuth /a", scope);
  }
  assert.equal(watched(ask(driver.tree, of({ node: ["/a"] }), before, ann)).events.length, 1);
  assert.equal(watched(ask(driver.tree, of({ subtree: ["/"] }), before)).events.length, 1);
});

test("a gateway that judges by itself is told where the tree stands, or what changed, with the lists of that moment", () => {
  const driver = new TreeDriver(new Tree({ ringBytes: 20_000 }));
  driver.write(createOperation("/a", "data", shaped(secret)));
  const raw = (scopes: WatchScopes, after?: number, acting?: Parameters<Tree["read"]>[2]): Outcome => {
    const how = after === undefined ? {} : { after: after as Zxid };
    return driver.tree.read({ kind: "watch", scopes, raw: true, ...how }, anyone, acting);
  };
  const at = driver.tree.applied;
  const standing = watched(raw(of({ node: ["/a"], children: ["/"] })));
  assert.deepEqual([standing.through, standing.more], [at, false]);
  assert.deepEqual([standing.states, standing.events, standing.changes, standing.acls], [[], [], [], []]);
  driver.writeAll([setOperation("/a"), setAcl("/a", writeOnly), createOperation("/a/b"), deleteOperation("/a", true)], {
    identity: superUser,
  });
  const told = watched(raw(of({ node: ["/a"] }), at));
  const listOf = (place: number): Acl => told.acls?.[place] as Acl;
  assert.deepEqual(
    told.changes?.map(({ type, path, acl, parentAcl }) => [type, path, listOf(acl), listOf(parentAcl)]),
    [
      ["changed", "/a", secret, openAcl],
      ["deleted", "/a", writeOnly, openAcl],
    ],
  );
  assert.equal(told.acls?.length, 3, "each list once");
  assert.equal(codeOf(raw(of({}), driver.tree.applied + 1)), "behind");
  assert.equal(codeOf(raw(of({}), at, { session: 99 as never, secretHash: secretOf(1) })), "sessionExpired");
  for (let n = 0; n < 200; n++) driver.write(createOperation(`/${n}`));
  assert.equal(codeOf(raw(of({}), at)), "cursorTooOld");
});

test("what a gateway is told is bounded too, by the bytes of the lists as well", () => {
  const driver = new TreeDriver();
  driver.write(createOperation("/a"));
  const after = driver.tree.applied;
  for (let n = 0; n < 1200; n++) driver.write(setOperation("/a"));
  const raw = (behind: number): WatchedResult =>
    watched(
      driver.tree.read({ kind: "watch", scopes: of({ subtree: ["/"] }), raw: true, after: behind as Zxid }, anyone),
    );
  const first = raw(after);
  assert.deepEqual([first.changes?.length, first.more, first.through], [memoryLimits.watchEvents, true, after + 1000]);
  const listOf = (n: number): Acl => [{ scheme: "digest", id: `user:${n}${"x".repeat(3000)}`, perms: 31 }];
  const before = driver.tree.applied;
  for (let n = 0; n < 1000; n++) driver.write(createOperation(`/${n}`, "", shaped(listOf(n))));
  const second = raw(before);
  assert.ok(second.more && (second.changes?.length ?? 0) < 400, `${second.changes?.length} lists of 3 KB each`);
  assert.equal(second.through, second.changes?.at(-1)?.zxid);
});

test("a cursor that the ring does not reach is too old; one beyond what is applied is behind", () => {
  const driver = new TreeDriver(new Tree({ ringBytes: 2000 }));
  driver.write(createOperation("/a"));
  const after = driver.tree.applied;
  for (let n = 0; n < 20; n++) driver.write(setOperation("/a"));
  const { floor } = driver.tree.changes;
  assert.ok(floor > after);
  const outcome = ask(driver.tree, of({ node: ["/a"] }), after);
  assert.equal(codeOf(outcome), "cursorTooOld");
  assert.match(outcome.ok ? "" : outcome.detail, /begin again without 'after'/);
  assert.equal(watched(ask(driver.tree, of({ node: ["/a"] }), floor)).events.length, driver.tree.applied - floor);
  assert.equal(codeOf(ask(driver.tree, of({ node: ["/a"] }), driver.tree.applied + 1)), "behind");
});

test("long answers are divided between transactions, also where nothing matches", () => {
  const driver = new TreeDriver();
  driver.write(createOperation("/a"));
  const after = driver.tree.applied;
  const then = Array.from({ length: 7 }, () => setOperation("/a")) as readonly TxnOperation[];
  const txns = Array.from({ length: 100 }, (): WriteOperation => ({ kind: "txn", check: [], then }));
  for (let n = 0; n < 16; n++) driver.writeAll(txns);
  const result = watched(ask(driver.tree, of({ node: ["/a"] }), after));
  assert.ok(result.more);
  assert.equal(result.events.length, Math.ceil(memoryLimits.watchEvents / 7) * 7);
  assert.equal(result.through, result.events.at(-1)?.zxid);
  const told = follow(driver.tree, of({ node: ["/a"] }), after, anyone);
  assert.equal(told.events.length, 16 * 100 * 7);
  const nothing = watched(ask(driver.tree, of({ node: ["/b"] }), after));
  assert.deepEqual([nothing.events.length, nothing.more], [0, true]);
  assert.equal(nothing.through, after + Math.ceil(memoryLimits.watchScanned / 7));
});

test("one transaction of more bytes than an answer holds asks for a new beginning", () => {
  const driver = new TreeDriver();
  driver.write(createOperation("/t"));
  const name = "n".repeat(4000);
  for (let n = 0; n < 2200; n++) driver.write(createOperation(`/t/${n}${name}`));
  const after = driver.tree.applied;
  driver.done("node", createOperation("/u"));
  driver.done("deleted", deleteOperation("/t", true));
  const result = watched(ask(driver.tree, of({ subtree: ["/"] }), after));
  assert.deepEqual([result.events.map((each) => each.path), result.more], [["/u"], true]);
  const outcome = ask(driver.tree, of({ subtree: ["/"] }), result.through);
  assert.equal(codeOf(outcome), "cursorTooOld");
  assert.match(outcome.ok ? "" : outcome.detail, /too much to be told at once/);
  assert.equal(watched(ask(driver.tree, of({ node: ["/t"] }), result.through)).events.length, 1);
});

test("changes of ACLs are in the ring, count as one znode touched, and are no names to undo", () => {
  const driver = new TreeDriver();
  driver.writeAll([createOperation("/d"), createOperation("/d/a"), createOperation("/d/b")]);
  const at = driver.tree.applied;
  driver.writeAll([setAcl("/d/a", secret), deleteOperation("/d/b"), setAcl("/", writeOnly)], { identity: superUser });
  const changes = [...(driver.tree.changes.after(at) as Iterable<{ type: string; acl: number; parentAcl: number }>)];
  assert.deepEqual(
    changes.map(({ type, acl, parentAcl }) => [type, driver.tree.acl(acl), driver.tree.acl(parentAcl)]),
    [
      ["acl", secret, openAcl],
      ["deleted", openAcl, openAcl],
      ["acl", writeOnly, writeOnly],
    ],
  );
  const page = driver.tree.read({ kind: "children", path: "/d" as Path, limit: 9, withData: false, at }, anyone);
  assert.ok(page.ok && page.result.kind === "children");
  assert.deepEqual(
    page.result.children.map((each) => each.name),
    ["a", "b"],
  );
  const twin = new Tree({ ringBytes: 0 });
  for (const batch of driver.batches) twin.apply(batch);
  assert.deepEqual([twin.changes.size, twin.digest()], [0, driver.tree.digest()]);
});

test("lists that nobody refers to any more count in the ring's bytes", () => {
  const driver = new TreeDriver(new Tree({ ringBytes: 1_000_000 }));
  driver.write(createOperation("/a"));
  const listOf = (n: number): Acl => [{ scheme: "digest", id: `user:${n}${"x".repeat(3000)}`, perms: 31 }, ...openAcl];
  for (let n = 0; n < 1000; n++) driver.done("acl", setAcl("/a", listOf(n)));
  const { changes } = driver.tree;
  assert.ok(changes.size > 200 && changes.size < 320, `${changes.size} changes with a list of 3 KB each`);
  for (const { acl } of changes.after(changes.floor) as Iterable<{ acl: number }>) {
    assert.ok(driver.tree.acl(acl) !== undefined, "what a change refers to is there");
  }
  assert.equal(changes.after(zeroZxid), "tooOld");
});
