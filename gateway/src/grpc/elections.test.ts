/** The door's side of elections: calls, and the stream that tells who leads. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asZxid, type Path, type SessionId } from "@quorate/api";
import type { ElectionListener, ElectionState, Place, RecipeAnswer } from "../recipes/recipes.ts";
import { scriptedRecipes, startDoor } from "./fixture.test-support.ts";
import { create } from "./session.test-support.ts";

const place: Place = {
  held: true,
  token: asZxid(9),
  znode: "/e/_c_1-latch-0000000000" as Path,
  layout: "curator",
  mode: "exclusive",
  ahead: 0,
  session: 7 as SessionId,
  sessionTimeoutMillis: 30_000,
};

const { token, znode, session } = place;

function leading(value: Uint8Array | string, mzxid = 9): ElectionState {
  const data = typeof value === "string" ? Buffer.from(value) : value;
  const leader = { token, znode, session, mode: "exclusive", data, since: 1500, mzxid: asZxid(mzxid) } as const;
  return { layout: "curator", candidates: 2, leader };
}

function done<T>(value: T): RecipeAnswer<T> {
  return { kind: "done", value, zxid: asZxid(11), servedBy: 2 };
}

describe("an election's calls", () => {
  it("ask as they were asked, and answer", async () => {
    const said: unknown[] = [];
    const recipes = scriptedRecipes({
      campaign: ({ path, data, layout, waitMillis }) => {
        said.push([path, Buffer.from(data).toString(), layout, waitMillis]);
        return { answer: Promise.resolve(done(place)), finish: () => undefined, abandon: () => undefined };
      },
      proclaim: ({ path, data, acting, key }) => {
        said.push([path, Buffer.from(data).toString(), acting.session > 0, key?.key]);
        return Promise.resolve(done(place));
      },
      resign: ({ path, acting }) => {
        said.push([path, acting.session > 0]);
        return Promise.resolve(done({ znode }));
      },
    });
    await using door = await startDoor({ recipes });
    const { id: sessionId, secret } = await create(door.caller);
    const asking = { metadata: { "quorate-session-secret": secret } };
    const value = Buffer.from("me");
    const at = { path: "/e", sessionId };
    const header = { zxid: 11, servedBy: 2 };
    assert.deepEqual(
      await door.caller.call("Campaign", { ...at, value, layout: "LAYOUT_CURATOR", wait: { seconds: 1 } }, asking),
      {
        header,
        path: "/e",
        leads: true,
        token: 9,
        layout: "LAYOUT_CURATOR",
        znode,
        sessionId: 7,
        sessionTimeout: { seconds: 30 },
      },
    );
    assert.deepEqual(await door.caller.call("Proclaim", { ...at, value, idempotencyKey: "k" }, asking), {
      header,
      path: "/e",
      token: 9,
      znode,
    });
    assert.deepEqual(await door.caller.call("Resign", at, asking), { header, path: "/e", znode });
    assert.deepEqual(said, [
      ["/e", "me", "curator", 1000],
      ["/e", "me", true, "k"],
      ["/e", true],
    ]);
  });

  it("GetLeader tells who leads, and since when", async () => {
    await using door = await startDoor({
      recipes: scriptedRecipes({ leader: () => Promise.resolve(done(leading("me"))) }),
    });
    const found = await door.caller.call("GetLeader", { path: "/e" });
    assert.equal(Buffer.from(found.leader?.value ?? []).toString(), "me");
    const { leader, ...rest } = found;
    assert.deepEqual(rest, {
      header: { zxid: 11, servedBy: 2, consistency: "CONSISTENCY_LINEARIZABLE" },
      path: "/e",
      layout: "LAYOUT_CURATOR",
      candidates: 2,
    });
    assert.deepEqual(
      [leader?.token, leader?.mzxid, leader?.sessionId, leader?.since, leader?.znode],
      [9, 9, 7, { seconds: 1, nanos: 5e8 }, znode],
    );
  });
});

/** A door whose observers the test tells. */
async function observed(limits: { readonly cursorMillis?: number } = {}) {
  const listeners: ElectionListener[] = [];
  let closed = 0;
  const recipes = scriptedRecipes({
    observe: (_, __, listener) => {
      listeners.push(listener);
      return { close: () => closed++ };
    },
  });
  const door = await startDoor({ recipes, limits });
  const inbox = door.caller.stream("Observe", { path: "/e" });
  while (listeners.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  return { door, inbox, listener: listeners[0] as ElectionListener, closed: () => closed };
}

describe("Observe", () => {
  it("tells who leads, at first and whenever that is another, and ends with its reason", async () => {
    const { door, inbox, listener } = await observed();
    await using _ = door;
    listener.changed(leading("a"), asZxid(12));
    const first = await inbox.next();
    assert.equal(first.header?.zxid, 12);
    assert.equal(Buffer.from(first.leader?.value ?? []).toString(), "a");
    listener.changed({ layout: "curator", candidates: 0 }, asZxid(13));
    const second = await inbox.next();
    assert.deepEqual([second.header?.zxid, second.leader, second.candidates], [13, undefined, undefined]);
    listener.ended({ code: "noNode", detail: "it is gone", retryAfterMillis: 0, path: "/e" as Path });
    const end = await inbox.over();
    assert.deepEqual([end?.code, end?.reason], [5, "NO_NODE"]);
  });

  it("says again what is, when nothing changes", { timeout: 120_000 }, async () => {
    const { door, inbox, listener } = await observed({ cursorMillis: 20 });
    await using _ = door;
    listener.changed(leading("a"), asZxid(12));
    await inbox.until(() => inbox.all.length >= 3);
    assert.ok(inbox.all.every((each) => each.header?.zxid === 12));
    inbox.cancel();
  });

  it("passes over what a slow reader has no room for, and tells it the last", { timeout: 120_000 }, async () => {
    const { door, inbox, listener } = await observed();
    await using _ = door;
    listener.changed(leading("first"), asZxid(12));
    await inbox.until(() => inbox.all.length === 1);
    inbox.pause();
    const bulky = new Uint8Array(65_000);
    for (let i = 0; i < 1000; i++) {
      listener.changed(leading(bulky, 100 + i), asZxid(100 + i));
      if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    listener.changed(leading("last", 5000), asZxid(5000));
    inbox.resume();
    await inbox.until(() => inbox.all.at(-1)?.header?.zxid === 5000);
    assert.ok(inbox.all.length < 500, `${inbox.all.length} of 1002 were sent`);
    const told = inbox.all.map((each) => each.header?.zxid ?? 0);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
    inbox.cancel();
  });

  it("closes what it observes by when its client goes, and has a last word when the gateway stops", async () => {
    const { door, inbox, closed } = await observed();
    await using _ = door;
    inbox.cancel();
    while (closed() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    const other = door.caller.stream("Observe", { path: "/e" });
    const ended = other.over();
    await door.caller.call("Sync", {});
    await door.server.stop();
    assert.equal((await ended)?.reason, "NO_LEADER");
    assert.equal(closed(), 2);
  });
});
