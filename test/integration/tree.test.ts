/** Listings through real processes: of one zxid while writers are at work, and cut off, not mixed, when their replica goes. */
import assert from "node:assert/strict";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { after, before, describe, it } from "node:test";
import { Ensemble } from "./ensemble.ts";

const pairs = 1200;
/** All of it is far more than what sockets hold. */
const filler = "x".repeat(5000);

interface Line {
  readonly zxid?: string;
  readonly path?: string;
  readonly stat?: { readonly mzxid: string; readonly numChildren: number };
  readonly data?: string;
  readonly end?: boolean;
  readonly count?: number;
}

interface Listed {
  readonly lines: readonly Line[];
  /** The answer ended as HTTP says; cut off otherwise. */
  readonly whole: boolean;
}

/** `firstRead` is awaited when the first bytes have come; until then nothing more is read. */
function list(base: string, query: string, firstRead: () => Promise<void> = async () => {}): Promise<Listed> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${base}/v1/tree/${query}`,
      (response) => void read(response, firstRead).then(resolve, reject),
    );
    request.on("error", reject);
    request.end();
  });
}

async function read(response: IncomingMessage, firstRead: () => Promise<void>): Promise<Listed> {
  assert.equal(response.statusCode, 200);
  let text = "";
  let first = true;
  try {
    for await (const chunk of response.setEncoding("utf8")) {
      text += chunk as string;
      if (first) await firstRead();
      first = false;
    }
  } catch {
    // Cut off.
  }
  const lines = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter(Boolean);
  return { lines: lines.map((line) => JSON.parse(line) as Line), whole: response.complete };
}

/** One may be cut off when the leader is another one, as where this machine stands still. */
async function listWhole(base: string): Promise<Listed> {
  for (let tries = 1; ; tries++) {
    const listed = await list(base, "t?data=true");
    if (listed.whole || tries === 5) return listed;
  }
}

/** Both of each pair are always written in one transaction. */
function judge({ lines, whole }: Listed, below: string): void {
  assert.ok(whole);
  const [head, ...rest] = lines;
  const zxid = head?.zxid ?? "";
  assert.match(zxid, /^0x[0-9a-f]{16}$/);
  assert.deepEqual(rest.pop(), { end: true, count: rest.length });
  const values = new Map<string, string>();
  for (const { path = "", data = "", stat } of rest) {
    assert.ok((stat?.mzxid ?? "~") <= zxid, `${path} was written at ${stat?.mzxid}, behind ${zxid}`);
    values.set(path.slice(below.length), data);
  }
  assert.equal(values.size, 2 * pairs + 3);
  for (let i = 0; i < pairs; i++) {
    const [a, b] = [values.get(`/a/${i}`), values.get(`/b/${i}`)];
    assert.ok(a !== undefined && a === b, `the pair ${i} differs: ${a?.slice(0, 20)}, ${b?.slice(0, 20)}`);
  }
}

describe("a listing", () => {
  let ensemble: Ensemble;
  let base = "";
  let written = 0;
  before(async () => {
    ensemble = await Ensemble.start();
    base = ensemble.gateway.base;
    for (const path of ["t", "t/a", "t/b"]) await fetch(`${base}/v1/znodes/${path}`, { method: "PUT" });
    for (let i = 0; i < pairs; i += 100) await write(Array.from({ length: 100 }, (_, k) => i + k));
  });
  after(() => ensemble?.stop());

  async function write(which: readonly number[]): Promise<void> {
    const then = which.flatMap((i) => {
      const data = `${++written} ${filler}`;
      return ["a", "b"].map((side) => ({ op: "put", path: `/t/${side}/${i}`, data }));
    });
    const body = JSON.stringify({ then });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${base}/v1/txn`, { method: "POST", headers, body });
    await answer.text();
    assert.ok(answer.ok || answer.status >= 500, String(answer.status));
  }

  /** Writes pairs one after the other until `run` is through. */
  async function meanwhile<T>(run: () => Promise<T>): Promise<T> {
    let over = false;
    const writer = async (seed: number): Promise<void> => {
      for (let i = seed; !over; i = (i * 31 + 7) % pairs) await write([i]).catch(() => undefined);
    };
    const writers = [1, 2, 3, 4].map(writer);
    try {
      return await run();
    } finally {
      over = true;
      await Promise.all(writers);
    }
  }

  it("is of one zxid, however slowly it is read, for each of many", async () => {
    await meanwhile(async () => {
      const before = written;
      const readers = Array.from({ length: 4 }, (_, i) =>
        list(base, "t?data=true", async () => {
          // Until enough has changed of what is still to come.
          while (written < before + 60 * (i + 1)) await new Promise((resolve) => setTimeout(resolve, 20));
        }),
      );
      for (const each of await Promise.all(readers)) judge(each, "/t");
    });
  });

  it("is the same through every replica's own door", async () => {
    for (const replica of ensemble.replicas) judge(await listWhole(replica.base), "/t");
  });

  it("is cut off when its replica goes, and whole when it is asked for again", async () => {
    const leader = ensemble.replica(await ensemble.leader());
    const cut = await list(base, "t?data=true", () => leader.kill());
    // What the gateway had already was sent; the rest is at no other replica.
    assert.ok(!cut.whole, `${cut.lines.length} lines came`);
    assert.ok(!cut.lines.some((each) => each.end), "no last line");
    leader.start();
    await ensemble.leader();
    judge(await listWhole(base), "/t");
  });
});
