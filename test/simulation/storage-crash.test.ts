/**
 * The power goes at every step of a long run of everything that storage does; what was not fsynced is lost, kept or
 * torn; often the power goes again while the folder is recovered. What comes back has all that was acknowledged, and is
 * a history that was asked for: never a mixture of two.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Batch, composeZxid, formatZxid, type Zxid, zeroZxid } from "@quorate/api";
import type { DurableState } from "@quorate/zab";
import { type Recovered, Storage } from "../../services/replica/src/storage.ts";
import { FaultyDisk, type PowerLoss } from "./faulty-disk.ts";
import { SeededRandom } from "./random.ts";
import { BatchChain, collect, manualClock, settled, snapshotBytes } from "./storage-world.ts";

const folder = "/data";
const limits = {
  segmentBytes: 2500,
  growBytes: 600,
  groupBytes: 1500,
  groupBatches: 4,
  readBytes: 4096,
  snapshotWriteBytes: 100,
};
const ensembleId = "0123456789abcdef0123456789abcdef";

interface Model {
  readonly log: readonly Batch[];
  readonly snapshot: Zxid;
  readonly protocol: DurableState;
}

/** One thing asked of storage: what it makes of the history, and how it is asked for. */
interface Step {
  readonly after: Model;
  readonly ask: (storage: Storage, ticket: number) => Promise<void> | undefined;
}

/** The run, in groups that are asked for together. Each step's model is the one before it, changed. */
function script(): Step[][] {
  const chain = new BatchChain();
  const protocol: DurableState = { standing: "founding", ensembleId: "", acceptedEpoch: 0, currentEpoch: 0 };
  let model: Model = { log: [], snapshot: zeroZxid, protocol };
  const groups: Step[][] = [];
  /** What was appended behind the staged snapshot. */
  const behind: Batch[] = [];
  const group = (...steps: Step[]): void => void groups.push(steps);
  const step = (after: Model, ask: Step["ask"]): Step => {
    model = after;
    return { after, ask };
  };
  const append = (epoch: number, count: number, bytes: number, commit: Zxid = zeroZxid, staged = false): Step => {
    const batches = Array.from({ length: count }, () => chain.next(epoch, 2, bytes, commit));
    if (staged) behind.push(...batches);
    const after = staged ? model : { ...model, log: [...model.log, ...batches] };
    return step(after, (storage, ticket) => void storage.append(ticket, batches, staged));
  };
  const write = (change: Partial<DurableState>): Step => {
    const next = { ...model.protocol, ...change };
    return step({ ...model, protocol: next }, (storage, ticket) => void storage.writeState(ticket, next, undefined));
  };
  const snapshot = (at: Batch): Step =>
    step({ ...model, snapshot: at.last }, async (storage) => {
      storage.committed(at.last);
      const file = await storage.beginSnapshot(at.last, at.checksum);
      for (let piece = 0; piece < 5; piece++) await file.write(new Uint8Array(60).fill(piece));
      assert.equal(await file.commit(), true);
    });
  const truncate = (to: Batch): Step => {
    chain.rewind(to.last, to.checksum);
    const log = model.log.filter((batch) => batch.last <= to.last);
    return step({ ...model, log }, (storage, ticket) => void storage.truncate(ticket, to.last));
  };
  const prune = (floor: Zxid): Step => step(model, async (storage) => void (await storage.prune(floor)));
  const at = (index: number): Batch => model.log[index] as Batch;

  group(write({ ensembleId, acceptedEpoch: 1 }));
  group(append(1, 1, 10), append(1, 1, 20), append(1, 2, 0));
  group(write({ currentEpoch: 1, standing: "member" }));
  group(append(1, 1, 700), append(1, 3, 500), append(1, 2, 900), append(1, 1, 30), append(1, 4, 400));
  group(append(1, 1, 600, at(8).last), append(1, 1, 600, at(9).last));
  group(snapshot(at(6)));
  group(append(1, 2, 800), append(1, 2, 800), append(1, 2, 800));
  group(truncate(at(10)), append(2, 1, 900), append(2, 1, 100));
  group(append(2, 3, 700), write({ acceptedEpoch: 2 }), append(2, 3, 700), write({ currentEpoch: 2 }));
  group(append(2, 1, 10), snapshot(at(9)));
  group(snapshot(at(12)));
  group(prune(at(12).last));
  group(append(2, 1, 2000), truncate(at(13)), append(2, 1, 300));
  group(...installation(chain, step, () => model, append, behind));
  group(append(3, 2, 900), append(3, 2, 900, composeZxid(3, 2)));
  return groups;
}

/** A leader's snapshot in pieces, the log behind it, and the one write that makes them the history. */
function installation(
  chain: BatchChain,
  step: (after: Model, ask: Step["ask"]) => Step,
  model: () => Model,
  append: (epoch: number, count: number, bytes: number, commit: Zxid, staged: boolean) => Step,
  behind: readonly Batch[],
): Step[] {
  const at = composeZxid(2, 500);
  const checksum = 77;
  const bytes = snapshotBytes(at, checksum, [new Uint8Array(3000).fill(1), new Uint8Array(2000).fill(2)]);
  const piece = (from: number, to: number): Step =>
    step(
      model(),
      (storage, ticket) =>
        void storage.stage(ticket, at, checksum, from, bytes.subarray(from, to), to === bytes.length),
    );
  const given = piece(0, 1000);
  const dropped = step(model(), (storage, ticket) => void storage.unstage(ticket));
  const pieces = [piece(0, 1000), piece(1000, 4000), piece(4000, bytes.length)];
  chain.rewind(at, checksum);
  const appended = [append(2, 2, 800, at, true), append(3, 2, 800, at, true)];
  const protocol = { ...model().protocol, acceptedEpoch: 3, currentEpoch: 3 };
  const install = step(
    { log: [...behind], snapshot: at, protocol },
    (storage, ticket) => void storage.writeState(ticket, protocol, at),
  );
  return [given, dropped, ...pieces, ...appended, install];
}

interface Run {
  readonly acknowledged: number;
  readonly asked: number;
}

/** Plays the script until it ends or the power goes. */
async function play(disk: FaultyDisk, groups: readonly (readonly Step[])[]): Promise<Run> {
  let acknowledged = 0;
  let asked = 0;
  let opened: Storage | undefined;
  const options = {
    folder,
    disk,
    clock: manualClock(),
    limits,
    create: { replicaId: 3, standing: "founding" } as const,
  };
  void Storage.open(options).then(({ storage }) => {
    opened = storage;
  });
  await settled();
  const storage = opened;
  if (storage === undefined) return { acknowledged, asked };
  const done = new Set<number>();
  const finish = (ticket: number): void => {
    done.add(ticket);
    while (done.has(acknowledged + 1)) acknowledged += 1;
  };
  storage.onWritten = finish;
  storage.onFatal = (error) => assert.fail(error);
  storage.onBadStage = (why) => assert.fail(why);
  for (const group of groups) {
    for (const step of group) {
      const ticket = ++asked;
      void step.ask(storage, ticket)?.then(() => finish(ticket));
    }
    for (let turn = 0; turn < 20 && acknowledged < asked && !disk.crashed; turn++) await settled();
    if (disk.crashed) break;
  }
  return { acknowledged, asked };
}

async function reopen(disk: FaultyDisk): Promise<{ storage: Storage; recovered: Recovered; log: Batch[] }> {
  const create = { replicaId: 3, standing: "founding" } as const;
  const { storage, recovered } = await Storage.open({ folder, disk, clock: manualClock(), limits, create });
  const { base, tail, applied } = recovered.history;
  const last = tail.at(-1)?.last ?? applied;
  const log = (await collect(storage.replay(base, last))).flat();
  return { storage, recovered, log };
}

/** Whether `log` is what lies between two models that follow each other: one of them, or on the way. */
function lies(log: readonly Batch[], base: Zxid, one: Model, other: Model): boolean {
  const sums = (batches: readonly Batch[]): number[] =>
    batches.filter((batch) => batch.last > base).map((batch) => batch.checksum);
  const mine = sums(log);
  const [short, long] = [sums(one.log), sums(other.log)].sort((left, right) => left.length - right.length);
  if (short === undefined || long === undefined) return false;
  const isPrefix = (prefix: number[], whole: number[]): boolean => prefix.every((sum, index) => sum === whole[index]);
  if (!isPrefix(short, long)) return `${mine}` === `${short}` || `${mine}` === `${long}`;
  return mine.length >= short.length && isPrefix(mine, long) && mine.length <= long.length;
}

function check(run: Run, models: readonly Model[], recovered: Recovered, log: readonly Batch[]): void {
  assert.equal(recovered.setAside, undefined, recovered.notes.join("; "));
  const { base, applied, tail } = recovered.history;
  const state = JSON.stringify(recovered.state.protocol);
  const matching = models.slice(run.acknowledged, run.asked + 1).some((model, index, range) => {
    const next = range[index + 1] ?? model;
    const stands = [model, next].some(
      (each) => JSON.stringify(each.protocol) === state && each.snapshot === recovered.snapshot,
    );
    return stands && base <= recovered.snapshot && lies(log, base, model, next);
  });
  assert.ok(
    matching,
    `recovered ${formatZxid(log.at(-1)?.last ?? base)} is no history between what was acknowledged and asked`,
  );
  assert.ok(applied >= recovered.snapshot);
  assert.deepEqual(
    tail.map((batch) => batch.checksum),
    log.filter((batch) => batch.last > applied).map((batch) => batch.checksum),
  );
  const commits = log.map((batch) => batch.commit).filter((commit) => commit > applied);
  assert.deepEqual(commits, [], "what a commit index covers is applied");
}

/** Recovers, sometimes with the power going again in the midst of it. */
async function recoverAfter(disk: FaultyDisk, loss: PowerLoss, random: SeededRandom): Promise<void> {
  disk.losePower(loss);
  disk.fault = () => "none";
  if (!random.chance(0.4)) return;
  const last = disk.steps + 1 + random.below(12);
  disk.fault = (step) => (step.number === last ? "crash" : "none");
  let opened = false;
  void reopen(disk).then(({ storage }) => {
    opened = true;
    void storage.close();
  });
  for (let turn = 0; turn < 20 && !opened && !disk.crashed; turn++) await settled();
  disk.losePower(random.pick(["lost", "kept", "torn"] as const));
  disk.fault = () => "none";
}

async function crashAt(step: number, loss: PowerLoss, seed: number): Promise<boolean> {
  const random = new SeededRandom(seed);
  const disk = new FaultyDisk(random);
  disk.fault = ({ number }) => (number === step ? "crash" : "none");
  const groups = script();
  const fresh: Model = {
    log: [],
    snapshot: zeroZxid,
    protocol: { standing: "founding", ensembleId: "", acceptedEpoch: 0, currentEpoch: 0 },
  };
  const models = [fresh, ...groups.flat().map((each) => each.after)];
  const run = await play(disk, groups);
  const { crashed } = disk;
  if (!crashed) assert.equal(run.acknowledged, models.length - 1, "everything was acknowledged");
  await recoverAfter(disk, loss, random);
  const { storage, recovered, log } = await reopen(disk);
  check(run, models, recovered, log);
  const chain = new BatchChain();
  chain.rewind(log.at(-1)?.last ?? recovered.history.base, recovered.history.checksum);
  const more = chain.next(9, 1, 40);
  storage.append(1, [more], false);
  await storage.close();
  const again = await reopen(disk);
  assert.equal(again.log.at(-1)?.checksum, more.checksum, "it goes on where it was");
  await again.storage.close();
  const rubbish = disk.paths().filter((path) => path.includes("partial"));
  assert.deepEqual(rubbish, []);
  return crashed;
}

for (const loss of ["lost", "kept", "torn"] as const) {
  test(`the power goes at every step; what was not fsynced is ${loss}`, async () => {
    let step = 1;
    for (const seeds = loss === "torn" ? 4 : 1; ; step++) {
      let crashed = false;
      for (let seed = 0; seed < seeds; seed++) {
        try {
          crashed = (await crashAt(step, loss, step * 1000 + seed)) || crashed;
        } catch (error) {
          throw new Error(`crash at step ${step}, ${loss}, seed ${step * 1000 + seed}`, { cause: error });
        }
      }
      if (!crashed) break;
    }
    assert.ok(step > 80, `${step} steps`);
  });
}
