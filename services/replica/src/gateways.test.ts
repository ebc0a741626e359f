import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { SessionId } from "@quorate/api";
import {
  type AttachConnection,
  type AttachEvents,
  dial,
  dialReplica,
  encodeToGateway,
  type FromGateway,
  type Hello,
  offerHandshake,
  StreamServer,
  type ToGateway,
} from "@quorate/proto";
import { type GatewayConnection, Gateways, gatewayLimits } from "./gateways.ts";
import { nodeClock, nodeRandom } from "./world-node.ts";

const helloOf = (kind: Hello["kind"], name: string, id: number): Hello => ({
  protocol: 1,
  kind,
  id,
  name,
  ensembleId: "",
  historyId: "h",
  version: "0.1.0",
  rules: 1,
  address: "",
});

interface Attached {
  readonly connection: GatewayConnection;
  readonly received: FromGateway[];
  readonly closed: string[];
}

interface Host {
  readonly port: number;
  readonly attached: Attached[];
  readonly notes: string[];
  readonly gateways: Gateways;
}

async function startHost(t: TestContext, key?: Uint8Array): Promise<Host> {
  const attached: Attached[] = [];
  const notes: string[] = [];
  const log = (text: string): void => void notes.push(text);
  const server = new StreamServer({ address: "127.0.0.1:0", keyed: key !== undefined, timers: nodeClock, log });
  const options = { hello: () => helloOf("peer", "r3", 3), clock: nodeClock, random: nodeRandom, log };
  const gateways = new Gateways(key === undefined ? options : { ...options, key }, {
    attach: (connection) => {
      const each: Attached = { connection, received: [], closed: [] };
      attached.push(each);
      return {
        received: (messages) => each.received.push(...messages),
        readNow: () => undefined,
        closed: (why) => each.closed.push(why),
      };
    },
  });
  gateways.attachTo(server);
  const port = await server.listen();
  t.after(async () => {
    await gateways.stop();
    await server.stop();
  });
  return { port, attached, notes, gateways };
}

interface Caller {
  readonly connection: AttachConnection;
  readonly events: string[];
  readonly received: ToGateway[];
}

function attach(t: TestContext, port: number, key?: Uint8Array): Caller {
  const events: string[] = [];
  const received: ToGateway[] = [];
  const handlers: AttachEvents = {
    up: (hello) => events.push(`up ${hello.id} ${hello.historyId}`),
    received: (messages) => received.push(...messages),
    down: (why) => events.push(`down ${why}`),
    drained: () => events.push("drained"),
  };
  const options = { hello: helloOf("gateway", "g1", 0), timers: nodeClock, randomBytes: nodeRandom.bytes };
  const connection = dialReplica(`127.0.0.1:${port}`, key === undefined ? options : { ...options, key }, handlers);
  t.after(() => connection.close());
  return { connection, events, received };
}

async function until(condition: () => boolean, what: string, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${millis} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const write = (sequence: number): FromGateway => ({
  kind: "write",
  session: 5 as SessionId,
  sequence,
  command: new Uint8Array(100),
});

test("requests and replies travel in order, with a key", async (t) => {
  const key = Buffer.from("the key of both");
  const host = await startHost(t, key);
  const caller = attach(t, host.port, key);
  caller.connection.send(write(99));
  await until(() => caller.events.length === 1 && host.attached.length === 1, "attached");
  assert.deepEqual(caller.events, ["up 3 h"]);
  const [attached] = host.attached;
  assert.equal(attached?.connection.name, "g1");
  for (let i = 1; i <= 2000; i++) caller.connection.send(write(i));
  caller.connection.flush();
  await until(() => attached?.received.length === 2000, "2000 writes; what was sent before `up` is none of them");
  const sequences = attached?.received.map((each) => (each.kind === "write" ? each.sequence : 0));
  assert.deepEqual(
    sequences,
    Array.from({ length: 2000 }, (_, i) => i + 1),
  );
  const refused = {
    kind: "refused",
    session: 5 as SessionId,
    code: "noLeader",
    detail: "d",
    retryAfterMillis: 7,
  } as const;
  for (let i = 1; i <= 500; i++) attached?.connection.send(encodeToGateway({ ...refused, sequence: i }));
  await until(() => caller.received.length === 500, "500 replies");
  assert.deepEqual(caller.received.at(-1), { ...refused, sequence: 500 });
});

test("a wrong key, and none, are refused with the reason at both sides and one line", async (t) => {
  const host = await startHost(t, Buffer.from("the right key"));
  const wrong = attach(t, host.port, Buffer.from("the wrong key"));
  const none = attach(t, host.port);
  await until(() => wrong.events.length === 1 && none.events.length === 1, "both down");
  assert.match(wrong.events[0] ?? "", /^down the proof is wrong/);
  assert.match(none.events[0] ?? "", /^down (a key is required here|the other side has a key)/);
  await until(() => host.notes.length === 2, "two lines");
  assert.match(host.notes.join("\n"), /refused a gateway's stream from 127\.0\.0\.1:\d+: /);
  assert.equal(host.attached.length, 0);
  assert.equal(host.gateways.count, 0);
});

test("a gateway that goes is told to the replica once, and one that is closed hears why", async (t) => {
  const host = await startHost(t);
  const first = attach(t, host.port);
  const second = attach(t, host.port);
  await until(() => host.attached.length === 2 && first.events.length + second.events.length === 2, "attached");
  first.connection.close();
  assert.deepEqual(first.events, ["up 3 h", "down closed by this side"]);
  await until(() => host.attached.some((each) => each.closed.length === 1), "closed");
  for (const each of host.attached) if (each.closed.length === 0) each.connection.close("the replica has had enough");
  await until(() => second.events.length === 2, "second down");
  assert.equal(second.events[1], "down the replica has had enough");
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.deepEqual(
    host.attached.map((each) => each.closed.length),
    [1, 1],
  );
  assert.equal(host.gateways.count, 0);
});

test("a gateway that does not read is closed at the limit; messages that do not decode close, too", async (t) => {
  const host = await startHost(t);
  const hello = helloOf("gateway", "slow", 0);
  const ends: string[] = [];
  const open = (after: (stream: ReturnType<typeof dial>) => void): void => {
    const stream = dial(`127.0.0.1:${host.port}`, "attach", { timers: nodeClock, connectMillis: 60_000 });
    t.after(() => stream.close("over"));
    const options = { hello, expect: "peer", timers: nodeClock, randomBytes: nodeRandom.bytes } as const;
    offerHandshake(stream, options, () => {
      stream.listen({ received: () => undefined, drained: () => undefined, closed: (why) => ends.push(why) });
      after(stream);
    });
  };
  open((stream) => stream.pause());
  await until(() => host.attached.length === 1, "attached");
  const [slow] = host.attached;
  const big = new Uint8Array(1_048_576);
  for (let i = 0; i < 200 && slow?.closed.length === 0; i++) {
    slow.connection.send(big);
    assert.ok(slow.connection.queuedBytes <= gatewayLimits.queueBytes + big.length);
    if (i % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(slow?.closed[0] ?? "", /too slow/);
  open((stream) => stream.send(Uint8Array.of(99)));
  await until(() => host.attached[1]?.closed.length === 1, "closed");
  assert.equal(host.attached[1]?.closed[0], "a message from the gateway does not decode");
  assert.equal(host.attached[1]?.received.length, 0);
  await until(() => ends.includes("a message from the gateway does not decode"), "told");
});

test("a replica that nobody serves is down once, without up", async (t) => {
  const caller = attach(t, 1);
  await until(() => caller.events.length > 0, "down");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(caller.events.length, 1);
  assert.match(caller.events[0] ?? "", /^down /);
});
