/**
 * What no proper client sends, on the REST ports of a gateway and of a replica: a clear problem or a clean close, the
 * process lives, and others are served meanwhile.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Ensemble, type Process } from "./ensemble.ts";
import { normalClient, servedMillis, serveMeanwhile, watchOver } from "./onlookers.ts";
import { problemIn, statusOfAnswer, talk } from "./raw-socket.ts";

let ensemble: Ensemble;
let assertAllLive: () => void;

before(async () => {
  ensemble = await Ensemble.start();
  assertAllLive = watchOver(ensemble);
  await normalClient(ensemble.gateway);
});
after(() => ensemble.stop());

interface BadRequest {
  readonly name: string;
  readonly bytes: string | Buffer;
  /** 0: closed without a word. */
  readonly status: number;
  readonly code?: string;
  readonly says?: RegExp;
  readonly end?: boolean;
  /** A well-formed request: the connection stays. */
  readonly stays?: boolean;
}

const patienceMillis = 60_000;
const host = "Host: x\r\n";
const znode = "/v1/znodes/bad";
const jsonType = "Content-Type: application/json\r\n";
const bad = { status: 400, code: "badArguments" } as const;
const big = Buffer.alloc(20_000_000, 120);

function request(line: string, headers: string, body = ""): string {
  const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${line} HTTP/1.1\r\n${host}${headers}${length}\r\n${body}`;
}

function chunked(size: number): Buffer {
  const head = Buffer.from(
    `PUT ${znode} HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
  );
  return Buffer.concat([head, big.subarray(0, size), Buffer.from("\r\n0\r\n\r\n")]);
}

const badRequests: readonly BadRequest[] = [
  { name: "garbage", bytes: randomGarbage(), ...bad },
  { name: "a TLS hello", bytes: Buffer.from("16030100c6010000c20303", "hex"), ...bad },
  { name: "the preface of HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ...bad },
  { name: "HTTP/0.9", bytes: "GET /\r\n\r\n", status: 404, code: "noRoute" },
  { name: "half a request line, then the end", bytes: "GET /v1/zno", status: 400, end: true },
  { name: "half the headers, then the end", bytes: `GET ${znode} HTTP/1.1\r\nHos`, status: 400, end: true },
  {
    name: "half a body, then the end",
    bytes: `PUT ${znode} HTTP/1.1\r\n${host}Content-Length: 9\r\n\r\nhalf`,
    status: 400,
    end: true,
  },
  {
    name: "20 MB with a length",
    bytes: Buffer.concat([Buffer.from(`PUT ${znode} HTTP/1.1\r\n${host}Content-Length: ${big.length}\r\n\r\n`), big]),
    status: 413,
    code: "tooLarge",
  },
  { name: "20 MB in one chunk", bytes: chunked(big.length), status: 413, code: "tooLarge" },
  {
    name: "a length of 10^30",
    bytes: `PUT ${znode} HTTP/1.1\r\n${host}Content-Length: 1${"0".repeat(30)}\r\n\r\n`,
    ...bad,
  },
  {
    name: "a chunk of no size",
    bytes: `PUT ${znode} HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    ...bad,
  },
  {
    name: "a length and chunks (smuggling)",
    bytes: `PUT ${znode} HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ...bad,
  },
  {
    name: "two lengths",
    bytes: `PUT ${znode} HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    ...bad,
  },
  {
    name: "headers of 20 KB",
    bytes: request(`GET ${znode}`, `X-Long: ${"x".repeat(20_000)}\r\n`),
    status: 431,
    code: "headersTooLarge",
  },
  { name: "a NUL in a header", bytes: request(`GET ${znode}`, "X-Nul: a\0b\r\n"), ...bad },
  {
    name: "slow headers",
    bytes: `GET ${znode} HTTP/1.1\r\nHost:`,
    status: 408,
    code: "requestTimeout",
  },
  { name: "no host", bytes: `GET ${znode} HTTP/1.1\r\n\r\n`, ...bad, says: /Host/, stays: true },
  { name: "CONNECT", bytes: "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", status: 0 },
  {
    name: "a path with ..",
    bytes: request("GET /v1/znodes/a/../../../etc/passwd", ""),
    ...bad,
    says: /"\.\."|\.\./,
    stays: true,
  },
  {
    name: "a path with .. in code",
    bytes: request("GET /v1/znodes/a%2F%2e%2e%2Fb", ""),
    ...bad,
    says: /\.\./,
    stays: true,
  },
  {
    name: ".. outside of the znodes",
    bytes: request("GET /v1/../etc/passwd", ""),
    status: 404,
    code: "noRoute",
    stays: true,
  },
  {
    name: "an unknown parameter",
    bytes: request(`PUT ${znode}?ephemerl=true`, "", "x"),
    ...bad,
    says: /ephemerl/,
    stays: true,
  },
  {
    name: "an unknown header of ours",
    bytes: request(`PUT ${znode}`, "Quorate-Sesion: 0x1:00\r\n", "x"),
    ...bad,
    says: /Quorate-Sesion/i,
    stays: true,
  },
  {
    name: "an unknown key",
    bytes: request("POST /v1/txn", jsonType, '{"than":[]}'),
    ...bad,
    says: /than/,
    stays: true,
  },
  { name: "JSON cut off", bytes: request("POST /v1/txn", jsonType, '{"then":['), ...bad, says: /JSON/, stays: true },
  {
    name: "a bad session secret",
    bytes: request(`PUT ${znode}?ephemeral=true`, "Quorate-Session: SESSION:00000000000000000000000000000000\r\n", "x"),
    status: 401,
    code: "authFailed",
    says: /secret/,
    stays: true,
  },
];

function randomGarbage(): Buffer {
  const bytes = randomBytes(5000);
  // A first byte that begins no method, so that the answer is the same each time.
  bytes[0] = 0xfe;
  return bytes;
}

describe("bad input on the REST ports", () => {
  it("is answered with a problem or closed, and others are served meanwhile", async (t) => {
    const session = (await (await fetch(`${ensemble.gateway.base}/v1/sessions`, { method: "POST" })).json()) as {
      id: string;
    };
    const doors = [ensemble.gateway, ensemble.replica(1)];
    const attack = async (door: Process, each: BadRequest): Promise<void> => {
      const bytes = typeof each.bytes === "string" ? each.bytes.replace("SESSION", session.id) : each.bytes;
      const quiet = each.stays === true ? { quietMillis: 1000 } : {};
      const seen = await talk(door.restPort, bytes, { patienceMillis, end: each.end === true, ...quiet });
      const where = `${door.name}, ${each.name}: ${seen.text.slice(0, 400)}`;
      assert.equal(seen.closed, each.stays !== true, `${where}: closed`);
      if (each.end === true && seen.text === "") return;
      assert.equal(statusOfAnswer(seen), each.status, where);
      if (each.code !== undefined) assert.equal(problemIn(seen)?.code, each.code, where);
      if (each.says !== undefined) assert.match(problemIn(seen)?.detail ?? "", each.says, where);
    };
    const attacks = doors.flatMap((door) => badRequests.map((each) => attack(door, each)));
    const slowest = await serveMeanwhile(doors, Promise.all(attacks));
    t.diagnostic(
      `${attacks.length} bad requests at once; the slowest good answer meanwhile: ${Math.round(slowest)} ms`,
    );
    assert.ok(slowest < servedMillis, `a good request took ${slowest} ms`);
    assert.equal((await fetch(`${ensemble.gateway.base}${znode}`)).status, 404, "a bad request wrote something");
    assertAllLive();
  });

  it("a peer that goes away in the midst of each byte of a request", async () => {
    const whole = request(`PUT /v1/znodes/cut`, "", "body");
    await Promise.all(
      Array.from(whole.slice(1), (_, i) => talk(ensemble.gateway.restPort, whole.slice(0, i + 1), { end: true })),
    );
    assert.equal((await fetch(`${ensemble.gateway.base}/v1/znodes/cut`)).status, 404);
    await normalClient(ensemble.gateway);
    assertAllLive();
  });
});
