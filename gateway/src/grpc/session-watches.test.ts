/** Watches on a Session stream through a real client: their place among the replies, and their ends. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startDoor } from "./fixture.test-support.ts";
import { open, replies, story } from "./session.test-support.ts";

const data = (text: string): Buffer => Buffer.from(text);

describe("watches of a Session stream", () => {
  it("show what was written before them, and tell what is written after, before its reply", async () => {
    await using door = await startDoor();
    const { inbox } = await open(door.caller);
    inbox.send({
      operations: [
        { requestId: 1, sequence: 1, create: { path: "/a", data: data("1") } },
        { requestId: 2, watch: { nodes: ["/a"], children: ["/a"] } },
        { requestId: 3, sequence: 2, set: { path: "/a", data: data("2") } },
        { requestId: 4, sequence: 3, create: { path: "/a/b" } },
        { requestId: 5, get: { path: "/a" } },
      ],
    });
    const answered = await replies(inbox, 5);
    const { watch } = answered[1] ?? {};
    assert.deepEqual([String(watch?.states?.[0]?.data), watch?.header?.zxid], ["1", answered[0]?.create?.header?.zxid]);
    const told = story(inbox);
    assert.deepEqual(told.slice(0, 2), ["reply 1 create", "reply 2 watch"]);
    assert.ok(told.join("; ").includes("TYPE".slice(5)));
    const place = (text: string): number => told.findIndex((each) => each.includes(text));
    assert.ok(place("CHANGED /a") < place("reply 3") && place("CHANGED /a") > 0, told.join("; "));
    assert.ok(place("CREATED /a/b") < place("reply 4") && place("CREATED /a/b") > 0, told.join("; "));
  });

  it("are named by their operation, end alone, and with the stream", async () => {
    await using door = await startDoor();
    const { caller, backend } = door;
    const { inbox } = await open(caller);
    await caller.call("Create", { path: "/a" });
    inbox.send({
      operations: [
        { requestId: 1, watch: { nodes: ["/a"] } },
        { requestId: 1, watch: { nodes: ["/b"] } },
        { requestId: 2, watch: { subtrees: ["/"], includeData: true } },
        { requestId: 3, watch: { nodes: ["bad"] } },
        { requestId: 4, watch: { nodes: ["/a"], afterCursor: "0x1.0123456789abcdef" } },
        { requestId: 5, unwatch: { watchId: 9 } },
        { requestId: 6, sequence: 1, set: { path: "/a", data: data("x") } },
      ],
    });
    await replies(inbox, 7);
    const told = story(inbox).filter((each) => each.startsWith("reply"));
    assert.deepEqual(told, [
      "reply 1 watch",
      "reply 1 BAD_ARGUMENTS",
      "reply 2 watch",
      "reply 3 BAD_ARGUMENTS",
      "reply 4 CURSOR_OF_ANOTHER_HISTORY",
      "reply 5 BAD_ARGUMENTS",
      "reply 6 set",
    ]);
    await inbox.until(() => story(inbox).includes("2: CHANGED /a"));
    const bearing = inbox.all.flatMap((each) => each.events ?? []).find(({ watchId }) => watchId === 2);
    assert.equal(String(bearing?.watch?.events?.[0]?.data), "x");
    inbox.send({ operations: [{ requestId: 7, unwatch: { watchId: 2 } }] });
    await replies(inbox, 8);
    const mark = inbox.all.length;
    await caller.call("Set", { path: "/a" });
    await inbox.until(() => story(inbox).filter((each) => each === "1: CHANGED /a").length === 2);
    assert.ok(inbox.all.slice(mark).every(({ events = [] }) => events.every(({ watchId }) => watchId === 1)));
    const nobody = { entries: [{ scheme: "digest", id: "x:y", perms: "r" }] };
    await caller.call("SetAcl", { path: "/a", acl: nobody });
    await inbox.until(() => story(inbox).includes("1: NO_AUTH"));
    const end = inbox.all.flatMap((each) => each.events ?? []).find(({ error }) => error !== undefined);
    assert.match(end?.cursor ?? "", /^0x[0-9a-f]{16}\./);
    inbox.send({ operations: [{ requestId: 1, watch: { nodes: ["/c"] } }] });
    await replies(inbox, 9);
    assert.equal(backend.watches.size, 1);
    inbox.cancel();
    while (backend.watches.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  });
});
