/** A whole replica, an ensemble of one, on a real disk: a watch's answer, the feed and the replies stand in one order. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type Acting,
  anyone,
  encodeCommand,
  encodeRead,
  type Outcome,
  type Path,
  type ReadOperation,
  type SessionId,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import { decodeToGateway, type FromGateway, type ToGateway } from "@quorate/proto";
import type { Attachment } from "./gateways.ts";
import { Replica } from "./replica.ts";
import { Storage } from "./storage.ts";
import { create, set } from "./tree-scene.test-support.ts";
import { nodeWorld } from "./world-node.ts";

const scopes = { node: [], children: [], subtree: ["/" as Path] };
const secretHash = new Uint8Array(32).fill(7);

function sessionOf(role: "gateway" | "client"): WriteOperation {
  return { kind: "createSession", role, timeoutMillis: 30_000, secretHash, name: "", address: "" };
}

/** A gateway on its stream: everything said to it, in order. */
class TestGateway {
  readonly said: ToGateway[] = [];
  readonly #attachment: Attachment;
  #looking: { wanted: (message: ToGateway) => boolean; found: (message: ToGateway) => void } | undefined;
  lane = 0 as SessionId;
  sequence = 0;
  #id = 0;

  constructor(replica: Replica) {
    this.#attachment = replica.attach({
      name: "a gateway",
      rules: 0,
      queuedBytes: 0,
      send: (bytes) => {
        const message = decodeToGateway(bytes) as ToGateway;
        this.said.push(message);
        this.#look(message);
      },
      flush: () => undefined,
      close: () => undefined,
    });
  }

  say(...messages: readonly FromGateway[]): void {
    this.#attachment.received(messages);
  }

  #look(message: ToGateway): void {
    const looking = this.#looking;
    if (!looking?.wanted(message)) return;
    this.#looking = undefined;
    looking.found(message);
  }

  /** The first message of that kind that was said, or will be. */
  heard(wanted: (message: ToGateway) => boolean): Promise<ToGateway> {
    const had = this.said.find(wanted);
    if (had) return Promise.resolve(had);
    return new Promise((found) => {
      this.#looking = { wanted, found };
    });
  }

  /** Opens its session and its lane, once the replica serves. */
  async begin(): Promise<void> {
    await this.heard((each) => each.kind === "status" && each.self.serving);
    const id = ++this.#id;
    this.say({ kind: "open", id, command: encodeCommand({ identity: anyone, operation: sessionOf("gateway") }) });
    const outcome = await this.answer(id);
    this.lane = outcome.zxid as number as SessionId;
    this.say({ kind: "lane", session: this.lane, attachment: 1, fence: 1 });
    await this.heard((each) => each.kind === "laneState");
  }

  write(operation: WriteOperation, acting?: Acting): number {
    const sequence = ++this.sequence;
    const lane = { session: this.lane, attachment: 1, sequence, answeredUpTo: Math.max(0, sequence - 500) };
    const command = encodeCommand({ lane, identity: anyone, operation, ...(acting ? { acting } : {}) });
    this.say({ kind: "write", session: this.lane, sequence, command: command.slice() });
    return sequence;
  }

  async written(sequence: number): Promise<Outcome> {
    const message = await this.heard((each) => each.kind === "written" && each.sequence === sequence);
    return (message as Extract<ToGateway, { kind: "written" }>).outcome;
  }

  read(operation: ReadOperation, consistency: "linearizable" | "session"): number {
    const id = ++this.#id;
    const [minZxid, maxStaleMillis, budgetMillis] = [0 as Zxid, 0, 10_000];
    const rest = { identity: anyone, operation: encodeRead(operation).slice() };
    this.say({ kind: "read", id, consistency, minZxid, maxStaleMillis, budgetMillis, ...rest });
    return id;
  }

  async answer(id: number): Promise<Outcome> {
    const message = await this.heard((each) => each.kind === "answer" && each.id === id);
    return (message as Extract<ToGateway, { kind: "answer" }>).outcome;
  }
}

interface Running {
  readonly replica: Replica;
  readonly storage: Storage;
  readonly stop: () => Promise<void>;
}

async function start(folder: string, snapshotLogBytes: number): Promise<Running> {
  const { disk, clock } = nodeWorld;
  const create = { replicaId: 1, standing: "founding" } as const;
  const { storage, recovered } = await Storage.open({ folder, disk, clock, create });
  const nobody = { send: () => undefined, flush: () => undefined, writable: () => true, drop: () => undefined };
  const replica = await Replica.start({
    id: 1,
    members: [1],
    world: nodeWorld,
    storage,
    recovered,
    peers: () => nobody,
    address: "here",
    version: "test",
    snapshotLogBytes,
    log: () => undefined,
    onFatal: (why) => assert.fail(why),
  });
  const stop = async (): Promise<void> => {
    replica.stop();
    await storage.close();
  };
  return { replica, storage, stop };
}

/** `run` may start a replica, and when that has stopped the next one, in one folder. */
async function inFolder(run: (begin: (snapshotLogBytes?: number) => Promise<Running>) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "quorate-watches-"));
  let running: Running | undefined;
  try {
    await run(async (snapshotLogBytes = 2 ** 30) => {
      await running?.stop();
      running = await start(folder, snapshotLogBytes);
      return running;
    });
  } finally {
    await running?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

test("no reply comes before the changes that it was computed behind, and none is told twice", () =>
  inFolder(async (begin) => {
    const { replica } = await begin();
    const gateway = new TestGateway(replica);
    await gateway.begin();
    const opened = await gateway.answer(gateway.read({ kind: "watch", scopes }, "linearizable"));
    assert.ok(opened.ok && opened.result.kind === "watched");
    const begun = gateway.said.length;
    let last = 0;
    let read = 0;
    for (let n = 0; n < 300; n++) {
      last = gateway.write(n % 3 === 0 ? create(`/${n}`) : set(`/${n - (n % 3)}`));
      if (n % 10 === 0) read = gateway.read({ kind: "sync" }, n % 20 === 0 ? "session" : "linearizable");
      // So that there is more than one batch.
      if (n % 7 === 0) await gateway.written(last);
    }
    await gateway.written(last);
    await gateway.answer(read);
    let at = opened.zxid;
    const told: Zxid[] = [];
    const changed: Zxid[] = [];
    const computed: { readonly zxid: Zxid; readonly told: number }[] = [];
    for (const message of gateway.said.slice(begun)) {
      if (message.kind === "feed") {
        assert.ok(message.through > at, "a feed goes on");
        for (const { zxid } of message.changes) assert.ok(zxid > at && zxid <= message.through);
        at = message.through;
        told.push(...message.changes.map(({ zxid }) => zxid));
      } else if (message.kind === "written" || message.kind === "answer") {
        assert.ok(message.outcome.ok);
        computed.push({ zxid: message.outcome.zxid, told: told.length });
        if (message.kind === "written") changed.push(message.outcome.zxid);
      }
    }
    assert.deepEqual(told, changed, "each change once, in order");
    for (const each of computed) {
      assert.ok(each.told >= changed.filter((zxid) => zxid <= each.zxid).length, "the feed stands before the reply");
    }
    assert.equal(computed.length, 330);
    const failed = await gateway.written(gateway.write(set("/none")));
    const through = gateway.said.at(-1);
    assert.ok(through?.kind === "feed" && through.changes.length === 0, "what changed nothing is told, too");
    assert.deepEqual([failed.ok, through.through], [false, failed.zxid]);
  }));

test("a session that ended is told; after unwatch nothing is", () =>
  inFolder(async (begin) => {
    const { replica } = await begin();
    const gateway = new TestGateway(replica);
    await gateway.begin();
    const session = await gateway.written(gateway.write(sessionOf("client")));
    const acting = { session: session.zxid as number as SessionId, secretHash };
    gateway.say({ kind: "lane", session: acting.session, attachment: 1, fence: 2 });
    const opened = await gateway.answer(gateway.read({ kind: "watch", scopes }, "session"));
    assert.ok(opened.ok);
    assert.match(replica.metrics(), /\nquorate_feeds 1\n/);
    const closed = await gateway.written(gateway.write({ kind: "closeSession", session: acting.session }, acting));
    assert.ok(closed.ok);
    const feeds = gateway.said.filter((each) => each.kind === "feed");
    assert.deepEqual(
      feeds.map(({ ended }) => ended),
      [[acting.session]],
    );
    const states = gateway.said.filter((each) => each.kind === "laneState" && each.session === acting.session);
    assert.deepEqual(
      states.map((each) => each.kind === "laneState" && each.exists),
      [true, false],
      "its lane is told, too",
    );
    gateway.say({ kind: "unwatch" });
    assert.ok((await gateway.written(gateway.write(create("/b")))).ok);
    assert.equal(gateway.said.filter((each) => each.kind === "feed").length, 1);
    assert.match(replica.metrics(), /\nquorate_feeds 0\n/);
  }));

test("a replica that was started again tells of everything behind its snapshot", () =>
  inFolder(async (begin) => {
    const first = await begin(20_000);
    const gateway = new TestGateway(first.replica);
    await gateway.begin();
    const changed: Zxid[] = [];
    const writeSome = async (name: string): Promise<void> => {
      const sequences = Array.from({ length: 100 }, (_, n) => gateway.write(create(`/${name}${n}`)));
      for (const each of sequences) changed.push((await gateway.written(each)).zxid);
    };
    await writeSome("before");
    while (!/\nquorate_snapshots_total [1-9]/.test(first.replica.metrics())) await writeSome(`more${changed.length}-`);
    await writeSome("behind");
    const snapshot = first.storage.newestSnapshot()?.at ?? (0 as Zxid);
    const { historyId } = first.replica.memberStatus();

    const second = await begin();
    const again = new TestGateway(second.replica);
    const watch = (after: Zxid, history: string): Promise<Outcome> =>
      again.answer(again.read({ kind: "watch", scopes, after, history }, "session"));
    const events = await eventsFrom(watch, snapshot, historyId);
    assert.deepEqual(
      events,
      changed.filter((zxid) => zxid > snapshot),
    );
    assert.ok(events.length >= 100);
    const early = await watch((snapshot - 1) as Zxid, historyId.slice(0, 16));
    assert.equal(early.ok || early.code, "cursorTooOld");
    const foreign = await watch(snapshot, "0123456789abcdef");
    assert.equal(foreign.ok || foreign.code, "cursorOfAnotherHistory");
  }));

/** All that happened behind `after`, in as many answers as it takes. */
async function eventsFrom(
  watch: (after: Zxid, history: string) => Promise<Outcome>,
  after: Zxid,
  history: string,
): Promise<readonly Zxid[]> {
  const events: Zxid[] = [];
  for (let cursor = after; ; ) {
    const outcome = await watch(cursor, history);
    assert.ok(outcome.ok && outcome.result.kind === "watched", JSON.stringify(outcome));
    events.push(...outcome.result.events.map(({ zxid }) => zxid));
    cursor = outcome.result.through;
    if (!outcome.result.more) return events;
  }
}
