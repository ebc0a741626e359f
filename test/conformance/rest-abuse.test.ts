/** What no client should send: the door answers with a problem or closes, and serves the others meanwhile. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { after, before, describe, it } from "node:test";
import { MemoryBackend } from "./memory-backend.ts";
import { type RestDoor, restDoor } from "./rest-door.ts";

/** One that soon has enough of who is slow. */
async function impatientDoor(): Promise<RestDoor> {
  const limits = { headersMillis: 300, requestMillis: 600 };
  const door = restDoor(new MemoryBackend(), { log: (line) => assert.fail(line), limits });
  await door.listen();
  return door;
}

describe("bad input on the REST port", () => {
  const door = restDoor(new MemoryBackend(), {
    log: (line) => assert.fail(line),
    limits: { connections: 60, lingerMillis: 5000 },
    trustedProxies: ["127.0.0.0/8"],
  });
  let port = 0;
  before(async () => {
    await door.listen();
    port = door.port;
  });
  after(() => door.stop());

  /** Sends the parts with pauses between, and gathers what comes until the socket closes (or the time is over). */
  function talk(
    parts: readonly (string | Buffer)[],
    pauseMillis = 0,
    toPort = port,
  ): Promise<{ text: string; closed: boolean }> {
    return new Promise((resolve) => {
      const socket = connect(toPort, "127.0.0.1");
      let text = "";
      const done = (closed: boolean): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve({ text, closed });
      };
      const timer = setTimeout(() => done(false), 60_000);
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      socket.on("error", () => undefined);
      socket.on("close", () => done(true));
      for (const [index, part] of parts.entries()) setTimeout(() => socket.write(part), index * pauseMillis);
    });
  }
  async function stillServes(): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${port}/livez`);
    assert.equal(response.status, 200);
    await response.text();
  }
  const raw: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ["garbage", Buffer.from([0, 1, 2, 255, 13, 10, 13, 10]), /^HTTP\/1\.1 400 .*badArguments/s],
    ["a TLS hello", Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), /^HTTP\/1\.1 400 .*badArguments/s],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^HTTP\/1\.1 (400|505) /],
    ["raw UTF-8 in the target", "GET /v1/znodes/\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n", /400 .*percent-encode/s],
    [
      "headers without end",
      `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 .*headersTooLarge/s,
    ],
    ["no Host", "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 400 .*Host/s],
    [
      "two lengths",
      "PUT /v1/znodes/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
      /^HTTP\/1\.1 400 /,
    ],
    [
      "a length and chunks",
      "PUT /v1/znodes/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400 /,
    ],
    [
      "a chunk that is none",
      "PUT /v1/znodes/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      /^HTTP\/1\.1 400 /,
    ],
    [
      "an expectation",
      "PUT /v1/znodes/a HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nConnection: close\r\n\r\n",
      /^HTTP\/1\.1 400 .*Expect/s,
    ],
    ["an absolute target", "GET http://x/livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 200 /],
    [
      "a target that is no path",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      /^HTTP\/1\.1 400 .*target/s,
    ],
    ["a fragment", "GET /livez#x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 400 /],
    [
      "a forged address from a proxy",
      "GET /v1/znodes/ HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: me\r\nConnection: close\r\n\r\n",
      /^HTTP\/1\.1 400 .*X-Forwarded-For/s,
    ],
  ];
  for (const [name, bytes, expected] of raw) {
    it(`${name}: an answer, and the socket closes`, async () => {
      const { text, closed } = await talk([bytes]);
      assert.match(text, expected);
      assert.ok(closed, "the socket stays open");
      if (!text.startsWith("HTTP/1.1 2")) assert.match(text, /content-type: application\/problem\+json/i);
      await stillServes();
    });
  }

  it("slow headers end with 408", async () => {
    const impatient = await impatientDoor();
    const { text, closed } = await talk(["GET /livez HTTP/1.1\r\n", "Ho", "st", ": a\r\n"], 400, impatient.port);
    await impatient.stop();
    assert.match(text, /^HTTP\/1\.1 408 .*requestTimeout/s);
    assert.ok(closed);
  });

  it("a slow body ends with 408 and writes nothing", async () => {
    const impatient = await impatientDoor();
    const { text, closed } = await talk(
      ["PUT /v1/znodes/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "123", "456"],
      500,
      impatient.port,
    );
    await impatient.stop();
    assert.match(text, /^HTTP\/1\.1 408 /);
    assert.ok(closed);
    const response = await fetch(`http://127.0.0.1:${port}/v1/znodes/slow`);
    assert.equal(response.status, 404);
    await response.text();
  });

  it("a client that goes away in the midst leaves nothing behind", async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write("PUT /v1/znodes/half HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123", () => socket.destroy());
      });
      socket.on("close", () => resolve());
    });
    await stillServes();
    assert.equal((await fetch(`http://127.0.0.1:${port}/v1/znodes/half`)).status, 404);
  });

  it("20 MB in chunks without a length: 413, read to the end, closed", async () => {
    const chunk = `${(65_536).toString(16)}\r\n${"x".repeat(65_536)}\r\n`;
    const head = "PUT /v1/znodes/big HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const { text, closed } = await talk([head, ...Array.from({ length: 320 }, () => chunk)]);
    assert.match(text, /^HTTP\/1\.1 413 .*tooLarge/s);
    assert.ok(closed);
    await stillServes();
  });

  it("100-continue: told to go on, or refused before the body", async () => {
    const head = "PUT /v1/znodes/cont HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n";
    const taken = await talk([`${head}Content-Length: 2\r\n\r\n`, "hi"], 50);
    assert.match(taken.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
    const refused = await talk([`${head}Content-Length: 3000000\r\n\r\n`]);
    assert.match(refused.text, /^HTTP\/1\.1 413 /);
  });

  it("pipelined requests are answered in order", async () => {
    const one = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n`;
    const { text } = await talk([
      `${one("/livez")}\r\n${one("/nowhere")}\r\n${one("/readyz")}Connection: close\r\n\r\n`,
    ]);
    assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"]);
  });

  it("more connections than allowed: a clear answer to the last, the others live on", async () => {
    const idle: Socket[] = [];
    for (let i = 0; i < 60; i++) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      idle.push(socket);
      await new Promise<void>((resolve) => socket.once("connect", resolve));
    }
    const { text } = await talk(["GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"]);
    assert.match(text, /^HTTP\/1\.1 429 .*throttled/s);
    assert.match(text, /Retry-After: 1/);
    // What such a client has sent already is not done: it was told that nothing is.
    for (const expect of ["", "Expect: 100-continue\r\n"]) {
      const request = `PUT /v1/znodes/refused HTTP/1.1\r\nHost: a\r\n${expect}Content-Length: 2\r\n\r\nhi`;
      const early = new Duplex({
        read: () => undefined,
        write: (_bytes, _encoding, done) => done(),
        final: (done) => setTimeout(done, 100),
      });
      door.server.emit("connection", Object.assign(early, { destroySoon: () => early.destroy() }));
      early.push(request);
      await new Promise((resolve) => early.once("close", resolve));
    }
    for (const socket of idle) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await stillServes();
    assert.match(
      (await talk(["GET /v1/znodes/refused HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"])).text,
      /^HTTP\/1\.1 404 /,
    );
  });
});
