/**
 * Calls that are over before their request is whole: grpc-js still hands them on once the client has said its last, and tells
 * nobody that they are over. They take nothing.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { describe, it } from "node:test";
import { publicServices } from "@quorate/proto";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import { type Fixture, scriptedRecipes, startDoor } from "./fixture.test-support.ts";

function framed(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function begin(client: ClientHttp2Session, path: string, more: Record<string, string>): ClientHttp2Stream {
  const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...more };
  const stream = client.request(headers, { endStream: false });
  stream.on("error", () => undefined);
  stream.resume();
  return stream;
}

/** All that was sent on the connection has been looked at. */
async function lookedAt(client: ClientHttp2Session): Promise<void> {
  const { path, encodeRequest } = publicServices().methods.Health.Check;
  const stream = begin(client, path, {});
  stream.end(framed(encodeRequest({})));
  await once(stream, "close");
}

/** The deadline comes before the client's last word. */
async function late(client: ClientHttp2Session, path: string, request: Uint8Array): Promise<void> {
  const stream = begin(client, path, { "grpc-timeout": "20m" });
  stream.write(framed(request));
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  assert.equal(headers["grpc-status"], "4");
  stream.end();
  await lookedAt(client);
}

/** Behind the request comes what is no message. */
async function torn(client: ClientHttp2Session, path: string, request: Uint8Array): Promise<void> {
  const stream = begin(client, path, {});
  stream.write(framed(request));
  stream.write(Buffer.from([0, 255, 255, 255, 255]));
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  assert.equal(headers["grpc-status"], "8");
  stream.end();
  await lookedAt(client);
}

async function served(door: Fixture): Promise<void> {
  const watch = door.caller.stream("Watch", { nodes: ["/"] });
  await watch.next();
  watch.cancel();
}

describe("a call that is over before its request is whole", () => {
  const methods = publicServices().methods;
  for (const over of [late, torn]) {
    it(`takes no place of a watch's (${over.name})`, async () => {
      const memory = new MemoryBackend();
      await using door = await startDoor({ limits: { watches: 2 } }, memory);
      const client = connect(`http://127.0.0.1:${door.port}`);
      const { path, encodeRequest } = methods.Coordination.Watch;
      for (let i = 0; i < 3; i++) await over(client, path, encodeRequest({ nodes: ["/"] }));
      assert.equal(memory.watches.size, 0);
      await served(door);
      client.destroy();
    });

    it(`observes nothing (${over.name})`, async () => {
      let observing = 0;
      const recipes = scriptedRecipes({
        observe: () => {
          observing += 1;
          return { close: () => (observing -= 1) };
        },
      });
      await using door = await startDoor({ recipes, limits: { watches: 2 } });
      const client = connect(`http://127.0.0.1:${door.port}`);
      const { path, encodeRequest } = methods.Elections.Observe;
      for (let i = 0; i < 3; i++) await over(client, path, encodeRequest({ path: "/x" }));
      assert.equal(observing, 0);
      await served(door);
      client.destroy();
    });

    it(`takes no place of a health stream's (${over.name})`, async () => {
      await using door = await startDoor({ limits: { healthWatches: 2 } });
      const client = connect(`http://127.0.0.1:${door.port}`);
      const { path, encodeRequest } = methods.Health.Watch;
      for (let i = 0; i < 3; i++) await over(client, path, encodeRequest({}));
      const stream = begin(client, path, {});
      stream.end(framed(encodeRequest({})));
      const [bytes] = (await once(stream, "data")) as [Buffer];
      assert.deepEqual(methods.Health.Watch.decodeResponse(bytes.subarray(5)), { status: "SERVING" });
      client.destroy();
    });

    it(`writes nothing (${over.name})`, async () => {
      const memory = new MemoryBackend();
      await using door = await startDoor({}, memory);
      const client = connect(`http://127.0.0.1:${door.port}`);
      const { path, encodeRequest } = methods.Coordination.Put;
      await over(client, path, encodeRequest({ path: "/late", data: Buffer.from("x") }));
      assert.equal((await door.caller.call("Exists", { path: "/late" })).exists ?? false, false);
      client.destroy();
    });
  }
});
