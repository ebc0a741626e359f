import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import type { ReplicaId, SessionId, Zxid } from "@quorate/api";
import { dial, type Hello, offerHandshake, StreamServer } from "@quorate/proto";
import type { LinkId } from "@quorate/zab";
import type { PeerWire } from "./peer-messages.ts";
import { Peers, type PeersOptions } from "./peers.ts";
import { nodeClock } from "./world-node.ts";

interface Member {
  readonly peers: Peers;
  readonly events: string[];
  readonly received: PeerWire[];
  readonly notes: string[];
  readonly address: string;
  /** Resolves to the first event from now on (or already there) that matches. */
  until(pattern: RegExp): Promise<string>;
  onReceived: ((link: LinkId, wires: readonly PeerWire[]) => void) | undefined;
  stop(): Promise<void>;
}

const helloFields = {
  name: "m",
  ensembleId: "",
  historyId: "",
  version: "0.1.0",
  rules: 1,
  address: "",
};

async function until(condition: () => boolean, what: string, millis = 60_000): Promise<void> {
  const end = performance.now() + millis;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${millis} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Machines stand still now and then: of three rounds one has to be so quick. Each answers how long it took. */
async function soon(millis: number, round: () => Promise<number>): Promise<void> {
  const took: number[] = [];
  while (took.length < 3 && !took.some((each) => each < millis)) took.push(await round());
  assert.ok(Math.min(...took) < millis, `${took.join(", ")} ms`);
}

/** A free port, known before anybody listens on it, so that members can name each other. */
async function freePort(): Promise<number> {
  const server = new StreamServer({
    address: "127.0.0.1:0",
    keyed: false,
    timers: nodeClock,
    log: () => undefined,
  });
  const port = await server.listen();
  await server.stop();
  return port;
}

async function startMember(
  t: TestContext,
  self: ReplicaId,
  members: ReadonlyMap<ReplicaId, string>,
  changes: Partial<PeersOptions> = {},
): Promise<Member> {
  const events: string[] = [];
  const received: PeerWire[] = [];
  const notes: string[] = [];
  const log = (text: string): void => void notes.push(text);
  const address = members.get(self) ?? "127.0.0.1:0";
  const server = new StreamServer({ address, keyed: changes.key !== undefined, timers: nodeClock, log });
  const options = { self, members, hello: () => helloFields, clock: nodeClock, random: { bytes: randomBytes }, log };
  const peers = new Peers(
    { ...options, ...changes },
    {
      linkUp: (link, peer) => events.push(`up ${link} ${peer}`),
      linkDown: (link, why) => events.push(`down ${link} ${why}`),
      received: (link, wires) => {
        member.onReceived?.(link, wires);
        received.push(...wires);
      },
      drained: (link) => events.push(`drained ${link}`),
    },
  );
  peers.attachTo(server);
  const port = await server.listen();
  peers.start();
  const stop = async (): Promise<void> => {
    await peers.stop();
    await server.stop();
  };
  t.after(stop);
  const member: Member = {
    peers,
    events,
    received,
    notes,
    address: `127.0.0.1:${port}`,
    until: async (pattern) => {
      const found = (): string | undefined => events.find((each) => pattern.test(each));
      await until(() => found() !== undefined, `${pattern} at ${self} among ${JSON.stringify(events)}`);
      return found() as string;
    },
    onReceived: undefined,
    stop,
  };
  return member;
}

async function addresses(count: number): Promise<Map<ReplicaId, string>> {
  const map = new Map<ReplicaId, string>();
  for (let id = 1; id <= count; id++) map.set(id, `127.0.0.1:${await freePort()}`);
  return map;
}

const forward = (sequence: number, bytes = 20): PeerWire => ({
  kind: "forward",
  session: 1 as SessionId,
  sequence,
  fence: 0,
  command: new Uint8Array(bytes),
});

test("three members: one link per pair, seen by both, messages both ways in order", async (t) => {
  const members = await addresses(3);
  const all = await Promise.all(
    [1, 2, 3].map((id) => startMember(t, id, members, { key: Buffer.from("the shared key") })),
  );
  for (const [index, member] of all.entries()) {
    for (const id of [1, 2, 3]) if (id !== index + 1) await member.until(new RegExp(`^up \\d+ ${id}$`));
    assert.equal(member.events.length, 2);
  }
  for (const [index, member] of all.entries()) {
    for (const id of [1, 2, 3]) {
      const link = member.peers.linkTo(id);
      assert.equal(link === undefined, id === index + 1);
      if (link === undefined) continue;
      for (let i = 1; i <= 100; i++) member.peers.send(link, forward(i));
      member.peers.flush();
    }
  }
  for (const member of all) {
    await until(() => member.received.length === 200, "200 messages");
    const sequences = member.received.map((wire) => (wire.kind === "forward" ? wire.sequence : 0));
    assert.deepEqual(
      sequences.toSorted((a, b) => a - b),
      Array.from({ length: 200 }, (_, i) => (i >> 1) + 1),
    );
  }
});

test("100,000 messages on one link arrive in order and whole", async (t) => {
  const members = await addresses(2);
  const [one, two] = await Promise.all([1, 2].map((id) => startMember(t, id, members)));
  assert.ok(one && two);
  await one.until(/^up/);
  const link = one.peers.linkTo(2) as LinkId;
  let next = 1;
  two.onReceived = (_, wires) => {
    for (const wire of wires) assert.equal(wire.kind === "forward" && wire.sequence, next++);
  };
  for (let i = 1; i <= 100_000; i++) {
    one.peers.send(link, forward(i));
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => next === 100_001, "all");
  assert.deepEqual(
    two.events.filter((each) => each.startsWith("down")),
    [],
  );
});

test("a member that comes late is linked, one that goes is dialled until it is back; ids rise", async (t) => {
  const members = await addresses(2);
  const one = await startMember(t, 1, members);
  while (one.notes.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  // It is dialled again meanwhile, and not noted again.
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(one.events.length, 0);
  assert.equal(one.notes.length, 1, one.notes.join("\n"));
  const two = await startMember(t, 2, members);
  await one.until(/^up 1 2$/);
  await two.until(/^up 1 1$/);
  await two.stop();
  await one.until(/^down 1 /);
  const again = await startMember(t, 2, members);
  await one.until(/^up 2 2$/);
  await again.until(/^up 1 1$/);
  assert.equal(one.peers.writable(1), false);
  one.peers.send(1, forward(1));
  one.peers.drop(1, "gone already");
  assert.deepEqual(
    one.events.map((each) => each.split(" ").slice(0, 2).join(" ")),
    ["up 1", "down 1", "up 2"],
  );
});

test("redial comes at once instead of after the back-off", async (t) => {
  // The longest delays: dialled at 0, 50, 150, 350, 750 and then not before 1250 ms.
  const bytes = (count: number): Uint8Array => (count === 1 ? Uint8Array.of(255) : randomBytes(count));
  await soon(100, async () => {
    const members = await addresses(2);
    const one = await startMember(t, 1, members, { random: { bytes } });
    await new Promise((resolve) => setTimeout(resolve, 850));
    const two = await startMember(t, 2, members);
    one.peers.redial(2);
    one.peers.redial(7);
    const start = performance.now();
    await two.until(/^up/);
    return performance.now() - start;
  });
});

test("drop: linkDown before it returns, one at each side with the reason, then a new link", async (t) => {
  const members = await addresses(2);
  const [one, two] = await Promise.all([1, 2].map((id) => startMember(t, id, members)));
  assert.ok(one && two);
  await one.until(/^up 1/);
  await two.until(/^up 1/);
  two.peers.drop(1, "speaks out of turn");
  assert.equal(two.events.at(-1), "down 1 speaks out of turn");
  await one.until(/^down 1 speaks out of turn$/);
  await one.until(/^up 2/);
  await two.until(/^up 2/);
  assert.equal(one.events.length, 3);
  assert.equal(two.events.length, 3);
});

/** A hand-made caller: dials as any id. */
function call(t: TestContext, address: string, hello: Partial<Hello>): Promise<string> {
  const stream = dial(address, "link", {
    timers: nodeClock,
    connectMillis: 60_000,
  });
  t.after(() => stream.close("over"));
  const options = {
    hello: { ...helloFields, protocol: 1, kind: "peer", id: 1, ...hello },
    expect: "peer",
    timers: nodeClock,
    randomBytes,
  } as const;
  return new Promise((resolve) => {
    offerHandshake(stream, options, (result) => {
      stream.listen({
        received: () => undefined,
        drained: () => undefined,
        closed: () => undefined,
      });
      resolve("refused" in result ? result.refused : "welcome");
    });
  });
}

test("a newer connection of the same member replaces the old one: down, then up", async (t) => {
  const members = await addresses(2);
  const two = await startMember(t, 2, members);
  assert.equal(await call(t, two.address, { id: 1 }), "welcome");
  assert.equal(await call(t, two.address, { id: 1 }), "welcome");
  await two.until(/^up 2 1$/);
  assert.deepEqual(two.events, ["up 1 1", "down 1 replaced by a newer connection of the same replica", "up 2 1"]);
  assert.equal(two.peers.linkTo(1), 2);
});

test("oneself, strangers, a larger id, another ensemble and a gateway are refused with the reason", async (t) => {
  const members = await addresses(3);
  const hello = (): typeof helloFields => ({
    ...helloFields,
    ensembleId: "aa",
  });
  const judge = (each: Hello): string | undefined => (each.historyId === "old" ? "that history is over" : undefined);
  const two = await startMember(t, 2, members, { hello, judge });
  for (const [caller, expected] of [
    [{ id: 2 }, /replica 2 is this one/],
    [{ id: 9 }, /replica 9 is not among the members 1, 2, 3/],
    [{ id: 3 }, /the smaller id dials/],
    [{ id: 1, ensembleId: "bb" }, /belongs to the ensemble bb, this side to aa|ensemble aa, this side to bb/],
    [{ id: 1, historyId: "old" }, /that history is over/],
    [{ id: 0, kind: "gateway" }, /expected was a peer/],
  ] as const) {
    assert.match(await call(t, two.address, caller), expected);
  }
  assert.deepEqual(two.events, []);
  await until(() => two.notes.filter((each) => /refused a peer's link from 127/.test(each)).length === 6, "six notes");
  assert.match(await call(t, two.address, { id: 2 }), /replica 2 is this one/);
  assert.match(await call(t, two.address, { id: 8 }), /replica 8 is not among/);
  await until(() => two.notes.some((each) => /replica 8 is not among/.test(each)), "a new reason is noted");
  assert.equal(
    two.notes.filter((each) => /replica 2 is this one/.test(each)).length,
    1,
    "knocking again is not noted again",
  );
});

test("an address that leads to oneself or to another member is named, once", async (t) => {
  const members = await addresses(3);
  const crossed = new Map(members).set(2, members.get(1) ?? "").set(3, members.get(2) ?? "");
  const two = await startMember(t, 2, new Map(members));
  const one = await startMember(t, 1, crossed);
  await until(() => one.notes.length >= 2, one.notes.join("\n"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const text = one.notes.join("\n");
  assert.match(text, /no link to replica 2 .*(own address|is this one)/);
  assert.match(text, /no link to replica 3 .*answers replica 2, not 3/);
  assert.equal(one.notes.filter((each) => each.startsWith("no link to replica 3")).length, 1);
  assert.deepEqual(one.events, []);
  // The callee took the link for whole until the caller saw whom it had reached.
  assert.equal(two.peers.linkTo(1), undefined);
});

test("a slow follower: writable turns false, the queue is bounded, drained follows; beyond the limit it is dropped", async (t) => {
  const members = await addresses(2);
  const [one, two] = await Promise.all([1, 2].map((id) => startMember(t, id, members)));
  assert.ok(one && two);
  await one.until(/^up 1/);
  await two.until(/^up 1/);
  two.peers.pause(1);
  const chunk = new Uint8Array(128 * 1024);
  const snapshot = { kind: "snapshot", at: 1 as Zxid, checksum: 0, offset: 0, chunk, done: false } as const;
  const piece: PeerWire = { kind: "zab", message: snapshot };
  for (let idle = 0; idle < 5; idle++) {
    for (; one.peers.writable(1); idle = 0) one.peers.send(1, piece);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(one.peers.queuedBytes(1) < 2 * 1_048_576, `${one.peers.queuedBytes(1)} bytes`);
  const before = one.events.length;
  two.peers.resume(1);
  await until(() => one.events.length > before, "drained");
  assert.equal(one.events.at(-1), "drained 1");
  two.peers.pause(1);
  for (let i = 0; i < 1000 && one.peers.linkTo(2) === 1; i++) one.peers.send(1, forward(i, 128 * 1024));
  await one.until(/^down 1 the other side is too slow/);
  two.peers.resume(1);
  await two.until(/^down 1/);
});

test("bytes that do not decode drop the link, not the process", async (t) => {
  const members = await addresses(2);
  const two = await startMember(t, 2, members);
  const stream = dial(two.address, "link", {
    timers: nodeClock,
    connectMillis: 60_000,
  });
  t.after(() => stream.close("over"));
  const hello = { ...helloFields, protocol: 1, kind: "peer", id: 1 } as const;
  offerHandshake(stream, { hello, expect: "peer", timers: nodeClock, randomBytes }, () => {
    stream.listen({
      received: () => undefined,
      drained: () => undefined,
      closed: () => undefined,
    });
    stream.send(Uint8Array.of(200, 1, 2, 3));
  });
  await two.until(/^down 1 a message of 4 bytes from replica 1 does not decode/);
});

const childProgram = `
  const { Peers } = await import(${JSON.stringify(import.meta.resolve("./peers.ts"))});
  const { nodeClock } = await import(${JSON.stringify(import.meta.resolve("./world-node.ts"))});
  const { randomBytes } = await import("node:crypto");
  const members = new Map(JSON.parse(process.argv[1]));
  const hello = () => (${JSON.stringify(helloFields)});
  const options = { self: 1, members, hello, clock: nodeClock, random: { bytes: randomBytes }, log: () => {} };
  new Peers(options, { linkUp() {}, linkDown() {}, received() {}, drained() {} }).start();
`;

test("kill -9 of one side is a linkDown at the other within 100 ms", async (t) => {
  await soon(100, async () => {
    const members = await addresses(2);
    const two = await startMember(t, 2, members);
    const child = spawn(process.execPath, ["--input-type=module", "-e", childProgram, JSON.stringify([...members])], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    await until(() => two.events.length === 1, "the child's link");
    const start = performance.now();
    child.kill("SIGKILL");
    await two.until(/^down 1/);
    return performance.now() - start;
  });
});

test("stop: every link goes down, nothing is dialled any more, no handle is left", async (t) => {
  const members = await addresses(3);
  const all = await Promise.all([1, 2].map((id) => startMember(t, id, members)));
  await Promise.all(all.map((each) => each.until(/^up/)));
  const handles = (): string[] => process.getActiveResourcesInfo().filter((each) => /TCP/.test(each));
  assert.ok(handles().length > 0);
  await Promise.all(all.map((each) => each.stop()));
  await Promise.all(all.map((each) => each.stop()));
  for (const each of all) {
    await each.until(/^down 1/);
    assert.equal(each.events.length, 2);
  }
  await until(() => handles().length === 0, "no socket left", 1000);
});
