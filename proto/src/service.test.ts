import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { methodPaths, type StreamMethod, serviceDefinition } from "./service.ts";

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
