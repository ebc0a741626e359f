import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { dial, methodPaths, type StreamMethod, serviceDefinition } from "./service.ts";

test("the services written by hand are those of the .proto files", () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const definitions = loadSync("quorate/internal/v1/peer.proto", { keepCase: true, includeDirs: [root] });
  for (const [method, service, name] of [
    ["attach", "quorate.internal.v1.Replica", "Attach"],
    ["link", "quorate.internal.v1.Peer", "Link"],
  ] as const satisfies readonly (readonly [StreamMethod, string, string])[]) {
    const written = (definitions[service] as ServiceDefinition)[name];
    const ours = serviceDefinition(method)[method];
    assert.ok(written && ours);
    assert.equal(ours.path, written.path);
    assert.equal(methodPaths[method], written.path);
    assert.deepEqual([ours.requestStream, ours.responseStream], [written.requestStream, written.responseStream]);
    // Both sides' bytes are the frame's own: what the .proto would encode goes through untouched.
    const frame = written.requestSerialize({ message: [Buffer.from("one"), Buffer.from("two")] });
    assert.deepEqual(ours.requestDeserialize(ours.requestSerialize(frame)), frame);
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
  const stream = dial(`127.0.0.1:${port}`, "link", { timers: { after }, connectMillis: 5000 });
  await new Promise<void>((resolve) => {
    stream.listen({ received: () => undefined, drained: () => undefined, closed: () => resolve() });
  });

  let connections = 0;
  const server = await listening(port, () => {
    connections += 1;
  });
  // grpc-js's first back-off is a second and up to a fifth.
  await delay(1600);
  server.close();
  assert.equal(connections, 0);
});
