/** What a gateway remembers, or has seen in a watch, is behind what a session has done through another one. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { anyone } from "@quorate/api";
import { bytes, codeOf, done, type Port, path, Scene } from "./scene.test-support.ts";

const lock = path("/lock");
const other = path("/other");

describe("a session that goes from gateway to gateway", () => {
  it("polls with its token where only another place of it is known", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const acting = await scene.session();
    done(await scene.until(here.acquire(other, { acting }).answer));
    const { token } = done(await scene.until(there.acquire(lock, { acting }).answer));
    const polled = done(await scene.until(here.acquire(lock, { acting, token }).answer));
    assert.deepEqual([polled.held, polled.token], [true, token]);
  });

  it("proclaims where only another place of it is known", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const acting = await scene.session();
    done(await scene.until(here.acquire(other, { acting }).answer));
    const contest = { identity: anyone, sessionTimeoutMillis: 10_000, address: "", data: bytes("a"), waitMillis: 0 };
    done(await scene.until(there.recipes.campaign({ ...contest, path: lock, acting }, 1000).answer));
    const proclamation = { identity: anyone, path: lock, acting, data: bytes("b") };
    done(await scene.until(here.recipes.proclaim(proclamation, 1000)));
  });

  it("is not told to hold what it had released before it asked, by a watch that is behind", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const [acting, next] = [await scene.session(), await scene.session()];
    const first = done(await scene.until(here.acquire(lock, { acting }).answer));
    const waits = here.acquire(lock, { acting: next, waitMillis: 10_000 });
    await scene.pass(100);
    // What has been told is known; what comes is late.
    here.watchDelay = 1000;
    done(await scene.until(there.release(lock, acting)));
    const again = here.acquire(lock, { acting, waitMillis: 8000 });
    const place = done(await scene.until(again.answer));
    assert.ok(place.token > first.token && !place.held, JSON.stringify(place));
    waits.finish();
  });

  it("is not told to hold what it had released before it asked, by an answer to an earlier call", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const [acting, next] = [await scene.session(), await scene.session()];
    const first = done(await scene.until(here.acquire(lock, { acting }).answer));
    done(await scene.until(there.acquire(lock, { acting: next }).answer));
    // Read at once, and answered late.
    const { read } = here.backend;
    here.backend.read = async (request, deadline) => {
      const answer = await read(request, deadline);
      await new Promise<void>((resolve) => void scene.world.after(1000, resolve));
      return answer;
    };
    const early = here.acquire(lock, { acting });
    await scene.pass(10);
    here.backend.read = read;
    done(await scene.until(there.release(lock, acting)));
    const place = done(await scene.until(here.acquire(lock, { acting }).answer));
    assert.ok(place.token > first.token && !place.held, JSON.stringify(place));
    assert.equal(done(await scene.until(early.answer)).token, first.token, "that was so when it was asked");
  });
});

describe("a session that was opened for a lock", () => {
  it("is not closed with it where it was used for more, by whatever way", async () => {
    const scene = new Scene();
    const [here, there] = [scene.gateway(), scene.gateway()];
    const { session, secret } = done(await scene.until(here.acquire(lock).answer));
    const acting = {
      session,
      secretHash: createHash("sha256")
        .update(secret ?? "")
        .digest(),
    };
    const held = done(await scene.until(there.acquire(other, { acting }).answer));
    done(await scene.until(here.release(lock, acting)));
    const kept = done(await scene.until(here.acquire(other, { acting, token: held.token }).answer));
    assert.equal(kept.held, true);
    const znode = { kind: "ephemeral", ttlMillis: 0 } as const;
    const operation = {
      kind: "create",
      path: path("/me"),
      data: bytes(""),
      shape: znode,
      sequential: false,
      parents: false,
    } as const;
    await scene.write({ identity: anyone, acting, operation });
    done(await scene.until(there.release(other, acting)));
    assert.deepEqual(scene.names(path("/")).includes("me"), true);
  });

  it("is closed with it where it has nothing else", async () => {
    const scene = new Scene();
    for (const through of [0, 1]) {
      const gateways = [scene.gateway(), scene.gateway()];
      const { session, secret } = done(await scene.until((gateways[0] as Port).acquire(lock).answer));
      const acting = {
        session,
        secretHash: createHash("sha256")
          .update(secret ?? "")
          .digest(),
      };
      const gateway = gateways[through] as Port;
      done(await scene.until(gateway.release(lock, acting)));
      assert.equal(codeOf(await scene.until(gateway.release(lock, acting))), "sessionExpired");
    }
  });

  it("is closed where its client went before he was told of it", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    gateway.faults = { delay: () => 20, fate: () => "pass" };
    for (const millis of [5, 25, 45, 65]) {
      const call = gateway.acquire(lock, { waitMillis: 5000 });
      await scene.pass(millis);
      call.abandon();
      await scene.until(call.answer);
      await scene.pass(100);
      assert.deepEqual(scene.names(lock), [], `after ${millis} ms`);
    }
    const acting = await scene.session();
    const kept = gateway.acquire(lock, { acting });
    kept.abandon();
    done(await scene.until(kept.answer));
    assert.equal(scene.names(lock).length, 1, "a session of its client's own is his to keep");
  });
});
