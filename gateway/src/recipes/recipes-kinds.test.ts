/** What kinds of queues there are, whose clients they are shared with, and who may stand in them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyone, type Path } from "@quorate/api";
import type { LockMode } from "./recipes.ts";
import { bytes, codeOf, done, path, reading, Scene } from "./scene.test-support.ts";

const lock = path("/app/migrate");

describe("kinds and layouts", () => {
  async function standings(
    scene: Scene,
    queue: Path,
    modes: readonly LockMode[],
    permits?: number,
  ): Promise<boolean[]> {
    const gateway = scene.gateway();
    const held: boolean[] = [];
    for (const mode of modes) {
      const acting = await scene.session();
      const shape = { mode, ...(permits === undefined ? undefined : { permits }) };
      held.push(done(await scene.until(gateway.acquire(queue, { acting, shape }).answer)).held);
    }
    return held;
  }

  it("readers hold together, a writer alone", async () => {
    const scene = new Scene();
    const modes = ["read", "read", "write", "read"] as const;
    assert.deepEqual(await standings(scene, lock, modes), [true, true, false, false]);
  });

  it("a semaphore has as many holders as permits", async () => {
    const scene = new Scene();
    const modes = ["permit", "permit", "permit"] as const;
    assert.deepEqual(await standings(scene, lock, modes, 2), [true, true, false]);
  });

  it("are fixed by the first use, and what else is asked is refused with both", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    const ask = async (shape: Parameters<typeof gateway.acquire>[1]): Promise<string | undefined> => {
      const answer = await scene.until(gateway.acquire(lock, { acting, ...shape }).answer);
      return answer.kind === "failed" ? `${answer.failure.code} ${answer.failure.detail}` : answer.kind;
    };
    assert.match(`${await ask({ shape: { mode: "permit" } })}`, /^badArguments .*permits/);
    assert.equal(await ask({ shape: { mode: "permit", permits: 3, layout: "kazoo" } }), "done");
    assert.match(`${await ask({ shape: { mode: "permit", permits: 4 } })}`, /^nodeExists .*3 permits, not of 4/);
    assert.match(`${await ask({ shape: { mode: "permit", layout: "curator" } })}`, /kazoo, not for curator/);
    assert.match(`${await ask({ shape: { mode: "read" } })}`, /semaphore/);
    const election = gateway.recipes.campaign(
      { identity: anyone, path: lock, acting, sessionTimeoutMillis: 9000, address: "", data: bytes(""), waitMillis: 0 },
      1000,
    );
    assert.equal(codeOf(await scene.until(election.answer)), "nodeExists");
  });

  it("follow those who stand there already, where the znode says nothing", async () => {
    for (const [name, layout, kind] of [
      ["0123456789abcdef0123456789abcdef__lock__", "kazoo", "mutex"],
      ["_c_01234567-89ab-cdef-0123-456789abcdef-lock-", "curator", "mutex"],
      ["_c_01234567-89ab-cdef-0123-456789abcdef-__WRIT__", "curator", "readWrite"],
    ] as const) {
      const scene = new Scene();
      const gateway = scene.gateway();
      const [foreign, acting] = [await scene.session(), await scene.session()];
      const ephemeral = { kind: "ephemeral", ttlMillis: 0 } as const;
      const operation = {
        kind: "create",
        path: path(`${lock}/${name}`),
        data: bytes("foreign"),
        shape: ephemeral,
      } as const;
      await scene.write({
        identity: anyone,
        acting: foreign,
        operation: { ...operation, sequential: true, parents: true },
      });
      const shape = { mode: kind === "mutex" ? "exclusive" : "read" } as const;
      const place = done(await scene.until(gateway.acquire(lock, { acting, shape }).answer));
      assert.deepEqual([place.layout, place.held, place.ahead], [layout, false, 1]);
      const waits = gateway.acquire(lock, { acting, shape, waitMillis: 5000 });
      await scene.pass(20);
      scene.expire(foreign.session);
      assert.equal(done(await scene.until(waits.answer)).held, true);
      const state = done(await scene.until(gateway.recipes.lock(reading(lock), 10, 1000)));
      assert.deepEqual([state.kind, state.layout], [kind, layout]);
    }
  });

  it("may be others when the lock was swept", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    done(await scene.until(gateway.acquire(lock, { acting }).answer));
    done(await scene.until(gateway.release(lock, acting)));
    await scene.write({ identity: anyone, operation: { kind: "delete", path: lock, condition: {}, recursive: false } });
    gateway.spent();
    const shape = { mode: "write", layout: "kazoo" } as const;
    const place = done(await scene.until(gateway.acquire(lock, { acting, shape }).answer));
    assert.deepEqual([place.layout, place.mode, place.held], ["kazoo", "write", true]);
  });
});

describe("rights", () => {
  it("who may not read the lock may not stand in it, and is told no more", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const [one, two] = [await scene.session(), await scene.session()];
    const ann = { ids: [{ scheme: "digest", id: "ann:x" }], superUser: false };
    const acl = [{ scheme: "digest", id: "ann:x", perms: 31 }];
    done(await scene.until(gateway.acquire(lock, { acting: one, identity: ann, acl }).answer));
    assert.equal(codeOf(await scene.until(gateway.acquire(lock, { acting: two }).answer)), "noAuth");
    assert.equal(codeOf(await scene.until(gateway.recipes.lock(reading(lock), 10, 1000))), "noAuth");
    assert.equal(codeOf(await scene.until(gateway.release(lock, two))), "noAuth");
  });

  it("given to an address alone are seen by it", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const [one, two] = [await scene.session(), await scene.session()];
    const identity = { ids: [{ scheme: "ip", id: "10.0.0.7" }], superUser: false };
    const acl = [{ scheme: "ip", id: "10.0.0.7", perms: 31 }];
    done(await scene.until(gateway.acquire(lock, { acting: one, identity, acl }).answer));
    const waits = gateway.acquire(lock, { acting: two, identity, acl, waitMillis: 5000 });
    await scene.pass(50);
    done(await scene.until(gateway.recipes.release({ identity, path: lock, acting: one }, 1000)));
    assert.equal(done(await scene.until(waits.answer)).held, true);
  });
});

describe("a long queue", () => {
  it("shows by its view what no listing shows: a second place of the session, which goes", async () => {
    const scene = new Scene();
    const gateways = [scene.gateway(), scene.gateway()];
    const prefix = path(`${lock}/other-lock-`);
    done(await scene.until(scene.gateway().acquire(lock, { acting: await scene.session() }).answer));
    const shape = { kind: "persistent", ttlMillis: 0 } as const;
    const operation = {
      kind: "create",
      path: prefix,
      data: bytes(""),
      shape,
      sequential: true,
      parents: false,
    } as const;
    for (let i = 0; i < 80; i += 1) await scene.write({ identity: anyone, operation });
    for (const gateway of gateways) gateway.acquire(lock, { acting: await scene.session(), waitMillis: 10_000 });
    await scene.pass(50);
    const acting = await scene.session();
    const before = scene.names(lock).length;
    // Both find none, and make one each.
    for (const each of gateways) each.faults = { delay: () => 10, fate: () => "pass" };
    const calls = gateways.map((gateway) => gateway.acquire(lock, { acting, waitMillis: 5000 }));
    await scene.pass(25);
    assert.equal(scene.names(lock).length, before);
    await scene.pass(200);
    assert.equal(scene.names(lock).length, before + 1);
    for (const call of calls) call.finish();
    const [here, there] = await scene.until(Promise.all(calls.map(({ answer }) => answer)));
    assert.ok(here !== undefined && there !== undefined);
    assert.equal(done(here).token, done(there).token);
    assert.equal(done(here).ahead, before);
  });
});
