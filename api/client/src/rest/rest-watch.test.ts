/** A watch goes on through breaks of every kind: nothing lost, nothing twice. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { textOf } from "../calls.ts";
import type { Watch, WatchItem, WatchOptions } from "../quorate.ts";
import { QuorateError } from "../quorate-error.ts";
import { RestClient, type RestClientOptions } from "./rest-client.ts";
import { answer, cut, problem, ScriptedGateway, silent, someStat, type Turn } from "./scripted-gateway.test-support.ts";

const history = "4a91e37371a4b3c6";

function cursorOf(zxid: number): string {
  return `0x${zxid.toString(16).padStart(16, "0")}.${history}`;
}

/** `last`: of its transaction. */
function event(zxid: number, path: string, last = true): object {
  const fields = {
    zxid: `0x${zxid.toString(16)}`,
    type: "changed",
    path,
    version: 1,
    czxid: "0x1",
    time: someStat.ctime,
  };
  return last ? { ...fields, cursor: cursorOf(zxid) } : fields;
}

/** Lines, and then an end: in peace, or a cut, or none. */
function stream(lines: readonly object[], end: "cut" | "open" | "whole"): Turn {
  return (response: ServerResponse) => {
    response.writeHead(200, {
      "Quorate-Zxid": "0x1",
      "Quorate-Served-By": "1",
      "Content-Type": "application/x-ndjson",
    });
    response.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), () => {
      if (end === "whole") response.end();
      // Half a line more, so that a cut is in the midst of one.
      else if (end === "cut") response.write('{"type":"chan', () => response.destroy());
    });
  };
}

async function watching(
  t: TestContext,
  turns: readonly Turn[],
  options: WatchOptions,
  more: Partial<RestClientOptions> = {},
): Promise<{ gateway: ScriptedGateway; watch: Watch; client: RestClient }> {
  const gateway = await ScriptedGateway.start(...turns);
  const client = new RestClient({ ...more, endpoints: [gateway.base] });
  t.after(async () => {
    await client.close();
    await gateway.stop();
  });
  return { gateway, client, watch: client.watch(options) };
}

/** The first `count` items, in short, each with the cursor at that time. */
async function take(watch: Watch, count: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  for await (const item of watch) {
    taken.push([short(item), watch.cursor]);
    if (taken.length === count) break;
  }
  return taken;
}

function short(item: WatchItem): string {
  if (item.type === "restarted") return item.type;
  if (item.type !== "state") return `${item.zxid} ${item.path}`;
  return `${item.scope} ${item.path} ${item.exists} ${item.children?.join() ?? ""}${item.data ? textOf(item.data) : ""}`;
}

test("the state, then events; after a break it goes on from the last whole transaction", async (t) => {
  const state = [
    { type: "state", scope: "node", path: "/a", exists: true, stat: someStat, data: "hi", encoding: "utf-8" },
    {
      type: "state",
      scope: "children",
      path: "/b",
      exists: true,
      stat: someStat,
      children: ["x", "y"],
      cursor: cursorOf(2),
    },
  ];
  const turns = [
    stream([...state, event(3, "/a"), event(4, "/b/x", false)], "cut"),
    cut,
    problem(503, "noLeader"),
    stream([event(4, "/b/x", false), event(4, "/b/y"), { type: "cursor", cursor: cursorOf(9) }], "whole"),
    stream([{ type: "end", cursor: cursorOf(11) }], "whole"),
    stream([event(12, "/a")], "open"),
  ];
  const { gateway, client, watch } = await watching(t, turns, { node: "/a", children: ["/b"] });
  assert.deepEqual(await take(watch, 6), [
    ["node /a true hi", undefined],
    ["children /b true x,y", cursorOf(2)],
    ["0x3 /a", cursorOf(3)],
    // Not yet whole: another watch would have to have both.
    ["0x4 /b/x", cursorOf(3)],
    ["0x4 /b/y", cursorOf(4)],
    ["0xc /a", cursorOf(12)],
  ]);
  const afters = gateway.requests.map(({ target }) => new URLSearchParams(target.split("?")[1]).get("after"));
  assert.deepEqual(afters, [null, cursorOf(3), cursorOf(3), cursorOf(3), cursorOf(9), cursorOf(11)]);
  assert.match(gateway.requests[0]?.target ?? "", /^\/v1\/watch\?node=%2Fa&children=%2Fb$/);
  assert.equal(client.seen, "0x000000000000000c");
});

test("a break within the state begins with it again", async (t) => {
  const first = { type: "state", scope: "node", path: "/a", exists: false };
  const turns = [stream([first], "cut"), stream([first, { type: "cursor", cursor: cursorOf(5) }], "open")];
  const { watch } = await watching(t, turns, { node: ["/a"] });
  assert.deepEqual(await take(watch, 1), [["node /a false ", cursorOf(5)]]);
});

test("polls say the same", async (t) => {
  const turns = [
    answer(200, { zxid: "0x2", cursor: cursorOf(2), states: [{ scope: "node", path: "/a", exists: false }] }),
    answer(200, { events: [event(3, "/a", false), event(3, "/b", false)], cursor: cursorOf(3), more: true }),
    cut,
    answer(200, { events: [], cursor: cursorOf(6), more: false }),
    answer(200, {
      events: [{ ...event(7, "/a", false), data: "AAE=", encoding: "base64" }],
      cursor: cursorOf(7),
      more: false,
    }),
  ];
  const { gateway, watch } = await watching(t, turns, { subtree: "/", include: "data" }, { watchBy: "poll" });
  const taken = await take(watch, 4);
  assert.deepEqual(
    taken.map((each) => (each as string[])[0]),
    ["node /a false ", "0x3 /a", "0x3 /b", "0x7 /a"],
  );
  assert.equal(watch.cursor, cursorOf(7));
  const queries = gateway.requests.map(({ target }) => new URLSearchParams(target.split("?")[1]));
  assert.deepEqual(
    queries.map((each) => each.get("after")),
    [null, cursorOf(2), cursorOf(3), cursorOf(3), cursorOf(6)],
  );
  assert.deepEqual(
    queries.map((each) => each.get("wait")),
    [null, "25s", "25s", "25s", "25s"],
  );
  assert.ok(queries.every((each) => each.get("include") === "data" && each.get("subtree") === "/"));
});

test("a cursor that is too old is an error, or the beginning of a new state", async (t) => {
  const state = { type: "state", scope: "node", path: "/a", exists: false, cursor: cursorOf(8) };
  const turns = [problem(410, "cursorTooOld"), stream([state], "open")];
  const { watch } = await watching(t, turns, { node: "/a", after: cursorOf(1) });
  await assert.rejects(take(watch, 1), { code: "cursorTooOld" });
  const ended = stream([{ type: "end", code: "cursorOfAnotherHistory", detail: "so", cursor: cursorOf(1) }], "whole");
  const { gateway, watch: other } = await watching(t, [ended, stream([state], "open")], {
    node: "/a",
    after: cursorOf(1),
    restart: true,
  });
  assert.deepEqual(await take(other, 2), [
    ["restarted", undefined],
    ["node /a false ", cursorOf(8)],
  ]);
  assert.doesNotMatch(gateway.requests[1]?.target ?? "", /after/);
});

test("what it cannot go on from is an error", async (t) => {
  for (const [status, code] of [
    [403, "noAuth"],
    [400, "badArguments"],
    [413, "tooLarge"],
  ] as const) {
    const { watch } = await watching(t, [problem(status, code)], { node: "/a" });
    await assert.rejects(take(watch, 1), { code });
  }
  const lost = stream([event(3, "/a"), { type: "end", code: "noAuth", detail: "so", cursor: cursorOf(3) }], "whole");
  const { watch } = await watching(t, [lost], { node: "/a", after: "0x1" });
  const seen: string[] = [];
  const reading = async (): Promise<void> => {
    for await (const item of watch) seen.push(short(item));
  };
  await assert.rejects(reading(), { code: "noAuth" });
  assert.deepEqual(seen, ["0x3 /a"]);
});

test("out of touch for too long is an error where that was asked for", async (t) => {
  const { watch, gateway } = await watching(t, [cut], { node: "/a", timeoutMillis: 200 });
  await assert.rejects(take(watch, 1), { code: "connectionLoss" });
  assert.ok(gateway.requests.length > 1);
});

test("it ends by its signal, by close, and with its client", async (t) => {
  const reason = new Error("enough");
  const end = new AbortController();
  const { watch } = await watching(t, [silent], { node: "/a", signal: end.signal });
  const reading = take(watch, 1);
  end.abort(reason);
  await assert.rejects(reading, reason);

  const { watch: closed } = await watching(t, [stream([event(3, "/a")], "open")], { node: "/a", after: "0x1" });
  for await (const _ of closed) setTimeout(() => void closed.close(), 20);

  const { watch: left, client } = await watching(t, [stream([], "open")], { node: "/a", after: "0x1" });
  const waiting = take(left, 1);
  setTimeout(() => void client.close(), 20);
  await assert.rejects(waiting, (error) => error instanceof QuorateError && /closed/.test(error.message));
  assert.throws(() => closed[Symbol.asyncIterator](), /gone through once/);
});
