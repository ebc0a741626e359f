/** One disk failure at a time: what storage does then, and what it finds at the next start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Batch, composeZxid, type Zxid, zeroZxid } from "@quorate/api";
import { type Recovered, Storage, type StorageOptions } from "../../services/replica/src/storage.ts";
import { CorruptionError, StorageError } from "../../services/replica/src/storage-error.ts";
import { FaultyDisk } from "./faulty-disk.ts";
import { SeededRandom } from "./random.ts";
import { BatchChain, collect, type ManualClock, manualClock, settled, snapshotBytes } from "./storage-world.ts";

const folder = "/data";
const create = { replicaId: 3, standing: "founding" } as const;
const member = { standing: "member", ensembleId: "a".repeat(32), acceptedEpoch: 1, currentEpoch: 1 } as const;

interface Opened {
  readonly storage: Storage;
  readonly recovered: Recovered;
  readonly clock: ManualClock;
  readonly written: number[];
  readonly fatal: Error[];
  readonly badStages: string[];
}

function newDisk(): FaultyDisk {
  return new FaultyDisk(new SeededRandom(1));
}

async function open(disk: FaultyDisk, limits: StorageOptions["limits"] = {}): Promise<Opened> {
  const clock = manualClock();
  const { storage, recovered } = await Storage.open({ folder, disk, clock, limits, create });
  const opened = {
    storage,
    recovered,
    clock,
    written: [] as number[],
    fatal: [] as Error[],
    badStages: [] as string[],
  };
  storage.onWritten = (ticket) => opened.written.push(ticket);
  storage.onFatal = (error) => opened.fatal.push(error);
  storage.onBadStage = (why) => opened.badStages.push(why);
  return opened;
}

function endOf(recovered: Recovered): Zxid {
  return recovered.history.tail.at(-1)?.last ?? recovered.history.applied;
}

/** A member with `count` batches of `bytes` each, appended one by one. */
async function filled(
  disk: FaultyDisk,
  count: number,
  bytes: number,
  limits: StorageOptions["limits"],
): Promise<Batch[]> {
  const { storage, fatal } = await open(disk, limits);
  const chain = new BatchChain();
  storage.writeState(1, member, undefined);
  const batches: Batch[] = [];
  for (let index = 0; index < count; index++) {
    const batch = chain.next(1, 1, bytes);
    batches.push(batch);
    storage.append(2 + index, [batch], false);
    await settled();
  }
  await storage.close();
  assert.deepEqual(fatal, []);
  return batches;
}

test("a failed fsync is fatal once; what it covered is written again, for the page cache lies", async () => {
  const disk = newDisk();
  const first = await open(disk);
  const chain = new BatchChain();
  const [one, two] = [chain.next(1, 1, 5000), chain.next(1, 1, 5000)];
  first.storage.writeState(1, member, undefined);
  first.storage.append(2, [one], false);
  await settled();
  assert.deepEqual(first.written, [1, 2]);
  disk.fault = ({ operation }) => (operation === "sync" ? "EIO" : "none");
  first.storage.append(3, [two], false);
  await settled();
  disk.fault = () => "none";
  first.storage.append(4, [chain.next(1, 1, 10)], false);
  await assert.rejects(first.storage.prune(zeroZxid), StorageError);
  await settled();
  assert.deepEqual(first.written, [1, 2], "nothing is done after it");
  assert.equal(first.fatal.length, 1);
  assert.match(String(first.fatal[0]), /\/data\/log\.0{16}\.1: sync failed: EIO/);

  disk.killProcess();
  const second = await open(disk);
  assert.equal(endOf(second.recovered), two.last, "the page cache shows it");
  disk.losePower("lost");
  const third = await open(disk);
  assert.equal(endOf(third.recovered), two.last, "and it was made durable before anybody was told");
});

test("a full disk is fatal, names the file, and harms nothing that was acknowledged", async () => {
  const disk = newDisk();
  const batches = await filled(disk, 3, 1000, {});
  disk.capacity = 5000;
  const { storage, written, fatal, clock } = await open(disk, { reserveBytes: 1000, growBytes: 0 });
  assert.equal(storage.diskReserveReached(), false);
  const chain = new BatchChain();
  const last = batches.at(-1) as Batch;
  chain.rewind(last.last, last.checksum);
  const next = chain.next(1, 1, 400);
  storage.append(1, [next], false);
  await settled();
  assert.equal(storage.diskReserveReached(), false, "looked at not long ago");
  clock.advance(1001);
  storage.diskReserveReached();
  await settled();
  assert.equal(storage.diskReserveReached(), true);
  assert.ok((await storage.freeBytes()) < 1000);
  storage.append(2, [chain.next(1, 1, 3000)], false);
  await settled();
  assert.deepEqual(written, [1]);
  assert.match(String(fatal[0]), /\/data\/log\.0{16}\.1: write failed: ENOSPC/);
  disk.capacity = Number.POSITIVE_INFINITY;
  disk.losePower("kept");
  assert.equal(endOf((await open(disk)).recovered), next.last);
});

test("a disk that hangs shows in the age of the oldest write; tickets complete in order when it goes on", async () => {
  const disk = newDisk();
  const { storage, written, clock } = await open(disk);
  const chain = new BatchChain();
  let hang = true;
  disk.fault = ({ operation }) => (operation === "sync" && hang ? "hang" : "none");
  assert.equal(storage.oldestWriteMillis(), 0);
  storage.append(1, [chain.next(1, 1, 10)], false);
  await settled();
  clock.advance(300);
  for (let ticket = 2; ticket < 8; ticket++) storage.append(ticket, [chain.next(1, 1, 10)], false);
  clock.advance(200);
  assert.equal(storage.oldestWriteMillis(), 500);
  hang = false;
  disk.resume();
  await settled();
  assert.deepEqual(written, [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(storage.oldestWriteMillis(), 0);
  assert.equal(storage.stats().writes, 2, "what waited was one write");
});

test("the queue has an end: a disk that far behind is fatal", async () => {
  const disk = newDisk();
  const limits = { queueSoftBytes: 3000, queueHardBytes: 6000, groupBytes: 1000 };
  const { storage, fatal } = await open(disk, limits);
  const chain = new BatchChain();
  disk.fault = () => "hang";
  for (let ticket = 1; ticket < 5; ticket++) storage.append(ticket, [chain.next(1, 1, 800)], false);
  assert.equal(storage.congested(), true);
  assert.equal(fatal.length, 0);
  for (let ticket = 5; ticket < 10; ticket++) storage.append(ticket, [chain.next(1, 1, 800)], false);
  assert.equal(fatal.length, 1);
});

const small = { segmentBytes: 2000 };

test("corruption in a middle segment, or before good records: set aside, and back as joining", async () => {
  for (const target of ["middle", "inner"] as const) {
    const disk = newDisk();
    await filled(disk, 9, 900, target === "middle" ? small : {});
    const logs = disk.paths().filter((path) => path.includes("/log."));
    const path = (target === "middle" ? logs[1] : logs[0]) as string;
    disk.flipBit(path, 32 + 68 + 10, 3);
    const { recovered, storage, written } = await open(disk, small);
    assert.equal(recovered.setAside, "/data/corrupt-1", recovered.notes.join());
    assert.deepEqual(recovered.state.protocol, {
      standing: "joining",
      ensembleId: "",
      acceptedEpoch: 0,
      currentEpoch: 0,
    });
    assert.equal(recovered.state.replicaId, 3);
    assert.equal(endOf(recovered), 0);
    const aside = disk.paths().filter((each) => each.startsWith("/data/corrupt-1/"));
    assert.deepEqual(
      aside,
      ["/data/corrupt-1/state", ...logs.map((each) => each.replace("/data/", "/data/corrupt-1/"))].sort(byName),
    );
    storage.append(1, [new BatchChain().next(4, 1, 10)], false);
    await storage.close();
    assert.deepEqual(written, [1]);
    disk.losePower("lost");
    const again = await open(disk, small);
    assert.equal(again.recovered.setAside, undefined);
    assert.equal(again.recovered.state.protocol.standing, "joining");
    assert.equal(endOf(again.recovered), composeZxid(4, 1));
  }
});

function byName(one: string, other: string): number {
  return one < other ? -1 : 1;
}

test("a record that reads as zeros is not taken for the end of the log, but where only a torn write could tell", async () => {
  const limits = { segmentBytes: 3200, growBytes: 600 };
  const [count, firsts, bytes] = [9, 5, 68 + 700];
  for (let index = 0; index < count; index++) {
    const disk = newDisk();
    const batches = await filled(disk, count, 700, limits);
    const logs = disk.paths().filter((path) => path.includes("/log."));
    assert.equal(logs.length, 2);
    assert.equal(disk.fileSize(logs[1] as string), 3200, "there are zeros behind its last record");
    const file = await disk.open(logs[index < firsts ? 0 : 1] as string, "write");
    await file.write([new Uint8Array(bytes)], 32 + (index % firsts) * bytes);
    await file.sync();
    const { recovered, storage } = await open(disk, limits);
    if (index < count - 1) assert.notEqual(recovered.setAside, undefined, `record ${index} was lost silently`);
    else assert.equal(endOf(recovered), batches[count - 2]?.last);
    await storage.close();
  }
});

test("a group that was torn is cut, and not taken for corruption, even where a later record of it is whole", async () => {
  let steppedOver = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new FaultyDisk(new SeededRandom(seed));
    const { storage } = await open(disk);
    const chain = new BatchChain();
    const first = chain.next(1, 1, 200);
    storage.append(1, [first], false);
    await settled();
    const group = [chain.next(1, 1, 5000), chain.next(1, 1, 5000), chain.next(1, 1, 20), chain.next(1, 1, 20)];
    disk.fault = ({ operation }) => (operation === "sync" ? "crash" : "none");
    storage.append(2, group, false);
    await settled();
    disk.losePower("torn");
    disk.fault = () => "none";
    const path = disk.paths().find((each) => each.includes("/log.")) as string;
    const before = disk.fileSize(path);
    const again = await open(disk);
    assert.equal(again.recovered.setAside, undefined, `seed ${seed}: ${again.recovered.notes.join()}`);
    const end = endOf(again.recovered);
    if (end === first.last && before > 10_000) steppedOver += 1;
    // One of the same size takes its place: nothing of the old group may stand behind it.
    chain.rewind(end, again.recovered.history.checksum);
    const next = chain.next(2, 1, 5000);
    again.storage.append(1, [next], false);
    await again.storage.close();
    const last = await open(disk);
    assert.equal(last.recovered.setAside, undefined, `seed ${seed}: ${last.recovered.notes.join()}`);
    assert.equal(endOf(last.recovered), next.last);
  }
  assert.ok(steppedOver > 3, `${steppedOver} torn groups had something whole behind what was lost`);
});

test("a missing segment and a log that a lying disk lost below its snapshot are corruption", async () => {
  const missing = newDisk();
  await filled(missing, 9, 900, small);
  await missing.remove(missing.paths().filter((path) => path.includes("/log."))[1] as string);
  assert.ok((await open(missing, small)).recovered.setAside);

  const lying = newDisk();
  const { storage } = await open(lying);
  const chain = new BatchChain();
  storage.writeState(1, member, undefined);
  await settled();
  lying.fault = ({ operation, path }) => (operation === "sync" && path.includes("/log.") ? "lie" : "none");
  const batch = chain.next(1, 1, 100);
  storage.append(2, [batch], false);
  await settled();
  const file = await storage.beginSnapshot(batch.last, batch.checksum);
  await file.write(Uint8Array.of(1));
  await file.commit();
  lying.losePower("lost");
  lying.fault = () => "none";
  assert.ok((await open(lying)).recovered.setAside);
});

test("a newest snapshot that does not read is left out where the log reaches back", async () => {
  const disk = newDisk();
  const batches = await filled(disk, 6, 100, {});
  const { storage } = await open(disk);
  for (const index of [1, 3]) {
    const { last, checksum } = batches[index] as Batch;
    const file = await storage.beginSnapshot(last, checksum);
    await file.write(new Uint8Array(50).fill(index));
    await file.commit();
  }
  await storage.close();
  const newest = disk
    .paths()
    .filter((path) => path.includes("snapshot"))
    .at(-1) as string;
  disk.flipBit(newest, 45);
  const { recovered, storage: again } = await open(disk);
  assert.equal(recovered.setAside, undefined);
  assert.equal(recovered.snapshot, batches[1]?.last);
  assert.deepEqual(
    (await collect(again.readSnapshot(recovered.snapshot))).map((piece) => piece[0]),
    [1],
  );
  assert.equal(endOf(recovered), batches.at(-1)?.last);
  assert.equal(disk.paths().includes(newest), false);
});

test("a snapshot that fails at any step is given up, and the next one is written", async () => {
  const disk = newDisk();
  const batches = await filled(disk, 1, 100, {});
  const { last, checksum } = batches[0] as Batch;
  const { storage, fatal } = await open(disk);
  const take = async (): Promise<boolean> => {
    const file = await storage.beginSnapshot(last, checksum);
    try {
      await file.write(new Uint8Array(40_000));
      return await file.commit();
    } catch (error) {
      await file.abort();
      throw error;
    }
  };
  const left: string[] = ["open", "write", "sync", "rename", "syncFolder"];
  const steps = left.length;
  disk.fault = ({ operation, path }) => {
    const isNext = operation === left[0] && (operation === "syncFolder" || path.includes("snapshot"));
    if (isNext) left.shift();
    return isNext ? "EIO" : "none";
  };
  let failures = 0;
  const failed = (error: unknown): false => {
    assert.match(String(error), /EIO/);
    failures++;
    return false;
  };
  while (!(await take().catch(failed))) assert.ok(failures < 20, "it is written in the end");
  assert.equal(failures, steps);
  assert.deepEqual(fatal, [], "the log goes on");
  await storage.close();
});

test("a bad snapshot from a leader is said before its ticket completes, and can never be installed", async () => {
  const disk = newDisk();
  const { storage, written, badStages, fatal } = await open(disk);
  const at = composeZxid(5, 9);
  const bytes = snapshotBytes(at, 7, [new Uint8Array(500).fill(3)]);
  bytes[100] = 0;
  storage.stage(1, at, 7, 0, bytes.subarray(0, 50), false);
  storage.stage(2, at, 7, 50, bytes.subarray(50), true);
  await settled();
  assert.deepEqual([written, badStages.length, fatal.length], [[1, 2], 1, 0]);
  storage.unstage(3);
  const good = snapshotBytes(at, 7, [new Uint8Array(500).fill(3)]);
  storage.stage(4, at, 7, 10, good.subarray(10), true);
  storage.stage(5, at, 8, 0, good, true);
  storage.stage(6, at, 7, 0, good.subarray(0, good.length - 1), true);
  await settled();
  assert.deepEqual([written.length, badStages.length, fatal.length], [6, 4, 0]);
  storage.writeState(7, member, at);
  await settled();
  assert.deepEqual([written.length, fatal.length], [6, 1]);
  disk.losePower("kept");
  assert.equal((await open(disk)).recovered.snapshot, 0);
});

test("whose folder it is: another replica's, nobody's, of an unknown format, without its state file, in use", async () => {
  const disk = newDisk();
  const clock = manualClock();
  await assert.rejects(Storage.open({ folder, disk, clock }), /\/data: there is no such folder/);
  await disk.makeFolder(folder);
  await assert.rejects(Storage.open({ folder, disk, clock }), /\/data\/state: there is no state file/);
  await filled(disk, 2, 10, {});
  const other = { replicaId: 4, standing: "joining" } as const;
  await assert.rejects(Storage.open({ folder, disk, clock, create: other }), /belongs to replica 3, this is replica 4/);
  const { storage } = await open(disk);
  await assert.rejects(open(disk), /another process uses this data folder/);
  await storage.close();
  const without = await Storage.open({ folder, disk, clock });
  assert.equal(without.recovered.state.protocol.standing, "member");
  await without.storage.close();
  const names = await disk.list(folder);
  const log = names.find((name) => name.startsWith("log.")) ?? "";
  disk.flipBit(`/data/${log}`, 100);
  await assert.rejects(Storage.open({ folder, disk, clock }), CorruptionError);
  assert.deepEqual(await disk.list(folder), names, "who only looks moves nothing of a corrupt folder");
  disk.flipBit(`/data/${log}`, 100);
  disk.flipBit("/data/state", 60);
  await assert.rejects(Storage.open({ folder, disk, clock }), StorageError);
  const aside = await open(disk);
  assert.equal(aside.recovered.setAside, "/data/corrupt-1");
  assert.equal(aside.recovered.state.protocol.standing, "joining");
  await aside.storage.close();
  await disk.remove("/data/state");
  const again = await open(disk);
  assert.equal(again.recovered.state.protocol.standing, "joining", "what it promised is forgotten: no founder");
  assert.equal(again.recovered.setAside, "/data/corrupt-2");
});
