import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Session } from "node:http2";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { encodeFrame } from "./frame.ts";
import { callLimits, dial, keepAlive, methodPaths, type StreamMethod } from "./service.ts";
import type { Timers } from "./stream.ts";

test("the services written by hand are those of the .proto files", () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const definitions = loadSync("quorate/internal/v1/peer.proto", { keepCase: true, includeDirs: [root] });
  for (const [method, service, name] of [
    ["attach", "quorate.internal.v1.Replica", "Attach"],
    ["link", "quorate.internal.v1.Peer", "Link"],
  ] as const satisfies readonly (readonly [StreamMethod, string, string])[]) {
    const written = (definitions[service] as ServiceDefinition)[name];
    assert.ok(written);
    assert.equal(methodPaths[method], written.path);
    assert.deepEqual([written.requestStream, written.responseStream], [true, true]);
    // Both sides' bytes are the frame's own.
    const messages = [Buffer.from("one"), Buffer.from("two")];
    assert.deepEqual(written.requestSerialize({ message: messages }), encodeFrame(messages));
  }
});

async function listening(port: number, accepted: () => void): Promise<Server> {
  const server = createServer((socket) => {
    accepted();
    socket.on("error", () => undefined);
    socket.destroy();
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

test("a dial that failed leaves nothing that connects later", async () => {
  const taken = await listening(0, () => undefined);
  const { port } = taken.address() as AddressInfo;
  taken.close();
  await once(taken, "close");
  const after = (millis: number, run: () => void) => {
    const timer = setTimeout(run, millis);
    return { cancel: () => clearTimeout(timer) };
  };
  const stream = dial(`127.0.0.1:${port}`, "link", { timers: { after }, connectMillis: 60_000 });
  await new Promise<void>((resolve) => {
    stream.listen({ received: () => undefined, drained: () => undefined, closed: () => resolve() });
  });

  let connections = 0;
  const server = await listening(port, () => {
    connections += 1;
  });
  await delay(1500);
  server.close();
  assert.equal(connections, 0);
});

test("who does not answer a ping is given up; who does is asked again later", () => {
  const waiting: { readonly millis: number; readonly run: () => void; cancelled: boolean }[] = [];
  const timers: Timers = {
    after(millis, run) {
      const timer = { millis, run, cancelled: false };
      waiting.push(timer);
      return { cancel: () => (timer.cancelled = true) };
    },
  };
  let answer = (): void => assert.fail("no ping");
  let ended = (): void => undefined;
  const session = {
    closed: false,
    destroyed: false,
    setLocalWindowSize: (bytes: number) => assert.equal(bytes, callLimits.windowBytes),
    ping: (pong: () => void) => (answer = pong),
    once: (_name: "close", run: () => void) => (ended = run),
  };
  let silent = 0;
  keepAlive(session as unknown as ClientHttp2Session, timers, () => (silent += 1));
  const next = () => waiting.filter((each) => !each.cancelled).at(-1);
  assert.equal(next()?.millis, callLimits.pingMillis);
  next()?.run();
  assert.equal(next()?.millis, callLimits.pongMillis);
  answer();
  assert.equal(next()?.millis, callLimits.pingMillis);
  next()?.run();
  next()?.run();
  assert.equal(silent, 1);
  answer();
  session.closed = true;
  session.ping = () => assert.fail("a ping behind the goodbye");
  next()?.run();
  assert.equal(next()?.millis, callLimits.pongMillis);
  next()?.run();
  assert.equal(silent, 2);
  ended();
  assert.equal(waiting.at(-1)?.cancelled, true);
});
