/** Storage on a real disk. Its faults are tested in test/simulation, on a disk that has them. */
import assert from "node:assert/strict";
import { appendFile, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Batch, composeZxid, formatZxid, type Zxid, zeroZxid } from "@quorate/api";
import { runningChecksum } from "./record.ts";
import { type Recovered, Storage, type StorageOptions } from "./storage.ts";
import { nodeClock, nodeDisk } from "./world-node.ts";

const member = { standing: "member", ensembleId: "b".repeat(32), acceptedEpoch: 1, currentEpoch: 1 } as const;

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "quorate-storage-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

class Replica {
  readonly storage: Storage;
  readonly recovered: Recovered;
  readonly written: number[] = [];
  #ticket = 0;
  #last: Zxid;
  #checksum: number;
  #waiting = new Map<number, () => void>();

  constructor(storage: Storage, recovered: Recovered) {
    this.storage = storage;
    this.recovered = recovered;
    this.#last = recovered.history.tail.at(-1)?.last ?? recovered.history.applied;
    this.#checksum = recovered.history.checksum;
    storage.onFatal = (error) => assert.fail(error);
    storage.onWritten = (ticket) => {
      this.written.push(ticket);
      this.#waiting.get(ticket)?.();
    };
  }

  static async open(folder: string, limits: StorageOptions["limits"] = {}, replicaId: number = 1): Promise<Replica> {
    const create = { replicaId, standing: "founding" } as const;
    const { storage, recovered } = await Storage.open({ folder, disk: nodeDisk, clock: nodeClock, limits, create });
    return new Replica(storage, recovered);
  }

  get last(): Zxid {
    return this.#last;
  }

  ask(effect: (ticket: number) => void): Promise<void> {
    const ticket = ++this.#ticket;
    return new Promise((resolve) => {
      this.#waiting.set(ticket, resolve);
      effect(ticket);
    });
  }

  append(epoch: number, count: number, bytes: number, commit: Zxid = zeroZxid, staged: boolean = false): Promise<void> {
    const batches: Batch[] = [];
    for (let index = 0; index < count; index++) {
      const counter = Math.floor(this.#last / 2 ** 32) === epoch ? (this.#last % 2 ** 32) + 1 : 1;
      const zxid = composeZxid(epoch, counter);
      const payload = new Uint8Array(bytes).fill(counter & 255);
      const fields = { first: zxid, last: zxid, previous: this.#last, stamp: 1, rules: 1, payload };
      this.#checksum = runningChecksum(this.#checksum, fields);
      this.#last = zxid;
      batches.push({ ...fields, commit, checksum: this.#checksum });
    }
    return this.ask((ticket) => this.storage.append(ticket, batches, staged));
  }

  goOnFrom(last: Zxid, checksum: number): void {
    this.#last = last;
    this.#checksum = checksum;
  }

  async snapshot(at: Zxid, checksum: number, pieces: readonly Uint8Array[]): Promise<boolean> {
    const file = await this.storage.beginSnapshot(at, checksum);
    for (const piece of pieces) await file.write(piece);
    return await file.commit();
  }
}

async function zxids(source: AsyncIterable<readonly Batch[]>): Promise<Zxid[]> {
  const all: Zxid[] = [];
  for await (const batches of source) all.push(...batches.map((batch) => batch.last));
  return all;
}

async function checksumAt(storage: Storage, at: Zxid): Promise<number> {
  for await (const batches of storage.replay(zeroZxid, at)) {
    const batch = batches.find((each) => each.last === at);
    if (batch) return batch.checksum;
  }
  throw new Error(`no batch at ${formatZxid(at)}`);
}

test("what was written is there after a restart; the commit index decides what is applied", () =>
  inFolder(async (folder) => {
    const one = await Replica.open(join(folder, "new", "data"));
    assert.deepEqual(one.recovered.history, {
      base: 0,
      applied: 0,
      epochs: [],
      tail: [],
      checksum: 0,
      appliedChecksum: 0,
    });
    void one.ask((ticket) => one.storage.writeState(ticket, member, undefined));
    void one.append(1, 10, 100);
    void one.append(1, 3, 100, composeZxid(1, 7));
    await one.append(2, 2, 0, composeZxid(1, 6));
    assert.deepEqual(one.written, [1, 2, 3, 4]);
    await one.storage.amend({ announcedRules: 4 });
    await one.storage.close();
    const two = await Replica.open(join(folder, "new", "data"));
    const { history, state } = two.recovered;
    assert.deepEqual(state.protocol, member);
    assert.deepEqual([state.historyId, state.announcedRules, state.replicaId], [member.ensembleId, 4, 1]);
    assert.equal(history.applied, composeZxid(1, 7));
    assert.equal(history.appliedChecksum, await checksumAt(two.storage, history.applied));
    assert.equal(history.tail.length, 8);
    assert.deepEqual(history.epochs, [
      { epoch: 1, last: composeZxid(1, 13) },
      { epoch: 2, last: composeZxid(2, 2) },
    ]);
    assert.equal((await zxids(two.storage.replay(zeroZxid, history.applied))).length, 7);
    assert.match(await readFile(join(folder, "new", "data", "state"), "utf8"), /"standing": "member"/);
    await two.storage.close();
    assert.deepEqual((await readdir(join(folder, "new", "data"))).sort(), [`log.${"0".repeat(16)}.1`, "state"]);
  }));

test("records larger than a read, and reads that end within records", () =>
  inFolder(async (folder) => {
    const limits = { readBytes: 4096, segmentBytes: 50_000 };
    const one = await Replica.open(folder, limits);
    for (const bytes of [9000, 10, 4096 - 68, 4096, 3000, 20_000, 0, 1, 4027, 4028, 30_000])
      await one.append(1, 2, bytes);
    assert.ok(one.storage.stats().segments >= 2);
    await one.storage.close();
    const two = await Replica.open(folder, limits);
    assert.equal(two.last, composeZxid(1, 22));
    assert.equal((await zxids(two.storage.replay(composeZxid(1, 3), composeZxid(1, 20)))).length, 17);
    await assert.rejects(zxids(two.storage.replay(composeZxid(1, 3), composeZxid(1, 99))), /has no batches up to/);
    await two.storage.close();
  }));

test("a segment ends by size, and is sealed when the commit index has passed it", () =>
  inFolder(async (folder) => {
    const one = await Replica.open(folder, { segmentBytes: 1000 });
    for (let index = 0; index < 4; index++) await one.append(1, 1, 600);
    const bySize = one.storage.stats();
    assert.deepEqual([bySize.segments, bySize.sealedSegments], [2, 0]);
    one.storage.committed(composeZxid(1, 2));
    assert.equal(one.storage.stats().sealedSegments, 1);
    await one.storage.close();
  }));

test("a segment's file is longer than its records, and ends with them once it is closed", () =>
  inFolder(async (folder) => {
    const limits = { segmentBytes: 10_000, growBytes: 4096 };
    const sizes = async (): Promise<number[]> => {
      const names = (await readdir(folder)).filter((name) => name.startsWith("log.")).sort();
      return Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
    };
    const record = 68 + 600;
    const one = await Replica.open(folder, limits);
    await one.append(1, 1, 600);
    assert.deepEqual(await sizes(), [4096]);
    for (let index = 0; index < 5; index++) await one.append(1, 1, 600);
    assert.deepEqual(await sizes(), [4096]);
    await one.append(1, 1, 600);
    assert.deepEqual(await sizes(), [8192]);
    for (let index = 0; index < 8; index++) await one.append(1, 1, 600);
    assert.deepEqual(await sizes(), [32 + 15 * record], "it ends where the segment does");
    await one.append(1, 2, 600);
    assert.deepEqual(await sizes(), [32 + 15 * record, 4096]);
    await one.storage.close();
    const [closed] = (await readdir(folder)).filter((name) => name.startsWith("log.")).sort();
    // As if it had died while it began the second.
    await appendFile(join(folder, closed ?? ""), new Uint8Array(500));
    const two = await Replica.open(folder, limits);
    assert.deepEqual(two.recovered.notes, []);
    assert.equal(two.recovered.setAside, undefined);
    assert.equal(two.last, composeZxid(1, 17));
    await two.append(1, 1, 600);
    assert.deepEqual((await sizes()).at(-1), 4096);
    await two.storage.close();
    const three = await Replica.open(folder, limits);
    assert.equal(three.last, composeZxid(1, 18));
    await three.storage.close();
  }));

test("a segment ends by age", () =>
  inFolder(async (folder) => {
    const one = await Replica.open(folder, { segmentMillis: 5 });
    await one.append(1, 1, 10);
    const before = one.storage.stats().segments;
    await new Promise((resolve) => setTimeout(resolve, 10));
    await one.append(1, 1, 10);
    assert.equal(one.storage.stats().segments, before + 1);
    await one.storage.close();
  }));

test("pruning keeps what snapshots, transfers and the commit index need", () =>
  inFolder(async (folder) => {
    const { storage, ...rest } = await Replica.open(folder, { segmentBytes: 1000 }).then((one) => ({
      storage: one.storage,
      one,
    }));
    const { one } = rest;
    for (let index = 0; index < 20; index++) await one.append(1, 1, 600);
    const at = (counter: number): Zxid => composeZxid(1, counter);
    assert.equal(await storage.prune(at(20)), 0, "there is no snapshot");
    assert.equal(await one.snapshot(at(8), await checksumAt(storage, at(8)), [new Uint8Array(10)]), true);
    assert.equal(await storage.prune(at(20)), 0, "nothing is known as committed");
    storage.committed(at(18));
    assert.equal(await storage.prune(at(5)), at(4));
    const transfer = storage.sendHistory(at(5), at(20))[Symbol.asyncIterator]();
    assert.equal((await transfer.next()).value?.[0]?.last, at(6));
    assert.equal(await one.snapshot(at(12), storage.newestSnapshot()?.checksum ?? 0, []), true);
    assert.equal(await storage.prune(at(20)), at(4), "a transfer reads it");
    await transfer.return?.();
    assert.equal(await storage.prune(at(20)), at(8), "the older snapshot needs what is behind it");
    const source = storage.sendSnapshot();
    assert.equal(source.at, at(12));
    assert.ok(storage.logBytesAfter(at(12)) > 8 * 600 && storage.logBytesAfter(at(12)) < 9 * 700);
    await assert.rejects(zxids(storage.sendHistory(at(3), at(20))), /is gone/);
    source.release();
    await storage.close();
  }));

test("a snapshot travels as its bytes, is staged, installed, and becomes the history", () =>
  inFolder(async (folder) => {
    const leader = await Replica.open(join(folder, "a"), { readBytes: 5000 });
    await leader.append(1, 5, 100);
    const at = composeZxid(1, 4);
    const checksum = await checksumAt(leader.storage, at);
    const pieces = [new Uint8Array(700).fill(1), new Uint8Array(9000).fill(2), new Uint8Array(1).fill(3)];
    await leader.snapshot(at, checksum, pieces);
    const follower = await Replica.open(join(folder, "b"), {}, 2);
    await follower.append(1, 2, 10);
    const source = leader.storage.sendSnapshot();
    let offset = 0;
    for await (const chunk of source.chunks) {
      const from = offset;
      offset += chunk.length;
      const done = offset === leader.storage.newestSnapshot()?.bytes;
      await follower.ask((ticket) => follower.storage.stage(ticket, at, source.checksum, from, chunk, done));
    }
    source.release();
    const own = await follower.storage.beginSnapshot(composeZxid(1, 1), 5);
    follower.goOnFrom(at, checksum);
    void follower.append(1, 1, 100, at, true);
    await follower.ask((ticket) => follower.storage.writeState(ticket, member, at));
    await own.write(Uint8Array.of(1));
    assert.equal(await own.commit(), false, "a snapshot of the former history is void");
    await follower.append(2, 1, 100);
    await follower.storage.close();
    const again = await Replica.open(join(folder, "b"), {}, 2);
    const { history, snapshot } = again.recovered;
    assert.deepEqual([snapshot, history.base, history.applied, history.tail.length], [at, at, at, 2]);
    const content: Uint8Array[] = [];
    for await (const piece of again.storage.readSnapshot(at)) content.push(piece);
    assert.deepEqual(
      content.map((piece) => [piece.length, piece[0]]),
      pieces.map((piece) => [piece.length, piece[0]]),
    );
    assert.deepEqual(
      (await readdir(join(folder, "b"))).sort(),
      [
        `log.${at.toString(16).padStart(16, "0")}.2`,
        "state",
        `snapshot.${at.toString(16).padStart(16, "0")}.2`,
        "lock",
      ].sort(),
    );
    await again.storage.close();
    await leader.storage.close();
  }));

test("history is read up to what is still being written; a cut stops the reader", () =>
  inFolder(async (folder) => {
    const { storage, append } = await Replica.open(folder, { readBytes: 4096 }).then((one) => ({
      storage: one.storage,
      append: (count: number) => one.append(1, count, 1000),
    }));
    void append(4);
    void append(4);
    assert.equal((await zxids(storage.sendHistory(zeroZxid, composeZxid(1, 8)))).length, 8);
    const reader = storage.sendHistory(zeroZxid, composeZxid(1, 8))[Symbol.asyncIterator]();
    await reader.next();
    storage.truncate(99, composeZxid(1, 6));
    await storage.prune(zeroZxid);
    await assert.rejects(reader.next(), /was cut while it was read/);
    await storage.close();
  }));

test("own files that no state names go at the start, strangers' stay", () =>
  inFolder(async (folder) => {
    const one = await Replica.open(folder);
    await one.append(1, 2, 10);
    const file = await one.storage.beginSnapshot(composeZxid(1, 1), 1);
    await file.write(new Uint8Array(300_000));
    await one.storage.close();
    await (await nodeDisk.open(join(folder, `log.${"f".padStart(16, "0")}.9`), "create")).close();
    await (await nodeDisk.open(join(folder, `snapshot.${"1".padStart(16, "0")}.1.partial`), "create")).close();
    await (await nodeDisk.open(join(folder, "notes.txt"), "create")).close();
    const two = await Replica.open(folder);
    await two.storage.close();
    assert.deepEqual((await readdir(folder)).sort(), [`log.${"0".repeat(16)}.1`, "notes.txt", "state"]);
  }));

test("a folder whose state differed from the majority's once is believed, twice in a row is set aside", () =>
  inFolder(async (folder) => {
    const one = await Replica.open(folder);
    void one.ask((ticket) => one.storage.writeState(ticket, member, undefined));
    await one.append(1, 3, 100);
    await one.storage.amend({ divergences: 1 });
    await one.storage.close();
    const two = await Replica.open(folder);
    assert.equal(two.recovered.setAside, undefined);
    assert.equal(two.recovered.history.tail.length, 3);
    await two.storage.amend({ divergences: 2 });
    await two.storage.close();
    const three = await Replica.open(folder);
    assert.match(three.recovered.notes.join(), /differed from the majority's twice/);
    assert.ok((await readdir(three.recovered.setAside ?? "")).some((name) => name.startsWith("log.")));
    const { protocol, divergences } = three.recovered.state;
    assert.deepEqual([protocol.standing, divergences, three.recovered.history.tail.length], ["joining", 0, 0]);
    await three.storage.close();
  }));
