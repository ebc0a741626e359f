import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import {
  acceptHandshake,
  type HandshakeOptions,
  type HandshakeResult,
  type Hello,
  handshakeLimits,
  offerHandshake,
} from "./handshake.ts";
import { assertListenAddress, dial, isLoopbackAddress, listenFault, parseHostPort } from "./service.ts";
import { type FrameCall, FrameStream, type Timers } from "./stream.ts";
import { StreamServer } from "./stream-server.ts";

const timers: Timers = {
  after(millis, run) {
    const timer = setTimeout(run, millis);
    return { cancel: () => clearTimeout(timer) };
  },
};

const hello = (changes: Partial<Hello> = {}): Hello => ({
  protocol: 1,
  kind: "peer",
  id: 1,
  name: "one",
  ensembleId: "",
  historyId: "",
  version: "0.1.0",
  rules: 1,
  address: "127.0.0.1:1",
  ...changes,
});

type Changes = { readonly hello?: Partial<Hello>; readonly key?: string } & Partial<
  Omit<HandshakeOptions, "hello" | "key">
>;

function optionsOf({ hello: changes, key, ...rest }: Changes): HandshakeOptions {
  const keyed = key === undefined ? {} : { key: Buffer.from(key) };
  return { hello: hello(changes), expect: "peer", timers, randomBytes, ...keyed, ...rest };
}

/** Runs one handshake over a socket; the results of both sides. */
async function shake(
  t: TestContext,
  client: Changes,
  server: Changes,
): Promise<{ client: HandshakeResult; server: HandshakeResult }> {
  const host = new StreamServer({ address: "127.0.0.1:0", keyed: false, timers, log: () => undefined });
  const quiet = { received: () => undefined, drained: () => undefined, closed: () => undefined };
  const accepted = new Promise<HandshakeResult>((resolve) => {
    host.handle("link", (stream) => {
      acceptHandshake(stream, optionsOf(server), (result) => {
        stream.listen(quiet);
        resolve(result);
      });
    });
  });
  const port = await host.listen();
  const stream = dial(`127.0.0.1:${port}`, "link", { timers, connectMillis: 60_000 });
  t.after(async () => {
    stream.close("over");
    await host.stop();
  });
  const offered = new Promise<HandshakeResult>((resolve) => {
    offerHandshake(stream, optionsOf(client), (result) => {
      stream.listen(quiet);
      resolve(result);
    });
  });
  const [clientResult, serverResult] = await Promise.all([offered, accepted]);
  return { client: clientResult, server: serverResult };
}

const refusalOf = (result: HandshakeResult): string => ("refused" in result ? result.refused : "");
const helloOf = (result: HandshakeResult): Hello | undefined => ("hello" in result ? result.hello : undefined);

test("both sides learn who the other is, with a key and without", async (t) => {
  for (const key of [undefined, "a shared secret of some length"]) {
    const keyed = key === undefined ? {} : { key };
    const ids = { hello: { id: 2, ensembleId: "e", historyId: "h", name: "zwei é" }, ...keyed };
    const { client, server } = await shake(t, ids, { hello: { id: 1, ensembleId: "e" }, ...keyed });
    assert.equal(helloOf(client)?.id, 1);
    assert.deepEqual(helloOf(server), hello({ id: 2, ensembleId: "e", historyId: "h", name: "zwei é" }));
    const { client: heard } = await shake(t, keyed, { hello: { id: 1, held: 2 }, ...keyed });
    assert.equal(helloOf(heard)?.held, 2);
  }
});

test("refusals: another key, a key on one side, another ensemble, protocol or kind, a judge", async (t) => {
  const cases: readonly (readonly [string, Changes, Changes, RegExp])[] = [
    ["keys differ", { key: "one key" }, { key: "another key" }, /the proof is wrong: the keys differ/],
    ["no key at the client", {}, { key: "key" }, /a key is required here|the other side has a key/],
    ["no key at the server", { key: "key" }, {}, /a key is required here|the other side has a key/],
    ["ensembles", { hello: { ensembleId: "aa" } }, { hello: { ensembleId: "bb" } }, /ensemble (aa|bb), this side to/],
    ["protocol", { hello: { protocol: 2 } }, {}, /speaks protocol/],
    ["kind", { hello: { kind: "gateway" } }, {}, /gateway one is a gateway, expected was a peer/],
    ["judge", {}, { judge: (each) => `no ${each.id} here` }, /^no 1 here$/],
  ];
  for (const [name, client, server, expected] of cases) {
    const result = await shake(t, client, server);
    assert.match(refusalOf(result.client), expected, `${name}: client`);
    assert.match(refusalOf(result.server), expected, `${name}: server`);
  }
});

test("a proof cannot be sent back as one's own, and an old one is worth nothing", async (t) => {
  // A client without the key that answers with what the server says: the server says nothing before it is convinced.
  const host = new StreamServer({ address: "127.0.0.1:0", keyed: false, timers, log: () => undefined });
  const accepted = new Promise<HandshakeResult>((resolve) => {
    host.handle("link", (stream) => acceptHandshake(stream, optionsOf({ key: "the key" }), resolve));
  });
  const port = await host.listen();
  const stream = dial(`127.0.0.1:${port}`, "link", { timers, connectMillis: 60_000 });
  t.after(async () => {
    stream.close("over");
    await host.stop();
  });
  const heard: string[] = [];
  stream.listen({
    received: (messages) => {
      for (const message of messages) {
        heard.push(Buffer.from(message).toString());
        stream.send(message);
      }
    },
    drained: () => undefined,
    closed: () => undefined,
  });
  stream.send(Buffer.from(JSON.stringify({ ...hello(), keyed: true, nonce: "0".repeat(64) })));
  assert.match(refusalOf(await accepted), /the proof is wrong/);
  assert.equal(
    heard.some((text) => text.includes('"proof"')),
    false,
  );
});

/** A stream whose other end is this test: what was sent to it, and a way to answer. */
function fakeStream(remote: string): {
  stream: FrameStream;
  hear(...messages: unknown[]): void;
  sent: Buffer[];
  ended: () => boolean;
} {
  let read = (_frame: Uint8Array): void => undefined;
  const sent: Buffer[] = [];
  let ended = false;
  const call: FrameCall = {
    open: () => undefined,
    read: (frame) => (read = frame),
    write: (frame, done) => {
      sent.push(Buffer.from(frame));
      setImmediate(done);
    },
    end: () => (ended = true),
    pause: () => undefined,
    resume: () => undefined,
  };
  const stream = new FrameStream(call, { remote: () => remote, timers, hangUp: () => (ended = true) });
  const hear = (...messages: unknown[]): void => {
    const parts = messages.flatMap((message) => {
      const bytes = Buffer.isBuffer(message) ? message : Buffer.from(JSON.stringify(message));
      return [Buffer.from([0x0a]), varint(bytes.length), bytes];
    });
    read(Buffer.concat(parts));
  };
  return { stream, hear, sent, ended: () => ended };
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) return Buffer.from(bytes);
  }
}

test("without a key nobody from elsewhere is spoken with; with one they are", () => {
  for (const [remote, key, expected] of [
    ["10.0.0.7:4711", undefined, /its own machine only, not with 10\.0\.0\.7:4711/],
    ["127.0.0.1:4711", undefined, /^$/],
    ["::1:4711", undefined, /^$/],
    ["10.0.0.7:4711", "key", /^$/],
  ] as const) {
    const { stream, ended } = fakeStream(remote);
    let refused = "";
    acceptHandshake(stream, optionsOf(key === undefined ? {} : { key }), (result) => (refused = refusalOf(result)));
    assert.match(refused, expected, remote);
    assert.equal(ended(), refused !== "");
    stream.close("over");
  }
});

test("hellos that are none are refused, whatever they are", () => {
  const good = { ...hello(), keyed: false, nonce: "0".repeat(64) };
  const bad: readonly unknown[] = [
    Buffer.from([0xff, 0xfe]),
    Buffer.from("null"),
    [],
    "text",
    {},
    { ...good, protocol: "1" },
    { ...good, id: -1 },
    { ...good, id: 1.5 },
    { ...good, id: 256 },
    { ...good, kind: "replica" },
    { ...good, nonce: "xyz" },
    { ...good, keyed: 1 },
    { ...good, name: "two\nlines" },
    { ...good, address: 7 },
    { ...good, version: "v".repeat(2000) },
    Buffer.alloc(handshakeLimits.helloBytes + 1, 0x20),
  ];
  for (const message of bad) {
    const { stream, hear, ended } = fakeStream("127.0.0.1:1");
    const results: HandshakeResult[] = [];
    acceptHandshake(stream, optionsOf({}), (result) => results.push(result));
    hear(message);
    hear(message);
    assert.equal(results.length, 1, JSON.stringify(message));
    assert.match(refusalOf(results[0] as HandshakeResult), /hello/);
    assert.equal(ended(), true);
  }
});

test("a silent caller is refused after the limit, and what follows the proof in its frame is not lost", () => {
  let late: (() => void) | undefined;
  const held: Timers = {
    after(millis, run) {
      if (millis === handshakeLimits.millis) late = run;
      return { cancel: () => undefined };
    },
  };
  const silent = fakeStream("127.0.0.1:1");
  let refused = "";
  acceptHandshake(silent.stream, optionsOf({ timers: held }), (result) => (refused = refusalOf(result)));
  late?.();
  assert.match(refused, /no whole handshake within 5000 ms/);

  const { stream, hear } = fakeStream("127.0.0.1:1");
  const received: string[] = [];
  acceptHandshake(stream, optionsOf({}), () => {
    const keep = (messages: readonly Uint8Array[]): void => {
      for (const each of messages) received.push(Buffer.from(each).toString());
    };
    stream.listen({ received: keep, drained: () => undefined, closed: () => undefined });
  });
  hear({ ...hello(), keyed: false, nonce: "0".repeat(64) });
  hear({ proof: "" }, Buffer.from("first message"), Buffer.from("second"));
  assert.deepEqual(received, ["first message", "second"]);
  stream.close("over");
});

test("addresses: what is loopback, and where one may listen", () => {
  for (const address of ["127.0.0.1:1", "127.9.9.9:1", "::1:1", "[::1]:1", "::ffff:127.0.0.1:1", "localhost:1"]) {
    assert.equal(isLoopbackAddress(address), true, address);
  }
  for (const address of [
    "10.0.0.1:1",
    "0.0.0.0:1",
    "[::]:1",
    "128.0.0.1:1",
    "127.0.0.1.evil.example:1",
    "unknown",
    "",
  ]) {
    assert.equal(isLoopbackAddress(address), false, address);
  }
  assert.deepEqual(parseHostPort("[::1]:7400"), { host: "::1", port: 7400 });
  for (const bad of ["", "7400", "host", "host:", "host:99999", "a b:1", "unix:/tmp/x", "http://h:1"]) {
    assert.equal(parseHostPort(bad), undefined, bad);
  }
  assert.match(listenFault("0.0.0.0:7400", false) ?? "", /loopback only, not on 0\.0\.0\.0/);
  assert.equal(listenFault("0.0.0.0:7400", true), undefined);
  assert.equal(listenFault("127.0.0.1:7400", false), undefined);
  assert.throws(() => assertListenAddress("nonsense", true), /not host:port/);
  assert.throws(() => new StreamServer({ address: "0.0.0.0:0", keyed: false, timers, log: () => undefined }));
});
