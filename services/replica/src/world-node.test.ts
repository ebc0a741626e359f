import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DiskError } from "./world.ts";
import { nodeClock, nodeDisk, nodeRandom } from "./world-node.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "quorate-world-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("files: what is written is read, across parts, offsets and openings", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a");
    const file = await nodeDisk.open(path, "create");
    const parts = Array.from({ length: 1500 }, (_, index) => Uint8Array.of(index & 255, 7));
    await file.write([Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)], 0);
    await file.write(parts, 3);
    await file.sync();
    assert.equal(await file.size(), 3003);
    await file.close();
    const again = await nodeDisk.open(path, "read");
    assert.deepEqual([...(await again.read(1, 4))], [2, 3, 0, 7]);
    assert.equal((await again.read(3001, 100)).length, 2);
    assert.equal((await again.read(9000, 100)).length, 0);
    await assert.rejects(again.write([Uint8Array.of(1)], 0), DiskError);
    await again.close();
    await nodeDisk.rename(path, join(folder, "b"));
    await nodeDisk.syncFolder(folder);
    assert.deepEqual(await nodeDisk.list(folder), ["b"]);
    assert.equal(await nodeDisk.exists(path), false);
    assert.ok((await nodeDisk.freeBytes(folder)) > 0);
  }));

test("errors name operation, path and code", () =>
  inFolder(async (folder) => {
    const path = join(folder, "missing");
    const failure = await nodeDisk.open(path, "read").catch((error: unknown) => error);
    assert.ok(failure instanceof DiskError);
    assert.deepEqual([failure.operation, failure.path, failure.code], ["open", path, "ENOENT"]);
    await (await nodeDisk.open(path, "create")).close();
    await assert.rejects(nodeDisk.open(path, "create"), { code: "EEXIST" });
  }));

test("a lock is held once, outlives nobody, and is taken over from the dead", () =>
  inFolder(async (folder) => {
    const path = join(folder, "lock");
    const lock = await nodeDisk.lock(path);
    assert.ok(lock);
    assert.equal(await nodeDisk.lock(path), undefined);
    await lock.release();
    assert.equal(await nodeDisk.exists(path), false);

    const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1000)"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    await writeFile(path, JSON.stringify({ pid: child.pid, started: "" }));
    assert.equal(await nodeDisk.lock(path), undefined, "a living process holds it");
    await writeFile(path, JSON.stringify({ pid: child.pid, started: "1@another-boot" }));
    const reused = await nodeDisk.lock(path);
    if (process.platform === "linux") assert.ok(reused, "another process had this number");
    await reused?.release();
    child.kill("SIGKILL");
    await once(child, "exit");
    await writeFile(path, JSON.stringify({ pid: child.pid, started: "" }));
    const taken = await nodeDisk.lock(path);
    assert.ok(taken, "its holder is dead");
    assert.equal((JSON.parse(await readFile(path, "utf8")) as { pid: number }).pid, process.pid);
    await taken.release();
    await writeFile(path, "half");
    await (await nodeDisk.lock(path))?.release();
    assert.deepEqual(await nodeDisk.list(folder), []);
  }));

test(
  "a holder that has ended, and whose end nobody has asked for, holds no lock",
  {
    skip: process.platform === "linux" ? false : "the state of a process is read from /proc",
  },
  () =>
    inFolder(async (folder) => {
      // The shell becomes a program that never asks for its children's ends.
      const parent = spawn("sh", ["-c", "sleep 0.05 & echo $!; exec sleep 60"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(line.toString().trim());
      const state = async (): Promise<string> =>
        (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.[0] ?? "";
      const path = join(folder, "lock");
      await writeFile(path, JSON.stringify({ pid, started: "" }));
      for (let waited = 0; (await state()) !== "Z" && waited < 60_000; waited += 20) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.equal(await state(), "Z");
      const taken = await nodeDisk.lock(path);
      parent.kill("SIGKILL");
      await once(parent, "exit");
      assert.ok(taken);
      await taken.release();
    }),
);

test("two processes: the second is refused, and gets the lock when the first was killed", () =>
  inFolder(async (folder) => {
    const path = join(folder, "lock");
    const world = new URL("./world-node.ts", import.meta.url).href;
    const code = `const { nodeDisk } = await import(${JSON.stringify(world)});
      console.log((await nodeDisk.lock(${JSON.stringify(path)})) !== undefined); setInterval(() => {}, 1000);`;
    const first = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = (await once(first.stdout, "data")) as [Buffer];
    assert.equal(said.toString().trim(), "true");
    assert.equal(await nodeDisk.lock(path), undefined);
    first.kill("SIGKILL");
    await once(first, "exit");
    const lock = await nodeDisk.lock(path);
    assert.ok(lock);
    await lock.release();
  }));

test("clock and randomness", async () => {
  const before = nodeClock.now();
  await new Promise<void>((settle) => nodeClock.after(5, settle));
  assert.ok(nodeClock.now() - before >= 4);
  await new Promise<void>((settle) => nodeClock.soon(settle));
  let ticks = 0;
  await new Promise<void>((settle) => {
    const timer = nodeClock.every(1, () => {
      ticks++;
      if (ticks < 3) return;
      timer.cancel();
      settle();
    });
  });
  nodeClock.after(1, () => assert.fail("cancelled")).cancel();
  assert.equal(nodeRandom.bytes(16).length, 16);
  assert.notDeepEqual(nodeRandom.bytes(16), nodeRandom.bytes(16));
});
