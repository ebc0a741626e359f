/**
 * What a fence must not change and what it must: any request with a fence that holds is answered as it is without, and leaves the
 * same tree; with one that does not it is `fenced`, and the tree is as it was.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  anyone,
  type IdempotencyKey,
  type Identity,
  isBadPath,
  type Path,
  parsePath,
  persistentShape,
  type Shape,
  type TxnOperation,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import fc, { type Arbitrary } from "fast-check";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type { Answer, WriteRequest } from "../backend.ts";
import { Fences, type Holder } from "./fence.ts";
import { type Fenceable, isReadOnly } from "./fence-wrap.ts";
import type { Fence, RecipeAnswer } from "./recipes.ts";
import { Tokens } from "./tokens.ts";

function path(text: string): Path {
  const parsed = parsePath(text);
  if (isBadPath(parsed)) throw new Error(parsed.bad);
  return parsed;
}

const ann: Identity = { ids: [{ scheme: "digest", id: "ann:x" }], superUser: false };
const empty = new Uint8Array(0);

/** A tree with two locks: of `/one` a holder and somebody who waits, of `/two` a holder. */
class Scene {
  readonly memory = new MemoryBackend(() => 1_700_000_000_000);
  readonly tokens = new Tokens();
  /** Paths whose queue was looked at. */
  readonly looks: Path[] = [];
  readonly fences = new Fences({
    backend: this.memory,
    tokens: this.tokens,
    now: () => 0,
    holders: (at, identity) => this.#holders(at, identity),
  });

  async set(): Promise<this> {
    for (const each of ["/one", "/two", "/case"]) await this.create(each, false);
    for (const each of ["/one/c-", "/one/c-", "/two/c-"]) await this.create(each, true);
    return this;
  }

  async create(text: string, sequential: boolean): Promise<Holder> {
    const operation = { kind: "create", path: path(text), data: empty, shape: persistentShape } as const;
    const request = { identity: anyone, operation: { ...operation, sequential, parents: true } };
    const answer = await this.memory.write(request);
    assert.ok(answer.kind === "outcome" && answer.outcome.ok && answer.outcome.result.kind === "node");
    return { token: answer.outcome.result.stat.czxid, znode: answer.outcome.result.path };
  }

  async remove(znode: Path): Promise<void> {
    const operation = { kind: "delete", path: znode, condition: {}, recursive: false } as const;
    await this.memory.write({ identity: anyone, operation });
  }

  /** In the order of their tokens. */
  async queue(at: string, identity: Identity = anyone): Promise<RecipeAnswer<readonly Holder[]>> {
    const operation = { kind: "children", path: path(at), limit: 100, withData: true } as const;
    const answer = await this.#read(operation, identity);
    assert.equal(answer.kind, "outcome");
    if (answer.kind !== "outcome") throw new Error("the memory is always there");
    const { outcome, servedBy } = answer;
    if (!outcome.ok) return { kind: "failed", failure: outcome, servedBy };
    assert.ok(outcome.result.kind === "children");
    const value = outcome.result.children.map(({ name, stat }) => ({
      token: stat?.czxid ?? zeroZxid,
      znode: path(`${at}/${name}`),
    }));
    return { kind: "done", value, zxid: outcome.zxid, servedBy };
  }

  async #holders(at: Path, identity: Identity): Promise<RecipeAnswer<readonly Holder[]>> {
    this.looks.push(at);
    const queue = await this.queue(at, identity);
    return queue.kind === "done" ? { ...queue, value: queue.value.slice(0, 1) } : queue;
  }

  #read(operation: Parameters<MemoryBackend["read"]>[0]["operation"], identity: Identity): Promise<Answer> {
    const freshness = { consistency: "linearizable", minZxid: zeroZxid, maxStaleMillis: 0 } as const;
    return this.memory.read({ identity, operation, ...freshness });
  }

  /** Those who wait, too. */
  async fence(at: string, place = 0): Promise<Fence> {
    const queue = await this.queue(at);
    assert.ok(queue.kind === "done");
    return { path: path(at), token: queue.value[place]?.token ?? zeroZxid };
  }

  async own(at: string): Promise<Zxid> {
    const answer = await this.#read({ kind: "exists", path: path(at) }, anyone);
    assert.ok(answer.kind === "outcome" && answer.outcome.ok && answer.outcome.result.kind === "stat");
    return answer.outcome.result.stat.czxid;
  }

  /** Every znode with stat and data. */
  async all(): Promise<string> {
    const root: Identity = { ids: [], superUser: true };
    const request = { identity: root, path: path("/"), withData: true, consistency: "linearizable" } as const;
    const pages = this.memory.listTree({ ...request, minZxid: zeroZxid, maxStaleMillis: 0 });
    const found: unknown[] = [];
    for (;;) {
      const page = await pages.next(1000);
      assert.ok(page.kind === "outcome" && page.outcome.ok && page.outcome.result.kind === "treePage");
      found.push(page.outcome.result.entries);
      if (!page.outcome.result.more) return JSON.stringify(found);
    }
  }

  /** As doors do it without a fence. */
  plain(request: WriteRequest): Promise<Answer> {
    const { operation, identity } = request;
    return operation.kind === "txn" && isReadOnly(operation)
      ? this.#read(operation, identity)
      : this.memory.write(request);
  }

  fenced(request: WriteRequest, fences: readonly Fence[]): Promise<Answer> {
    return this.fences.write(request, fences, 1000);
  }
}

const paths = ["/case", "/case/a", "/case/b", "/case/a/c", "/case/d/e", "/gone/x"].map(path);
const place: Arbitrary<Path> = fc.constantFrom(...paths);
const version = fc.constantFrom(-1, 0, 1, 2);
const data = fc.uint8Array({ maxLength: 3 });
const shape: Arbitrary<Shape> = fc.constantFrom<Shape>(
  persistentShape,
  { kind: "container", ttlMillis: 0 },
  { kind: "ttl", ttlMillis: 60_000 },
  { kind: "ephemeral", ttlMillis: 0 },
  { kind: "persistent", ttlMillis: 0, acl: [{ scheme: "auth", id: "", perms: 31 }] },
);
const condition = fc.oneof(
  fc.constant({}),
  fc.boolean().map((exists) => ({ exists })),
  version.map((each) => ({ version: each })),
  fc.constantFrom(1, 4_294_967_300, 4_294_967_305).map((each) => ({ mzxids: [each as Zxid] })),
);
const check = fc.oneof(
  fc.record({ path: place, exists: fc.boolean() }),
  fc.record({ path: place, version }),
  fc.record({ path: place, ownerSelf: fc.constant(true) }),
);
const writes: readonly Arbitrary<Exclude<Fenceable, { kind: "txn" }>>[] = [
  fc.record({
    kind: fc.constant("create" as const),
    path: place,
    data,
    shape,
    sequential: fc.boolean(),
    parents: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("put" as const), path: place, data, parents: fc.boolean(), condition }),
  fc.record({ kind: fc.constant("put" as const), path: place, data, shape, parents: fc.boolean(), condition }),
  fc.record({ kind: fc.constant("set" as const), path: place, data, condition }),
  fc.record({ kind: fc.constant("delete" as const), path: place, condition, recursive: fc.boolean() }),
  fc.record({
    kind: fc.constant("setAcl" as const),
    path: place,
    acl: fc.constantFrom(
      [{ scheme: "world", id: "anyone", perms: 31 }],
      [{ scheme: "auth", id: "", perms: 31 }],
      [{ scheme: "none", id: "", perms: 1 }],
    ),
    aversion: version,
  }),
];
const reads: readonly Arbitrary<TxnOperation>[] = [
  fc.record({ kind: fc.constantFrom("get" as const, "exists" as const), path: place }),
  fc.record({ kind: fc.constant("children" as const), path: place, limit: fc.constant(2), withData: fc.boolean() }),
  check.map((each) => ({ kind: "check" as const, ...each })),
];
const parts = fc.array(fc.oneof(...writes, ...reads), { maxLength: 3 });
const onlyReads = fc.array(fc.oneof(...reads), { maxLength: 3 });
const txnOf = (list: Arbitrary<readonly TxnOperation[]>): Arbitrary<Fenceable> =>
  fc
    .tuple(fc.array(check, { maxLength: 2 }), list, fc.option(list, { nil: undefined }))
    .map(([checks, then, otherwise]) => ({
      kind: "txn" as const,
      check: checks,
      then,
      ...(otherwise === undefined ? {} : { else: otherwise }),
    }));
const operation: Arbitrary<Fenceable> = fc.oneof(...writes, txnOf(parts), txnOf(onlyReads));

/** A request's hash is its own. */
function keyOf(name: string, request: object): IdempotencyKey {
  const text = JSON.stringify(request);
  const requestHash = new Uint8Array(16);
  for (let i = 0; i < text.length; i++) {
    const at = i % 16;
    requestHash[at] = ((requestHash[at] ?? 0) * 31 + text.charCodeAt(i)) % 251;
  }
  return { key: name, requestHash };
}
const request: Arbitrary<WriteRequest> = fc
  .tuple(fc.constantFrom(anyone, ann), operation, fc.constantFrom(undefined, undefined, "k1", "k2"))
  .map(([identity, each, name]) => {
    const bare = { identity, operation: each };
    return name === undefined ? bare : { ...bare, key: keyOf(name, bare) };
  });
/** Some of them more than once. */
const requests = fc
  .tuple(fc.array(request, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }))
  .map(([some, order]) => order.map((each) => some[each % some.length] as WriteRequest));

describe("a fence that holds", () => {
  it("changes nothing of any request's answer, nor of what it does", async () => {
    await fc.assert(
      fc.asyncProperty(requests, fc.boolean(), async (all, both) => {
        const without = await new Scene().set();
        const within = await new Scene().set();
        const fences = [await within.fence("/one"), ...(both ? [await within.fence("/two")] : [])];
        for (const each of all) assert.deepEqual(await within.fenced(each, fences), await without.plain(each));
        assert.equal(await within.all(), await without.all());
        assert.ok(within.looks.length <= fences.length, "each queue is looked at once");
      }),
      { numRuns: 300 },
    );
  });
});

describe("a fence that does not hold", () => {
  const dead: readonly (readonly [string, (scene: Scene) => Promise<Fence>])[] = [
    ["of somebody who waits", (scene) => scene.fence("/one", 1)],
    [
      "of one who was there, and whose token is remembered",
      async (scene) => {
        const fence = await scene.fence("/two");
        const set = { kind: "put", path: path("/case"), data: empty, parents: false, condition: {} } as const;
        await scene.fenced({ identity: anyone, operation: set }, [fence]);
        assert.ok(scene.tokens.find(fence)?.heldAt);
        const queue = await scene.queue("/two");
        assert.ok(queue.kind === "done");
        await scene.remove(queue.value[0]?.znode ?? path("/"));
        return fence;
      },
    ],
    ["of a lock that is not there", () => Promise.resolve({ path: path("/none"), token: 4_294_967_297 as Zxid })],
    ["that is the lock's own czxid", async (scene) => ({ path: path("/one"), token: await scene.own("/one") })],
  ];
  for (const [what, fenceOf] of dead) {
    it(`${what} refuses every request, and nothing changes`, async () => {
      await fc.assert(
        fc.asyncProperty(request, fc.boolean(), async (each, beside) => {
          const scene = await new Scene().set();
          const fence = await fenceOf(scene);
          const fences = beside ? [await scene.fence("/one"), fence] : [fence];
          const before = await scene.all();
          const answer = await scene.fenced(each, fences);
          assert.ok(answer.kind === "outcome" && !answer.outcome.ok);
          const { outcome } = answer;
          // With an else, the client's own checks are judged first: what they may not ask fails before.
          const first = outcome.code !== "fenced" && each.operation.kind === "txn" && each.operation.else !== undefined;
          if (first) assert.equal(outcome.op?.in, "check");
          else {
            assert.deepEqual([outcome.code, outcome.path, outcome.op], ["fenced", fence.path, undefined]);
            assert.ok(outcome.detail.includes(fence.path) && /0x[0-9a-f]{16}/.test(outcome.detail), outcome.detail);
          }
          assert.equal(await scene.all(), before);
        }),
        { numRuns: 100 },
      );
    });
  }
});

describe("a fence and what is around it", () => {
  const put = { kind: "put", path: path("/case"), data: empty, parents: false, condition: {} } as const;

  it("is no hindrance to the replay of what was done while it held", async () => {
    const scene = await new Scene().set();
    const fence = await scene.fence("/two");
    const bare = { identity: anyone, operation: put };
    const keyed = { ...bare, key: keyOf("k", bare) };
    const first = await scene.fenced(keyed, [fence]);
    assert.ok(first.kind === "outcome" && first.outcome.ok);
    const queue = await scene.queue("/two");
    assert.ok(queue.kind === "done");
    await scene.remove(queue.value[0]?.znode ?? path("/"));
    assert.deepEqual(await scene.fenced(keyed, [fence]), { ...first, outcome: { ...first.outcome, replayed: true } });
    const other = await scene.fenced({ ...bare, key: keyOf("l", bare) }, [fence]);
    assert.ok(other.kind === "outcome" && !other.outcome.ok && other.outcome.code === "fenced");
    const again = await scene.fenced({ ...bare, key: keyOf("l", bare) }, [fence]);
    assert.deepEqual(again, { ...other, outcome: { ...other.outcome, replayed: true } });
  });

  it("is put in place at once where its token is known", async () => {
    const scene = await new Scene().set();
    const fence = await scene.fence("/one");
    assert.ok(scene.fences.guard(put, [fence], anyone, 1000) instanceof Promise);
    await scene.fenced({ identity: anyone, operation: put }, [fence]);
    const guarding = scene.fences.guard(put, [fence], anyone, 1000);
    assert.ok(!(guarding instanceof Promise) && guarding.kind === "guarded");
    const answer = await scene.memory.write({ identity: anyone, operation: guarding.guarded.operation });
    const own = guarding.guarded.restore(answer);
    assert.ok(own.kind === "outcome" && own.outcome.ok && own.outcome.result.kind === "node");
  });

  it("is not looked up again once its token is over, whatever is forgotten elsewhere", async () => {
    const scene = await new Scene().set();
    const fence = await scene.fence("/two");
    await scene.fenced({ identity: anyone, operation: put }, [fence]);
    const queue = await scene.queue("/two");
    assert.ok(queue.kind === "done");
    await scene.remove(queue.value[0]?.znode ?? path("/"));
    scene.tokens.forget(fence.path, fence.token);
    for (let i = 0; i < 3; i++) {
      const answer = await scene.fenced({ identity: anyone, operation: put }, [fence]);
      assert.ok(answer.kind === "outcome" && !answer.outcome.ok && answer.outcome.code === "fenced");
    }
    assert.deepEqual(scene.looks, ["/two"]);
  });

  it("says why a lock cannot be looked at, and writes nothing", async () => {
    const scene = await new Scene().set();
    const acl = [{ scheme: "digest", id: "ann:x", perms: 31 }];
    await scene.memory.write({ identity: ann, operation: { kind: "setAcl", path: path("/one"), acl, aversion: -1 } });
    const fence = await scene.fence("/one").catch(() => ({ path: path("/one"), token: 4_294_967_299 as Zxid }));
    const before = await scene.all();
    const answer = await scene.fenced({ identity: anyone, operation: put }, [fence]);
    assert.ok(answer.kind === "outcome" && !answer.outcome.ok);
    assert.equal(answer.outcome.code, "noAuth");
    assert.match(answer.outcome.detail, /^the lock \/one cannot be looked at: /);
    assert.equal(await scene.all(), before);
  });

  it("passes on that nobody can be asked", async () => {
    const scene = await new Scene().set();
    const nobody = {
      kind: "unavailable",
      code: "noLeader",
      detail: "so it is",
      certainty: "noEffect",
      retryAfterMillis: 1,
    } as const;
    const fences = new Fences({
      backend: scene.memory,
      tokens: scene.tokens,
      now: () => 0,
      holders: () => Promise.resolve(nobody),
    });
    const fence = await scene.fence("/one");
    assert.deepEqual(await fences.write({ identity: anyone, operation: put }, [fence], 1000), nobody);
  });
});
