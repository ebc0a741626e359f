/** Elections over a real tree: who leads, by what he is known, and what those are told who look on. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Acting, anyone, type Zxid } from "@quorate/api";
import type { WatchEnd } from "../backend.ts";
import type { ElectionContest, ElectionState, Place, RecipeAnswer, RecipeRead } from "./recipes.ts";
import { bytes, codeOf, done, type Port, path, reading, Scene } from "./scene.test-support.ts";

const election = path("/app/leader");

function campaign(gateway: Port, acting: Acting, value: string, contest: Partial<ElectionContest> = {}) {
  const plain = { identity: anyone, path: election, acting, sessionTimeoutMillis: 9000, address: "", waitMillis: 0 };
  return gateway.recipes.campaign({ ...plain, data: bytes(value), ...contest }, 5000);
}

function proclaim(gateway: Port, acting: Acting, value: string): Promise<RecipeAnswer<Place>> {
  return gateway.recipes.proclaim({ identity: anyone, path: election, acting, data: bytes(value) }, 1000);
}

function resign(gateway: Port, acting: Acting) {
  return gateway.recipes.resign({ identity: anyone, path: election, acting }, 1000);
}

class Looker {
  readonly told: string[] = [];
  readonly zxids: Zxid[] = [];
  end: WatchEnd | undefined;
  readonly watching: { close(): void };

  constructor(gateway: Port, read: Partial<RecipeRead> = {}) {
    this.watching = gateway.recipes.observe({ ...reading(election), ...read }, 1000, {
      changed: (state, zxid) => {
        this.told.push(textOf(state));
        this.zxids.push(zxid);
      },
      ended: (end) => {
        this.end = end;
      },
    });
  }
}

function textOf({ leader }: ElectionState): string {
  return leader === undefined ? "nobody" : new TextDecoder().decode(leader.data);
}

async function scene(): Promise<{ scene: Scene; gateway: Port; one: Acting; two: Acting }> {
  const made = new Scene();
  return { scene: made, gateway: made.gateway(), one: await made.session(), two: await made.session() };
}

describe("an election", () => {
  it("is led by who came first, then by the next; each is known by what he proclaims", async () => {
    const { scene: it, gateway, one, two } = await scene();
    const first = done(await it.until(campaign(gateway, one, "one").answer));
    assert.deepEqual([first.held, first.layout], [true, "curator"]);
    assert.match(first.znode, /-latch-0000000000$/);
    const waits = campaign(gateway, two, "two", { waitMillis: 9000 });
    await it.pass(50);
    const state = done(await it.until(gateway.recipes.leader(reading(election), 1000)));
    assert.deepEqual([textOf(state), state.candidates, state.leader?.token], ["one", 1, first.token]);
    done(await it.until(proclaim(gateway, one, "one and only")));
    assert.equal(textOf(done(await it.until(gateway.recipes.leader(reading(election), 1000)))), "one and only");
    done(await it.until(resign(gateway, one)));
    assert.equal(done(await it.until(waits.answer)).held, true);
    assert.equal(textOf(done(await it.until(gateway.recipes.leader(reading(election), 1000)))), "two");
    assert.equal(codeOf(await it.until(resign(gateway, one))), "noNode");
  });

  it("lets nobody proclaim who does not lead, whatever his gateway remembers", async () => {
    const { scene: it, gateway, one, two } = await scene();
    const there = it.gateway();
    assert.equal(codeOf(await it.until(proclaim(gateway, one, "x"))), "fenced");
    done(await it.until(campaign(gateway, one, "one").answer));
    done(await it.until(campaign(there, two, "two").answer));
    assert.equal(codeOf(await it.until(proclaim(there, two, "x"))), "fenced");
    done(await it.until(resign(there, one)));
    assert.equal(codeOf(await it.until(proclaim(gateway, one, "x"))), "fenced");
    done(await it.until(proclaim(gateway, two, "two leads")));
    assert.equal(textOf(done(await it.until(there.recipes.leader(reading(election), 1000)))), "two leads");
  });

  for (const layout of ["curator", "kazoo"] as const) {
    it(`says what is proclaimed where clients of ${layout} bear it`, async () => {
      const { scene: it, gateway, one, two } = await scene();
      const { znode } = done(await it.until(campaign(gateway, one, "one", { layout }).answer));
      done(await it.until(proclaim(gateway, one, "one again")));
      const read = { ...reading(election), operation: { kind: "get", path: znode } } as const;
      const found = await it.until(gateway.backend.read(read, 1000));
      assert.ok(found.kind === "outcome" && found.outcome.ok && found.outcome.result.kind === "data");
      // A LeaderLatch looks at it once, for its deletion.
      assert.equal(new TextDecoder().decode(found.outcome.result.data), layout === "curator" ? "one" : "one again");
      const state = done(await it.until(gateway.recipes.leader(reading(election), 1000)));
      assert.deepEqual([textOf(state), state.layout], ["one again", layout]);
      const proclaimed = state.leader?.mzxid ?? 0;
      done(await it.until(proclaim(gateway, one, "\u0000\uFFFF")));
      const later = done(await it.until(gateway.recipes.leader(reading(election), 1000)));
      assert.deepEqual([textOf(later), (later.leader?.mzxid ?? 0) > proclaimed], ["\u0000\uFFFF", true]);
      done(await it.until(resign(gateway, one)));
      done(await it.until(campaign(gateway, two, "two").answer));
      assert.equal(textOf(done(await it.until(gateway.recipes.leader(reading(election), 1000)))), "two");
    });
  }

  it("is no lock", async () => {
    const { scene: it, gateway, one, two } = await scene();
    done(await it.until(campaign(gateway, one, "one").answer));
    assert.equal(codeOf(await it.until(gateway.acquire(election, { acting: two }).answer)), "nodeExists");
    assert.equal(codeOf(await it.until(gateway.recipes.lock(reading(election), 1, 1000))), "nodeExists");
    assert.equal(codeOf(await it.until(gateway.release(election, one))), "nodeExists");
  });
});

describe("who observes an election", () => {
  it("is told the state, each change of it once, and in the end what is so", async () => {
    const { scene: it, gateway, one, two } = await scene();
    done(await it.until(campaign(gateway, one, "one").answer));
    const lookers = [new Looker(gateway), new Looker(gateway)];
    await it.pass(50);
    done(await it.until(campaign(gateway, two, "two").answer));
    done(await it.until(proclaim(gateway, one, "one again")));
    await it.pass(50);
    it.memory.watches.breakFeed();
    done(await it.until(resign(gateway, one)));
    await it.pass(50);
    done(await it.until(resign(gateway, two)));
    await it.pass(50);
    done(await it.until(campaign(gateway, two, "two anew").answer));
    await it.pass(50);
    for (const { told, zxids, end, watching } of lookers) {
      assert.deepEqual(told, ["one", "one again", "two", "nobody", "two anew"]);
      assert.deepEqual(
        zxids,
        [...zxids].sort((a, b) => a - b),
      );
      assert.equal(end, undefined);
      watching.close();
    }
    done(await it.until(proclaim(gateway, two, "unseen")));
    await it.pass(50);
    assert.equal(lookers[0]?.told.length, 5);
    await it.pass(6000);
    assert.equal(it.memory.watches.size, 0, "nothing is watched any more");
  });

  it("may miss who leads shortly, and never the last", async () => {
    const { scene: it, gateway, one } = await scene();
    done(await it.until(campaign(gateway, one, "0").answer));
    const looker = new Looker(gateway);
    await it.pass(20);
    for (let i = 1; i <= 200; i += 1) {
      if (it.world.chance(0.1)) await it.pass(5);
      void proclaim(gateway, one, `${i}`);
      if (it.world.chance(0.05)) it.memory.watches.breakFeed();
    }
    await it.pass(100);
    assert.equal(looker.told.at(-1), "200");
    assert.ok(looker.told.length < 100, `${looker.told.length} were told`);
  });

  it("sees a leader come where there was one before, and the znode with him", async () => {
    const { scene: it, gateway, one, two } = await scene();
    done(await it.until(campaign(gateway, one, "one").answer));
    const looker = new Looker(gateway);
    await it.pass(20);
    done(await it.until(resign(gateway, one)));
    await it.write({
      identity: anyone,
      operation: { kind: "delete", path: election, condition: {}, recursive: false },
    });
    await it.pass(20);
    done(await it.until(campaign(gateway, two, "two", { layout: "kazoo" }).answer));
    await it.pass(20);
    assert.deepEqual(looker.told, ["one", "nobody", "two"]);
  });

  it("is told the end: no such election, no right, his session", async () => {
    const { scene: it, gateway, one, two } = await scene();
    const nowhere = new Looker(gateway);
    await it.pass(20);
    assert.equal(nowhere.end?.code, "noNode");
    done(await it.until(campaign(gateway, one, "one").answer));
    const [session, reader] = [new Looker(gateway, { acting: two }), new Looker(gateway)];
    await it.pass(20);
    it.expire(two.session);
    await it.pass(20);
    assert.equal(session.end?.code, "sessionExpired");
    const acl = [{ scheme: "digest", id: "ann:x", perms: 31 }];
    await it.write({ identity: anyone, operation: { kind: "setAcl", path: election, acl, aversion: -1 } });
    it.expire(one.session);
    await it.pass(20);
    assert.equal(reader.end?.code, "noAuth");
  });
});
