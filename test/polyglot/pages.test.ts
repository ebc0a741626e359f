/**
 * What the pages on locks and elections show, against a real ensemble: each session with curl word for word, each program in its
 * story, but with longer sessions. Of a lock: a second one waits, the first is stopped while it holds, loses, wakes and is refused. Of an election: the
 * leader is killed, and the next takes over where everybody can see it. `npm test -- polyglot/pages` runs them.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { Ensemble, freePorts, sleep, superUser, until } from "../integration/ensemble.ts";
import { findGrpcurl } from "../integration/grpcurl.ts";
import { TestProxy } from "../integration/test-proxy.ts";
import { acquire, call, openSession, queueOf, release, show } from "../locks/rest-locks.ts";
import { Bindings, type Doors, play, stepsOf } from "./console.ts";
import { Example } from "./example.ts";
import { type Kit, makeReady, type Program, type Ready } from "./make-ready.ts";
import { altered, blocksOf, readPage } from "./page.ts";

/** What may take as long as a session's end and the work of the next, on a machine that is busy with all of them. */
const storyMillis = 90_000;
const locks = readPage("locks");
const elections = readPage("elections");
const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const started: Example[] = [];
/** For what a program that is killed leaves behind. */
const folder = mkdtempSync(join(tmpdir(), "quorate-pages-"));
let ensemble: Ensemble;
let doors: Doors;

before(async () => {
  const [port = 0] = await freePorts(1);
  const portOf = (name: string): string => (name === "gateway 1" ? String(port) : "0");
  ensemble = await Ensemble.start({ environmentOf: (name) => ({ QUORATE_GRPC_PORT: portOf(name) }) });
  doors = { rest: ensemble.gateway.base.replace("http://", ""), grpc: `127.0.0.1:${port}` };
});
after(async () => {
  for (const each of started) await each.kill();
  await ensemble?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Of several that ask at a time one makes it. */
const making = new Map<Kit, Promise<Ready>>();

async function ready(t: TestContext, kit: Kit): Promise<Program | undefined> {
  const begun = making.get(kit) ?? makeReady(kit);
  making.set(kit, begun);
  const made = await begun;
  if ("program" in made) return made.program;
  t.skip(`${kit.name}: ${made.skip}`);
  return undefined;
}

function start(program: Program, ...args: string[]): Example {
  return startAt(ensemble.gateway.base, program, args);
}

function startAt(base: string, program: Program, args: readonly string[]): Example {
  const example = new Example({ ...program, env: { ...program.env, QUORATE: base, TMPDIR: folder } }, args);
  started.push(example);
  return example;
}

async function ends(example: Example): Promise<void> {
  await until(
    () => example.ended !== undefined,
    storyMillis,
    () => `it ends; it printed ${example.output}`,
  );
}

async function says(example: Example, word: string): Promise<void> {
  const said = (): boolean => example.lines.some((line) => line.startsWith(word));
  await until(
    () => said() || example.ended !== undefined,
    storyMillis,
    () => `it says "${word}"; it printed ${example.output}`,
  );
  assert.ok(said(), `it ended (${example.ended}) without "${word}": ${example.output}`);
}

/** The text behind a word, of the first line that begins with it. */
function behind(example: Example, word: string): string {
  return example.lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? "";
}

function counted(example: Example, word: string): number[] {
  return example.lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.slice(word.length + 1)));
}

async function dataOf(path: string): Promise<{ readonly data: string; readonly version: number }> {
  const { json } = await call(ensemble.gateway.base, "GET", `/v1/znodes${path}?format=json`);
  return { data: json.data, version: json.stat?.version };
}

/** Refused, with the token of somebody whose turn is over. */
async function isFenced(path: string, fence: string): Promise<void> {
  const headers = { "quorate-fenced": fence };
  const answer = await call(ensemble.gateway.base, "PUT", `/v1/znodes${path}`, { headers, body: "late" });
  assert.deepEqual([answer.status, answer.code], [412, "fenced"], show(answer));
}

describe("the sessions with curl", { timeout: 400_000 }, () => {
  for (const { name, consoles } of [locks, elections, { name: "README", consoles: readmeConsoles() }]) {
    it(`of ${name} are answered as it says`, async () => {
      assert.ok((await play(consoles.filter(byCurl), doors)) >= 3);
    });
  }

  it("and with grpcurl are answered as they say", async (t) => {
    const found = findGrpcurl();
    if ("missing" in found) return t.skip(found.missing);
    const blocks = [...locks.consoles, ...elections.consoles].filter((block) => !byCurl(block));
    assert.ok((await play(blocks, { ...doors, programs: found.folder })) >= 3);
  });

  it("would be noticed if they were answered otherwise", () => {
    const [step] = stepsOf('$ curl x \\\n  -d y\n{"token":"0x0000000000000001",\n"again":"0x0000000000000001",…}\n');
    assert.equal(step?.command, "curl x \\\n  -d y");
    const expected = step.expected;
    const token = "0x00000000000000aa";
    const bindings = new Bindings();
    assert.ok(!bindings.match(expected, `{"token":"${token}","again":"0x00000000000000ab","rest":1}`), "two things");
    assert.ok(!bindings.match(expected, `{"token":"${token}","rest":1}`), "one missing");
    assert.ok(bindings.match(expected, `{"token":"${token}","again":"${token}","rest":1}`));
    assert.equal(bindings.fill("-H 0x0000000000000001"), `-H ${token}`);
    assert.ok(!bindings.match("0x0000000000000001", "0x00000000000000ab"), "another one later");
  });
});

function byCurl(block: string): boolean {
  return !block.includes("grpcurl");
}

function readmeConsoles(): string[] {
  const [, section = ""] = readme.split("\n## Locks and elections\n");
  return blocksOf(section.split("\n## ")[0] ?? "", "console");
}

describe("the programs of the page on locks", { timeout: 480_000, concurrency: true }, () => {
  for (const kit of locks.programs) {
    it(`${kit.name}: one at a time, and a paused holder is refused`, async (t) => {
      const program = await ready(t, kit);
      if (program !== undefined) await lockStory(program, `lock-${kit.name.toLowerCase()}`);
    });
  }

  for (const kit of locks.programs) {
    it(`${kit.name}: a broken connection costs neither the place nor the lock`, async (t) => {
      const program = await ready(t, kit);
      if (program === undefined) return;
      const proxy = await TestProxy.start(ensemble.gateway.restPort);
      try {
        await brokenConnections(program, `broken-${kit.name.toLowerCase()}`, proxy);
      } finally {
        await proxy.stop();
      }
    });
  }

  it("need the fence: without it the paused holder writes over what the next one did", async (t) => {
    const [shell] = locks.programs;
    assert.ok(shell);
    const fence = ' -H "Quorate-Fenced: $app/migrate=$token"';
    const unfenced = altered(shell, "migrate.sh", import.meta.filename, (text) => {
      assert.ok(text.includes(fence));
      // It has just renewed when it is stopped: else it would ask first, and hear that it has lost the lock.
      const work = "sleep 1 # the work";
      assert.ok(text.includes(work));
      return text.replace(fence, "").replace(work, `[ "$step" != 2 ] || { echo "works" && sleep 5; }; ${work}`);
    });
    const program = await ready(t, unfenced);
    if (program === undefined) return;
    const { first, second } = await pausedWhileItHolds(program, "unfenced", "works");
    await ends(second);
    assert.deepEqual(await dataOf("/unfenced/schema").then(({ data }) => data), "8");
    first.signal("SIGCONT");
    await ends(first);
    const { data } = await dataOf("/unfenced/schema");
    assert.ok(Number(data) < 8, `the schema is ${data}: the paused one wrote nothing; it printed ${first.output}`);
  });
});

/** As its timeout would. */
async function endSession(session: string | undefined): Promise<void> {
  const headers = { authorization: `Basic ${btoa(`${superUser.user}:${superUser.password}`)}` };
  const ended = await call(ensemble.gateway.base, "DELETE", `/v1/sessions/${session}`, { headers });
  assert.equal(ended.status, 200, show(ended));
}

/** The first has done a part, stands still, and has lost the lock to the second. */
async function pausedWhileItHolds(
  program: Program,
  app: string,
  word = "step 2",
): Promise<{ first: Example; second: Example }> {
  const { base } = ensemble.gateway;
  const lock = `${app}/migrate`;
  const waiting = async (count: number): Promise<void> => {
    const waits = async (): Promise<boolean> => (await queueOf(base, lock))?.waiters.length === count;
    await until(waits, storyMillis, `${count} wait`);
  };
  // Held by somebody else until both are there, however long they take to start.
  const holder = await openSession(base, 400_000, "a test");
  assert.ok(holder !== undefined);
  assert.equal((await acquire(base, lock, { session: holder })).status, 200);
  const first = start(program, app);
  await waiting(1);
  const second = start(program, app);
  await waiting(2);
  assert.equal((await release(base, lock, holder)).status, 200);
  await says(first, "held 0x");
  await says(first, word);
  first.signal("SIGSTOP");
  const { json } = await call(base, "GET", `/v1/locks/${lock}`);
  await endSession(json.holders?.[0]?.session);
  await says(second, "held 0x");
  return { first, second };
}

async function lockStory(program: Program, app: string): Promise<void> {
  const { first, second } = await pausedWhileItHolds(program, app);
  const third = start(program, app);
  await ends(second);
  assert.deepEqual([second.ended, second.lines.at(-1)], [0, "released"], second.output);
  await ends(third);
  assert.deepEqual([third.ended, counted(third, "step")], [0, []], `nothing was left to do: ${third.output}`);
  first.signal("SIGCONT");
  await ends(first);
  assert.equal(first.ended, 1, first.output);
  assert.match(first.output, /^lost/m);
  const steps = [...counted(first, "step"), ...counted(second, "step")];
  assert.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8], "each step once, by one of them");
  assert.deepEqual(await dataOf(`/${app}/schema`), { data: "8", version: 7 });
  const tokens = [first, second, third].map((each) => behind(each, "held"));
  assert.deepEqual(tokens, tokens.toSorted(), "tokens grow");
  assert.equal(new Set(tokens).size, 3);
  for (const token of tokens) await isFenced(`/${app}/schema`, `${app}/migrate=${token}`);
}

/** All its connections break while it waits, and while it works; for a while there is no way to the gateway at all. */
async function brokenConnections(program: Program, app: string, proxy: TestProxy): Promise<void> {
  const { base } = ensemble.gateway;
  const lock = `${app}/migrate`;
  const holder = await openSession(base, 120_000, "a test");
  assert.ok(holder !== undefined);
  assert.equal((await acquire(base, lock, { session: holder })).status, 200);
  const example = startAt(`http://${proxy.address}`, program, [app]);
  const places = async (): Promise<string[]> => (await queueOf(base, lock))?.waiters.map(({ znode }) => znode) ?? [];
  await until(async () => (await places()).length === 1, storyMillis, "it waits");
  const place = await places();
  for (let i = 0; i < 3; i++) {
    await until(() => proxy.connections > 0, storyMillis, "it asks again");
    if (i === 1) await outage(proxy);
    else proxy.break();
  }
  assert.deepEqual(await places(), place, "one place, and the same");
  await release(base, lock, holder);
  await says(example, "step 1");
  proxy.break();
  await says(example, "step 3");
  await outage(proxy);
  await ends(example);
  assert.deepEqual([example.ended, example.lines.at(-1)], [0, "released"], example.output);
  assert.deepEqual(counted(example, "step"), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal((await dataOf(`/${app}/schema`)).data, "8");
}

async function outage(proxy: TestProxy): Promise<void> {
  proxy.cut();
  await sleep(1500);
  proxy.heal();
}

describe("the programs of the page on elections", { timeout: 480_000, concurrency: true }, () => {
  for (const kit of elections.programs) {
    it(`${kit.name}: the next leads when the leader dies, and everybody sees it`, async (t) => {
      const program = await ready(t, kit);
      if (program !== undefined) await electionStory(program, `election-${kit.name.toLowerCase()}`);
    });
  }
});

async function electionStory(program: Program, app: string): Promise<void> {
  const { base } = ensemble.gateway;
  const election = `/v1/elections/${app}/leader`;
  // Led by somebody else until both stand, however long they take to start: one leads for some seconds only.
  const nobody = (await openSession(base, 400_000, "a test")) ?? "";
  const headers = { "Quorate-Session": nobody };
  assert.equal((await call(base, "POST", election, { headers, body: "a test" })).status, 200);
  // It keeps the election's znode when all have gone, so that who looks is told so; it is nobody's rival.
  await call(base, "PUT", `/v1/znodes/${app}/leader/note`, { body: "" });
  const stand = async (count: number): Promise<void> => {
    const candidates = async (): Promise<number> => (await call(base, "GET", election)).json.candidates;
    await until(async () => (await candidates()) === count, storyMillis, `${count} are candidates`);
  };
  const observer = start(program, app);
  await says(observer, "leader a test");
  const first = start(program, app, "anna");
  await stand(1);
  const second = start(program, app, "bert");
  await stand(2);
  assert.equal((await call(base, "DELETE", election, { headers })).status, 200);
  await says(first, "tick 1");
  await says(observer, "leader anna, ready");
  await first.kill();
  assert.deepEqual(counted(second, "tick"), [], "one leads at a time");
  const { json } = await call(base, "GET", election);
  await endSession(json.leader?.session);
  await says(observer, "leader bert, ready");
  await ends(second);
  assert.deepEqual([second.ended, second.lines.at(-1)], [0, "resigned"], second.output);
  assert.deepEqual(counted(second, "tick"), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal((await dataOf(`/${app}/clock`)).data, "bert 8");
  const isEmpty = (): boolean => observer.lines.at(-1) === "nobody leads";
  await until(isEmpty, storyMillis, () => `it sees that nobody leads; it printed ${observer.output}`);
  const told = observer.lines.filter((line) => line.includes("ready") || line.startsWith("nobody"));
  assert.deepEqual(told.slice(-3), ["leader anna, ready", "leader bert, ready", "nobody leads"]);
  await observer.kill();
  const tokens = [first, second].map((each) => behind(each, "leads"));
  assert.ok((tokens[0] ?? "") < (tokens[1] ?? ""), `tokens grow: ${tokens}`);
  for (const token of tokens) await isFenced(`/${app}/clock`, `${app}/leader=${token}`);
}
