/** Who leads, as a client is told it by gateways that answer by a script: by a stream of lines, and by polls. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { textOf } from "./calls.ts";
import type { ElectionState } from "./locks.ts";
import { RestClient } from "./rest/rest-client.ts";
import { answer, cut, problem, ScriptedGateway, type Turn } from "./rest/scripted-gateway.test-support.ts";

const zxidOf = (number: number): string => `0x${number.toString(16).padStart(16, "0")}`;

/** `value` undefined: nobody leads. */
function stateOf(zxid: number, value?: string, token = 1): object {
  const known = { encoding: "utf-8", token: zxidOf(token), session: zxidOf(7), since: "2026-11-22T23:06:00.123Z" };
  const leader = value === undefined ? null : { value, ...known, znode: "/e/c" };
  return { name: "e", layout: "curator", leader, candidates: 1, zxid: zxidOf(zxid) };
}

const line = (state: object): object => ({ type: "leader", ...state });
const alive = { type: "alive", zxid: zxidOf(9) };

function stream(lines: readonly object[], end: "cut" | "whole" | "open"): Turn {
  return (response) => {
    const headers = { "Quorate-Zxid": zxidOf(1), "Quorate-Served-By": "1", "Content-Type": "application/x-ndjson" };
    response.writeHead(200, headers);
    response.write(lines.map((each) => `${JSON.stringify(each)}\n`).join(""), () => {
      if (end === "cut") response.destroy();
      else if (end === "whole") response.end();
    });
  };
}

async function observing(
  t: TestContext,
  turns: readonly Turn[],
  watchBy: "stream" | "poll" = "stream",
): Promise<{ gateway: ScriptedGateway; client: RestClient }> {
  const gateway = await ScriptedGateway.start(...turns);
  const client = new RestClient({ endpoints: [gateway.base], watchBy });
  t.after(async () => {
    await client.close();
    await gateway.stop();
  });
  return { gateway, client };
}

async function take(states: AsyncIterable<ElectionState>, count: number): Promise<(string | undefined)[]> {
  const taken: (string | undefined)[] = [];
  for await (const { leader, zxid } of states) {
    taken.push(leader && `${textOf(leader.value)} ${Number(zxid)}`);
    if (taken.length === count) break;
  }
  return taken;
}

test("it goes on after each break, and tells nothing twice", async (t) => {
  const { gateway, client } = await observing(t, [
    stream([line(stateOf(2, "a")), alive, line(stateOf(3))], "cut"),
    cut,
    problem(503, "noLeader"),
    stream([line(stateOf(4)), { type: "end", zxid: zxidOf(4), detail: "the gateway stops" }], "whole"),
    stream([line(stateOf(4)), line(stateOf(5, "b", 2))], "whole"),
    stream([line(stateOf(6, "b", 2)), line(stateOf(7, "b", 3))], "open"),
  ]);
  assert.deepEqual(await take(client.elections.observe("e"), 4), ["a 2", undefined, "b 5", "b 7"]);
  assert.equal(gateway.requests.length, 6);
  for (const { method, target, headers } of gateway.requests) {
    assert.deepEqual([method, target, headers.accept], ["GET", "/v1/elections/e", "application/x-ndjson"]);
  }
  const least = gateway.requests.map(({ headers }) => Number(headers["quorate-min-zxid"]));
  assert.deepEqual(least, [0, 3, 3, 3, 4, 5], "nothing older than what was seen is asked for");
  assert.equal(client.seen, zxidOf(7));
});

test("a last word that does not pass ends it, and so does being out of touch for too long", async (t) => {
  const end = { type: "end", zxid: zxidOf(4), code: "noAuth", detail: "it may not be read any more" };
  const { client } = await observing(t, [stream([line(stateOf(2, "a")), end], "whole"), cut]);
  const states = client.elections.observe("e")[Symbol.asyncIterator]();
  await states.next();
  await assert.rejects(states.next(), { code: "noAuth", detail: "it may not be read any more" });
  await assert.rejects(take(client.elections.observe("e", { timeoutMillis: 200 }), 1), { code: "connectionLoss" });
});

test("polls say the same", async (t) => {
  const tagged = (state: object, etag: string): Turn => answer(200, state, { ETag: etag });
  const { gateway, client } = await observing(
    t,
    [
      tagged(stateOf(2, "a"), '"1"'),
      answer(304, "", { ETag: '"1"' }),
      cut,
      tagged(stateOf(2, "a"), '"1"'),
      tagged(stateOf(3), '"2"'),
    ],
    "poll",
  );
  assert.deepEqual(await take(client.elections.observe("/e"), 2), ["a 2", undefined]);
  const asked = gateway.requests.map(({ target, headers }) => [target, headers["if-none-match"]]);
  const waits = "/v1/elections/e?wait=25s";
  assert.deepEqual(asked, [
    ["/v1/elections/e", undefined],
    [waits, '"1"'],
    [waits, '"1"'],
    ["/v1/elections/e", undefined],
    [waits, '"1"'],
  ]);
});
