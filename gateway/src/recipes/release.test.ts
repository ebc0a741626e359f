/** What is given up where a release comes late, or the session has several places: with a token the place that was meant. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { type Acting, anyone, type Path, type Zxid } from "@quorate/api";
import type { Place, RecipeAnswer } from "./recipes.ts";
import { bytes, codeOf, done, type Port, path, Scene } from "./scene.test-support.ts";

const queue = path("/queue");

/** What differs between the recipes. */
interface Kind {
  readonly take: (at: Port, acting: Acting, token?: Zxid) => Promise<RecipeAnswer<Place>>;
  readonly giveUp: (at: Port, acting: Acting, token?: Zxid) => Promise<RecipeAnswer<{ znode: Path }>>;
}

const kinds: Readonly<Record<string, Kind>> = {
  release: {
    take: (at, acting, token) => at.acquire(queue, { acting, ...(token === undefined ? {} : { token }) }).answer,
    giveUp: (at, acting, token) => at.release(queue, acting, token),
  },
  resign: {
    take: (at, acting, token) => {
      const contest = { identity: anyone, sessionTimeoutMillis: 10_000, address: "", data: bytes("a"), waitMillis: 0 };
      const named = token === undefined ? {} : { token };
      return at.recipes.campaign({ ...contest, path: queue, acting, ...named }, 5000).answer;
    },
    giveUp: (at, acting, token) => {
      const named = token === undefined ? {} : { token };
      return at.recipes.resign({ identity: anyone, path: queue, acting, ...named }, 5000);
    },
  },
};

/** Its writes wait until they are let go. */
function pause({ backend }: Port): () => void {
  let go: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const { write } = backend;
  backend.write = async (request, deadline) => {
    await gone;
    return write(request, deadline);
  };
  return go;
}

/** As empty containers are. */
async function sweep(scene: Scene): Promise<void> {
  await scene.write({ identity: anyone, operation: { kind: "delete", path: queue, condition: {}, recursive: false } });
}

function ownOf({ session, secret = new Uint8Array(0) }: Place): Acting {
  return { session, secretHash: createHash("sha256").update(secret).digest() };
}

/** Another contender of the session, as two tries that crossed make it. */
function double(scene: Scene, acting: Acting, { znode }: Place): Promise<Zxid> {
  return create(scene, acting, path(znode.slice(0, -10)), true);
}

/** An ephemeral of the session; its czxid. */
async function create(scene: Scene, acting: Acting, znode: Path, sequential: boolean): Promise<Zxid> {
  const shape = { kind: "ephemeral", ttlMillis: 0 } as const;
  const operation = { kind: "create", path: znode, data: bytes("me"), shape, sequential, parents: false } as const;
  const answer = await scene.write({ identity: anyone, acting, operation });
  assert.ok(answer.kind === "outcome" && answer.outcome.ok, JSON.stringify(answer));
  return answer.outcome.zxid;
}

for (const [name, { take, giveUp }] of Object.entries(kinds)) {
  describe(`a ${name} that comes late`, () => {
    // Where it is known which place it is, and where that is looked up first.
    for (const known of [true, false]) {
      it(`does nothing to the next place with the token of the last, ${known ? "known" : "unknown"} there`, async () => {
        for (const bearing of [true, false]) {
          const scene = new Scene();
          const [here, there] = [scene.gateway(), scene.gateway()];
          const acting = await scene.session();
          const first = done(await scene.until(take(known ? here : there, acting)));
          const go = pause(here);
          const late = giveUp(here, acting, bearing ? first.token : undefined);
          await scene.pass(20);
          done(await scene.until(giveUp(there, acting, first.token)));
          const next = done(await scene.until(take(there, acting)));
          assert.ok(next.held && next.token > first.token);
          go();
          assert.equal(codeOf(await scene.until(late)), bearing ? "fenced" : undefined);
          const kept = await scene.until(take(there, acting, next.token));
          assert.equal(codeOf(kept), bearing ? undefined : "fenced", "whoever shows none takes any for his");
        }
      });
    }

    it("does nothing to a place whose znode is called alike", async () => {
      const scene = new Scene();
      const [here, there] = [scene.gateway(), scene.gateway()];
      const acting = await scene.session();
      const first = done(await scene.until(take(here, acting)));
      const go = pause(here);
      const late = giveUp(here, acting, first.token);
      await scene.pass(20);
      done(await scene.until(giveUp(there, acting, first.token)));
      const token = await create(scene, acting, first.znode, false);
      go();
      assert.equal(codeOf(await scene.until(late)), "fenced");
      done(await scene.until(take(there, acting, token)));
    });

    it("is fenced, whatever there is by then", async () => {
      const scene = new Scene();
      const [here, there] = [scene.gateway(), scene.gateway()];
      const acting = await scene.session();
      const { token } = done(await scene.until(take(here, acting)));
      done(await scene.until(giveUp(here, acting, token)));
      const again = async (): Promise<void> => {
        for (const at of [here, there]) assert.equal(codeOf(await scene.until(giveUp(at, acting, token))), "fenced");
      };
      await again();
      done(await scene.until(take(there, acting)));
      await again();
      done(await scene.until(giveUp(there, acting)));
      await sweep(scene);
      await again();
      scene.expire(acting.session);
      assert.equal(codeOf(await scene.until(giveUp(here, acting, token))), "sessionExpired");
    });
  });
}

describe("a release with a token", () => {
  it("takes what its session has behind that place, and nothing before it", async () => {
    for (const through of [0, 1]) {
      const scene = new Scene();
      const gateways = [scene.gateway(), scene.gateway()];
      const [first, last] = [gateways[0] as Port, gateways[through] as Port];
      const [acting, other] = [await scene.session(), await scene.session()];
      const shape = { mode: "permit", permits: 3 } as const;
      const place = done(await scene.until(first.acquire(queue, { acting, shape }).answer));
      const token = await double(scene, acting, place);
      done(await scene.until(first.acquire(queue, { acting: other, shape }).answer));
      await double(scene, acting, place);
      assert.equal(scene.names(queue).length, 4);
      done(await scene.until(last.release(queue, acting, token)));
      assert.deepEqual(scene.names(queue).length, 2);
      assert.ok(scene.names(queue).some((name) => place.znode.endsWith(name)));
      const kept = done(await scene.until(last.acquire(queue, { acting, shape, token: place.token }).answer));
      assert.equal(kept.held, true);
    }
  });

  it("gives up a place that waits, which has one, too", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const [one, two] = [await scene.session(), await scene.session()];
    done(await scene.until(gateway.acquire(queue, { acting: one }).answer));
    const { held, token } = done(await scene.until(gateway.acquire(queue, { acting: two }).answer));
    assert.equal(held, false);
    done(await scene.until(gateway.release(queue, two, token)));
    assert.equal(scene.names(queue).length, 1);
  });

  it("closes a session that was opened for that place, and not one that has another by now", async () => {
    for (const through of [0, 1]) {
      const scene = new Scene();
      const gateways = [scene.gateway(), scene.gateway()];
      const [first, last] = [gateways[0] as Port, gateways[through] as Port];
      const place = done(await scene.until(first.acquire(queue).answer));
      const acting = ownOf(place);
      // An operator takes it away, and its client asks for it anew.
      const operation = { kind: "delete", path: place.znode, condition: {}, recursive: false } as const;
      await scene.write({ identity: anyone, operation });
      const next = done(await scene.until(first.acquire(queue, { acting }).answer));
      assert.equal(codeOf(await scene.until(last.release(queue, acting, place.token))), "fenced");
      done(await scene.until(last.acquire(queue, { acting, token: next.token }).answer));
      done(await scene.until(last.release(queue, acting, next.token)));
      assert.equal(codeOf(await scene.until(last.release(queue, acting, next.token))), "sessionExpired");
    }
  });

  it("costs one write where the place is known", async () => {
    const scene = new Scene();
    const gateway = scene.gateway();
    const acting = await scene.session();
    const { token } = done(await scene.until(gateway.acquire(queue, { acting }).answer));
    gateway.spent();
    done(await scene.until(gateway.release(queue, acting, token)));
    assert.deepEqual(gateway.spent(), { writes: 1, reads: 0, renewals: 0, watches: 0 });
  });
});
