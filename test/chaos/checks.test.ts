/** Each check of a run, shown failing: with answers that are wrong, and processes that misbehave. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { composeZxid, type Epoch, formatZxid } from "@quorate/api";
import { type CommittedChange, lineOf } from "../integration/committed.ts";
import type { Process } from "../integration/ensemble.ts";
import type { Operation } from "../linearizability/index.ts";
import { SeededRandom } from "../simulation/random.ts";
import { Arena } from "./arena.ts";
import { Hands, pause, type Request } from "./hand.ts";
import { Judge } from "./judge.ts";
import { Logs } from "./logs.ts";
import { Tally } from "./tally.ts";
import { differenceIn } from "./watch-clients.ts";
import { WrittenOnce } from "./written-once.ts";

interface Scripted {
  readonly status: number;
  readonly body: object | string;
  readonly zxid?: number;
}

/** A door that answers what it is told to; answers its address. */
async function door(t: TestContext, answer: (request: IncomingMessage) => Scripted): Promise<string> {
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    const { status, body, zxid = 1 } = answer(request);
    const isProblem = status >= 400 && typeof body === "object";
    response.writeHead(status, {
      "Content-Type": isProblem ? "application/problem+json" : "application/json",
      "Quorate-Zxid": formatZxid(composeZxid(1 as Epoch, zxid)),
    });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

function tallyOf(): { tally: Tally; found: () => string } {
  const tally = new Tally(() => {});
  return { tally, found: () => tally.violations.map((each) => each.what).join("\n") };
}

/** What is found when a door answers so. */
async function foundIn(t: TestContext, answers: readonly Scripted[], request: Partial<Request> = {}): Promise<string> {
  const { tally, found } = tallyOf();
  let at = 0;
  const base = await door(t, () => answers[Math.min(at++, answers.length - 1)] as Scripted);
  const hands = new Hands([base], new SeededRandom(1), tally);
  for (let turn = 0; turn < answers.length; turn++) {
    await hands.send({ method: "PUT", target: "/v1/znodes/a", body: "x", timeoutMillis: 5000, ...request });
  }
  hands.close();
  return found();
}

test("answers against the contract are violations", async (t) => {
  const problem = (status: number, code: string, certainty: string): Scripted => ({
    status,
    body: { code, certainty },
  });
  assert.equal(await foundIn(t, [problem(503, "noLeader", "noEffect"), problem(504, "timeout", "unknown")]), "");
  assert.equal(await foundIn(t, [problem(412, "badVersion", "noEffect")]), "");
  assert.match(await foundIn(t, [problem(503, "noLeader", "unknown")]), /its certainty does not/);
  assert.match(await foundIn(t, [problem(504, "timeout", "noEffect")]), /its certainty does not/);
  assert.match(await foundIn(t, [{ status: 502, body: "<html>" }]), /its certainty does not/);
  assert.match(await foundIn(t, [problem(500, "internal", "unknown")]), /an internal fault/);
  assert.match(await foundIn(t, [problem(422, "keyReused", "noEffect")]), /nobody asked for that/);
});

test("an answer older than what was acknowledged before it was sent is a violation", async (t) => {
  const at = (zxid: number): Scripted => ({ status: 200, body: {}, zxid });
  assert.equal(await foundIn(t, [at(5), at(6)]), "");
  assert.match(await foundIn(t, [at(5), at(5)]), /had been acknowledged/, "no two writes are one transaction");
  assert.match(await foundIn(t, [at(5), at(4)]), /had been acknowledged/);
  const read = { method: "GET", isRead: true } as const;
  assert.equal(await foundIn(t, [at(5), at(5)], read), "");
  assert.match(await foundIn(t, [at(5), at(4)], read), /had been acknowledged/);
});

test("a repeat under one key that is answered otherwise is a violation", async (t) => {
  const { tally, found } = tallyOf();
  let version = 0;
  const base = await door(t, () => ({ status: 200, body: { version: version++ }, zxid: version }));
  const hands = new Hands([base], new SeededRandom(1), tally);
  for (let turn = 0; turn < 10; turn++) {
    await hands.send({ method: "PUT", target: "/v1/znodes/a", body: "x", timeoutMillis: 5000, key: `k${turn}` });
  }
  hands.close();
  assert.match(found(), /one key, several answers/);
});

test("two leaders of one epoch are a violation; gaps are excused by what stops writes alone", async () => {
  const { tally, found } = tallyOf();
  tally.led(1, 1);
  tally.led(2, 3);
  tally.led(1, 1);
  assert.deepEqual([found(), tally.leaderChanges, tally.newestLeader], ["", 1, 3]);
  tally.led(2, 1);
  assert.match(found(), /epoch 2 has two leaders: 3 and 1/);
  const write = (counter: number): void => tally.answered("PUT", composeZxid(1 as Epoch, counter), 0, true);
  const from = performance.now();
  write(1);
  await pause(750);
  write(2);
  tally.excuse(from, performance.now());
  assert.equal(tally.settleGaps(), 0);
  await pause(750);
  write(3);
  assert.ok(tally.settleGaps() > 740 && tally.longestGap > 740);
  assert.doesNotMatch(found(), /nothing was written/);
  await pause(750);
  write(4);
  tally.settleGaps(700);
  assert.match(found(), /nothing was written for \d+ ms, with a majority there/);
  assert.equal(tally.outages(0).length, 3);
  tally.holdUp();
  assert.equal(tally.outages(0).length, 4);
});

test("a watch that loses, doubles or reorders an event, or tells of none, is found", () => {
  const change = (counter: number, path: string): CommittedChange => {
    const zxid = composeZxid(1 as Epoch, counter);
    return { zxid, czxid: zxid, type: "created", path, version: 0 };
  };
  const all = [change(1, "/a"), change(2, "/b"), change(3, "/a/c"), change(4, "/a/d"), change(5, "/b/e")];
  const scopes = { nodes: ["/b"], children: [], subtrees: ["/a"] };
  const lines = all.slice(0, 4).map(lineOf);
  const [a, b, c, d] = lines as [string, string, string, string];
  const zxidOf = (line: string): string => line.slice(0, 18);
  const wrong = (after: string, told: readonly string[]): boolean =>
    differenceIn(all, scopes, after, told) !== undefined;
  assert.ok(
    !wrong(zxidOf(a), [b, c, d]) &&
      !wrong(zxidOf(a), [b]) &&
      !wrong(zxidOf(d), []) &&
      !wrong("0x0000000000000000", lines),
  );
  assert.ok(wrong(zxidOf(a), [b, d]), "lost");
  assert.ok(wrong(zxidOf(a), [b, b, c, d]), "doubled");
  assert.ok(wrong(zxidOf(a), [b, d, c]), "reordered");
  assert.ok(wrong(zxidOf(a), [c, d]), "lost at first");
  assert.ok(wrong(zxidOf(a), [b, c, d, lineOf(all[4] as CommittedChange)]), "of no scope");
});

test("an acknowledged write that is gone, and one without effect that is there, are violations", async (t) => {
  const { tally, found } = tallyOf();
  const children: string[] = [];
  const base = await door(t, ({ method = "", url = "" }) => {
    if (method === "GET") return { status: 200, body: { children: children.map((name) => ({ name, data: name })) } };
    const name = url.slice(url.lastIndexOf("/") + 1);
    if (name === "w1") return { status: 503, body: { code: "noLeader", certainty: "noEffect" } };
    if (name === "w2") return { status: 504, body: { code: "timeout", certainty: "unknown" } };
    if (name.startsWith("w")) children.push(name);
    return { status: 201, body: {}, zxid: children.length + 1 };
  });
  const hands = new Hands([base], new SeededRandom(1), tally);
  const ledger = new WrittenOnce(hands);
  for (let turn = 0; turn < 6; turn++) await ledger.step(() => true);
  hands.close();
  assert.deepEqual(children, ["w0", "w3", "w4", "w5"]);
  await ledger.verify("a door", base, tally);
  children.push("w2");
  await ledger.verify("a door", base, tally);
  assert.equal(found(), "");
  children.splice(children.indexOf("w3"), 1, "w1");
  await ledger.verify("a door", base, tally);
  assert.match(found(), /acknowledged writes are gone.*w3\n.*writes without effect.*w1/);
});

test("a wrong history is found and kept", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-judge-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { tally, found } = tallyOf();
  const judge = new Judge(tally, folder);
  const history = (object: string, value: string): readonly Operation[] => {
    const common = { process: 0, model: "registers", object } as const;
    const put = { kind: "put", key: "a", value: "one" } as const;
    const znode = { value, version: 0, mzxid: 7 };
    return [
      { ...common, id: 0, invoked: 0, answered: 1, call: put, answer: ok({ kind: "put", version: 0, mzxid: 7 }, 7) },
      {
        ...common,
        id: 1,
        invoked: 2,
        answered: 3,
        call: { kind: "read", key: "a" },
        answer: ok({ kind: "read", znode }, 7),
      },
    ];
  };
  await judge.judge("/right", { operations: history("/right", "one") });
  await judge.judge("/wrong", { operations: history("/wrong", "two") });
  await judge.stop();
  assert.equal(judge.objects, 2);
  assert.match(found(), /\/wrong/);
  assert.doesNotMatch(found(), /\/right/);
  assert.deepEqual(readdirSync(folder), ["history-wrong.txt"]);
});

function ok<Result>(result: Result, zxid: number): { kind: "ok"; result: Result; zxid: number } {
  return { kind: "ok", result, zxid };
}

test("a stack trace in what a process prints is a violation", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-logs-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { tally, found } = tallyOf();
  const process = { name: "replica 1", output: "serves\nTypeError: no\n" } as Process;
  const logs = new Logs(folder, [process], tally);
  logs.drain();
  assert.equal(found(), "");
  process.output += "    at Replica.step (replica.ts:1:1)\n";
  logs.drain();
  assert.match(found(), /replica 1 notes a fault of its own/);
});

test("a replica that ends by itself, one that is away, an ephemeral left behind: each is seen", async (t) => {
  const { tally, found } = tallyOf();
  const folder = mkdtempSync(join(tmpdir(), "quorate-end-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const marker = join(folder, "end");
  const program = `import{existsSync}from"node:fs";setInterval(()=>existsSync(${JSON.stringify(marker)})&&process.exit(3),50)`;
  const ending = `data:text/javascript,${encodeURIComponent(program)}`;
  const arena = await Arena.start({ members: 3, tally, imports: (name) => (name === "replica 2" ? [ending] : []) });
  t.after(() => arena.close());
  const { base } = arena.ensemble.gateway;
  const json = { "Content-Type": "application/json" };
  const body = JSON.stringify({ timeout: "30s", name: "l0-0-0" });
  const opened = await fetch(`${base}/v1/sessions`, { method: "POST", headers: json, body });
  const { id, secret } = (await opened.json()) as { id: string; secret: string };
  assert.deepEqual(await arena.ephemeralsLeft(0), []);
  const headers = { "Quorate-Session": `${id}:${secret}` };
  assert.equal((await fetch(`${base}/v1/znodes/l0?ephemeral=true`, { method: "PUT", headers, body: "" })).status, 201);
  assert.deepEqual(await arena.ephemeralsLeft(0), ["l0-0-0"]);
  assert.equal(await arena.serves(60_000), "");
  assert.equal(await arena.isEqual(60_000), "");
  writeFileSync(marker, "");
  for (const end = performance.now() + 60_000; found() === "" && performance.now() < end; ) await pause(50);
  assert.match(found(), /replica 2 ended by itself: 3/);
  assert.match(await arena.serves(0), /replica 2: silent/);
  assert.notEqual(await arena.isEqual(0), "");
});
