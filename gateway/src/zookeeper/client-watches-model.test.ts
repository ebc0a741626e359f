/**
 * Any order of requests, changes, answers and turns, as a lane and a feed may bring them: what a client is sent is what
 * ZooKeeper would send, exactly, as long as no answer is late; and with late answers each watch tells its first change.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangeType, FeedChange, Path, WatchOperation, WatchScopes, Zxid } from "@quorate/api";
import { parentOf } from "@quorate/api";
import fc from "fast-check";
import { addWatchModes } from "./messages.ts";
import { NaiveTables } from "./naive-watches.test-support.ts";
import { watchKinds } from "./watch-table.ts";
import { type AskedRead, changeOf, page, WatchesScene } from "./watches-scene.test-support.ts";

const { data, child, persistent, recursive } = watchKinds;
const paths = ["/", "/a", "/a/b", "/a/b/c", "/d"] as const;
const ops = ["exists", "getData", "getChildren"] as const;

type Step =
  | { readonly do: "commit"; readonly changes: readonly (readonly [ChangeType, string, closed: boolean])[] }
  | { readonly do: "watch"; readonly op: (typeof ops)[number]; readonly path: string }
  | { readonly do: "addWatch"; readonly mode: number; readonly path: string }
  | { readonly do: "remove"; readonly type: number; readonly path: string }
  | { readonly do: "serve" | "change" | "answer" | "turn" };

const anyPath = fc.constantFrom(...paths);
const anyChange = fc.tuple(
  fc.constantFrom<ChangeType>("created", "changed", "deleted"),
  anyPath,
  fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
);
const of = <Kind extends string>(kind: Kind): fc.Arbitrary<Kind> => fc.constant(kind);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: of("commit"), changes: fc.array(anyChange, { minLength: 1, maxLength: 3 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: of("watch"), op: fc.constantFrom(...ops), path: anyPath }) },
  { weight: 1, arbitrary: fc.record({ do: of("addWatch"), mode: fc.constantFrom(0, 1), path: anyPath }) },
  { weight: 1, arbitrary: fc.record({ do: of("remove"), type: fc.integer({ min: 1, max: 5 }), path: anyPath }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constantFrom("serve", "change", "answer") }) },
  { weight: 4, arbitrary: fc.record({ do: of("turn") }) },
);

const long = { maxLength: 80, size: "max" } as const;

interface Transaction {
  readonly zxid: number;
  readonly changes: readonly FeedChange[];
}

/** One watch of the client, by the reply that set it: `at` is that reply's line in what it was sent. */
interface Registered {
  readonly kind: number;
  readonly path: string;
  readonly zxid: number;
  readonly at: number;
}

const kindOfOp = { exists: data, getData: data, getChildren: child };
const kindOfType: Record<number, number> = { 1: child, 2: data, 3: 15, 4: persistent, 5: recursive };

class Model {
  scene = new WatchesScene();
  readonly history: Transaction[] = [];
  readonly out: string[] = [];
  readonly registered: Registered[] = [];
  /** As ZooKeeper would have sent it, and its tables. */
  readonly expected: string[] = [];
  #naive = new NaiveTables();
  #exists = new Set<string>(paths);
  #zxid = 10;
  /** Committed and not brought by the feed; asked and not served; served and not brought. */
  #feed: Transaction[] = [];
  #asked: { serve: () => () => void }[] = [];
  #answers: { zxid: number; bring: () => void }[] = [];
  #brought = 10;
  /** Whether each reply sets a watch, by xid. */
  readonly #sets = new Map<number, { kind: number; path: string }>();

  commit(changes: readonly (readonly [ChangeType, string, boolean])[]): void {
    this.#zxid += 1;
    const own: FeedChange[] = [];
    for (const [type, path, closed] of changes) {
      // A znode comes and goes; what else would be no change.
      if ((type === "created") === this.#exists.has(path) || (path === "/" && type === "deleted")) continue;
      if (type === "created") this.#exists.add(path);
      else if (type === "deleted") this.#exists.delete(path);
      const change = changeOf(this.#zxid, type, path, { acl: closed ? 1 : 0, parentAcl: path.length === 4 ? 1 : 0 });
      own.push(change);
      for (const event of this.#naive.change(type, path)) {
        const hidden = event.startsWith("childrenChanged") ? change.parentAcl : change.acl;
        if (hidden === 0) this.expected.push(`${event} @${this.#zxid}`);
      }
    }
    this.history.push({ zxid: this.#zxid, changes: own });
    this.#feed.push({ zxid: this.#zxid, changes: own });
  }

  watch(op: (typeof ops)[number], path: string): void {
    const { scene } = this;
    const xid = scene.watch(op, path);
    this.#sets.set(xid, { kind: kindOfOp[op], path });
    this.#asked.push({
      serve: () => {
        const code = this.#exists.has(path) ? 0 : -101;
        const zxid = this.#zxid;
        this.#served(xid, zxid, code, code === 0 || op === "exists");
        return () => scene.answer(xid, zxid, code);
      },
    });
  }

  addWatch(path: string, mode: number): void {
    const xid = this.scene.addWatch(path, mode);
    const kind = mode === addWatchModes.persistent ? persistent : recursive;
    this.#sets.set(xid, { kind, path });
    const read = this.scene.next();
    this.#asked.push({
      serve: () => {
        const zxid = this.#zxid;
        this.#served(xid, zxid, 0, true);
        return () => read.answer(zxid, "noNode");
      },
    });
  }

  #served(xid: number, zxid: number, code: number, sets: boolean): void {
    this.expected.push(code === 0 ? `reply ${xid} @${zxid}` : `reply ${xid} @${zxid} ${code}`);
    const watch = this.#sets.get(xid);
    if (sets && watch) this.#naive.add(watch.kind, watch.path);
    else this.#sets.delete(xid);
  }

  /** Only when nothing is under way: what is told meanwhile has its own order. */
  remove(path: string, type: number): void {
    this.settle();
    const place = this.scene.place();
    const there = this.#naive.remove(kindOfType[type] as number, path);
    this.scene.watches.removeWatches(path, type, place);
    this.turn();
    const line = this.out.at(-1) as string;
    assert.equal(line.endsWith("-121"), !there, `removal of ${type} at ${path}`);
    this.expected.push(line);
    const gone = kindOfType[type] as number;
    for (const [i, each] of [...this.registered.entries()].reverse()) {
      if (each.path === path && (each.kind & gone) !== 0) this.registered.splice(i, 1);
    }
  }

  serve(): void {
    const asked = this.#asked.shift();
    if (asked) this.#answers.push({ zxid: this.#zxid, bring: asked.serve() });
  }

  change(): void {
    const next = this.#feed.shift();
    if (!next) return;
    this.#brought = next.zxid;
    const followed = next.changes.filter((each) => this.#isFollowed(each));
    if (followed.length > 0) this.scene.changes(...followed);
  }

  #isFollowed({ path, type }: FeedChange): boolean {
    const { scopes } = this.scene.following;
    if (scopes.has(`node ${path}`)) return true;
    if (type !== "changed" && scopes.has(`children ${parentOf(path)}`)) return true;
    for (let at: Path | undefined = path; at !== undefined; at = parentOf(at)) {
      if (scopes.has(`subtree ${at}`)) return true;
    }
    return false;
  }

  /** The lane answers nothing that the feed has not told. */
  bring(zxid: number): void {
    while (this.#brought < zxid) this.change();
  }

  answer(): void {
    const next = this.#answers[0];
    if (!next) return;
    this.bring(next.zxid);
    this.#answers.shift();
    next.bring();
  }

  /** What the feed brought behind an answer may be known before it, but leaves behind it. */
  bringLate(): void {
    while (this.#answers[0] && this.#answers[0].zxid < this.#brought) this.answer();
  }

  turn(): void {
    for (const line of this.scene.turn()) {
      const reply = /^reply (\d+) @(\d+)/.exec(line);
      const watch = reply ? this.#sets.get(Number(reply[1])) : undefined;
      this.out.push(line);
      if (watch && reply) this.registered.push({ ...watch, zxid: Number(reply[2]), at: this.out.length - 1 });
    }
  }

  settle(): void {
    while (this.#asked.length > 0) this.serve();
    while (this.#answers.length > 0) this.answer();
    while (this.#feed.length > 0) this.change();
    this.turn();
  }

  /** The client's connection breaks and it comes back with what it was sent up to here. */
  reconnect(answers: (read: AskedRead, model: Model) => void): void {
    const watches = this.registered.filter((each) => !this.#isSpent(each));
    let relative = 1;
    for (const line of this.out)
      relative = Math.max(relative, line.startsWith("reply") ? Number(/@(\d+)/.exec(line)?.[1]) : 1);
    this.scene.watches.close();
    this.scene = new WatchesScene({ backlogChanges: 3 });
    this.out.length = 0;
    this.registered.length = 0;
    this.#sets.clear();
    this.#asked = [];
    this.#answers = [];
    this.#feed = [];
    this.#brought = this.#zxid;
    for (const { kind, path } of watches) this.registered.push({ kind, path, zxid: relative, at: -1 });
    const list = (kind: number): string[] => [
      ...new Set(watches.filter((each) => each.kind === kind).map(({ path }) => path)),
    ];
    this.scene.setWatches({
      relativeZxid: relative as Zxid,
      data: list(data),
      child: list(child),
      persistent: list(persistent),
      persistentRecursive: list(recursive),
    });
    while (this.scene.reads.length > 0) answers(this.scene.next(), this);
    this.turn();
  }

  #isSpent(each: Registered): boolean {
    if (each.kind === persistent || each.kind === recursive) return false;
    return this.out.slice(each.at + 1).some((line) => line.startsWith("reply") || hears(each, line));
  }

  /** A page of what came behind `after`. */
  pageOf({ operation }: AskedRead, transactions: number): Parameters<AskedRead["answer"]> {
    const { scopes, after } = operation as WatchOperation;
    const behind = this.history.filter(({ zxid }) => zxid > (after as number));
    const some = behind.slice(0, transactions);
    const more = some.length < behind.length;
    const through = more ? (some.at(-1)?.zxid ?? (after as number)) : this.#zxid;
    const changes = some.flatMap((each) => each.changes).filter((each) => meets(scopes, each));
    return [this.#zxid, page(through, changes, more)];
  }
}

function meets({ node, children, subtree }: WatchScopes, { path, type }: FeedChange): boolean {
  const parent = parentOf(path);
  if (node.includes(path) || (type !== "changed" && parent !== undefined && children.includes(parent))) return true;
  return subtree.some((top) => path === top || path.startsWith(top === "/" ? "/" : `${top}/`));
}

/** Whether the event is one that this watch could have told, whenever. */
function hears({ kind, path }: Registered, line: string): boolean {
  const [type, of] = line.split(" ") as [string, string];
  const tables = new NaiveTables();
  tables.add(kind, path);
  if (type === "childrenChanged")
    return tables.change("created", `${of === "/" ? "" : of}/x`).includes(`${type} ${of}`);
  return tables.change(type as ChangeType, of).includes(`${type} ${of}`);
}

/** What this watch must have told: of its zxid on, the first that it heard, or all; those that may not be read left out. */
function owed(each: Registered, history: readonly Transaction[]): string[] {
  const tables = new NaiveTables();
  tables.add(each.kind, each.path);
  const lines: string[] = [];
  for (const { zxid, changes } of history) {
    if (zxid <= each.zxid) continue;
    for (const { type, path, acl, parentAcl } of changes) {
      for (const event of tables.change(type as ChangeType, path)) {
        if ((event.startsWith("childrenChanged") ? parentAcl : acl) === 0) lines.push(`${event} @${zxid}`);
      }
    }
  }
  return lines;
}

/** Each watch told what it owed, behind its own reply and before any that shows as much; nothing else was told. */
function judge({ out, registered, history }: Model): void {
  const copies = new Map<string, number>();
  for (const each of registered) {
    for (const line of owed(each, history)) {
      copies.set(line, (copies.get(line) ?? 0) + 1);
      const at = out.indexOf(line, each.at + 1);
      assert.ok(at > each.at, `${line} for ${JSON.stringify(each)} in ${JSON.stringify(out)}`);
      const zxid = Number(line.split("@")[1]);
      const early = out.slice(each.at + 1, at).find((other) => /^reply/.test(other) && replyZxid(other) >= zxid);
      assert.equal(early, undefined, `${line} comes before a reply that shows it`);
    }
  }
  for (const line of new Set(out)) {
    if (line.startsWith("reply")) continue;
    const count = out.filter((other) => other === line).length;
    assert.ok(count <= (copies.get(line) ?? 0), `${line} is told ${count} times in ${JSON.stringify(out)}`);
  }
}

function replyZxid(line: string): number {
  return Number(/@(\d+)/.exec(line)?.[1]);
}

function run(model: Model, steps: readonly Step[], late: boolean): void {
  for (const step of steps) {
    if (step.do === "commit") model.commit(step.changes);
    else if (step.do === "watch") model.watch(step.op, step.path);
    else if (step.do === "addWatch") model.addWatch(step.path, step.mode);
    else if (step.do === "remove") model.remove(step.path, step.type);
    else if (step.do === "turn") {
      if (!late) model.bringLate();
      model.turn();
    } else model[step.do]();
    assert.equal(model.scene.closed, undefined);
  }
  if (!late) model.bringLate();
  model.settle();
}

test("with answers in time, what goes out is what ZooKeeper sends, line by line", () => {
  fc.assert(
    fc.property(fc.array(anyStep, long), (steps) => {
      const model = new Model();
      run(model, steps, false);
      assert.deepEqual(model.out, model.expected);
    }),
    { numRuns: 1000 },
  );
});

const lasting = fc.array(
  anyStep.filter((step) => step.do !== "remove"),
  long,
);

test("with late answers, each watch tells its first change behind its own reply, and nothing else is told", () => {
  fc.assert(
    fc.property(lasting, (steps) => {
      const model = new Model();
      run(model, steps, true);
      judge(model);
    }),
    { numRuns: 1000 },
  );
});

test("a client that comes back is told all that its watches missed, from the ring, whatever happens meanwhile", () => {
  const meanwhile = fc.record({
    transactions: fc.integer({ min: 1, max: 40 }),
    behind: fc.array(fc.array(anyChange, { minLength: 1, maxLength: 3 }), { maxLength: 8, size: "max" }),
    commits: fc.array(fc.array(anyChange, { minLength: 1, maxLength: 3 }), { maxLength: 8, size: "max" }),
    brought: fc.nat(24),
    turns: fc.boolean(),
  });
  const pages = fc.array(meanwhile, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(lasting, lasting, fc.array(anyChange, { maxLength: 3 }), pages, (steps, away, last, each) => {
      const model = new Model();
      run(model, steps, true);
      // Nobody is there.
      for (const step of away) if (step.do === "commit") model.commit(step.changes);
      let turn = 0;
      model.reconnect((read) => {
        const { transactions, commits, behind, brought, turns } = each[turn++ % each.length] as (typeof each)[number];
        // In the end the client catches up.
        const ended = turn >= 20;
        if (!ended) for (const changes of commits) model.commit(changes);
        const answer = model.pageOf(read, ended ? 1000 : transactions);
        if (!ended) for (const changes of behind) model.commit(changes);
        for (let i = 0; i < brought; i++) model.change();
        if (turns) model.turn();
        model.bring(answer[0]);
        read.answer(...answer);
      });
      model.commit(last);
      model.settle();
      judge(model);
    }),
    { numRuns: 200 },
  );
});
