/** How a session is kept, and when it is lost: by the clock of who holds it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Session } from "./quorate.ts";
import type { QuorateError } from "./quorate-error.ts";
import { RestClient } from "./rest/rest-client.ts";
import {
  answer,
  cut,
  problem,
  ScriptedGateway,
  silent,
  type Turn,
  written,
} from "./rest/scripted-gateway.test-support.ts";

function opened(timeoutMillis: number): Turn {
  const secret = "00112233445566778899aabbccddeeff";
  return answer(201, { id: "0x0000000100000009", secret, timeout: `${timeoutMillis}ms` });
}
const renewed = answer(200, { id: "0x0000000100000009", zxid: "0x5" });
const token = "0x0000000100000009:00112233445566778899aabbccddeeff";

/** Renewals are answered by `renewals`, one after the other; the last for all that follow. */
async function session(
  t: TestContext,
  timeoutMillis: number,
  renewals: readonly Turn[],
): Promise<{ gateway: ScriptedGateway; session: Session; client: RestClient; renewedAt: number[] }> {
  const renewedAt: number[] = [];
  const gateway = await ScriptedGateway.start((response, request) => {
    if (request.target === "/v1/sessions") return opened(timeoutMillis)(response, request);
    if (!request.target.endsWith("/renew")) return written(response, request);
    const turn = renewals[Math.min(renewedAt.push(request.at) - 1, renewals.length - 1)];
    return turn?.(response, request);
  });
  const client = new RestClient({ endpoints: [gateway.base] });
  t.after(async () => {
    await client.close();
    await gateway.stop();
  });
  return {
    gateway,
    client,
    session: await client.session({ sessionTimeoutMillis: timeoutMillis, name: "me" }),
    renewedAt,
  };
}

function lostOf(one: Session): Promise<QuorateError> {
  return new Promise((resolve) => {
    const tell = (): void => resolve(one.lost.reason as QuorateError);
    if (one.lost.aborted) tell();
    else one.lost.addEventListener("abort", tell);
  });
}

function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

test("it is renewed at a third of its timeout, through failures, and bears what it writes", async (t) => {
  const {
    gateway,
    session: one,
    renewedAt,
  } = await session(t, 6000, [renewed, cut, problem(503, "noLeader"), renewed]);
  assert.deepEqual([one.id, one.timeoutMillis], ["0x0000000100000009", 6000]);
  await one.put("/me", "x", { ephemeral: true });
  // Two that fail are among the first four.
  while (renewedAt.length < 5 && !one.lost.aborted) await sleep(50);
  assert.equal(one.lost.aborted, false);
  assert.ok((renewedAt[4] ?? 0) - (renewedAt[1] ?? 0) >= 1500, "in thirds, counted from sending");
  const [opening, , ...others] = gateway.requests;
  assert.deepEqual(JSON.parse(opening?.body ?? ""), { timeout: "6s", name: "me" });
  for (const { headers } of [gateway.requests[1], ...others].filter((each) => each !== undefined))
    assert.equal(headers["quorate-session"], token);
  await one.close();
  assert.deepEqual(gateway.requests.at(-1)?.method, "DELETE");
  const count = gateway.requests.length;
  await sleep(2200);
  assert.equal(gateway.requests.length, count, "a closed session is not renewed");
  await assert.rejects(one.put("/me", "x"), { code: "sessionExpired" });
});

test("it is lost when the ensemble says so", async (t) => {
  const { session: one, client } = await session(t, 6000, [renewed, problem(410, "sessionExpired")]);
  const watch = one.watch({ node: "/a" });
  const reading = watch[Symbol.asyncIterator]().next();
  const failed = assert.rejects(reading, { code: "sessionExpired" });
  const reason = await lostOf(one);
  assert.deepEqual([reason.code, reason.detail], ["sessionExpired", "it is so"]);
  await failed;
  await assert.rejects(one.put("/me", "x", { ephemeral: true }), reason);
  await client.put("/other", "x");
});

test("it is lost when no renewal is answered in time, counted from sending", async (t) => {
  for (const turn of [silent, cut, problem(503, "noLeader")]) {
    const { session: one, renewedAt } = await session(t, 900, [renewed, turn]);
    const reason = await lostOf(one);
    const held = performance.now() - (renewedAt[0] ?? 0);
    assert.equal(reason.code, "sessionExpired");
    // Sent a little before it arrived.
    assert.ok(held > 700, `given up after ${Math.round(held)} ms`);
    await assert.rejects(one.get("/a"), { code: "sessionExpired" });
  }
});

test("a process that stood still does not act as the owner when it wakes", async (t) => {
  const { session: one, gateway } = await session(t, 900, [renewed]);
  const until = performance.now() + 1300;
  while (performance.now() < until);
  const before = gateway.requests.length;
  await assert.rejects(one.put("/me", "x", { ephemeral: true }), { code: "sessionExpired" });
  assert.equal(one.lost.aborted, true);
  assert.equal(gateway.requests.length, before);
});

test("its client closes it", async (t) => {
  const { session: one, gateway, client } = await session(t, 60_000, [renewed]);
  await client.close();
  assert.equal(one.lost.aborted, true);
  assert.deepEqual(gateway.requests.at(-1)?.method, "DELETE");
  await assert.rejects(client.get("/a"), { code: "connectionLoss" });
});

test("a session that is opened while its client is closed is closed, too", async (t) => {
  const secondOpened = Promise.withResolvers<void>();
  const closing = Promise.withResolvers<void>();
  const gateway = await ScriptedGateway.start(async (response, request) => {
    const { method, target } = request;
    const count = gateway.requests.filter((each) => each.target === "/v1/sessions").length;
    if (method === "DELETE") {
      closing.resolve();
      if (target.endsWith("9")) await secondOpened.promise;
      return written(response, request);
    }
    if (count < 2) return opened(30_000)(response, request);
    await closing.promise;
    const secret = "00112233445566778899aabbccddeeff";
    return answer(201, { id: "0x000000010000000a", secret, timeout: "30s" })(response, request);
  });
  t.after(() => gateway.stop());
  const client = new RestClient({ endpoints: [gateway.base] });
  await client.session();
  const second = client.session();
  void second.then(() => secondOpened.resolve());
  while (gateway.requests.length < 2) await sleep(5);
  await client.close();
  const one = await second;
  assert.equal(one.lost.aborted, true, "nobody renews it, nobody takes it for kept");
  assert.ok(gateway.requests.some(({ method, target }) => method === "DELETE" && target.endsWith(one.id)));
});
