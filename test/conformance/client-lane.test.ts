/** A session of the client over gRPC, when its stream does not simply break. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GrpcClient, QuorateError, type Session, textOf } from "@quorate/client";
import { Connection } from "../../api/client/src/grpc/connection.ts";
import { until } from "../integration/ensemble.ts";
import { TestProxy } from "../integration/test-proxy.ts";
import { type Doors, startDoors } from "./client-doors.ts";
import { MemoryBackend } from "./memory-backend.ts";

const backend = new MemoryBackend();
const gateways: Doors[] = [];
const proxies: TestProxy[] = [];
const addresses: string[] = [];

before(async () => {
  for (let gateway = 0; gateway < 2; gateway++) {
    const doors = await startDoors(backend);
    gateways.push(doors);
    addresses.push(`127.0.0.1:${doors.grpcPort}`);
    proxies.push(await TestProxy.start(doors.grpcPort));
  }
});
after(async () => {
  await Promise.all(proxies.map((each) => each.stop()));
  await Promise.all(gateways.map((each) => each.stop()));
});

function open(endpoints: readonly string[]): GrpcClient {
  return new GrpcClient({ endpoints, timeoutMillis: 30_000 });
}

async function lossOf(session: Session): Promise<QuorateError> {
  await until(() => session.lost.aborted, 10_000, "the session is lost");
  assert.ok(session.lost.reason instanceof QuorateError);
  return session.lost.reason;
}

test("a gateway that stands still is left, and its belated word does not end the session", async () => {
  await using client = open(proxies.map(({ address }) => address));
  const session = await client.session({ sessionTimeoutMillis: 30_000 });
  await session.put("/still", "0", { ephemeral: true });
  for (let turn = 1; turn <= 3; turn++) {
    const proxy = proxies[turn % 2] as TestProxy;
    proxy.freeze(turn > 2 ? "back" : "both");
    // Whichever it is at home at: what was sent to a frozen one is done once, at the other.
    await Promise.all([1, 2, 3].map((i) => session.put("/still", `${turn}.${i}`)));
    proxy.heal();
    await session.put("/still", `${turn}.4`);
    const { data, stat } = await session.get("/still");
    assert.deepEqual([textOf(data), stat.version], [`${turn}.4`, 4 * turn]);
  }
  assert.equal(session.lost.aborted, false);
});

test("whose session is taken over by somebody else, or ended by an operator, is told", async () => {
  await using client = open(addresses);
  const taken = await client.session();
  await taken.put("/taken", "");
  const connection = new Connection(addresses[0] ?? "", undefined);
  const nothing = (): void => undefined;
  const stream = connection.session(taken.secret, { received: nothing, drained: nothing, ended: nothing });
  stream.send({ open: { sessionId: Number(taken.id) } });
  const pending = assert.rejects(
    (async () => {
      for (;;) await taken.put("/taken", "");
    })(),
    { code: "sessionMoved" },
  );
  assert.equal((await lossOf(taken)).code, "sessionMoved");
  await pending;
  stream.cancel();

  const ended = await client.session();
  await ended.put("/ended", "", { ephemeral: true });
  const signal = AbortSignal.timeout(60_000);
  await connection.unary("CloseSession", { sessionId: Number(ended.id) }, { signal, secret: ended.secret });
  connection.close();
  assert.equal((await lossOf(ended)).code, "sessionExpired");
  await assert.rejects(ended.put("/ended", ""), { code: "sessionExpired" });
});

test("a watch whose reader sleeps holds nobody up, and misses nothing", async () => {
  await using client = open(addresses);
  const session = await client.session({ sessionTimeoutMillis: 60_000 });
  await client.put("/slow", "");
  const watch = session.watch({ node: "/slow" });
  const items = watch[Symbol.asyncIterator]();
  await items.next();
  const count = 12_000;
  for (let done = 0; done < count; done += 500) {
    await Promise.all(Array.from({ length: 500 }, () => session.put("/slow", "x")));
  }
  assert.equal((await session.get("/slow")).stat.version, count);
  for (let version = 1; version <= count; version++) {
    const { value } = await items.next();
    assert.ok(value?.type === "changed" && value.version === version, `${version}: ${JSON.stringify(value)}`);
  }
  await watch.close();
});

test("time and signals end a call; what was sent is in doubt, and its number stays its own", async () => {
  await using client = open(proxies.map(({ address }) => address));
  const session = await client.session({ sessionTimeoutMillis: 60_000 });
  await session.put("/doubt", "0");
  for (const proxy of proxies) proxy.freeze();
  const reason = new Error("enough");
  const abort = new AbortController();
  const sent = session.put("/doubt", "1", { timeoutMillis: 300 });
  const aborted = session.put("/doubt", "2", { signal: abort.signal });
  setTimeout(() => abort.abort(reason), 100);
  await assert.rejects(aborted, reason);
  await assert.rejects(sent, { code: "timeout", certainty: "unknown" });
  await assert.rejects(session.get("/doubt", { timeoutMillis: 200 }), { code: "timeout" });
  await assert.rejects(session.put("/doubt", "x", { signal: AbortSignal.abort(reason) }), reason);
  for (const proxy of proxies) proxy.heal();
  await session.put("/doubt", "3");
  const { data, stat } = await session.get("/doubt");
  // Both were sent, and are sent again until they are decided: once each, before what was asked later.
  assert.deepEqual([textOf(data), stat.version], ["3", 3]);
});

test("what is too large is refused, and nothing behind it waits", async () => {
  await using client = open(addresses);
  const session = await client.session();
  for (const bytes of [1_050_000, 1_200_000, 3_000_000]) {
    const refused = assert.rejects(session.put("/large", new Uint8Array(bytes)), {
      code: "tooLarge",
      certainty: "noEffect",
    });
    await session.put("/large", String(bytes));
    await refused;
    await assert.rejects(client.put("/large", new Uint8Array(bytes)), { code: "tooLarge", certainty: "noEffect" });
  }
  // Many that are large together go in several messages.
  const long = `/${"x".repeat(4000)}`;
  const found = await Promise.all(Array.from({ length: 500 }, () => session.exists(long)));
  assert.ok(found.every((each) => each === undefined));
  const { data, stat } = await session.get("/large");
  assert.deepEqual([textOf(data), stat.version], ["3000000", 2]);
});

test("watches that are given up before they are open are not kept at the gateway", async () => {
  await using client = open([addresses[0] ?? ""]);
  const session = await client.session();
  const kept = backend.watches.size;
  for (let i = 0; i < 5; i++) {
    const abort = new AbortController();
    const watch = session.watch({ node: "/given-up", signal: abort.signal });
    const first = watch[Symbol.asyncIterator]().next();
    // It has been sent, and is not answered.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort(new Error("enough"));
    await assert.rejects(first, /enough/);
  }
  await session.sync();
  await until(() => backend.watches.size === kept, 5000, "all of them are closed");
});
