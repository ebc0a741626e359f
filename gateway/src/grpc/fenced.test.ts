/** Fenced writes at the door: the calls by themselves, and the Session stream, whose order is kept while a lock is looked at. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asZxid, type Path } from "@quorate/api";
import { failureOf } from "../../../test/conformance/grpc-client.ts";
import type { Guarding } from "../recipes/fence.ts";
import { type Guard, guarded, restored } from "../recipes/fence-wrap.ts";
import type { Fence, Recipes } from "../recipes/recipes.ts";
import { scriptedRecipes, startDoor } from "./fixture.test-support.ts";
import { open, replies, repliesOf } from "./session.test-support.ts";

const fence: Fence = { path: "/l" as Path, token: asZxid(9) };
const fenced = { fenced: [{ path: "/l", token: 9 }] };

/** As a gateway that knows whose token it is. */
const guarding =
  (znode: (fence: Fence) => Path | undefined): Recipes["guard"] =>
  (operation, fences): Guarding => {
    const guards = fences.map((each): Guard => ({ fence: each, znode: znode(each) }));
    const restore = (answer: Parameters<typeof restored>[0]): ReturnType<typeof restored> =>
      restored(answer, operation, guards);
    return { kind: "guarded", guarded: { operation: guarded(operation, guards), restore } };
  };

describe("a fenced call", () => {
  it("is a write of the recipes, under a key that its fences are part of", async () => {
    const hashes: string[] = [];
    const recipes = scriptedRecipes({
      write: (request, fences) => {
        assert.deepEqual(fences[0]?.path, "/l");
        assert.equal(request.operation.kind, "put");
        hashes.push(Buffer.from(request.key?.requestHash ?? []).toString("hex"));
        const failure = {
          ok: false,
          code: "fenced",
          detail: "it has passed on",
          zxid: asZxid(5),
          path: fence.path,
        } as const;
        return Promise.resolve({ kind: "outcome", outcome: failure, servedBy: 1, ageMillis: 0 });
      },
    });
    await using door = await startDoor({ recipes });
    const put = (token: number) =>
      failureOf(
        door.caller.call("Put", { path: "/a", options: { fenced: [{ path: "/l", token }], idempotencyKey: "k" } }),
      );
    const failure = await put(9);
    assert.deepEqual([failure.code, failure.reason, failure.status?.metadata["path"]], [10, "FENCED", "/l"]);
    await put(9);
    await put(10);
    assert.deepEqual(hashes, [hashes[0], hashes[0], hashes[2]]);
    assert.notEqual(hashes[0], hashes[2]);
  });
});

describe("a fenced write on a Session stream", () => {
  it("is done while the lock is held, and shows its own answer", async () => {
    const recipes = scriptedRecipes({ guard: guarding(() => "/l/me" as Path) });
    await using door = await startDoor({ recipes });
    await door.caller.call("Put", { path: "/l/me", parents: true });
    const { stat } = await door.caller.call("Get", { path: "/l/me" });
    const { inbox } = await open(door.caller);
    const token = stat?.czxid ?? 0;
    const options = { fenced: [{ path: "/l", token }] };
    inbox.send({
      operations: [
        { requestId: 1, sequence: 1, create: { path: "/a", options } },
        { requestId: 2, sequence: 2, delete: { path: "/l/me" } },
        { requestId: 3, sequence: 3, set: { path: "/a", options } },
        { requestId: 4, get: { path: "/a" } },
      ],
    });
    const [made, gone, refused, read] = await replies(inbox, 4);
    assert.deepEqual([made?.create?.path, gone?.delete?.deleted], ["/a", 1]);
    assert.deepEqual([refused?.error?.reason, refused?.error?.path, refused?.decided], ["FENCED", "/l", true]);
    assert.equal(read?.get?.stat?.version, undefined);
    inbox.cancel();
  });

  it("keeps the stream's order while the lock is looked at", async () => {
    const known = guarding(() => undefined);
    let look: () => void = () => undefined;
    const recipes = scriptedRecipes({
      guard: (...asked) =>
        new Promise<Guarding>((resolve) => {
          look = () => void Promise.resolve(known(...asked)).then(resolve);
        }),
    });
    await using door = await startDoor({ recipes });
    const { inbox } = await open(door.caller);
    inbox.send({
      operations: [
        { requestId: 1, sequence: 1, create: { path: "/a" } },
        { requestId: 2, sequence: 2, create: { path: "/b", options: fenced } },
        { requestId: 3, sequence: 3, create: { path: "/c" } },
        { requestId: 4, exists: { path: "/c" } },
      ],
    });
    await replies(inbox, 1);
    assert.equal((await door.caller.call("Exists", { path: "/c" })).exists, false);
    look();
    const all = await replies(inbox, 4);
    assert.deepEqual(
      all.map((each) => each.error?.reason ?? each.result),
      ["create", "FENCED", "create", "exists"],
    );
    assert.equal(all[3]?.exists?.exists, true);
    inbox.cancel();
  });

  it("that could not be looked at has used no number, and what is behind it is refused until it comes again", async () => {
    let broken = true;
    const known = guarding(() => undefined);
    const recipes = scriptedRecipes({
      guard: (...asked) => {
        if (!broken) return known(...asked);
        const answer = { kind: "unavailable", code: "noLeader", detail: "none" } as const;
        return Promise.resolve({
          kind: "refused",
          answer: { ...answer, certainty: "noEffect", retryAfterMillis: 1 },
        });
      },
    });
    await using door = await startDoor({ recipes });
    const { inbox } = await open(door.caller);
    const write = { requestId: 1, sequence: 1, create: { path: "/b", options: fenced } };
    inbox.send({ operations: [write, { requestId: 2, sequence: 2, create: { path: "/c" } }] });
    const [first, second] = await replies(inbox, 2);
    assert.deepEqual([first?.error?.reason, first?.decided], ["NO_LEADER", undefined]);
    assert.deepEqual([second?.error?.reason, second?.decided], ["BAD_ARGUMENTS", undefined]);
    broken = false;
    inbox.send({ operations: [write, { requestId: 2, sequence: 2, create: { path: "/c" } }] });
    await replies(inbox, 4);
    assert.deepEqual(
      repliesOf(inbox)
        .slice(2)
        .map((each) => [each.error?.reason ?? each.result, each.decided]),
      [
        ["FENCED", true],
        ["create", true],
      ],
    );
    inbox.cancel();
  });

  it("is not begun when the stream has ended meanwhile", async () => {
    let look: (found: Guarding) => void = () => undefined;
    let asked = 0;
    const recipes = scriptedRecipes({
      guard: () => {
        asked++;
        return new Promise<Guarding>((resolve) => {
          look = resolve;
        });
      },
    });
    await using door = await startDoor({ recipes });
    const first = await open(door.caller);
    first.inbox.send({ operations: [{ requestId: 1, sequence: 1, create: { path: "/b", options: fenced } }] });
    while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    const second = await open(door.caller, first);
    assert.equal((await first.inbox.over())?.reason, "SESSION_MOVED");
    const create = { kind: "txn", check: [], then: [] } as const;
    look({ kind: "guarded", guarded: { operation: create, restore: (answer) => answer } });
    await door.caller.call("Sync", {});
    assert.equal(repliesOf(second.inbox).length, 0);
    assert.deepEqual(door.logged, []);
    second.inbox.cancel();
  });
});
