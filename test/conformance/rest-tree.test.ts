/** What becomes of a listing that cannot go on, and of a client that does not: over pages that the test makes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Outcome, Path, Stat, Zxid } from "@quorate/api";
import type { Answer, TreePages } from "@quorate/gateway";
import { MemoryBackend } from "./memory-backend.ts";
import { backendWith, restDoor } from "./rest-door.ts";

const at = 7 as Zxid;
const data = new Uint8Array(65_536).fill(97);
const stat: Stat = {
  czxid: at,
  mzxid: at,
  pzxid: at,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0 as Stat["ephemeralOwner"],
  dataLength: data.length,
  numChildren: 0,
  kind: "persistent",
  ttlMillis: 0,
};

function told(outcome: Outcome): Answer {
  return { kind: "outcome", outcome, servedBy: 2, ageMillis: 0 };
}

/** A page of 128 KiB. */
function page(number: number, more: boolean): Answer {
  const entries = [0, 1].map((i) => ({ path: `/n${number}-${i}` as Path, stat, data }));
  return told({ ok: true, zxid: at, result: { kind: "treePage", at, entries, more } });
}

const lost: Answer = {
  kind: "unavailable",
  code: "pageTooOld",
  detail: "the replica that kept the listing is out of reach; begin it again",
  certainty: "noEffect",
  retryAfterMillis: 1000,
};

describe("a listing of pages", () => {
  /** The answer to each page. */
  let script: (page: number) => Answer | Promise<Answer>;
  let asked = 0;
  let closed = 0;
  beforeEach(() => {
    asked = 0;
    closed = 0;
  });
  const pages = (): TreePages => ({
    next: () => Promise.resolve(script(asked++)),
    close: () => {
      closed++;
    },
  });
  const logged: string[] = [];
  const door = restDoor(backendWith(new MemoryBackend(), "listTree", pages), {
    log: (line) => logged.push(line),
    limits: { listingStallMillis: 300, drainMillis: 100 },
  });
  before(() => door.listen());
  after(async () => {
    await door.stop();
    assert.deepEqual(logged, []);
  });

  async function open(method = "GET"): Promise<IncomingMessage> {
    const { port } = door;
    const request = httpRequest({ port, host: "127.0.0.1", method, path: "/v1/tree/?data=true", agent: false });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return response;
  }

  /** All that comes, and whether the answer is whole. */
  async function drain(response: IncomingMessage): Promise<{ text: string; whole: boolean }> {
    let text = "";
    try {
      for await (const chunk of response.setEncoding("utf8")) text += chunk as string;
    } catch {
      // Cut off.
    }
    return { text, whole: response.complete };
  }

  async function until(holds: () => boolean, what: string): Promise<void> {
    const end = Date.now() + 10_000;
    while (!holds()) {
      assert.ok(Date.now() < end, `${what}: ${asked} asked, ${closed} closed`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it("is whole with its last line", async () => {
    script = (number) => page(number, number < 2);
    const { text, whole } = await drain(await open());
    assert.ok(whole);
    const lines = text.trimEnd().split("\n");
    assert.deepEqual(lines.at(-1), '{"end":true,"count":6}');
    assert.deepEqual(JSON.parse(lines[0] ?? ""), { zxid: "0x0000000000000007" });
    assert.equal(asked, 3);
  });

  it("that fails at first is a problem", async () => {
    script = () => ({ ...lost, code: "noLeader" });
    const response = await open();
    const { text } = await drain(response);
    assert.deepEqual([response.statusCode, (JSON.parse(text) as { code: string }).code], [503, "noLeader"]);
    script = () => told({ ok: false, zxid: at, code: "noAuth", detail: "READ is missing" });
    assert.equal((await open()).statusCode, 403);
  });

  it("that fails later is cut off without its last line", async () => {
    script = (number) => (number < 3 ? page(number, true) : lost);
    const { text, whole } = await drain(await open());
    assert.ok(!whole);
    assert.ok(text.includes("/n0-0") && !text.includes('"end"'));
  });

  it("asks for nothing while nobody reads, and cuts off who never does", async () => {
    script = (number) => page(number, true);
    const response = await open();
    response.pause();
    await until(() => closed > 0, "it is cut off");
    const most = asked;
    // What sockets and the two buffers hold, and not a page more: it would have gone on for ever.
    assert.ok(most < 200, `${most} pages were asked for`);
    const { whole } = await drain(response);
    assert.ok(!whole);
    assert.equal(asked, most);
  });

  it("ends when its client goes away, also while a page is under way", async () => {
    let answer: (answer: Answer) => void = () => undefined;
    script = (number) => (number === 0 ? page(0, true) : new Promise((resolve) => (answer = resolve)));
    const response = await open();
    await once(response, "data");
    await until(() => asked === 2, "the second page is asked for");
    response.destroy();
    await until(() => closed > 0, "it is closed");
    answer(page(1, true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(asked, 2);
  });

  it("HEAD asks for the first page alone", async () => {
    script = (number) => page(number, true);
    const response = await open("HEAD");
    assert.deepEqual([response.statusCode, response.headers["content-type"]], [200, "application/x-ndjson"]);
    await drain(response);
    await until(() => closed > 0, "it is closed");
    assert.equal(asked, 1);
  });
});
