/** Locks over a real tree: what a call answers, what it costs, and what becomes of a place. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Acting, anyone, type Path, zeroZxid } from "@quorate/api";
import type { LockMode, Place } from "./recipes.ts";
import { bytes, codeOf, done, path, reading, Scene } from "./scene.test-support.ts";

const lock = path("/app/migrate");

describe("a lock", () => {
  it("is held at once where nobody is, in a container of the path's name, and passes on when it is released", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const [one, two] = [await scene.session(), await scene.session()];
    const first = done(await scene.until(gateway.acquire(lock, { acting: one }).answer));
    assert.equal(first.held, true);
    assert.match(first.znode, /^\/app\/migrate\/_c_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-lock-0000000000$/);
    const second = done(await scene.until(gateway.acquire(lock, { acting: two }).answer));
    assert.deepEqual([second.held, second.ahead], [false, 1]);
    const waits = gateway.acquire(lock, { acting: two, waitMillis: 10_000 });
    await scene.pass(100);
    assert.equal(done(await scene.until(gateway.release(lock, one))).znode, first.znode);
    const held = done(await scene.until(waits.answer));
    assert.deepEqual([held.held, held.znode, held.token], [true, second.znode, second.token]);
    assert.ok(held.token > first.token);
    const state = done(await scene.until(gateway.recipes.lock(reading(lock), 10, 1000)));
    assert.deepEqual(
      state.holders.map(({ token, data }) => [token, new TextDecoder().decode(data)]),
      [[held.token, "me"]],
    );
    assert.deepEqual([state.waiters, state.waiting, state.kind, state.layout], [[], 0, "mutex", "curator"]);
    const stat = scene.memory.tree.read({ kind: "exists", path: lock }, anyone, undefined);
    assert.ok(stat.ok && stat.result.kind === "stat" && stat.result.stat.kind === "container");
  });

  it("uncontended costs one write, and no read once the session and the lock are known", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    done(await scene.until(gateway.acquire(lock, { acting }).answer));
    assert.deepEqual(gateway.spent(), { writes: 1, reads: 2, renewals: 1, watches: 0 });
    done(await scene.until(gateway.release(lock, acting)));
    assert.deepEqual(gateway.spent(), { writes: 1, reads: 0, renewals: 0, watches: 0 });
    done(await scene.until(gateway.acquire(lock, { acting, waitMillis: 5000 }).answer));
    assert.deepEqual(gateway.spent(), { writes: 1, reads: 0, renewals: 1, watches: 0 });
  });

  it("is handed over to one of a thousand who wait by the one write of the release", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const sessions: Acting[] = [];
    for (let i = 0; i <= 1000; i += 1) sessions.push(await scene.session(600_000));
    const order: Acting[] = [];
    let awake = 0;
    for (const acting of sessions) {
      void gateway.acquire(lock, { acting, waitMillis: 120_000 }).answer.then((answer) => {
        awake += 1;
        if (done(answer).held) order.push(acting);
      });
    }
    await scene.pass(200);
    assert.deepEqual(order, sessions.slice(0, 1));
    assert.equal(gateway.recipes.status.waiting, 1000);
    gateway.spent();
    for (const [index, acting] of sessions.slice(0, 20).entries()) {
      done(await scene.until(gateway.release(lock, acting)));
      await scene.pass(20);
      assert.equal(awake, index + 2);
    }
    assert.deepEqual(gateway.spent(), { writes: 20, reads: 0, renewals: 0, watches: 0 });
    assert.deepEqual(order, sessions.slice(0, 21), "first come, first served");
  });

  it("answers who waits when the time is over, and keeps the place", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const [one, two] = [await scene.session(), await scene.session(9000)];
    done(await scene.until(gateway.acquire(lock, { acting: one }).answer));
    const began = scene.world.now();
    const waits = gateway.acquire(lock, { acting: two, waitMillis: 60_000 });
    const place = done(await scene.until(waits.answer));
    const spent = scene.world.now() - began;
    assert.ok(spent > 2600 && spent < 3100, `a third of the session's time, a little less: ${spent}`);
    assert.deepEqual([place.held, place.ahead], [false, 1]);
    const again = gateway.acquire(lock, { acting: two, waitMillis: 60_000, token: place.token });
    await scene.pass(50);
    again.finish();
    assert.deepEqual(done(await scene.until(again.answer)), place);
  });

  it("is one place of a session, whoever asks twice, and through which gateway", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const acting = await scene.session();
    const both = [here.acquire(lock, { acting }), here.acquire(lock, { acting }), there.acquire(lock, { acting })];
    const places = await scene.until(Promise.all(both.map(({ answer }) => answer)));
    const last = done(await scene.until(there.acquire(lock, { acting }).answer));
    await scene.pass(100);
    assert.equal(scene.names(lock).length, 1);
    for (const each of places) assert.equal(done(each).token, last.token);
  });

  it("is not two places when an answer was lost", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const acting = await scene.session();
    here.faults = {
      delay: () => 0,
      fate: (request) => (request.operation.kind === "txn" && isWrite(request) ? "lose" : "pass"),
    };
    const lost = await scene.until(here.acquire(lock, { acting }).answer);
    assert.ok(lost.kind === "unavailable" && lost.certainty === "unknown");
    const place = done(await scene.until(there.acquire(lock, { acting }).answer));
    here.faults = { delay: () => 0, fate: () => "pass" };
    assert.equal(done(await scene.until(here.acquire(lock, { acting }).answer)).token, place.token);
    assert.equal(scene.names(lock).length, 1);
  });

  it("taken with a key is the same place for a retry while the first try is under way", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const acting = await scene.session();
    const key = { key: "k1", requestHash: new Uint8Array(16) };
    here.faults = { delay: () => 200, fate: () => "pass" };
    const first = here.acquire(lock, { acting, key });
    const second = done(await scene.until(there.acquire(lock, { acting, key }).answer));
    assert.equal(done(await scene.until(first.answer)).token, second.token);
    assert.deepEqual(scene.names(lock).length, 1);
  });
});

function isWrite(request: object): boolean {
  return !("consistency" in request);
}

describe("a place that is lost", () => {
  async function held(scene: Scene): Promise<{ acting: Acting; place: Place; gateway: ReturnType<Scene["gateway"]> }> {
    const gateway = scene.gateway();
    const acting = await scene.session();
    return { acting, gateway, place: done(await scene.until(gateway.acquire(lock, { acting }).answer)) };
  }

  it("is told at once to who waits for that with his token", async () => {
    const scene = new Scene();
    const { acting, gateway, place } = await held(scene);
    const guards = gateway.acquire(lock, { acting, token: place.token, waitMillis: 9000 });
    await scene.pass(50);
    await scene.write({
      identity: anyone,
      operation: { kind: "delete", path: place.znode, condition: {}, recursive: false },
    });
    const began = scene.world.now();
    assert.equal(codeOf(await scene.until(guards.answer)), "fenced");
    assert.ok(scene.world.now() - began < 20);
    assert.equal(codeOf(await scene.until(gateway.acquire(lock, { acting, token: place.token }).answer)), "fenced");
    assert.deepEqual(scene.names(lock), []);
  });

  it("with its session is 410, also while it waits", async () => {
    const scene = new Scene();
    const { gateway } = await held(scene);
    const other = await scene.session();
    const waits = gateway.acquire(lock, { acting: other, waitMillis: 9000 });
    await scene.pass(50);
    scene.expire(other.session);
    assert.equal(codeOf(await scene.until(waits.answer, 100)), "sessionExpired");
    assert.equal(codeOf(await scene.until(gateway.acquire(lock, { acting: other }).answer)), "sessionExpired");
    assert.equal(codeOf(await scene.until(gateway.release(lock, other))), "sessionExpired");
  });

  it("passes the lock on when the holder's session ends", async () => {
    const scene = new Scene();
    const { acting, gateway } = await held(scene);
    const other = await scene.session();
    const waits = gateway.acquire(lock, { acting: other, waitMillis: 9000 });
    await scene.pass(50);
    scene.expire(acting.session);
    assert.equal(done(await scene.until(waits.answer, 100)).held, true);
  });

  it("by a release beside a poll is not taken again by the poll", async () => {
    const scene = new Scene();
    const { gateway } = await held(scene);
    const other = await scene.session();
    const waits = gateway.acquire(lock, { acting: other, waitMillis: 9000 });
    await scene.pass(50);
    done(await scene.until(gateway.release(lock, other)));
    assert.equal(codeOf(await scene.until(waits.answer, 100)), "fenced");
    assert.equal(scene.names(lock).length, 1);
    assert.equal(codeOf(await scene.until(gateway.release(lock, other))), "noNode");
  });
});

describe("a session that the gateway opens", () => {
  it("is told with the first answer, and closed with the place", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const place = done(await scene.until(gateway.acquire(lock, { sessionTimeoutMillis: 8000 }).answer));
    assert.equal(place.sessionTimeoutMillis, 8000);
    assert.equal(place.secret?.length, 16);
    const { createHash } = await import("node:crypto");
    const secretHash = createHash("sha256")
      .update(place.secret as Uint8Array)
      .digest();
    const acting = { session: place.session, secretHash };
    const again = done(await scene.until(gateway.acquire(lock, { acting, token: place.token }).answer));
    assert.equal(again.secret, undefined);
    assert.equal(done(await scene.until(scene.gateway().release(lock, acting))).znode, place.znode);
    assert.equal(scene.memory.tree.session(place.session), undefined);
  });

  it("is closed again when it gets no place", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    await scene.write({
      identity: anyone,
      operation: {
        kind: "create",
        path: path("/taken"),
        data: bytes("other"),
        shape: { kind: "persistent", ttlMillis: 0 },
        sequential: false,
        parents: false,
      },
    });
    const before = scene.memory.tree.clientSessionCount;
    assert.equal(codeOf(await scene.until(gateway.acquire(path("/taken")).answer)), "nodeExists");
    await scene.pass(10);
    assert.equal(scene.memory.tree.clientSessionCount, before);
  });

  it("is not trusted to a wrong secret", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    done(await scene.until(gateway.acquire(lock, { acting }).answer));
    const forged = { session: acting.session, secretHash: new Uint8Array(32) };
    assert.equal(codeOf(await scene.until(gateway.acquire(lock, { acting: forged }).answer)), "authFailed");
    assert.equal(codeOf(await scene.until(gateway.release(lock, forged))), "authFailed");
    assert.equal(scene.names(lock).length, 1);
  });
});

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

describe("without help", () => {
  it("what breaks the feed makes it ask again, and nobody is forgotten", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const [one, two] = [await scene.session(), await scene.session()];
    done(await scene.until(gateway.acquire(lock, { acting: one }).answer));
    const waits = gateway.acquire(lock, { acting: two, waitMillis: 9000 });
    await scene.pass(50);
    scene.memory.watches.breakFeed();
    done(await scene.until(gateway.release(lock, one)));
    scene.memory.watches.breakFeed();
    assert.equal(done(await scene.until(waits.answer)).held, true);
  });

  it("a queue of more names than a watch opens with is told like any other", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const [one, two] = [await scene.session(600_000), await scene.session(600_000)];
    const first = done(await scene.until(gateway.acquire(lock, { acting: one }).answer));
    const prefix = path(`${lock}/${"x".repeat(200)}-lock-`);
    const shape = { kind: "persistent", ttlMillis: 0 } as const;
    const operation = {
      kind: "create",
      path: prefix,
      data: bytes("other"),
      shape,
      sequential: true,
      parents: false,
    } as const;
    for (let from = 0; from < 12_000; from += 1000) {
      const then = Array.from({ length: 1000 }, () => operation);
      await scene.write({ identity: anyone, operation: { kind: "txn", check: [], then } });
    }
    const waits = gateway.acquire(lock, { acting: two, waitMillis: 60_000 });
    await scene.pass(100);
    const state = done(await scene.until(gateway.recipes.lock(reading(lock), 2, 1000)));
    assert.deepEqual([state.holders[0]?.token, state.waiters.length, state.waiting], [first.token, 2, 12_001]);
    const place = done(await scene.until(gateway.acquire(lock, { acting: two }).answer));
    assert.equal(place.ahead, 12_001);
    done(await scene.until(gateway.release(lock, one)));
    const names = scene.names(lock).filter((name) => name.startsWith("xx"));
    for (let from = 0; from < names.length; from += 1000) {
      const then = names.slice(from, from + 1000).map((name) => {
        return { kind: "delete", path: path(`${lock}/${name}`), condition: {}, recursive: false } as const;
      });
      await scene.write({ identity: anyone, operation: { kind: "txn", check: [], then } });
    }
    assert.deepEqual(done(await scene.until(waits.answer)).held, true);
  });

  it("reads nothing of what is not there", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    assert.equal(codeOf(await scene.until(gateway.recipes.lock(reading(lock), 10, 1000))), "noNode");
    assert.equal(codeOf(await scene.until(gateway.recipes.leader(reading(lock), 1000))), "noNode");
    assert.equal(codeOf(await scene.until(gateway.release(lock, acting))), "noNode");
    assert.equal(codeOf(await scene.until(gateway.acquire(lock, { acting, token: zeroZxid }).answer)), "fenced");
    assert.equal(codeOf(await scene.until(gateway.acquire(path("/"), { acting }).answer)), "badArguments");
  });
});
