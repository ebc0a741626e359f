/** Web pages of other origins, and traces that go through. */
import assert from "node:assert/strict";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { after, before, describe, it } from "node:test";
import { MemoryBackend } from "./memory-backend.ts";
import { backendWith, restDoor } from "./rest-door.ts";

interface Seen {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const page = "https://app.example";

function door(corsOrigins: readonly string[] | undefined, logged: string[] = [], broken = false) {
  const memory = new MemoryBackend();
  const fail = (): Promise<never> => Promise.reject(new Error("broken on purpose"));
  const rest = restDoor(broken ? backendWith(memory, "read", fail) : memory, {
    log: (line) => logged.push(line),
    ...(corsOrigins === undefined ? {} : { corsOrigins }),
  });
  before(() => rest.listen());
  after(() => rest.stop());
  return (method: string, path: string, headers: Record<string, string | string[]> = {}, body = ""): Promise<Seen> => {
    const { port } = rest;
    return new Promise((resolve, reject) => {
      const request = httpRequest({ port, host: "127.0.0.1", method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      });
      request.on("error", reject);
      request.end(body);
    });
  };
}

const preflight = (origin: string, method = "PUT") => ({
  Origin: origin,
  "Access-Control-Request-Method": method,
  "Access-Control-Request-Headers": "if-match, quorate-session",
});

describe("pages of an origin that is allowed", () => {
  const ask = door([page, "http://localhost:3000"]);

  it("are told before that they may, and what they may send", async () => {
    const { status, headers, body } = await ask("OPTIONS", "/v1/znodes/a", preflight(page));
    assert.deepEqual([status, body], [204, ""]);
    assert.equal(headers["access-control-allow-origin"], page);
    assert.equal(headers["access-control-allow-methods"], "GET, HEAD, PUT, POST, DELETE");
    const allowed = (headers["access-control-allow-headers"] ?? "").toLowerCase().split(", ");
    for (const each of [
      "authorization",
      "content-type",
      "if-match",
      "quorate-session",
      "idempotency-key",
      "last-event-id",
    ]) {
      assert.ok(allowed.includes(each), each);
    }
    assert.equal(headers["access-control-max-age"], "7200");
    assert.match(headers.vary ?? "", /Origin/);
    // A page sends what it knows itself; what the browser keeps is never used.
    assert.equal(headers["access-control-allow-credentials"], undefined);
  });

  it("may read every answer, with its headers, also a refusal", async () => {
    for (const [method, path, status] of [
      ["PUT", "/v1/znodes/a", 201],
      ["GET", "/v1/znodes/b", 404],
      ["GET", "/nowhere", 404],
      ["GET", "/v1/tree/", 200],
      ["GET", "/v1/watch?node=/a", 200],
      ["PATCH", "/v1/znodes/a", 405],
    ] as const) {
      const seen = await ask(method, path, { Origin: page });
      assert.equal(seen.status, status, path);
      assert.equal(seen.headers["access-control-allow-origin"], page, path);
      assert.match(seen.headers.vary ?? "", /Origin/, path);
      const exposed = (seen.headers["access-control-expose-headers"] ?? "").toLowerCase();
      for (const name of Object.keys(seen.headers)) {
        if (name.startsWith("quorate-") || name === "etag" || name === "location")
          assert.ok(exposed.includes(name), name);
      }
    }
  });

  it("others are refused as ever, and so is their preflight", async () => {
    for (const origin of ["https://evil.example", "https://app.example.evil", "http://app.example", "null"]) {
      for (const seen of [
        await ask("GET", "/v1/znodes/", { Origin: origin }),
        await ask("OPTIONS", "/v1/znodes/", preflight(origin)),
      ]) {
        assert.equal(seen.status, 403, origin);
        assert.equal(seen.headers["access-control-allow-origin"], undefined);
        assert.match(seen.headers.vary ?? "", /Origin/);
        assert.equal((JSON.parse(seen.body) as { code: string }).code, "noAuth");
      }
    }
  });

  it("who is no page sees nothing of it, but that answers may differ", async () => {
    const { status, headers } = await ask("GET", "/v1/znodes/");
    assert.equal(status, 200);
    assert.equal(headers["access-control-allow-origin"], undefined);
    assert.match(headers.vary ?? "", /Origin/);
    const options = await ask("OPTIONS", "/v1/znodes/");
    assert.equal(options.status, 405);
  });
});

describe("any origin", () => {
  const ask = door(["*"]);
  it("is named in the answer", async () => {
    const { status, headers } = await ask("GET", "/v1/znodes/", { Origin: "https://any.example" });
    assert.deepEqual([status, headers["access-control-allow-origin"]], [200, "https://any.example"]);
  });
});

describe("no origin", () => {
  const ask = door(undefined);
  it("has no preflight, no headers, and is refused", async () => {
    assert.equal((await ask("OPTIONS", "/v1/znodes/", preflight(page))).status, 403);
    const foreign = await ask("GET", "/v1/znodes/", { Origin: page });
    assert.deepEqual([foreign.status, foreign.headers.vary], [403, undefined]);
    for (const host of ["localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"]) {
      const own = await ask("GET", "/v1/znodes/", { Origin: `http://${host}`, Host: host });
      assert.deepEqual([own.status, own.headers["access-control-allow-origin"]], [200, undefined], host);
    }
    // The name is somebody's, who lets it mean this address.
    for (const host of ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"]) {
      const rebound = await ask("GET", "/v1/znodes/", { Origin: `http://${host}`, Host: host });
      assert.equal(rebound.status, 403, host);
    }
  });
});

describe("a trace", () => {
  const logged: string[] = [];
  const ask = door(undefined, logged, true);
  const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  it("is passed on in the answer, whatever that is", async () => {
    for (const [path, status] of [
      ["/v1/cluster", 200],
      ["/livez", 200],
      ["/nowhere", 404],
    ] as const) {
      const seen = await ask("GET", path, { traceparent: good });
      assert.deepEqual([seen.status, seen.headers.traceparent], [status, good]);
    }
    const later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later";
    assert.equal((await ask("GET", "/livez", { traceparent: later })).headers.traceparent, later);
  });

  it("that is malformed is ignored", async () => {
    const bad = [
      "",
      "00",
      good.toUpperCase(),
      `${good}-more`,
      good.replace("00-", "ff-"),
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
      `01${good.slice(2)}more`,
    ];
    for (const each of bad) {
      const seen = await ask("GET", "/livez", { traceparent: each });
      assert.deepEqual([seen.status, seen.headers.traceparent], [200, undefined], each);
    }
    assert.equal((await ask("GET", "/livez", { traceparent: [good, good] })).headers.traceparent, undefined);
  });

  it("stands in the log line of a fault of our own", async () => {
    const seen = await ask("GET", "/v1/znodes/", { traceparent: good });
    assert.deepEqual([seen.status, seen.headers.traceparent], [500, good]);
    assert.equal(logged.length, 1);
    const { reference } = JSON.parse(seen.body) as { reference: string };
    assert.ok(logged[0]?.includes(reference) && logged[0].includes(`traceparent ${good}`), logged[0]);
  });
});
