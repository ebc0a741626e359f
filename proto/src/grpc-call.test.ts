import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, constants, createServer as createHttp2 } from "node:http2";
import { type AddressInfo, connect as connectSocket } from "node:net";
import { type TestContext, test } from "node:test";
import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { decodeFrame, encodeFrame } from "./frame.ts";
import { MessageCutter } from "./grpc-call.ts";
import { dial, methodPaths } from "./service.ts";
import { type FrameStream, streamLimits, type Timers } from "./stream.ts";
import { StreamServer } from "./stream-server.ts";

const timers: Timers = {
  after(millis, run) {
    const timer = setTimeout(run, millis);
    return { cancel: () => clearTimeout(timer) };
  },
};
const asIs = (bytes: Buffer): Buffer => bytes;
const largest = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
const linkMethod = {
  path: methodPaths.link,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
} as const;

/** Sizes on both sides of what is copied, of HTTP/2's frames and of its windows. */
const sizes = [0, 1, 100, 16_379, 16_380, 16_384, 16_385, 65_536, 1_048_576, 3_000_000];
const messages = sizes.map((size, index) => Buffer.alloc(size, index + 1));

interface Heard {
  readonly all: Promise<Buffer[]>;
  readonly closed: Promise<string>;
}

/** `all` of `count` messages; rejects if the stream is closed before. */
function hear(stream: FrameStream, count: number): Heard {
  const got: Buffer[] = [];
  let close = (_reason: string): void => undefined;
  const closed = new Promise<string>((resolve) => (close = resolve));
  const all = new Promise<Buffer[]>((resolve, reject) => {
    stream.listen({
      received: (some) => {
        got.push(...some.map((each) => Buffer.from(each)));
        if (got.length >= count) resolve(got);
      },
      drained: () => undefined,
      closed: (reason) => {
        close(reason);
        reject(new Error(reason));
      },
    });
  });
  return { all, closed };
}

/** A server of grpc-js, as replicas before this one had. */
async function grpcServer(t: TestContext, serve: (call: ServerDuplexStream<Buffer, Buffer>) => void): Promise<string> {
  const server = new Server(largest);
  server.addService({ link: linkMethod }, { link: serve });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  t.after(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

async function ourServer(t: TestContext, serve: (stream: FrameStream) => void): Promise<string> {
  const server = new StreamServer({ address: "127.0.0.1:0", keyed: false, timers, log: () => undefined });
  server.handle("link", (stream) => {
    stream.markTrusted();
    serve(stream);
  });
  const port = await server.listen();
  t.after(() => server.stop());
  return `127.0.0.1:${port}`;
}

test("a server of grpc-js understands this client, and this client it: messages, and the reason of the end", async (t) => {
  const address = await grpcServer(t, (call) => {
    let count = 0;
    call.on("data", (frame: Buffer) => {
      call.write(frame);
      count += decodeFrame(frame)?.length ?? 0;
      if (count < messages.length) return;
      call.emit("error", { code: status.ABORTED, details: "enough: 100% of it" });
    });
  });
  const stream = dial(address, "link", { timers, connectMillis: 60_000 });
  const { all, closed } = hear(stream, messages.length);
  for (const message of messages) stream.send(message);
  assert.deepEqual(await all, messages);
  assert.equal(await closed, "enough: 100% of it");
});

test("a client of grpc-js understands this server: messages, status and reason; its half-close ends the call", async (t) => {
  const address = await ourServer(t, (stream) => {
    stream.listen({
      received: (some) => {
        if (Buffer.from(some[0] ?? []).equals(Buffer.from("bye"))) stream.close("enough: 100% \u{1f600} of it");
        else for (const each of some) stream.send(each);
      },
      drained: () => undefined,
      closed: () => undefined,
    });
  });
  const client = new Client(address, credentials.createInsecure(), largest);
  t.after(() => client.close());
  const call = client.makeBidiStreamRequest(methodPaths.link, asIs, asIs);
  const got: Buffer[] = [];
  const all = new Promise<void>((resolve) => {
    call.on("data", (frame: Buffer) => {
      got.push(...(decodeFrame(frame) ?? []).map((each) => Buffer.from(each)));
      if (got.length === messages.length) resolve();
    });
  });
  // Each on its own, so that frames of every size are made here.
  for (const message of messages) call.write(Buffer.from(encodeFrame([message])));
  await all;
  assert.deepEqual(got, messages);
  call.write(Buffer.from(encodeFrame([Buffer.from("bye")])));
  const [error] = await once(call, "error");
  assert.equal(error.code, status.ABORTED);
  assert.equal(error.details, "enough: 100% ?? of it");

  const other = client.makeBidiStreamRequest(methodPaths.link, asIs, asIs);
  other.resume();
  other.end();
  const [ended] = await once(other, "error");
  assert.equal(ended.details, "the other side closed the stream");
});

test("a reader of grpc-js that does not read holds this writer", async (t) => {
  let reader: ServerDuplexStream<Buffer, Buffer> | undefined;
  const address = await grpcServer(t, (call) => {
    reader = call;
    call.on("data", () => undefined);
    call.on("error", () => undefined);
    call.pause();
  });
  const stream = dial(address, "link", { timers, connectMillis: 60_000 });
  let drained = (): void => undefined;
  stream.listen({ received: () => undefined, drained: () => drained(), closed: () => undefined });
  while (reader === undefined) {
    stream.send(Buffer.alloc(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const piece = Buffer.alloc(65_536);
  const again = new Promise<void>((resolve) => (drained = resolve));
  for (let sent = 0; stream.writable; sent++) {
    assert.ok(sent < 1000, "the writer is never held");
    stream.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(stream.queuedBytes < streamLimits.highWaterBytes + 2 * piece.length);
  reader.resume();
  await again;
  stream.close("enough");
});

test("what is no gRPC, or no method of ours, is told so; no such server is taken for one", async (t) => {
  const address = await ourServer(t, () => assert.fail("nothing is served"));
  const session = connectHttp2(`http://${address}`);
  t.after(() => session.destroy());
  const ask = async (headers: Readonly<Record<string, string>>): Promise<readonly unknown[]> => {
    const stream = session.request({ ":method": "POST", ":path": methodPaths.link, ...headers });
    stream.resume();
    const [answer] = await once(stream, "response");
    return [answer[constants.HTTP2_HEADER_STATUS], answer["grpc-status"]];
  };
  assert.deepEqual(await ask({ "content-type": "application/json" }), [415, undefined]);
  assert.deepEqual(await ask({ ":method": "GET" }), [415, undefined]);
  assert.deepEqual(await ask({ ":path": "/a/b", "content-type": "application/grpc" }), [200, "12"]);

  const web = createHttp2((_request, response) => response.writeHead(404).end("no")).listen(0, "127.0.0.1");
  await once(web, "listening");
  t.after(() => web.close());
  const stream = dial(`127.0.0.1:${(web.address() as AddressInfo).port}`, "link", { timers, connectMillis: 60_000 });
  await assert.rejects(hear(stream, 1).all, /answers with HTTP status 404/);
});

/** One frame of HTTP/2. */
function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Each name and value as they are, without a table. */
function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const sized = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
  const fields = Object.entries(headers).map(([name, value]) =>
    Buffer.concat([Buffer.of(0), sized(name), sized(value)]),
  );
  return Buffer.concat(fields);
}

test("calls that are reset in the packet that opens them harm nobody", async (t) => {
  const address = await ourServer(t, (stream) => {
    const answer = (messages: readonly Uint8Array[]): void => {
      for (const each of messages) stream.send(each);
    };
    stream.listen({ received: answer, drained: () => undefined, closed: () => undefined });
  });
  const other = dial(address, "link", { timers, connectMillis: 60_000 });
  const { all } = hear(other, 1);
  const pseudo = { ":method": "POST", ":scheme": "http", ":authority": "x" };
  const [headersFrame, resetFrame, settingsFrame, endHeaders] = [1, 3, 4, 4];
  for (const [path, type] of [
    [methodPaths.link, "application/grpc"],
    ["/a/b", "application/grpc"],
    [methodPaths.link, "text/html"],
  ] as const) {
    const block = headerBlock({ ...pseudo, ":path": path, "content-type": type });
    const calls = [1, 3].flatMap((id) => [
      http2Frame(headersFrame, endHeaders, id, block),
      http2Frame(resetFrame, 0, id, Buffer.of(0, 0, 0, 8)),
    ]);
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const socket = connectSocket(Number(address.split(":")[1]), "127.0.0.1");
    t.after(() => socket.destroy());
    socket.on("error", () => undefined);
    socket.write(Buffer.concat([preface, http2Frame(settingsFrame, 0, 0, Buffer.alloc(0)), ...calls]));
    await once(socket, "data");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  other.send(Buffer.from("still there"));
  assert.equal(`${await all}`, "still there");
  other.close("enough");
});

test("who says goodbye, then nonsense, and is gone, is not kept for ever", async (t) => {
  const hasty: Timers = { after: (millis, run) => timers.after(millis / 100, run) };
  const server = new StreamServer({ address: "127.0.0.1:0", keyed: false, timers: hasty, log: () => undefined });
  t.after(() => server.stop());
  const ended = new Promise<string>((resolve) => {
    server.handle("link", (stream) => {
      stream.markTrusted();
      stream.listen({ received: () => undefined, drained: () => undefined, closed: resolve });
    });
  });
  const socket = connectSocket(await server.listen(), "127.0.0.1");
  t.after(() => socket.destroy());
  const pseudo = { ":method": "POST", ":scheme": "http", ":authority": "x", ":path": methodPaths.link };
  const [headersFrame, settingsFrame, goawayFrame, endHeaders, acknowledged] = [1, 4, 7, 4, 1];
  const opened = [
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    http2Frame(settingsFrame, 0, 0, Buffer.alloc(0)),
    http2Frame(headersFrame, endHeaders, 1, headerBlock({ ...pseudo, "content-type": "application/grpc" })),
    http2Frame(goawayFrame, 0, 0, Buffer.alloc(8)),
    // Behind this nothing more is read, the end neither, and nobody says so.
    http2Frame(settingsFrame, acknowledged, 0, Buffer.alloc(6)),
  ];
  socket.write(Buffer.concat(opened));
  await once(socket, "data");
  socket.destroy();
  assert.equal(await ended, "the connection broke");
});

test("messages are cut out of any pieces, and what is none is refused", () => {
  const prefixed = (bytes: Uint8Array): Buffer => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  };
  const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), pieces, (all, cuts) => {
      const bytes = Buffer.concat(all.map(prefixed));
      const cutter = new MessageCutter(60);
      const found: Buffer[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = cuts[turn % cuts.length] as number;
        assert.equal(
          cutter.take(Buffer.from(bytes.subarray(at, at + size)), (each) => found.push(each)),
          undefined,
        );
        at += size;
      }
      assert.deepEqual(
        found,
        all.map((each) => Buffer.from(each)),
      );
    }),
  );
  const none = (): void => undefined;
  assert.match(
    new MessageCutter(60).take(prefixed(new Uint8Array(61)), none) ?? "",
    /61 bytes is beyond the limit of 60/,
  );
  assert.match(new MessageCutter(60).take(Buffer.from([1, 0, 0, 0, 0]), none) ?? "", /compressed/);
  assert.match(new MessageCutter(60).take(Buffer.alloc(5, 0xff), none) ?? "", /compressed, or none/);
});
