/**
 * Processes that are stopped (SIGSTOP) and go on: the leader, a follower, two of three. No door answers an old value at
 * any moment, nobody who renewed is expired, and writes without a quorum end at their time limit.
 */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { ask, ClientSession, type Reply, show, spread } from "./door-client.ts";
import { Ensemble, type Process, sleep, statusOf, until } from "./ensemble.ts";
import { type Consistency, FreshnessChecker } from "./freshness-checker.ts";
import { inTime } from "./in-time.ts";

const pauseMillis = Number(process.env["QUORATE_PAUSE_MILLIS"] ?? 8000);
let ensemble: Ensemble;
const checkers: FreshnessChecker[] = [];

before(async () => {
  ensemble = await Ensemble.start({ gateways: 2 });
});
after(async () => {
  // Of a test that failed.
  const stopping = checkers.map((each) => each.stop());
  await ensemble.stop();
  await Promise.allSettled(stopping);
});

function gatewayBases(): string[] {
  return ensemble.gateways.map((each) => each.base);
}

function doors(): Map<string, string> {
  return new Map([...ensemble.gateways, ...ensemble.replicas].map((each) => [each.name, each.base]));
}

async function goneOn(process: Process): Promise<void> {
  process.signal("SIGCONT");
  await until(async () => (await statusOf(process)).serving, 15_000, `${process.name} serves again`);
}

function noViolation(checker: FreshnessChecker): void {
  assert.deepEqual(
    checker.violations.slice(0, 10),
    [],
    `${checker.violations.length} reads were wrong; ${checker.summary()}`,
  );
}

/** So many reads of each kind at least were answered with a value at each door: the checker looked. */
function lookedEnough(checker: FreshnessChecker, least: number): void {
  for (const door of doors().keys()) {
    for (const consistency of ["linearizable", "session", "stale"] satisfies Consistency[]) {
      const count = checker.count(door, consistency, 200);
      assert.ok(count >= least, `${count} ${consistency} reads at ${door} were answered`);
    }
  }
}

/** Keeps a session through the doors that `bases` names, for as long as `going`; answers what went wrong. */
async function keep(
  session: ClientSession,
  place: number,
  bases: readonly string[],
  going: () => boolean,
): Promise<string[]> {
  const faults: string[] = [];
  const headers = { "quorate-timeout": "1s" };
  for (let turn = place; going(); turn++) {
    const base = bases[turn % bases.length] ?? "";
    const renewed = await session.renew(base);
    // Its time may be over where this machine was late.
    const isLate = renewed.status === 410 && renewed.receivedAt > session.heldUntil;
    if (![200, 503, 504].includes(renewed.status) && !isLate) faults.push(`${session.id} renewed: ${show(renewed)}`);
    const there = await ask(base, "HEAD", `/v1/znodes/held-${session.id}`, { headers });
    if (there.status === 404 && there.receivedAt < session.heldUntil) {
      faults.push(`${session.id}: gone ${Math.round(session.heldUntil - there.receivedAt)} ms before its time`);
    }
    await sleep(session.timeoutMillis / 3);
  }
  return faults;
}

test("the leader is stopped for a while: nothing old is read, nobody who renewed expires", async (t) => {
  const checker = new FreshnessChecker({ writers: gatewayBases(), readers: doors() });
  checkers.push(checker);
  await checker.start();
  const old = await ensemble.leader();
  const { epoch: led } = await statusOf(ensemble.replica(old));
  const others = [...doors()].filter(([name]) => name !== `replica ${old}`).map(([, base]) => base);
  const sessions = await Promise.all(
    Array.from({ length: 8 }, (_, i) => ClientSession.open(others[i % others.length] ?? "", 3000)),
  );
  for (const each of sessions) {
    const made = await each.put(others[0] ?? "", `/held-${each.id}`);
    assert.equal(made.status, 201, show(made));
  }
  let going = true;
  const keeping = sessions.map((each, i) => keep(each, i, others, () => going));
  await sleep(500);
  const stoppedAt = performance.now();
  ensemble.replica(old).signal("SIGSTOP");
  await sleep(pauseMillis);
  await until(async () => (await ensemble.leader()) !== old, 30_000, "another one leads");
  const written = (): number => checker.acknowledged.filter(({ at }) => at > stoppedAt).length;
  await until(() => written() >= 10, 10_000, "writes go on while the old leader is stopped");
  const writtenMeanwhile = written();
  await goneOn(ensemble.replica(old));
  await sleep(1500);
  going = false;
  const faults = (await Promise.all(keeping)).flat();
  await checker.stop();
  assert.deepEqual(faults, []);
  for (const each of sessions) {
    const there = await ask(others[0] ?? "", "HEAD", `/v1/znodes/held-${each.id}`);
    // Only this machine could be so slow.
    if (each.longestGap >= each.timeoutMillis || there.receivedAt >= each.heldUntil) continue;
    assert.equal(there.status, 200, `it was renewed all the time, longest gap ${Math.round(each.longestGap)} ms`);
  }
  noViolation(checker);
  lookedEnough(checker, 5);
  const { role, epoch } = await statusOf(ensemble.replica(old));
  assert.ok(role === "following" || epoch > led + 1, `${role} in epoch ${epoch}`);
  await ensemble.settled();
  t.diagnostic(checker.summary());
  t.diagnostic(
    `gap in writes ${Math.round(checker.longestGap(stoppedAt - 100))} ms, ${writtenMeanwhile} written meanwhile`,
  );
  t.diagnostic(`longest time between answered renewals of 3 s: ${spread(sessions.map((each) => each.longestGap))}`);
});

test("a follower is stopped for a while: writes go on, nothing old is read", async (t) => {
  const checker = new FreshnessChecker({ writers: gatewayBases(), readers: doors(), path: "/counter-2" });
  checkers.push(checker);
  await checker.start();
  await inTime(t, "the longest gap in writes while a follower was stopped", 2000, async () => {
    const follower = ensemble.replica(((await ensemble.leader()) % 3) + 1);
    await sleep(500);
    const stoppedAt = performance.now();
    const written = (): number => checker.acknowledged.filter(({ at }) => at > stoppedAt).length;
    follower.signal("SIGSTOP");
    try {
      await sleep(2500);
      await until(() => written() >= 10, 30_000, "writes go on while a follower is stopped");
      return [checker.longestGap(stoppedAt)];
    } finally {
      await goneOn(follower);
      await sleep(1000);
    }
  });
  await checker.stop();
  noViolation(checker);
  lookedEnough(checker, 5);
  await ensemble.settled();
  t.diagnostic(checker.summary());
});

interface Tried {
  readonly path: string;
  readonly reply: Reply;
}

const limitMillis = 1000;

/** Writes at each of `bases` for as long as `millis`; each of a path of its own. */
async function writeWithoutQuorum(name: string, bases: readonly string[], millis: number): Promise<Tried[]> {
  const end = performance.now() + millis;
  const tried: Promise<Tried>[] = [];
  for (let turn = 0; performance.now() < end; turn++) {
    const path = `/${name}-${turn}`;
    const headers = { "quorate-timeout": `${limitMillis}ms` };
    const base = bases[turn % bases.length] ?? "";
    tried.push(ask(base, "PUT", `/v1/znodes${path}`, { headers, body: "1" }).then((reply) => ({ path, reply })));
    await sleep(60);
  }
  return await Promise.all(tried);
}

/** What operators and balancers ask is answered by processes that have no leader. */
async function answersWithoutLeader(living: Process): Promise<void> {
  const seen = async (): Promise<number> =>
    ((await (await fetch(`${living.base}/v1/cluster`)).json()) as { leader: number }).leader;
  await until(async () => (await seen()) === 0, 6000, `${living.name} sees that nobody leads`);
  assert.equal((await fetch(`${living.base}/readyz`)).status, 200, "no leader does not fail readiness");
  const strict = await ask(living.base, "GET", "/readyz?require=leader");
  assert.equal(strict.status, 503, show(strict));
  assert.equal(strict.code, "noLeader");
  assert.equal((await fetch(`${living.base}/livez`)).status, 200);
}

/** Answers how long they took behind their time limit. */
async function checkTried(t: TestContext, tried: readonly Tried[]): Promise<number[]> {
  const took = tried.map(({ reply }) => reply.receivedAt - reply.sentAt);
  const outcomes = new Map<string, number>();
  for (const { path, reply } of tried) {
    const { status, certainty } = reply;
    assert.ok([502, 503, 504].includes(status), `${path} without a quorum: ${show(reply)}`);
    assert.equal(certainty, status === 503 ? "noEffect" : "unknown", show(reply));
    const there = await ask(ensemble.gateway.base, "GET", `/v1/znodes${path}`);
    if (status === 503) assert.equal(there.status, 404, `${path} was said to have no effect, is there: ${show(reply)}`);
    else assert.ok(there.status === 404 || there.status === 200, show(there));
    const outcome = `${status} then ${there.status}`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  t.diagnostic(
    `ended after ${spread(took)} with a limit of ${limitMillis} ms; ${JSON.stringify(Object.fromEntries(outcomes))}`,
  );
  return took.map((millis) => millis - limitMillis);
}

async function withoutQuorum(t: TestContext, name: string, stopped: readonly number[]): Promise<number[]> {
  const living = ensemble.replicas.filter((_, at) => !stopped.includes(at + 1));
  const processes = [...living, ...ensemble.gateways];
  for (const id of stopped) ensemble.replica(id).signal("SIGSTOP");
  const [tried, late] = await triedWithout(name, processes).finally(() => {
    for (const id of stopped) ensemble.replica(id).signal("SIGCONT");
  });
  await ensemble.ready();
  await ensemble.settled();
  const behind = await checkTried(t, [...tried, ...late]);
  const later = await ask(ensemble.gateway.base, "PUT", `/v1/znodes/${name}-after`, { body: "1" });
  assert.equal(later.status, 201, show(later));
  // Again, behind another write: nothing of what was answered changes later.
  for (const { path, reply } of tried) {
    if (reply.status !== 503) continue;
    const there = await ask(ensemble.gateway.base, "GET", `/v1/znodes${path}`);
    assert.equal(there.status, 404, `${path} appeared later`);
  }
  return behind;
}

async function triedWithout(name: string, processes: readonly Process[]): Promise<[Tried[], Tried[]]> {
  const bases = processes.map((each) => each.base);
  // What was under way may still be done; from here on there is no quorum.
  await sleep(50);
  const writing = writeWithoutQuorum(name, bases, 4000);
  await Promise.all(processes.map((each) => answersWithoutLeader(each)));
  const tried = await writing;
  const late = await writeWithoutQuorum(`${name}-late`, bases, 300);
  const all503 = late.every(({ reply }) => reply.status === 503);
  assert.ok(all503, "without a leader a write never leaves the gateway");
  return [tried, late];
}

const limitKept = "the end of a write without a quorum behind its time limit";

test("both followers are stopped: a write ends at its time limit, and is what it was said to be", async (t) => {
  await inTime(t, limitKept, 1000, async (number) => {
    const leader = await ensemble.leader();
    const others = [1, 2, 3].filter((id) => id !== leader);
    return withoutQuorum(t, `alone-${number}`, others);
  });
});

test("the leader and a follower are stopped: the same", async (t) => {
  await inTime(t, limitKept, 1000, async (number) => {
    const leader = await ensemble.leader();
    return withoutQuorum(t, `left-${number}`, [leader, (leader % 3) + 1]);
  });
});
