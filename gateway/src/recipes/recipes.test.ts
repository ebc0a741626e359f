/** Locks over a real tree: what a call answers, what it costs, and what becomes of a place. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Acting, anyone, zeroZxid } from "@quorate/api";
import type { RenewAnswer } from "../backend.ts";
import type { Place } from "./recipes.ts";
import { bytes, codeOf, done, faultless, path, reading, Scene } from "./scene.test-support.ts";

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
    const elsewhere = scene.gateway();
    assert.equal(done(await scene.until(elsewhere.acquire(lock, { acting }).answer)).token, place.token);
    assert.equal(done(await scene.until(elsewhere.release(lock, acting))).znode, place.znode);
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

describe("a release", () => {
  it("takes with it a place that was not made yet when its answer was lost", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    gateway.faults = { delay: () => 0, fate: (request) => (isWrite(request) ? "late" : "pass") };
    assert.equal(codeOf(await scene.until(gateway.acquire(lock, { acting }).answer)), "timeout");
    gateway.faults = faultless;
    assert.deepEqual(scene.names(lock), []);
    done(await scene.until(gateway.release(lock, acting)));
    await scene.pass(1000);
    assert.deepEqual(scene.names(lock), []);
  });
});

describe("a renewal", () => {
  it("is waited for: nobody is told that he holds before his session is known to live", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    let confirm: (answer: RenewAnswer) => void = () => {};
    gateway.backend.renew = () => new Promise((resolve) => (confirm = resolve));
    let told = false;
    const { answer } = gateway.acquire(lock, { acting });
    void answer.then(() => {
      told = true;
    });
    await scene.pass(500);
    assert.deepEqual([scene.names(lock).length, told], [1, false]);
    confirm({ kind: "renewed", zxid: zeroZxid, servedBy: 1 });
    assert.equal(done(await scene.until(answer)).held, true);
  });

  it("that fails is the answer, and says that a place may have been made", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    const none = {
      kind: "unavailable",
      code: "noLeader",
      detail: "",
      certainty: "noEffect",
      retryAfterMillis: 1,
    } as const;
    gateway.backend.renew = () => Promise.resolve(none);
    const made = await scene.until(gateway.acquire(lock, { acting }).answer);
    assert.ok(made.kind === "unavailable" && made.code === "connectionLoss" && made.certainty === "unknown");
    const found = await scene.until(gateway.acquire(lock, { acting }).answer);
    assert.ok(found.kind === "unavailable" && found.code === "noLeader" && found.certainty === "noEffect");
    gateway.backend.renew = () => Promise.resolve({ kind: "expired" });
    assert.equal(
      codeOf(await scene.until(gateway.acquire(lock, { acting, waitMillis: 9000 }).answer)),
      "sessionExpired",
    );
  });
});

describe("without help", () => {
  it("a key finds the place that it made, through whatever tries, and no other", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const [one, two] = [await scene.session(), await scene.session()];
    // What `here` remembers of the queue is no more so: its first try fails.
    done(await scene.until(here.acquire(lock, { acting: one }).answer));
    done(await scene.until(here.release(lock, one)));
    await scene.write({ identity: anyone, operation: { kind: "delete", path: lock, condition: {}, recursive: false } });
    const key = { key: "once", requestHash: new Uint8Array(16) };
    const place = done(await scene.until(here.acquire(lock, { acting: two, key }).answer));
    assert.deepEqual(done(await scene.until(there.acquire(lock, { acting: two, key }).answer)), place);
    done(await scene.until(there.release(lock, two)));
    assert.equal(codeOf(await scene.until(here.acquire(lock, { acting: two, key }).answer)), "fenced");
    assert.deepEqual(scene.names(lock), []);
  });

  it("who waits is answered when the gateway stops", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const [one, two] = [await scene.session(), await scene.session()];
    done(await scene.until(gateway.acquire(lock, { acting: one }).answer));
    const waits = gateway.acquire(lock, { acting: two, waitMillis: 9000 });
    await scene.pass(50);
    gateway.recipes.close();
    const place = done(await scene.until(waits.answer, 50));
    assert.deepEqual([place.held, place.ahead], [false, 1]);
    assert.deepEqual([gateway.recipes.status.waiting, gateway.recipes.status.queues], [0, 0]);
  });

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
    const prefix = path(`${lock}/${"x".repeat(1000)}-lock-`);
    const shape = { kind: "persistent", ttlMillis: 0 } as const;
    const operation = {
      kind: "create",
      path: prefix,
      data: bytes("other"),
      shape,
      sequential: true,
      parents: false,
    } as const;
    for (let from = 0; from < 4000; from += 1000) {
      const then = Array.from({ length: 1000 }, () => operation);
      await scene.write({ identity: anyone, operation: { kind: "txn", check: [], then } });
    }
    const waits = gateway.acquire(lock, { acting: two, waitMillis: 60_000 });
    await scene.pass(100);
    const state = done(await scene.until(gateway.recipes.lock(reading(lock), 2, 1000)));
    assert.deepEqual([state.holders[0]?.token, state.waiters.length, state.waiting], [first.token, 2, 4001]);
    const place = done(await scene.until(gateway.acquire(lock, { acting: two }).answer));
    assert.equal(place.ahead, 4001);
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
