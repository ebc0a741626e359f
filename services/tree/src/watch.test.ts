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
  parentOf,
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
  digestIdentity,
  secretOf,
  setOperation,
  superUser,
  TreeDriver,
} from "./tree-driver.test-support.ts";

const ann = digestIdentity("ann");
const secret: Acl = [{ scheme: "digest", id: ann.ids[0]?.id ?? "", perms: 31 }];
const writeOnly: Acl = [{ scheme: "world", id: "anyone", perms: 2 }];
const lists = [openAcl, secret, writeOnly];

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

// ------------------------------------------------------------------------------------------------ the naive model

interface PlainNode {
  readonly czxid: number;
  readonly version: number;
  readonly acl: Acl;
}
interface PlainChange extends Omit<WatchEvent, "type"> {
  readonly type: WatchEvent["type"] | "acl";
  readonly acl: Acl;
  readonly parentAcl: Acl;
}
type Plain = ReadonlyMap<string, PlainNode>;
type Step = { readonly to: Plain; readonly changes: readonly PlainChange[] };

/** What one operation does; undefined: it fails. */
function step(from: Plain, operation: WriteOperation | TxnOperation, zxid: number, time: number): Step | undefined {
  const to = new Map(from);
  const changes: PlainChange[] = [];
  const note = (type: PlainChange["type"], path: Path, node: PlainNode): void => {
    const parentAcl = to.get(parentOf(path) ?? path)?.acl ?? openAcl;
    const { czxid, version, acl } = node;
    changes.push({ zxid: zxid as Zxid, type, path, version, czxid: czxid as Zxid, time, acl, parentAcl });
  };
  if (operation.kind === "txn") {
    let state = from;
    for (const each of operation.then) {
      const next = step(state, each, zxid, time);
      if (next === undefined) return undefined;
      state = next.to;
      changes.push(...next.changes);
    }
    return { to: state, changes };
  }
  if (operation.kind !== "create" && operation.kind !== "set" && operation.kind !== "setAcl") {
    if (operation.kind !== "delete" || operation.path === "/" || !to.has(operation.path)) return undefined;
    const { path } = operation;
    const gone = [...to.keys()].filter((each) => each === path || each.startsWith(`${path}/`));
    if (gone.length > 1 && !operation.recursive) return undefined;
    // The deepest first, and of those the last by name.
    const depth = (each: string): number => each.split("/").length;
    gone.sort((one, other) => depth(other) - depth(one) || (one < other ? 1 : -1));
    for (const each of gone) note("deleted", each as Path, to.get(each) as PlainNode);
    for (const each of gone) to.delete(each);
    return { to, changes };
  }
  const { path } = operation;
  const node = to.get(path);
  if (operation.kind === "create" ? node !== undefined || !to.has(parentOf(path) ?? "") : node === undefined) return;
  const before = node ?? { czxid: zxid, version: -1, acl: (operation as { shape: { acl: Acl } }).shape.acl };
  const next =
    operation.kind === "setAcl" ? { ...before, acl: operation.acl } : { ...before, version: before.version + 1 };
  to.set(path, next);
  note(operation.kind === "create" ? "created" : operation.kind === "set" ? "changed" : "acl", path, next);
  return { to, changes };
}

const mayRead = (acl: Acl, identity: Identity): boolean =>
  acl === openAcl || identity.superUser || (acl === secret && identity === ann);

interface Told {
  readonly events: readonly WatchEvent[];
  readonly end: string;
}

/** Everything behind `after`, change by change. */
function naive(now: Plain, log: readonly PlainChange[], scopes: WatchScopes, after: number, identity: Identity): Told {
  for (const path of [...scopes.node, ...scopes.children, ...scopes.subtree]) {
    const node = now.get(path);
    if (node !== undefined && !mayRead(node.acl, identity)) return { events: [], end: `noAuth ${path}` };
  }
  const events: WatchEvent[] = [];
  for (const { acl, parentAcl, type, ...rest } of log) {
    if (rest.zxid <= after) continue;
    const { path } = rest;
    const parent = parentOf(path) ?? path;
    const own = scopes.node.includes(path) || scopes.subtree.includes(path);
    const child = type !== "changed" && type !== "acl" && path !== "/" && scopes.children.includes(parent);
    const whole = events.filter((each) => each.zxid < rest.zxid);
    const judged = type === "acl" || type === "created";
    if ((own || (judged && scopes.children.includes(path))) && !mayRead(acl, identity)) {
      return { events: whole, end: `noAuth ${path}` };
    }
    if (child && !mayRead(parentAcl, identity)) return { events: whole, end: `noAuth ${parent}` };
    const above = scopes.subtree.some((each) => path !== each && path.startsWith(each === "/" ? "/" : `${each}/`));
    if (type !== "acl" && (own || child || (above && mayRead(acl, identity)))) events.push({ ...rest, type });
  }
  return { events, end: "open" };
}

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
