/** What no client of gRPC would send, and more than there is room for: refused or closed, and the door goes on for others. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { publicServices, type v1 } from "@quorate/proto";
import fc from "fast-check";
import { Caller, failureOf } from "../../../test/conformance/grpc-client.ts";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import { scripted, startDoor } from "./fixture.test-support.ts";
import { create } from "./session.test-support.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends, and waits until the door has closed. */
async function say(port: number, bytes: Uint8Array | string): Promise<void> {
  const socket = await dial(port);
  socket.resume();
  socket.end(bytes);
  if (!socket.destroyed) await once(socket, "close");
}

describe("a door that is spoken to in another language", () => {
  it("closes such connections, and serves the others", async () => {
    await using door = await startDoor();
    await say(door.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await say(door.port, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 300 }), async (good, bytes) => {
        await say(door.port, Buffer.concat([Buffer.from(good ? preface : ""), bytes]));
      }),
      { numRuns: 60 },
    );
    assert.equal((await door.caller.call("Get", { path: "/" })).path, "/");
  });

  it("answers HTTP/2 that is no gRPC, unknown methods, and messages that are cut off", async () => {
    await using door = await startDoor();
    const client = connectHttp2(`http://127.0.0.1:${door.port}`);
    const ask = async (headers: Record<string, string>, body: Uint8Array): Promise<Record<string, unknown>> => {
      const stream = client.request({ ":method": "POST", ...headers });
      const seen: Record<string, unknown> = {};
      stream.on("response", (came) => Object.assign(seen, came));
      stream.on("trailers", (came) => Object.assign(seen, came));
      stream.on("error", (error) => Object.assign(seen, { error }));
      stream.resume();
      stream.end(body);
      await once(stream, "close");
      return seen;
    };
    const get = publicServices().methods.Coordination.Get.path;
    const grpc = { "content-type": "application/grpc", te: "trailers" };
    assert.equal((await ask({ ":path": get, "content-type": "text/plain" }, Buffer.alloc(0)))[":status"], 415);
    assert.equal(
      (await ask({ ":path": "/quorate.v1.Coordination/Nothing", ...grpc }, Buffer.alloc(5)))["grpc-status"],
      "12",
    );
    for (const body of [Buffer.alloc(0), Buffer.from([0, 0, 0, 0, 9, 1]), Buffer.from([9, 9, 9, 9, 9])]) {
      const { "grpc-status": status, error } = await ask({ ":path": get, ...grpc }, body);
      assert.ok(error !== undefined || (status !== undefined && status !== "0"), `${String(status)}`);
    }
    client.destroy();
    assert.equal((await door.caller.call("Get", { path: "/" })).path, "/");
  });

  it("gives no time to who says nothing, and no room beyond its limits", async () => {
    await using door = await startDoor({
      limits: { strangerMillis: 50, connections: 2, watches: 1, sessionStreams: 1 },
    });
    const silent = await dial(door.port);
    silent.resume();
    await once(silent, "close");
    const { caller } = door;
    const first = caller.stream("Watch", { nodes: ["/"] });
    await first.next();
    assert.equal((await caller.stream("Watch", { nodes: ["/"] }).over())?.reason, "THROTTLED");
    const known = await create(caller);
    const one = caller.session();
    one.send({ open: { sessionId: known.id, secret: known.secret } });
    await one.next();
    assert.equal((await caller.session().over())?.reason, "THROTTLED");
    first.cancel();
    one.cancel();
    const [two, three] = [await dial(door.port), await dial(door.port)];
    three.resume();
    await once(three, "close");
    two.destroy();
    const again = caller.stream("Watch", { nodes: ["/"] });
    await again.next();
    again.cancel();
  });

  it("takes no more calls at once than it may", async () => {
    const memory = new MemoryBackend();
    const free = Promise.withResolvers<void>();
    const playing = scripted(memory, {
      read: async (request) => {
        await free.promise;
        return memory.read(request);
      },
    });
    await using door = await startDoor({ limits: { inFlight: 3 } }, memory, playing);
    const calls = Array.from({ length: 3 }, () => door.caller.call("Get", { path: "/" }));
    const error = await failureOf(door.caller.call("Get", { path: "/" }));
    assert.deepEqual([error.code, error.reason, (error.status?.retryAfterMillis ?? 0) > 0], [8, "THROTTLED", true]);
    free.resolve();
    await Promise.all(calls);
    await door.caller.call("Get", { path: "/" });
  });
});

describe("a Session stream of nonsense", () => {
  it("ends by name, or goes on, but never the process", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const known = await create(caller);
    const { encodeRequest } = publicServices().methods.Coordination.Session;
    const opening = encodeRequest({ open: { sessionId: known.id, secret: known.secret } });
    const { path } = publicServices().methods.Coordination.Session;
    const raw = new Caller(door.port);
    const number = fc.oneof(fc.integer({ min: -2, max: 5 }), fc.constantFrom(2 ** 53, -(2 ** 60)));
    const operation: fc.Arbitrary<v1.SessionOperation> = fc.record(
      {
        requestId: number,
        sequence: number,
        timeout: fc.record({ seconds: number, nanos: fc.integer({ min: -1, max: 2e9 }) }),
        put: fc.record({
          path: fc.string(),
          shape: fc.record({ kind: fc.integer({ min: 0, max: 7 }) as fc.Arbitrary<never> }),
        }),
        watch: fc.record({ nodes: fc.array(fc.constantFrom("/", "/a", "b")), afterZxid: number }),
        unwatch: fc.record({ watchId: number }),
        txn: fc.record({ then: fc.array(fc.record({ get: fc.record({ path: fc.constantFrom("/", "x") }) })) }),
      },
      { requiredKeys: [] },
    );
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc
        .record({
          operations: fc.array(operation, { maxLength: 5 }),
          answeredUpTo: number,
          heartbeat: fc.record({ id: number }),
        })
        .map((request) => encodeRequest(request)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 6 }), async (messages) => {
        const call = raw.client.makeBidiStreamRequest<Buffer, Buffer>(
          path,
          (same) => same,
          (same) => same,
        );
        const over = new Promise<void>((resolve) => {
          call.on("error", () => resolve());
          call.on("end", resolve);
        });
        call.resume();
        for (const each of [opening, ...messages]) call.write(each);
        call.end();
        await over;
      }),
      { numRuns: 100 },
    );
    raw.close();
    assert.deepEqual(door.logged, []);
    assert.equal((await caller.call("Get", { path: "/" })).path, "/");
  });
});
