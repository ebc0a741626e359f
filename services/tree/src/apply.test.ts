/** Lanes, keys, sessions and bytes that mean nothing, at the tree's door. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Acting,
  anyone,
  type Command,
  encodeCommand,
  joinCommands,
  type Lane,
  limits,
  type Path,
  type SessionId,
} from "@quorate/api";
import fc from "fast-check";
import { rulesVersion } from "./limits.ts";
import { State } from "./state.ts";
import { Tree } from "./tree.ts";
import {
  createOperation,
  deleteOperation,
  digestIdentity,
  emptyTreeZnodes,
  putOperation,
  secretOf,
  sessionOperation,
  setOperation,
  superUser,
  TreeDriver,
} from "./tree-driver.test-support.ts";

function send(driver: TreeDriver, lane: Partial<Lane>, path: string): string {
  const full = { session: driver.gateway, attachment: 1, sequence: 1, answeredUpTo: 0, ...lane };
  const outcome = driver.commit([{ lane: full, identity: anyone, operation: createOperation(path) }])[0]?.outcome;
  return outcome === undefined || outcome === "gap" ? "gap" : outcome.ok ? "ok" : outcome.code;
}

test("a lane does the next write, remembers the last ones, and leaves no trace of one beyond", () => {
  const driver = new TreeDriver();
  const { gateway, tree } = driver;
  assert.equal(send(driver, { sequence: 2 }, "/two"), "gap");
  assert.equal(send(driver, { sequence: 1 }, "/one"), "ok");
  assert.equal(send(driver, { sequence: 1 }, "/one"), "ok", "the remembered outcome, not nodeExists");
  assert.equal(send(driver, { sequence: 1 }, "/other"), "ok", "nothing is done a second time");
  assert.equal(tree.znodeCount, emptyTreeZnodes + 1);
  assert.equal(send(driver, { sequence: 2 }, "/one"), "nodeExists");
  assert.equal(send(driver, { sequence: 4 }, "/four"), "gap");
  assert.equal(send(driver, { sequence: 3, answeredUpTo: 1 }, "/three"), "ok");
  assert.equal(send(driver, { sequence: 1 }, "/one"), "connectionLoss", "acknowledged and gone");
  assert.equal(send(driver, { sequence: 2 }, "/one"), "nodeExists", "a failure is remembered too");
  assert.equal(tree.remembered(gateway, 1), undefined);
  assert.equal(tree.remembered(gateway, 2)?.ok, false);
  assert.deepEqual(tree.lane(gateway), { attachment: 1, lastSequence: 3, answeredUpTo: 1 });
  assert.equal(send(driver, { attachment: 0, sequence: 4 }, "/four"), "sessionMoved");
  assert.equal(send(driver, { session: (gateway + 1) as SessionId, sequence: 4 }, "/four"), "sessionExpired");
  assert.equal(tree.lane((gateway + 1) as SessionId), undefined);
});

test("a lane is at most its window ahead of what is acknowledged", () => {
  const driver = new TreeDriver();
  for (let sequence = 1; sequence <= limits.laneWindow; sequence++) {
    assert.equal(send(driver, { sequence }, `/n${sequence}`), "ok");
  }
  const sequence = limits.laneWindow + 1;
  assert.equal(send(driver, { sequence }, "/beyond"), "gap");
  assert.equal(send(driver, { sequence, answeredUpTo: 1 }, "/beyond"), "ok");
});

test("attach raises the attachment and keeps the sequence; the older one is sessionMoved", () => {
  const driver = new TreeDriver();
  const acting: Acting = { session: driver.gateway, secretHash: secretOf(7) };
  assert.equal(send(driver, { sequence: 1 }, "/one"), "ok");
  const operation = { kind: "attach", session: driver.gateway } as const;
  const taken = driver.commit([{ identity: anyone, acting, operation }])[0]?.outcome;
  assert.ok(taken !== "gap" && taken?.ok && taken.result.kind === "session");
  assert.equal(taken.result.attachment, 2);
  assert.equal(taken.result.lastSequence, 1);
  assert.equal(send(driver, { sequence: 2 }, "/two"), "sessionMoved");
  assert.equal(send(driver, { sequence: 2, attachment: 2 }, "/two"), "ok");
  const wrong = { session: driver.gateway, secretHash: secretOf(8) };
  assert.deepEqual(
    codes(driver, [
      { identity: anyone, acting: wrong, operation },
      { identity: anyone, operation },
    ]),
    ["authFailed", "noAuth"],
  );
});

function codes(driver: TreeDriver, commands: readonly Command[]): string[] {
  return driver.commit(commands).map(({ outcome }) => (outcome === "gap" ? "gap" : outcome.ok ? "ok" : outcome.code));
}

test("without a lane come only the leader's commands and a gateway's session", () => {
  const driver = new TreeDriver();
  const expire = { kind: "expireSession", session: 5 as SessionId } as const;
  const bare = [
    createOperation("/x"),
    sessionOperation(1, "client"),
    sessionOperation(1, "gateway"),
    expire,
    { kind: "sweep", candidates: [] },
  ] as const;
  assert.deepEqual(
    codes(
      driver,
      bare.map((operation) => ({ identity: anyone, operation })),
    ),
    ["badArguments", "badArguments", "ok", "ok", "ok"],
  );
  assert.equal(driver.code(expire), "badArguments");
});

test("an idempotency key gives the first answer again, for its identity and its request alone", () => {
  const driver = new TreeDriver();
  const key = { key: "k", requestHash: new Uint8Array(16).fill(1) };
  const first = driver.write(createOperation("/x"), { key });
  const again = driver.write(createOperation("/x"), { key });
  assert.deepEqual(again, { ...first, replayed: true });
  assert.equal(driver.code(createOperation("/x"), { key: { ...key, requestHash: new Uint8Array(16) } }), "keyReused");
  assert.equal(driver.code(createOperation("/x"), { key, identity: digestIdentity("ann") }), "nodeExists");
  driver.stamp += limits.keyMillis;
  assert.equal(driver.write(createOperation("/x"), { key }).replayed, true, "never less than its time");
  driver.stamp += 1;
  assert.equal(driver.code(createOperation("/x"), { key }), "nodeExists");
  assert.equal(driver.write(createOperation("/x"), { key }).replayed, true, "a failure is remembered too");
});

test("a key that was used by a session that has ended still gives its answer", () => {
  const driver = new TreeDriver();
  const acting = driver.openSession(4);
  const key = { key: "once", requestHash: new Uint8Array(16) };
  assert.ok(driver.write(createOperation("/x"), { key, acting }).ok);
  driver.done("done", { kind: "closeSession", session: acting.session }, { acting });
  assert.equal(driver.write(createOperation("/x"), { key, acting }).replayed, true);
  assert.equal(driver.code(createOperation("/y"), { acting }), "sessionExpired");
});

test("no room for keys is throttled, which is not remembered, until time frees it", () => {
  const driver = new TreeDriver();
  const keyOf = (at: number): { key: string; requestHash: Uint8Array } => ({
    key: `k${at}`,
    requestHash: new Uint8Array(16),
  });
  driver.write(createOperation("/x"));
  let sequence = 1;
  for (let at = 0; at < limits.keyCount; at += 1000) {
    const commands = Array.from({ length: 1000 }, (_, i) => {
      const lane = {
        session: driver.gateway,
        attachment: 1,
        sequence: ++sequence,
        answeredUpTo: Math.max(0, sequence - 10),
      };
      return { lane, identity: anyone, key: keyOf(at + i), operation: setOperation("/x") };
    });
    driver.commit(commands);
  }
  const next = (key: number): string => {
    const lane = {
      session: driver.gateway,
      attachment: 1,
      sequence: ++sequence,
      answeredUpTo: Math.max(0, sequence - 10),
    };
    return codes(driver, [{ lane, identity: anyone, key: keyOf(key), operation: setOperation("/x") }])[0] as string;
  };
  assert.equal(next(limits.keyCount), "throttled");
  assert.equal(next(5), "ok", "what is remembered is answered");
  driver.stamp += limits.keyMillis + 1;
  assert.equal(next(limits.keyCount), "ok");
});

test("ephemerals live as long as their session; every end deletes them at one zxid", () => {
  const driver = new TreeDriver();
  const ephemeral = { shape: { kind: "ephemeral", ttlMillis: 0 } };
  assert.equal(driver.code(createOperation("/e", "", ephemeral)), "badArguments");
  const a = driver.openSession(1);
  const b = driver.openSession(2);
  assert.deepEqual([driver.tree.clientSessionCount, driver.tree.sessionCount], [2, 3], "one is the gateway's own");
  assert.equal(
    driver.code(createOperation("/e", "", ephemeral), { acting: { ...a, secretHash: secretOf(9) } }),
    "authFailed",
  );
  const made = driver.done("node", createOperation("/e", "", ephemeral), { acting: a });
  assert.equal(made.stat.ephemeralOwner, a.session);
  assert.equal(driver.code(createOperation("/e/child")), "noChildrenForEphemerals");
  assert.equal(driver.code(putOperation("/e", "2", ephemeral), { acting: a }), "ok");
  assert.equal(driver.code(putOperation("/e", "2", ephemeral), { acting: b }), "nodeExists");
  driver.done("node", createOperation("/f", "", ephemeral), { acting: a });
  assert.equal(driver.code({ kind: "closeSession", session: a.session }, { acting: b }), "noAuth");
  const before = driver.tree.applied;
  assert.equal(driver.done("done", { kind: "closeSession", session: a.session }, { identity: superUser }).count, 2);
  const changes = driver.tree.changes.after(before);
  assert.ok(changes !== "tooOld");
  assert.deepEqual(
    [...changes].map(({ type, path }) => `${type} ${path}`),
    ["deleted /e", "deleted /f"],
  );
  assert.equal(driver.code({ kind: "closeSession", session: a.session }, { identity: superUser }), "sessionExpired");
  driver.done("node", createOperation("/g", "", ephemeral), { acting: b });
  assert.deepEqual(codes(driver, [{ identity: anyone, operation: { kind: "expireSession", session: b.session } }]), [
    "ok",
  ]);
  assert.equal(driver.tree.znodeCount, emptyTreeZnodes);
  assert.deepEqual([driver.tree.clientSessionCount, driver.tree.sessionCount], [0, 1]);
});

test("a TTL runs from the last write of data, only while childless, and is decided at apply", () => {
  const driver = new TreeDriver();
  const ttl = (ttlMillis: number): object => ({ shape: { kind: "ttl", ttlMillis } });
  driver.done("node", createOperation("/t", "", ttl(5000)));
  const sweep = (): string => {
    const operation = { kind: "sweep", candidates: driver.tree.sweepCandidates(driver.stamp + 1e9, 10) } as const;
    const outcome = driver.commit([{ identity: anyone, operation }])[0]?.outcome;
    return outcome !== "gap" && outcome?.ok && outcome.result.kind === "done" ? `${outcome.result.count}` : "failed";
  };
  assert.deepEqual(driver.tree.sweepCandidates(driver.stamp + 4999, 10), []);
  assert.equal(driver.tree.sweepCandidates(driver.stamp + 5000, 10).length, 1);
  assert.equal(sweep(), "0", "its time is not over by the stamp");
  driver.stamp += 4000;
  driver.done("node", putOperation("/t", "again", ttl(7000)));
  const stale = driver.tree.sweepCandidates(driver.stamp + 7000, 10);
  driver.done("node", setOperation("/t", "renewed"));
  driver.stamp += 7000;
  assert.deepEqual(driver.commit([{ identity: anyone, operation: { kind: "sweep", candidates: stale } }])[0]?.outcome, {
    ok: true,
    zxid: driver.tree.applied,
    result: { kind: "done", count: 0 },
  });
  driver.done("node", createOperation("/t/child"));
  assert.equal(sweep(), "0");
  driver.done("deleted", deleteOperation("/t/child"));
  assert.equal(sweep(), "1");
  driver.done("node", createOperation("/box", "", { shape: { kind: "container", ttlMillis: 0 } }));
  assert.equal(sweep(), "0", "a container never used stays");
  driver.done("node", createOperation("/box/a"));
  assert.equal(sweep(), "0");
  driver.done("deleted", deleteOperation("/box/a"));
  assert.equal(sweep(), "1");
  assert.equal(driver.tree.znodeCount, emptyTreeZnodes);
});

test("no payload makes apply throw; each command has its outcome and its zxid", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      (noise, flips, count) => {
        const driver = new TreeDriver();
        const { applied } = driver.tree;
        assert.equal(driver.commitBytes(noise, count).length, count);
        const lane = { session: driver.gateway, attachment: 1, sequence: 1, answeredUpTo: 0 };
        const txn = {
          kind: "txn",
          check: [],
          then: [createOperation("/a"), setOperation("/a"), deleteOperation("/b")],
        } as never;
        const payload = joinCommands([
          encodeCommand({ lane, identity: digestIdentity("x"), operation: txn }),
          encodeCommand({ lane: { ...lane, sequence: 2 }, identity: anyone, operation: putOperation("/p") }),
        ]);
        for (const flip of flips) {
          const at = flip % payload.length;
          payload[at] = (payload[at] as number) ^ (1 << (flip % 7));
        }
        assert.equal(driver.commitBytes(payload, 2).length, 2);
        assert.equal(driver.tree.applied, applied + count + 2);
        const twin = new Tree();
        for (const batch of driver.batches) twin.apply(batch);
        assert.equal(twin.digest(), driver.tree.digest());
      },
    ),
    { numRuns: 1500 },
  );
});

test("a batch out of order is a broken invariant", () => {
  const driver = new TreeDriver();
  const twin = new Tree();
  driver.write(createOperation("/x"));
  assert.throws(() => twin.apply(driver.batches[1] as never));
  assert.equal(driver.tree.read({ kind: "exists", path: "/x" as Path }, anyone).ok, true);
});

test("a batch of unknown rules, or of older ones than the last, is a broken invariant and leaves no trace", () => {
  const driver = new TreeDriver();
  driver.write(createOperation("/x"));
  const [first, second] = driver.batches;
  const twin = new Tree();
  const whole = twin.digest();
  for (const rules of [0, rulesVersion + 1]) {
    assert.throws(() => twin.apply({ ...first, rules } as never), /rules/);
    assert.deepEqual([twin.digest(), twin.rules], [whole, 1]);
  }
  twin.apply(first as never);
  twin.apply(second as never);
  assert.deepEqual([twin.digest(), twin.rules], [driver.tree.digest(), rulesVersion]);
});

test("the rules version is in the digest", () => {
  const state = new State(1024);
  const before = state.digest();
  state.rules = 2;
  assert.notEqual(state.digest(), before);
});
