/** Emptied disks: one replica joins again and counts nowhere before; two of three stop the ensemble; `recover`. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { Ensemble, type MemberJson, type Process, sleep, statusOf, until } from "./ensemble.ts";
import { Ledger } from "./ledger.ts";

const main = join(import.meta.dirname, "../../services/quorate/src/main.ts");
const long = { timeout: 400_000 };

interface Ended {
  readonly code: number;
  readonly output: string;
}

async function recover(data: string, ...more: string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, "recover", "--data", data, ...more]);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

/** As README has it: first what would be done, then `--yes`. Answers what it said. */
async function recoverInTwoSteps(data: string): Promise<string> {
  const said = await recover(data);
  assert.equal(said.code, 0, said.output);
  assert.match(said.output, /nothing was changed: run it again with --yes/);
  const done = await recover(data, "--yes");
  assert.equal(done.code, 0, done.output);
  const again = await recover(data, "--yes");
  assert.notEqual(again.code, 0);
  assert.match(again.output, /begins the new history [0-9a-f]{32} already/);
  return done.output.trim();
}

async function createSession(door: Process): Promise<{ id: string; secret: string }> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${door.base}/v1/sessions`, { method: "POST", headers, body: '{"timeout":"60s"}' });
  assert.equal(response.status, 201);
  return (await response.json()) as { id: string; secret: string };
}

async function stat(door: Process, path: string): Promise<{ status: number; tag: string; text: string }> {
  const response = await fetch(`${door.base}/v1/znodes${path}`);
  return { status: response.status, tag: response.headers.get("etag") ?? "", text: await response.text() };
}

describe("emptied disks", long, () => {
  let ensemble: Ensemble;
  let ledger: Ledger;

  beforeEach(async () => {
    ensemble = await Ensemble.start();
    ledger = new Ledger();
    await ledger.fillAll(ensemble.gateway, 50, { bytes: 200 });
  });
  afterEach(async (context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
    await ensemble.stop();
  });

  async function wipe(id: number): Promise<void> {
    assert.ok(!ensemble.replica(id).running);
    await rm(ensemble.dataOf(id), { recursive: true });
  }

  /** What a running replica says of itself, once `check` holds for it. */
  async function says(id: number, check: (status: MemberJson) => boolean, millis = 10_000): Promise<MemberJson> {
    let seen: MemberJson | undefined;
    await until(
      async () => {
        seen = await statusOf(ensemble.replica(id));
        return check(seen);
      },
      millis,
      () => `replica ${id} says what is awaited; it says ${JSON.stringify(seen)}`,
    );
    return seen as MemberJson;
  }

  for (const initial of [true, false]) {
    it(`one wiped replica joins and becomes a member again, ${initial ? "with" : "without"} --initial`, async () => {
      ensemble.initial = initial;
      const leader = await ensemble.leader();
      const id = (leader % 3) + 1;
      const other = 6 - leader - id;
      await ensemble.replica(id).kill();
      await wipe(id);
      // The third one is away: the wiped one may not help the leader to a quorum.
      await ensemble.replica(other).kill();
      ensemble.replica(id).start();
      const alone = await says(id, (status) => status.standing === "joining");
      assert.equal(alone.serving, false);
      const refused = await ledger.put(ensemble.gateway, 32, "1500ms");
      assert.ok([502, 503, 504].includes(refused.status), `a write without a quorum of members: ${refused.status}`);
      const later = await says(id, () => true);
      assert.equal(later.standing, "joining");
      assert.match(later.reason, /disk is new|empty disk|joins/);
      ensemble.replica(other).start();
      const member = await says(id, (status) => status.standing === "member" && status.serving, 15_000);
      assert.ok(member.applied > "0x0000000100000000");
      await ensemble.settled();
      await ledger.write(ensemble.gateway);
      await ledger.verify(ensemble.gateway);
      // It counts again: with the other one away its voice is needed.
      await ensemble.replica(other).kill();
      await ledger.write(ensemble.gateway);
    });

    it(`two wiped of three stop the ensemble and say why, ${initial ? "with" : "without"} --initial`, async (t) => {
      const survivor = await ensemble.leader();
      const wiped = [1, 2, 3].filter((id) => id !== survivor);
      for (const each of ensemble.replicas) await each.kill();
      for (const id of wiped) await wipe(id);
      ensemble.initial = initial;
      for (const each of ensemble.replicas) each.start();
      for (const id of wiped) await says(id, (status) => status.standing === "joining");
      const listed = (reason: string): number[] =>
        (/do not count: ([\d, ]+) /.exec(reason)?.[1] ?? "").split(", ").map(Number);
      const stuck = await says(survivor, (status) => listed(status.reason).length === 2);
      t.diagnostic(stuck.reason);
      assert.match(stuck.reason, /^no quorum: 1 of 3 members are here, 2 are needed; .*quorate recover/);
      assert.deepEqual(listed(stuck.reason).sort(), wiped);
      await sleep(2000);
      for (const each of ensemble.replicas) {
        const status = await statusOf(each);
        assert.equal(status.serving, false, `${each.name} serves`);
        assert.notEqual(status.role, "leading");
      }
      const { status, code } = await ledger.put(ensemble.gateway, 32, "1s");
      assert.equal(status, 503, code);
      assert.equal((await statusOf(ensemble.replica(survivor))).standing, "member");
    });
  }

  it("recover brings the ensemble back from one disk", async (t) => {
    const session = await createSession(ensemble.gateway);
    const headers = { "Quorate-Session": `${session.id}:${session.secret}` };
    await fetch(`${ensemble.gateway.base}/v1/znodes/mine?ephemeral=true`, { method: "PUT", headers, body: "x" });
    const before = await stat(ensemble.gateway, "/mine");
    assert.equal(before.status, 200);
    const leader = await ensemble.leader();
    const survivor = (leader % 3) + 1;
    await ensemble.settled();
    const old = await statusOf(ensemble.replica(survivor));
    const running = await recover(ensemble.dataOf(survivor), "--yes");
    assert.notEqual(running.code, 0);
    assert.match(running.output, /another process uses this data folder/);

    for (const each of ensemble.replicas) await each.kill();
    t.diagnostic(await recoverInTwoSteps(ensemble.dataOf(survivor)));
    const [emptied, keeps] = [1, 2, 3].filter((id) => id !== survivor) as [number, number];

    // Somebody has not read it: one is emptied and started without --initial, one keeps its old disk.
    await wipe(emptied);
    ensemble.initial = false;
    for (const each of ensemble.replicas) each.start();
    const apart = await says(survivor, (status) => /joining and no founders/.test(status.reason));
    t.diagnostic(apart.reason);
    await until(
      () => /belongs to the ensemble/.test(ensemble.replica(survivor).output + ensemble.replica(keeps).output),
      5000,
      "the old member is refused",
    );
    await sleep(1500);
    assert.equal((await statusOf(ensemble.replica(keeps))).historyId, old.historyId);
    for (const each of ensemble.replicas) assert.equal((await statusOf(each)).serving, false, each.name);

    for (const id of [emptied, keeps]) {
      await ensemble.replica(id).kill();
      await wipe(id);
    }
    ensemble.initial = true;
    for (const id of [emptied, keeps]) ensemble.replica(id).start();
    await ensemble.ready(ensemble.replica(survivor));
    await ensemble.settled();
    const states = await Promise.all(ensemble.replicas.map((each) => statusOf(each)));
    for (const state of states) {
      assert.equal(state.standing, "member");
      assert.equal(state.historyId, states[0]?.historyId);
      assert.notEqual(state.historyId, old.historyId);
      assert.ok(state.epoch >= old.epoch + 1024, `epoch ${state.epoch} after ${old.epoch}`);
    }
    await ensemble.ready();
    await ledger.verify(ensemble.gateway);
    await ledger.write(ensemble.gateway, 3);
    assert.equal((await stat(ensemble.gateway, "/mine")).tag, before.tag, "an ETag names the same data");
    const renewed = await fetch(`${ensemble.gateway.base}/v1/sessions/${session.id}/renew`, {
      method: "POST",
      headers,
    });
    assert.equal(renewed.status, 200, await renewed.text());
  });

  it("recover from a replica that was behind loses what it says, and an old member is refused afterwards", async (t) => {
    const leader = await ensemble.leader();
    const survivor = (leader % 3) + 1;
    await ensemble.settled();
    const kept = await statusOf(ensemble.replica(survivor));
    await ensemble.replica(survivor).kill();
    const later = new Ledger("later");
    await fetch(`${ensemble.gateway.base}/v1/znodes/later`, { method: "PUT", body: "x" });
    const lost = await stat(ensemble.gateway, "/later");
    assert.equal(lost.status, 200);
    for (const each of ensemble.replicas) await each.kill();
    const { code, output } = await recover(ensemble.dataOf(survivor), "--yes");
    assert.equal(code, 0, output);
    assert.ok(output.includes(kept.logged), `it says up to where it keeps: ${kept.logged} in ${output}`);
    assert.ok(lost.tag.replaceAll('"', "") > kept.logged, "the lost write is behind that");

    const [emptied, old] = [1, 2, 3].filter((id) => id !== survivor) as [number, number];
    await wipe(emptied);
    const aside = `${ensemble.dataOf(old)}-old`;
    await rename(ensemble.dataOf(old), aside);
    ensemble.initial = true;
    for (const each of ensemble.replicas) each.start();
    await ensemble.ready();
    await ensemble.settled();
    await ledger.verify(ensemble.gateway);
    assert.equal((await stat(ensemble.gateway, "/later")).status, 404);
    await later.write(ensemble.gateway, 5);

    // The lost disk turns up again.
    await ensemble.replica(old).kill();
    await rename(ensemble.dataOf(old), `${aside}-new`);
    await rename(aside, ensemble.dataOf(old));
    const from = ensemble.replica(old).output.length;
    ensemble.replica(old).start();
    await until(
      () => /belongs to the ensemble|of another ensemble/.test(ensemble.replicas.map((each) => each.output).join("")),
      10_000,
      "the old member is refused",
    );
    await sleep(1500);
    const refused = await statusOf(ensemble.replica(old));
    assert.equal(refused.serving, false);
    assert.equal(refused.historyId, kept.historyId);
    t.diagnostic(`the old member says: ${refused.reason}`);
    t.diagnostic(
      ensemble
        .replica(old)
        .output.slice(from)
        .split("\n")
        .find((line) => line.includes("ensemble")) ?? "",
    );
    await later.write(ensemble.gateway, 5);
    await later.verify(ensemble.gateway);
    assert.equal((await stat(ensemble.gateway, "/later")).status, 404);
  });

  it("recover refuses a folder that holds no whole history", async () => {
    const missing = join(ensemble.folder, "nowhere");
    const none = await recover(missing, "--yes");
    assert.notEqual(none.code, 0);
    assert.match(none.output, /nowhere: there is no such folder/);
    assert.ok(!existsSync(missing), "nothing is left behind");
    const id = ((await ensemble.leader()) % 3) + 1;
    for (const each of ensemble.replicas) await each.kill();
    await wipe(id);
    ensemble.initial = false;
    ensemble.replica(id).start();
    await says(id, (status) => status.standing === "joining");
    await ensemble.replica(id).kill();
    const joining = await recover(ensemble.dataOf(id), "--yes");
    assert.notEqual(joining.code, 0);
    assert.match(joining.output, new RegExp(`replica ${id} is joining, not a member`));
    const unset = await recover("", "--yes");
    assert.notEqual(unset.code, 0);
    assert.match(unset.output, /--data is missing/);
  });
});
