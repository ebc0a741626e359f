/**
 * Sessions, TTLs and containers against real processes, on the client's own monotonic clock: nothing goes before the
 * last answered renewal plus the timeout, counted from sending, and at most a second after.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Asked, ask, ClientSession, type Disappearance, show, spread, watchGone } from "./door-client.ts";
import { Ensemble, sleep } from "./ensemble.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 1);
const graceMillis = 1000;
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

/** Not before `earliest`, not after `latest`; answers how late it was seen, after `earliest`. */
function checkGone(what: string, seen: Disappearance, earliest: number, latest: number): number {
  const early = Math.round(earliest - seen.firstGoneAt);
  assert.ok(seen.firstGoneAt >= earliest, `${what} was gone ${early} ms before its time`);
  assert.ok(seen.lastSeenAt <= latest, `${what} was there ${Math.round(seen.lastSeenAt - latest)} ms after its time`);
  return seen.firstGoneAt - earliest;
}

async function expireOne(place: number, name: string): Promise<number> {
  const bases = allBases();
  const door = (step: number): string => bases[(place + step) % bases.length] ?? "";
  // Apart from each other, so that nobody's renewal makes the leader confirmed just before another's.
  await sleep(70 * place);
  const session = await ClientSession.open(door(0), [1000, 1370, 2000][place % 3] ?? 1000);
  const made = await session.put(door(1), `/${name}`);
  assert.equal(made.status, 201, show(made));
  const renewed = await session.renew(door(2));
  assert.equal(renewed.status, 200, show(renewed));
  const { heldUntil } = session;
  const seen = await watchGone([door(3)], `/${name}`, made.zxid, { from: heldUntil - 300, until: heldUntil + 3000 });
  const late = checkGone(name, seen, heldUntil, heldUntil + graceMillis);
  const over = await session.renew(door(4));
  assert.equal(over.status, 410, show(over));
  assert.equal(over.code, "sessionExpired");
  return late;
}

test("an ephemeral goes when its session expires", async (t) => {
  for (let round = 0; round < rounds; round++) {
    const late = await Promise.all(
      Array.from({ length: 12 }, (_, place) => expireOne(place, `gone-${round}-${place}`)),
    );
    t.diagnostic(`expired after the last answered renewal plus the timeout: ${spread(late)}`);
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
  const session = await ClientSession.open(doors[0] ?? "", 2000);
  const headers = { "quorate-session": session.header };
  const made = await session.put(doors[1] ?? "", "/three", "?container=true");
  assert.equal(made.status, 201, show(made));
  let turns = 0;
  let ended = false;
  const renew = async (door: string): Promise<number> => {
    for (let renewals = 0; ; renewals++) {
      if (ended) return renewals;
      const renewed = await session.renew(door);
      assert.equal(renewed.status, 200, `renewal through ${door}: ${show(renewed)}`);
      await sleep(250);
    }
  };
  const renewing = Promise.all(doors.map(renew));
  const enough = (): boolean => turns++ >= 200;
  const working = Array.from({ length: 12 }, (_, place) => work(doors[place % 3] ?? "", session, place, enough));
  const asked = (await Promise.all(working)).reduce((sum, each) => sum + each, 0);
  ended = true;
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

async function ttlOne(place: number): Promise<number> {
  const bases = allBases();
  const base = bases[place % bases.length] ?? "";
  const ttl = [1000, 1250, 1900, 2500][place % 4] ?? 1000;
  const path = `/v1/znodes/ttl-${place}?ttl=${ttl}ms`;
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
    const statuses = last.receivedAt < former.sentAt + ttl ? [200] : [200, 201];
    assert.ok(statuses.includes(last.status), `the PUT that renews the TTL finds it: ${show(last)}`);
  }
  const earliest = last.sentAt + ttl;
  const window = { from: earliest - 300, until: earliest + 3000 };
  const seen = await watchGone([base], `/ttl-${place}`, last.zxid, window);
  return checkGone(`ttl-${place}`, seen, earliest, last.receivedAt + ttl + graceMillis);
}

async function container(): Promise<number> {
  const [base = ""] = gatewayBases();
  for (const name of ["empty", "emptied"]) {
    const made = await ask(base, "PUT", `/v1/znodes/${name}?container=true`, { body: "" });
    assert.equal(made.status, 201, show(made));
  }
  for (const name of ["a", "b"]) {
    const child = await ask(base, "PUT", `/v1/znodes/emptied/${name}`, { body: "" });
    assert.equal(child.status, 201, show(child));
  }
  assert.equal((await ask(base, "DELETE", "/v1/znodes/emptied/a")).status, 200);
  await sleep(1500);
  const last = await ask(base, "DELETE", "/v1/znodes/emptied/b");
  assert.equal(last.status, 200, `a container with a child stays: ${show(last)}`);
  const window = { from: last.sentAt, until: last.sentAt + 3000 };
  const seen = await watchGone([base], "/emptied", last.zxid, window);
  assert.equal((await ask(base, "HEAD", "/v1/znodes/empty")).status, 200, "one that never had a child stays");
  return checkGone("the container", seen, last.sentAt, last.receivedAt + graceMillis);
}

test("TTL znodes and containers go in time", async (t) => {
  const emptied = container();
  const late = await Promise.all(Array.from({ length: 12 }, (_, place) => ttlOne(place)));
  t.diagnostic(`TTL znodes went after their last PUT plus the TTL: ${spread(late)}`);
  t.diagnostic(`the container went ${Math.round(await emptied)} ms after the deletion of its last child was sent`);
});

/** Renews through the gateways until `ended`; answers when the session was not there any more. */
async function keepAlive(session: ClientSession, place: number, ended: () => boolean): Promise<void> {
  const bases = gatewayBases();
  for (let turn = place; !ended(); turn++) {
    const renewed = await session.renew(bases[turn % bases.length] ?? "");
    assert.notEqual(
      renewed.status,
      410,
      `renewed all the time, gap ${Math.round(session.longestGap)} ms: ${show(renewed)}`,
    );
    await sleep(session.timeoutMillis / 3);
  }
}

test("across a leader kill an ephemeral stays at most one more timeout", async (t) => {
  const bases = gatewayBases();
  const timeout = 2000;
  const left = await Promise.all(Array.from({ length: 6 }, (_, i) => ClientSession.open(bases[i % 2] ?? "", timeout)));
  const kept = await Promise.all(Array.from({ length: 6 }, (_, i) => ClientSession.open(bases[i % 2] ?? "", timeout)));
  const made = await Promise.all([...left, ...kept].map((each) => each.put(bases[0] ?? "", `/over-${each.id}`)));
  for (const each of made) assert.equal(each.status, 201, show(each));
  let ended = false;
  const renewing = kept.map((session, i) => keepAlive(session, i, () => ended));
  const renewed = await Promise.all(
    left.map((session, i) => sleep(50 * i).then(() => session.renew(bases[i % 2] ?? ""))),
  );
  for (const each of renewed) assert.equal(each.status, 200, show(each));
  const ttl = ask(bases[0] ?? "", "PUT", "/v1/znodes/ttl-over?ttl=2500ms", { body: "x" });
  const leader = ensemble.replica(await ensemble.leader());
  await sleep(timeout * 0.55);
  const killedAt = performance.now();
  await leader.kill();
  const ttlGone = watchGone(bases, "/ttl-over", (await ttl).zxid, { from: killedAt, until: killedAt + 6000 });
  const gone = await Promise.all(
    left.map(async (session, i) => {
      const { heldUntil } = session;
      const window = { from: heldUntil - 200, until: heldUntil + timeout + 4000 };
      const seen = await watchGone(bases, `/over-${session.id}`, made[i]?.zxid ?? "", window);
      return checkGone(session.id, seen, heldUntil, heldUntil + timeout + graceMillis);
    }),
  );
  const put = await ttl;
  const ttlSeen = await ttlGone;
  const ttlLate = checkGone("the TTL znode", ttlSeen, put.sentAt + 2500, put.receivedAt + 2500 + graceMillis);
  ended = true;
  await Promise.all(renewing);
  for (const session of kept) {
    const there = await ask(bases[0] ?? "", "HEAD", `/v1/znodes/over-${session.id}`);
    assert.equal(there.status, 200, `the session was renewed across the kill, longest gap ${session.longestGap} ms`);
  }
  const gaps = kept.map((each) => each.longestGap);
  t.diagnostic(`killed ${Math.round(killedAt - (left[0]?.heldSince ?? 0))} ms after a renewal of ${timeout} ms`);
  t.diagnostic(`expired after the last answered renewal plus the timeout: ${spread(gone)}`);
  t.diagnostic(`a TTL znode went ${Math.round(ttlLate)} ms after its PUT plus the TTL, across the kill`);
  t.diagnostic(`renewed across the kill, all alive; longest time between answered renewals: ${spread(gaps)}`);
  leader.start();
  await ensemble.settled();
});
