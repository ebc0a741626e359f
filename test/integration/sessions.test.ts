/**
 * Sessions, TTLs and containers against real processes, on the client's own monotonic clock: nothing goes before the
 * last answered renewal plus the timeout, counted from sending. That it goes within a second more has to be seen, not
 * every time: a machine that stands still, or changes its leader meanwhile, makes all of them late.
 */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import {
  type Asked,
  ask,
  ClientSession,
  type Disappearance,
  type Reply,
  show,
  spread,
  watchGone,
} from "./door-client.ts";
import { Ensemble, sleep } from "./ensemble.ts";
import { inTime } from "./in-time.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 1);
const graceMillis = 1000;
/** A renewal that has to succeed is waited for, whoever leads meanwhile. */
const renewalLimit = "20s";
/** That something is still there so long after its time is a fault on any machine. */
const patienceMillis = 60_000;
let ensemble: Ensemble;

before(async () => {
  ensemble = await Ensemble.start({ gateways: 2 });
});
after(() => ensemble.stop());

function gatewayBases(): string[] {
  return ensemble.gateways.map((each) => each.base);
}

function allBases(): string[] {
  return [...gatewayBases(), ...ensemble.replicas.filter((each) => each.running).map((each) => each.base)];
}

/** Not before `earliest`; answers how late it was seen, after `earliest`. */
function lateness(what: string, seen: Disappearance, earliest: number): number {
  const early = Math.round(earliest - seen.firstGoneAt);
  assert.ok(seen.firstGoneAt >= earliest, `${what} was gone ${early} ms before its time`);
  return seen.firstGoneAt - earliest;
}

/** The session was over, and might be: it is this machine that was late. */
function isTooLate(session: ClientSession | undefined, { status, code, receivedAt }: Reply): boolean {
  return status === 410 && code === "sessionExpired" && receivedAt > (session?.heldUntil ?? 0);
}

/** Answers how late it went, or nothing where this machine let its time run out before it was renewed. */
async function expireOne(place: number, name: string): Promise<number | undefined> {
  const bases = allBases();
  const door = (step: number): string => bases[(place + step) % bases.length] ?? "";
  // Apart from each other, so that nobody's renewal makes the leader confirmed just before another's.
  await sleep(70 * place);
  const session = await ClientSession.open(door(0), [1000, 1370, 2000][place % 3] ?? 1000);
  const made = await session.put(door(1), `/${name}`);
  if (isTooLate(session, made)) return undefined;
  assert.equal(made.status, 201, show(made));
  const renewed = await session.renew(door(2), renewalLimit);
  if (isTooLate(session, renewed)) return undefined;
  assert.equal(renewed.status, 200, show(renewed));
  const { heldUntil } = session;
  const window = { from: heldUntil - 300, until: heldUntil + patienceMillis };
  const late = lateness(name, await watchGone([door(3)], `/${name}`, made.zxid, window), heldUntil);
  const over = await session.renew(door(4), renewalLimit);
  assert.equal(over.status, 410, show(over));
  assert.equal(over.code, "sessionExpired");
  return late;
}

test("an ephemeral goes when its session expires", async (t) => {
  for (let round = 0; round < rounds; round++) {
    await inTime(t, "expired after the last answered renewal plus the timeout", graceMillis, async (number) => {
      const all = Array.from({ length: 12 }, (_, place) => expireOne(place, `gone-${round}-${number}-${place}`));
      return (await Promise.all(all)).map((each) => each ?? Number.POSITIVE_INFINITY);
    });
  }
});

/** Five requests of many kinds at a time, all with the session's header, until `enough`; answers how many. */
async function work(door: string, session: ClientSession, place: number, enough: () => boolean): Promise<number> {
  const headers = { "quorate-session": session.header };
  const json = { ...headers, "content-type": "application/json" };
  let asked = 0;
  const expect = async (status: number, method: string, path: string, init: Asked): Promise<void> => {
    const answer = await ask(door, method, path, init);
    const late = answer.receivedAt > session.heldUntil ? " (the renewals were late)" : "";
    assert.equal(answer.status, status, `${method} ${path} through ${door}${late}: ${show(answer)}`);
    asked++;
  };
  const path = `/three/kept-${place}`;
  const kept = `/v1/znodes${path}`;
  await expect(201, "PUT", `${kept}?ephemeral=true`, { headers, body: "0" });
  while (!enough()) {
    await expect(200, "PUT", `${kept}?ephemeral=true`, { headers, body: "1" });
    await expect(200, "GET", kept, { headers });
    await expect(201, "POST", "/v1/znodes/three?prefix=item-&ephemeral=true", { headers, body: "" });
    const txn = { check: [{ path, owner: "self" }], then: [{ op: "put", path, data: "from a txn" }] };
    await expect(200, "POST", "/v1/txn", { headers: json, body: JSON.stringify(txn) });
    await expect(200, "GET", `/v1/sessions/${session.id}`, { headers });
  }
  return asked;
}

test("one session through three gateways at once: no 409, no expiry", async (t) => {
  const doors = [...gatewayBases(), ensemble.replica(await otherThanLeader()).base];
  const session = await ClientSession.open(doors[0] ?? "", 30_000);
  const headers = { "quorate-session": session.header };
  const made = await session.put(doors[1] ?? "", "/three", "?container=true");
  assert.equal(made.status, 201, show(made));
  let turns = 0;
  let ended = false;
  const renew = async (door: string): Promise<number> => {
    for (let renewals = 0; ; renewals++) {
      if (ended) return renewals;
      const renewed = await session.renew(door, renewalLimit);
      assert.equal(renewed.status, 200, `renewal through ${door}: ${show(renewed)}`);
      await sleep(250);
    }
  };
  const renewing = Promise.all(doors.map(renew));
  renewing.catch(() => undefined);
  const enough = (): boolean => turns++ >= 200;
  const working = Array.from({ length: 12 }, (_, place) => work(doors[place % 3] ?? "", session, place, enough));
  const worked = await Promise.all(working).finally(() => {
    ended = true;
  });
  const asked = worked.reduce((sum, each) => sum + each, 0);
  const renewals = (await renewing).reduce((sum, each) => sum + each, 0);
  assert.ok(asked >= 1000);
  const left = await ask(doors[0] ?? "", "GET", `/v1/sessions/${session.id}`, { headers });
  const { ephemerals } = JSON.parse(left.text) as { ephemerals: string[] };
  assert.equal(ephemerals.filter((each) => each.startsWith("/three/kept-")).length, 12);
  const items = ephemerals.filter((each) => each.startsWith("/three/item-")).length;
  assert.equal(items, 200);
  t.diagnostic(`${asked} requests and ${renewals} renewals of one session through 3 gateways, ${items} items made`);
  const closed = await ask(doors[2] ?? "", "DELETE", `/v1/sessions/${session.id}`, { headers });
  assert.equal(closed.status, 200, show(closed));
  assert.equal(JSON.parse(closed.text).deleted, ephemerals.length);
});

async function otherThanLeader(): Promise<number> {
  const leader = await ensemble.leader();
  return leader === 1 ? 2 : 1;
}

/** The stamps may run faster than this clock by a tenth, while they are behind the leader's wall clock. */
function shortest(ttlMillis: number): number {
  return ttlMillis / 1.1;
}

async function ttlOne(place: number, name: string): Promise<number> {
  const bases = allBases();
  const base = bases[place % bases.length] ?? "";
  const ttl = [1000, 1250, 1900, 2500][place % 4] ?? 1000;
  const path = `/v1/znodes/${name}?ttl=${ttl}ms`;
  await sleep(83 * place);
  const made = await ask(base, "PUT", path, { body: "0" });
  assert.equal(made.status, 201, show(made));
  let last = made;
  for (let turn = 0; turn < place % 3; turn++) {
    // Renewed when more than half of its time is over: without the PUT it would go before the next one.
    await sleep(ttl * 0.7);
    const former = last;
    last = await ask(base, "PUT", path, { body: String(turn) });
    // Made anew only where this machine let the time run out.
    const statuses = last.receivedAt < former.sentAt + shortest(ttl) ? [200] : [200, 201];
    assert.ok(statuses.includes(last.status), `the PUT that renews the TTL finds it: ${show(last)}`);
  }
  const earliest = last.sentAt + shortest(ttl);
  const window = { from: earliest - 300, until: earliest + patienceMillis };
  return lateness(name, await watchGone([base], `/${name}`, last.zxid, window), earliest) - (ttl - shortest(ttl));
}

async function container(number: number): Promise<number> {
  const [base = ""] = gatewayBases();
  const [empty, emptied] = [`empty-${number}`, `emptied-${number}`];
  for (const name of [empty, emptied]) {
    const made = await ask(base, "PUT", `/v1/znodes/${name}?container=true`, { body: "" });
    assert.equal(made.status, 201, show(made));
  }
  for (const name of ["a", "b"]) {
    const child = await ask(base, "PUT", `/v1/znodes/${emptied}/${name}`, { body: "" });
    assert.equal(child.status, 201, show(child));
  }
  assert.equal((await ask(base, "DELETE", `/v1/znodes/${emptied}/a`)).status, 200);
  await sleep(1500);
  const last = await ask(base, "DELETE", `/v1/znodes/${emptied}/b`);
  assert.equal(last.status, 200, `a container with a child stays: ${show(last)}`);
  const window = { from: last.sentAt, until: last.sentAt + patienceMillis };
  const seen = await watchGone([base], `/${emptied}`, last.zxid, window);
  assert.equal((await ask(base, "HEAD", `/v1/znodes/${empty}`)).status, 200, "one that never had a child stays");
  return lateness("the container", seen, last.sentAt);
}

test("TTL znodes and containers go in time", async (t) => {
  const containers = inTime(
    t,
    "the container went after the deletion of its last child was sent",
    graceMillis,
    async (number) => [await container(number)],
  );
  const znodes = inTime(t, "TTL znodes went after their last PUT plus the TTL", graceMillis, (number) =>
    Promise.all(Array.from({ length: 12 }, (_, place) => ttlOne(place, `ttl-${number}-${place}`))),
  );
  await Promise.all([containers, znodes]);
});

/** Renews through the gateways until `ended`; answers whether the session was there all the time. */
async function keepAlive(session: ClientSession, place: number, ended: () => boolean): Promise<boolean> {
  const bases = gatewayBases();
  for (let turn = place; !ended(); turn++) {
    const renewed = await session.renew(bases[turn % bases.length] ?? "");
    // Its time may be over where this machine stood still.
    if (renewed.status === 410 && renewed.receivedAt > session.heldUntil) return false;
    const gap = Math.round(session.longestGap);
    assert.notEqual(renewed.status, 410, `renewed all the time, gap ${gap} ms: ${show(renewed)}`);
    await sleep(session.timeoutMillis / 3);
  }
  return true;
}

async function opened(count: number, timeoutMillis: number): Promise<ClientSession[]> {
  const bases = gatewayBases();
  const sessions = Array.from({ length: count }, (_, i) => ClientSession.open(bases[i % 2] ?? "", timeoutMillis));
  return Promise.all(sessions);
}

/** Kills the leader in the midst of the sessions' time; answers how late each was gone. */
async function goneAcrossKill(t: TestContext, left: readonly ClientSession[], timeout: number): Promise<number[]> {
  const bases = gatewayBases();
  const made = await Promise.all(left.map((each) => each.put(bases[0] ?? "", `/over-${each.id}`)));
  const renewing = left.map((session, i) => sleep(50 * i).then(() => session.renew(bases[i % 2] ?? "", renewalLimit)));
  const renewed = await Promise.all(renewing);
  if ([...made, ...renewed].some((each, i) => isTooLate(left[i % left.length], each)))
    return [Number.POSITIVE_INFINITY];
  for (const each of made) assert.equal(each.status, 201, show(each));
  for (const each of renewed) assert.equal(each.status, 200, show(each));
  const ttl = ask(bases[0] ?? "", "PUT", "/v1/znodes/ttl-over?ttl=2500ms", { body: "x" });
  const leader = ensemble.replica(await ensemble.leader());
  await sleep(timeout * 0.55);
  const killedAt = performance.now();
  await leader.kill();
  t.diagnostic(`killed ${Math.round(killedAt - (left[0]?.heldSince ?? 0))} ms after a renewal of ${timeout} ms`);
  const put = await ttl;
  const until = killedAt + patienceMillis;
  const gone = left.map(async (session, i) => {
    const window = { from: session.heldUntil - 200, until };
    const seen = await watchGone(bases, `/over-${session.id}`, made[i]?.zxid ?? "", window);
    return lateness(session.id, seen, session.heldUntil);
  });
  const ttlGone = watchGone(bases, "/ttl-over", put.zxid, { from: killedAt, until });
  const late = await Promise.all(gone);
  const ttlLate = lateness("the TTL znode", await ttlGone, put.sentAt + shortest(2500));
  t.diagnostic(`a TTL znode went ${Math.round(ttlLate)} ms after the shortest that its TTL may be, across the kill`);
  leader.start();
  await ensemble.settled();
  return late;
}

test("across a leader kill an ephemeral stays at most one more timeout", async (t) => {
  const timeout = 2000;
  const door = gatewayBases()[0] ?? "";
  const kept = await opened(6, timeout);
  for (const each of kept) {
    const made = await each.put(door, `/over-${each.id}`);
    assert.ok(made.status === 201 || isTooLate(each, made), show(made));
  }
  let ended = false;
  const renewing = Promise.all(kept.map((session, i) => keepAlive(session, i, () => ended)));
  renewing.catch(() => undefined);
  try {
    await inTime(t, "expired after the last answered renewal plus twice the timeout", graceMillis, async () => {
      const late = await goneAcrossKill(t, await opened(6, timeout), timeout);
      return late.map((each) => each - timeout);
    });
  } finally {
    ended = true;
  }
  const alive = await renewing;
  for (const [i, session] of kept.entries()) {
    const there = await ask(door, "HEAD", `/v1/znodes/over-${session.id}`);
    const isHeld = alive[i] === true && there.receivedAt < session.heldUntil;
    if (isHeld) assert.equal(there.status, 200, `kept across the kill, gap ${session.longestGap} ms`);
  }
  const gaps = spread(kept.map((each) => each.longestGap));
  t.diagnostic(`${alive.filter(Boolean).length} renewed across the kill, all alive; longest time between: ${gaps}`);
});
