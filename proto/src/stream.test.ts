import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Client, credentials } from "@grpc/grpc-js";
import { dial } from "./service.ts";
import { type FrameStream, streamLimits, type Timers } from "./stream.ts";
import { StreamServer } from "./stream-server.ts";

const timers: Timers = {
  after(millis, run) {
    const timer = setTimeout(run, millis);
    return { cancel: () => clearTimeout(timer) };
  },
};

interface Pair {
  readonly client: FrameStream;
  readonly server: FrameStream;
  readonly port: number;
  readonly notes: string[];
}

/** A stream from socket to socket, without a handshake. */
async function openPair(t: TestContext, queueBytes?: number, trusted = true): Promise<Pair> {
  const notes: string[] = [];
  const bound = queueBytes === undefined ? {} : { queueBytes };
  const server = new StreamServer({ address: "127.0.0.1:0", keyed: false, timers, log: (text) => notes.push(text) });
  const accepted = new Promise<FrameStream>((resolve) => {
    server.handle(
      "link",
      (stream) => {
        void listenQuietly(stream);
        resolve(stream);
      },
      queueBytes,
    );
  });
  const port = await server.listen();
  const client = dial(`127.0.0.1:${port}`, "link", { timers, connectMillis: 60_000, ...bound });
  t.after(async () => {
    client.close("the test is over");
    await server.stop();
  });
  const stream = await accepted;
  if (trusted) stream.markTrusted();
  return { client, server: stream, port, notes };
}

/** Resolves to the reason; counts, so that a second `closed` shows. */
function listenQuietly(stream: FrameStream, ends: string[] = []): Promise<string> {
  return new Promise((resolve) => {
    stream.listen({
      received: () => undefined,
      drained: () => undefined,
      closed: (reason) => {
        ends.push(reason);
        resolve(reason);
      },
    });
  });
}

/** Machines stand still now and then: of three rounds one has to be so quick. Each answers how long it took. */
async function soon(millis: number, round: () => Promise<number>): Promise<void> {
  const took: number[] = [];
  while (took.length < 3 && !took.some((each) => each < millis)) took.push(await round());
  assert.ok(Math.min(...took) < millis, `${took.join(", ")} ms`);
}

const turn = (millis = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

test("100,000 small messages arrive in order, both ways at once, in few frames", async (t) => {
  const { client, server } = await openPair(t);
  const count = 100_000;
  const frames = { client: 0, server: 0 };
  const run = (from: FrameStream, to: FrameStream, name: "client" | "server"): Promise<void> =>
    new Promise((resolve, reject) => {
      let next = 0;
      to.listen({
        received: (messages) => {
          frames[name] += 1;
          for (const message of messages) {
            const number = Buffer.from(message).readUInt32LE(0);
            if (number !== next) reject(new Error(`got ${number}, expected ${next}`));
            next += 1;
          }
          if (next === count) resolve();
        },
        drained: () => undefined,
        closed: (reason) => reject(new Error(reason)),
      });
      for (let i = 0; i < count; i++) {
        const message = Buffer.alloc(24);
        message.writeUInt32LE(i);
        from.send(message.subarray(0, 4), message.subarray(4));
      }
    });
  await Promise.all([run(client, server, "server"), run(server, client, "client")]);
  assert.ok(frames.server < count / 100 && frames.client < count / 100, JSON.stringify(frames));
  assert.equal(client.queuedBytes, 0);
});

test("a slow reader holds the writer: send answers false, memory is bounded, drained follows", async (t) => {
  const { client, server } = await openPair(t);
  let received = 0;
  let drained = 0;
  server.listen({
    received: (messages) => (received += messages.length),
    drained: () => undefined,
    closed: () => undefined,
  });
  server.pause();
  let wake = (): void => undefined;
  client.listen({
    received: () => undefined,
    drained: () => {
      drained += 1;
      wake();
    },
    closed: () => undefined,
  });
  const piece = new Uint8Array(64 * 1024);
  let sent = 0;
  // Sockets and HTTP/2 windows take some; then nothing moves.
  for (let idle = 0; idle < 10; idle++) {
    while (client.writable) {
      client.send(piece);
      sent += 1;
      idle = 0;
    }
    await turn(10);
  }
  const stuckAt = sent;
  const drainedBefore = drained;
  assert.equal(client.writable, false);
  assert.ok(client.queuedBytes <= streamLimits.highWaterBytes + piece.length * 2, `${client.queuedBytes} bytes`);
  assert.ok(sent * piece.length < 32 * 1_048_576, `${sent} pieces went to a reader that does not read`);
  const woken = new Promise<void>((resolve) => (wake = resolve));
  server.resume();
  await woken;
  assert.equal(drained, drainedBefore + 1);
  assert.equal(client.writable, true);
  for (let i = 0; i < 3000 && received < stuckAt; i++) await turn(20);
  assert.equal(received, stuckAt);
});

test("beyond the queue's limit the link is dropped, once, with the reason, and the other side hears of it", async (t) => {
  const { client, server } = await openPair(t, 4 * 1_048_576);
  const ends: string[] = [];
  const ended = listenQuietly(server, ends);
  const far = listenQuietly(client);
  client.pause();
  const piece = new Uint8Array(256 * 1024);
  for (let i = 0; i < 200 && !server.closed; i++) {
    server.send(piece);
    if (i % 8 === 0) await turn();
  }
  assert.match(await ended, /too slow: \d+ bytes wait, the limit is 4194304/);
  assert.equal(server.queuedBytes < 8 * 1_048_576, true);
  client.resume();
  await far;
  server.close("again");
  assert.equal(server.send(piece), false);
  await turn(50);
  assert.equal(ends.length, 1);
});

test("a reason given by the server reaches the client; close is one end on each side", async (t) => {
  const { client, server } = await openPair(t);
  const [clientEnds, serverEnds]: [string[], string[]] = [[], []];
  const far = listenQuietly(client, clientEnds);
  void listenQuietly(server, serverEnds);
  server.close("out of turn: \u{1f600}\ud800 100%");
  assert.match(await far, /^out of turn: \?+ 100%$/);
  await turn(300);
  assert.deepEqual([clientEnds.length, serverEnds.length], [1, 1]);
});

test("a client that closes is heard of within 100 ms", async (t) => {
  await soon(100, async () => {
    const { client, server } = await openPair(t);
    void listenQuietly(client);
    const far = listenQuietly(server);
    client.send(new Uint8Array(10));
    const start = performance.now();
    client.close("enough");
    assert.equal(await far, "the other side closed the stream");
    return performance.now() - start;
  });
});

test("a message beyond the limit closes the stream and nothing else; the largest one goes through", async (t) => {
  const { client, server } = await openPair(t);
  const sizes: number[] = [];
  const ended = listenQuietly(client);
  const far = new Promise<string>((resolve) => {
    server.listen({
      received: (messages) => sizes.push(...messages.map((each) => each.length)),
      drained: () => undefined,
      closed: resolve,
    });
  });
  const largest = new Uint8Array(16 * 1_048_576);
  client.send(largest);
  for (let i = 0; i < 3000 && sizes.length === 0; i++) await turn(20);
  assert.deepEqual(sizes, [largest.length]);
  client.send(largest, Uint8Array.of(1));
  assert.match(await ended, /16777217 bytes is beyond the limit/);
  await far;
});

test("a frame that does not decode closes the stream", async (t) => {
  const { server, port } = await openPair(t);
  // Below the wrapper, as a broken or hostile sender would.
  const whole = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  const raw = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.after(() => raw.close());
  for (const bytes of [Uint8Array.of(0xff), Uint8Array.of(0x0a, 5, 1), Uint8Array.of(0x0a, 0x80)]) {
    const call = raw.makeBidiStreamRequest("/quorate.internal.v1.Peer/Link", whole, whole);
    const ended = new Promise<string>((resolve) => call.on("error", (error) => resolve(error.message)));
    call.on("data", () => undefined);
    call.write(bytes);
    assert.match(await ended, /a frame does not decode/);
  }
  assert.equal(server.closed, false);
});

test("nobody at the address, and no address, are reported", async () => {
  for (const [address, expected] of [
    ["127.0.0.1:1", /ECONNREFUSED|No connection/],
    ["not an address", /"not an address" is not host:port/],
    ["http://127.0.0.1:80", /is not host:port/],
    ["256.0.0.1:80", /ENOTFOUND|EAI_AGAIN/],
    ["..-_.:80", /ENOTFOUND|EAI_AGAIN/],
  ] as const) {
    const stream = dial(address, "link", { timers, connectMillis: 60_000 });
    assert.match(await listenQuietly(stream), expected);
  }
});

test("an address where nothing answers is given up after the limit", async (t) => {
  const open: Socket[] = [];
  const mute = createServer((socket) => open.push(socket)).listen(0, "127.0.0.1");
  await new Promise((resolve) => mute.once("listening", resolve));
  t.after(() => {
    mute.close();
    for (const socket of open) socket.destroy();
  });
  const { port } = mute.address() as { port: number };
  await soon(500, async () => {
    const start = performance.now();
    const stream = dial(`127.0.0.1:${port}`, "link", { timers, connectMillis: 150 });
    const reason = await listenQuietly(stream);
    assert.match(reason, /no connection to 127\.0\.0\.1:\d+ within 150 ms/);
    return performance.now() - start;
  });
});

test("garbage, half frames and floods on the port leave the server alive for others", async (t) => {
  const { client, server, port } = await openPair(t);
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const attacks = [
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    Buffer.alloc(100_000, 0xfe),
    preface.subarray(0, 10),
    Buffer.concat([preface, settings, Buffer.from([0, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 1, 2])]),
    Buffer.concat([preface, settings, Buffer.from([0, 0, 5, 1, 4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff])]),
    Buffer.concat([preface, settings, Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 7, 1, 1, 1, 1, 1, 1, 1, 1])]),
    Buffer.concat([preface, ...Array.from({ length: 5000 }, () => settings)]),
  ];
  const sockets = attacks.map((bytes) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("error", () => undefined);
    return socket;
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await turn(200);
  for (const socket of sockets.filter((_, index) => index % 2 === 0)) socket.destroy();
  const received = new Promise<number>((resolve) => {
    server.listen({
      received: (messages) => resolve(messages.length),
      drained: () => undefined,
      closed: () => resolve(-1),
    });
  });
  client.send(Uint8Array.of(1));
  assert.equal(await received, 1);
});

test("a connection that pours bytes without proving itself is broken", async (t) => {
  const { client, server, notes, port } = await openPair(t, undefined, false);
  // Neither end of the pair has proved itself either; only its small traffic saves it.
  const other = dial(`127.0.0.1:${port}`, "link", { timers, connectMillis: 60_000 });
  t.after(() => other.close("over"));
  const ended = listenQuietly(other);
  for (let i = 0; i < 20; i++) other.send(new Uint8Array(100_000));
  await ended;
  assert.match(notes.join("\n"), /sent \d+ bytes and has not proved itself/);
  assert.equal(client.closed || server.closed, false);
});

test("stop breaks what stands and leaves no socket", async () => {
  const server = new StreamServer({ address: "127.0.0.1:0", keyed: false, timers, log: () => undefined });
  const accepted = new Promise<FrameStream>((resolve) => server.handle("link", resolve));
  const port = await server.listen();
  const client = dial(`127.0.0.1:${port}`, "link", { timers, connectMillis: 60_000 });
  const ended = listenQuietly(client);
  await accepted;
  await server.stop();
  await server.stop();
  assert.equal(await ended, "this side stops");
  const refused = dial(`127.0.0.1:${port}`, "link", { timers, connectMillis: 60_000 });
  await listenQuietly(refused);
});

test("a connection that ends without a word is closed at once; a silent one does not keep others out", async (t) => {
  const { client, server, port } = await openPair(t);
  const silent = connect(port, "127.0.0.1");
  t.after(() => silent.destroy());
  silent.on("error", () => undefined);
  await soon(1000, async () => {
    const mute = connect(port, "127.0.0.1", () => mute.end());
    mute.resume();
    const began = performance.now();
    await new Promise((resolve) => mute.once("close", resolve));
    return performance.now() - began;
  });
  const received = new Promise<number>((resolve) => {
    server.listen({ received: (all) => resolve(all.length), drained: () => undefined, closed: () => resolve(-1) });
  });
  client.send(Uint8Array.of(1));
  assert.equal(await received, 1);
  assert.equal(silent.readyState, "open");
});
