/**
 * Disks that are full or ill: writes are refused while there is a reserve; a replica that meets the end of its disk, or
 * whose fsync fails, stops and says which file and why; the others go on; with room again it comes back.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { Ensemble, type Process, sleep, until } from "./ensemble.ts";
import { Ledger } from "./ledger.ts";

const long = { timeout: 300_000 };
const megabyte = 1_048_576;

/** A file system of its own for each replica, small. */
class SmallDisks {
  readonly root = mkdtempSync(join(tmpdir(), "quorate-disks-"));
  readonly #mounted: string[] = [];

  /** Why there are none; empty: there they are. */
  mount(megabytes: number): string {
    for (const id of [1, 2, 3]) {
      mkdirSync(this.pathOf(id));
      const { status, stderr, error } = spawnSync("mount", [
        "-t",
        "tmpfs",
        "-o",
        `size=${megabytes}m`,
        "tmpfs",
        this.pathOf(id),
      ]);
      if (status !== 0) return `a tmpfs cannot be mounted here: ${error?.message ?? stderr.toString().trim()}`;
      this.#mounted.push(this.pathOf(id));
    }
    return "";
  }

  pathOf(id: number): string {
    return join(this.root, String(id));
  }

  dataOf(id: number): string {
    return join(this.pathOf(id), "data");
  }

  /** Takes room until only `left` bytes are free. */
  fill(id: number, left: number): void {
    const { bavail, bsize } = statfsSync(this.pathOf(id));
    const file = openSync(join(this.pathOf(id), "ballast"), "a");
    try {
      const piece = Buffer.alloc(Math.max(0, bavail * bsize - left));
      for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    } finally {
      closeSync(file);
    }
  }

  makeRoom(id: number): void {
    const file = openSync(join(this.pathOf(id), "ballast"), "a");
    ftruncateSync(file, 0);
    closeSync(file);
  }

  free(): void {
    for (const path of this.#mounted.splice(0)) spawnSync("umount", ["-l", path]);
    rmSync(this.root, { recursive: true, force: true });
  }
}

function lineOf(output: string, pattern: RegExp): string {
  return output.split("\n").find((line) => pattern.test(line)) ?? "";
}

describe("a full disk", long, () => {
  const disks = new SmallDisks();
  let ensemble: Ensemble | undefined;
  let why = "";

  before(() => {
    why = disks.mount(40);
  });
  afterEach(async (context) => {
    if ("error" in context && context.error) console.log(ensemble?.output());
    await ensemble?.stop();
    for (const id of [1, 2, 3]) rmSync(disks.dataOf(id), { recursive: true, force: true });
  });
  after(() => disks.free());

  async function start(reserve: number): Promise<Ensemble> {
    const flags = [
      "--disk-reserve-bytes",
      String(reserve),
      "--segment-bytes",
      "1048576",
      "--snapshot-log-bytes",
      "4194304",
    ];
    ensemble = await Ensemble.start({ flags, dataOf: (id) => disks.dataOf(id) });
    return ensemble;
  }

  it("near the end of the leader's disk writes are refused, reads go on; with room again writes too", async (t) => {
    if (why !== "") return t.skip(why);
    const running = await start(8 * megabyte);
    const { gateway } = running;
    const ledger = new Ledger();
    await ledger.fillAll(gateway, 20, { bytes: 1000 });
    // All of them: whoever leads. A machine that stands still may make it another one.
    for (const id of [1, 2, 3]) disks.fill(id, 6 * megabyte);
    const refusals = { "403": 0, others: 0 };
    // A look at the free room is at most a second old, also when nothing was written meanwhile.
    await sleep(2500);
    const first = await ledger.put(gateway);
    assert.deepEqual([first.status, first.code], [403, "quotaExceeded"]);
    // What would fill it many times over is refused before it reaches the log.
    for (const answer of await ledger.fill(gateway, 100, { bytes: 400_000, clients: 100 })) {
      if (answer.status !== 403) refusals.others++;
      else {
        refusals["403"]++;
        assert.equal(answer.code, "quotaExceeded");
        assert.match(answer.detail, /disk reserve/);
      }
    }
    assert.deepEqual(refusals, { "403": 100, others: 0 });
    const removal = await fetch(`${gateway.base}/v1/znodes/w000001`, { method: "DELETE" });
    const problem = (await removal.json()) as { code: string; certainty: string };
    assert.deepEqual([removal.status, problem.code, problem.certainty], [403, "quotaExceeded", "noEffect"]);
    for (const door of [gateway, ...running.replicas]) {
      assert.equal((await fetch(`${door.base}/v1/znodes/w000002`)).status, 200);
    }
    // The ensemble stands, and sessions are renewed.
    assert.ok((await running.leader()) > 0);
    for (const id of [1, 2, 3]) disks.makeRoom(id);
    const room = performance.now();
    await until(async () => (await ledger.put(gateway)).status === 201, 5000, "writes are taken again");
    t.diagnostic(`writes again ${Math.round(performance.now() - room)} ms after there was room`);
    await ledger.fillAll(gateway, 20, { bytes: 1000 });
    await running.settled();
    await ledger.verify(gateway);
  });

  for (const role of ["leader", "follower"] as const) {
    it(`a ${role} that meets the end of its disk stops and says why; the others go on; with room it comes back`, async (t) => {
      if (why !== "") return t.skip(why);
      // Without a reserve nothing keeps the log from it.
      const running = await start(0);
      const { gateway } = running;
      const ledger = new Ledger();
      await ledger.fillAll(gateway, 20, { bytes: 1000 });
      const leader = await running.leader();
      const id = role === "leader" ? leader : (leader % 3) + 1;
      const ill = running.replica(id);
      disks.fill(id, 4096);
      const answers = await ledger.fill(gateway, 20, { bytes: 100_000 });
      assert.equal(await ill.waitForEnd(10_000), 1);
      const said = lineOf(ill.output, /stops: .*ENOSPC/);
      assert.ok(said.includes(disks.dataOf(id)), `it names the file: ${ill.output.slice(-600)}`);
      t.diagnostic(said);
      t.diagnostic(`answers meanwhile: ${[...new Set(answers.map((each) => each.status))].join(", ")}`);
      if (role === "follower") assert.ok(answers.every((each) => each.status === 201));
      await running.ready();
      await ledger.write(gateway, 5);

      // Still full: it says so again, or serves; nothing is spoilt by trying.
      disks.fill(id, 0);
      ill.start();
      await sleep(1500);
      if (!ill.running) {
        t.diagnostic(`started while full: ${ill.output.trim().split("\n").at(-1)}`);
        assert.match(ill.output.trim().split("\n").at(-1) ?? "", /ENOSPC/);
      }
      await ill.kill();
      disks.makeRoom(id);
      ill.start();
      await running.settled();
      const { acknowledged, unknownThere } = await ledger.verify(gateway);
      t.diagnostic(`${acknowledged} acknowledged are there, ${unknownThere} of ${ledger.unknown.size} unknown ones`);
    });
  }
});

describe("an ill disk", long, () => {
  const options = process.env["NODE_OPTIONS"];
  let ensemble: Ensemble;
  let ledger: Ledger;

  before(async () => {
    // Of every process from here on: a replica that starts again has it, too.
    process.env["NODE_OPTIONS"] = `--import ${join(import.meta.dirname, "ill-disk.ts")}`;
    ensemble = await Ensemble.start();
    ledger = new Ledger();
    await ledger.fillAll(ensemble.gateway, 20, { bytes: 1000 });
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
  });
  after(async () => {
    if (options === undefined) delete process.env["NODE_OPTIONS"];
    else process.env["NODE_OPTIONS"] = options;
    await ensemble.stop();
  });

  for (const role of ["leader", "follower"] as const) {
    it(`a ${role} whose fsync fails stops and says why; the others go on; it comes back`, async (t) => {
      const leader = await ensemble.leader();
      const id = role === "leader" ? leader : (leader % 3) + 1;
      const ill: Process = ensemble.replica(id);
      const marker = join(ensemble.dataOf(id), "fail-sync");
      const from = ill.output.length;
      writeFileSync(marker, "");
      const answers = await ledger.fill(ensemble.gateway, 20, { bytes: 1000 });
      assert.equal(await ill.waitForEnd(10_000), 1);
      const said = lineOf(ill.output.slice(from), /stops: .*EIO/);
      assert.ok(said.includes(ensemble.dataOf(id)), `it names the file: ${ill.output.slice(-600)}`);
      t.diagnostic(said);
      if (role === "follower") assert.ok(answers.every((each) => each.status === 201));
      await ledger.write(ensemble.gateway, 5);
      rmSync(marker);
      ill.start();
      await ensemble.settled();
      await ledger.verify(ensemble.gateway);
    });
  }

  it("a leader whose fsync hangs hands over; writes go on; it follows when the disk answers again", async (t) => {
    const leader = await ensemble.leader();
    const marker = join(ensemble.dataOf(leader), "hang-sync");
    writeFileSync(marker, "");
    let stopped = false;
    const writing = ledger.writeUntil(
      () => ensemble.gateway,
      () => stopped,
    );
    try {
      await until(async () => (await ensemble.leader()) !== leader, 15_000, "another one leads");
      await sleep(1000);
    } finally {
      stopped = true;
    }
    const gap = await writing;
    t.diagnostic(`longest gap in writes ${Math.round(gap)} ms`);
    await ledger.write(ensemble.gateway, 5);
    rmSync(marker);
    await ensemble.settled();
    await ledger.verify(ensemble.gateway);
  });
});
