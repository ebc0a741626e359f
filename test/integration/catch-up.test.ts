/** How a replica that was away catches up: DIFF, SNAP, TRUNC; killed in the midst of each, the leader too. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Ensemble, type Process, sleep } from "./ensemble.ts";
import { Ledger } from "./ledger.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 3);
const long = { timeout: 60_000 + rounds * 30_000 };

/** Small segments, and a snapshot for each 2 MB of log: a follower soon needs SNAP. */
const flags = ["--segment-bytes", "262144", "--snapshot-log-bytes", "2097152"];

/** Looks at a process's output oftener than `until`: some moments are short. */
async function printed(process: Process, from: number, pattern: RegExp, millis = 15_000): Promise<string> {
  const end = performance.now() + millis;
  for (;;) {
    const found = pattern.exec(process.output.slice(from));
    if (found) return found[0];
    if (performance.now() > end) throw new Error(`${process.name} did not print ${pattern}`);
    await sleep(1);
  }
}

function synchronizes(id: number): RegExp {
  return new RegExp(`synchronizes replica ${id} by .*\\n`);
}

/** Ends a process that is stopped without letting it run once more: what waits in its sockets is never read. */
async function killStopped(process: Process): Promise<void> {
  process.signal("SIGKILL");
  await process.waitForEnd(5000);
}

describe("catching up", long, () => {
  let ensemble: Ensemble;
  let ledger: Ledger;

  before(async () => {
    ensemble = await Ensemble.start({ flags });
    ledger = new Ledger();
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
  });
  after(() => ensemble.stop());

  /** A replica that follows, and the leader. */
  async function pair(): Promise<{ follower: Process; followerId: number; leader: Process; leaderId: number }> {
    const leaderId = await ensemble.leader();
    const followerId = (leaderId % 3) + 1;
    return { follower: ensemble.replica(followerId), followerId, leader: ensemble.replica(leaderId), leaderId };
  }

  async function allIsThere(): Promise<void> {
    await ensemble.settled();
    await ledger.verify(ensemble.gateway);
  }

  /** Starts the follower and kills it within `spread` ms after its synchronization began; whether it was in its midst. */
  async function killInMidst(spread: number): Promise<boolean> {
    const { follower, followerId, leader } = await pair();
    const from = leader.output.length;
    const since = follower.output.length;
    follower.start();
    await printed(leader, from, synchronizes(followerId));
    await sleep(Math.random() * spread);
    await follower.kill();
    return !/following \(leader \d+, epoch \d+\) *\n/.test(follower.output.slice(since));
  }

  /** Starts the follower and lets it come; how it was synchronized, and how long that took until it served. */
  async function comeBack(): Promise<{ way: string; millis: number }> {
    const { follower, followerId, leader } = await pair();
    const from = leader.output.length;
    const since = follower.output.length;
    follower.start();
    const way = await printed(leader, from, synchronizes(followerId));
    const began = performance.now();
    await printed(follower, since, /following \(leader \d+, epoch \d+\) *\n/);
    return { way: way.trim(), millis: performance.now() - began };
  }

  it("a follower away for 10 writes catches up by DIFF", async (t) => {
    const { follower } = await pair();
    await follower.kill();
    await ledger.write(ensemble.gateway, 10);
    const { way, millis } = await comeBack();
    assert.match(way, /by DIFF from/);
    t.diagnostic(`${way}: ${Math.round(millis)} ms`);
    await allIsThere();
  });

  it("killed in the midst of a long DIFF it comes back", async (t) => {
    const { follower } = await pair();
    await follower.kill();
    await ledger.fillAll(ensemble.gateway, 400, { bytes: 4000 });
    let midst = 0;
    for (let i = 0; i < rounds; i++) if (await killInMidst(40)) midst++;
    const { way, millis } = await comeBack();
    assert.match(way, /by (DIFF|nothing)/);
    t.diagnostic(`${midst} of ${rounds} kills fell into the midst; then ${way}: ${Math.round(millis)} ms`);
    assert.ok(midst > 0, "no kill fell into the midst");
    await allIsThere();
  });

  it("a follower away for many writes catches up by SNAP, killed in its midst too", async (t) => {
    const { follower } = await pair();
    await follower.kill();
    await ledger.fillAll(ensemble.gateway, 200, { bytes: 50_000 });
    let midst = 0;
    for (let i = 0; i < rounds; i++) if (await killInMidst(60)) midst++;
    const { way, millis } = await comeBack();
    assert.match(way, /by SNAP/);
    t.diagnostic(`${midst} of ${rounds} kills fell into the midst; then ${way}: ${Math.round(millis)} ms`);
    assert.ok(midst > 0, "no kill fell into the midst");
    await allIsThere();
  });

  for (const [way, count, bytes] of [
    ["DIFF", 300, 4000],
    ["SNAP", 120, 50_000],
  ] as const) {
    it(`the leader killed in the midst of a ${way}, the follower comes back under the next one`, async (t) => {
      const { follower, followerId, leader } = await pair();
      await follower.kill();
      await ledger.fillAll(ensemble.gateway, count, { bytes });
      const from = leader.output.length;
      follower.start();
      assert.match(await printed(leader, from, synchronizes(followerId)), new RegExp(way));
      await sleep(Math.random() * 40);
      await leader.kill();
      const killed = performance.now();
      await ledger.write(ensemble.gateway);
      t.diagnostic(`writes again ${Math.round(performance.now() - killed)} ms after the kill`);
      leader.start();
      await allIsThere();
    });
  }

  it("one with an uncommitted tail is cut by TRUNC, killed in its midst too", async (t) => {
    for (let i = 0; i < Math.max(2, rounds - 1); i++) {
      const { leader, leaderId } = await pair();
      const others = ensemble.replicas.filter((each) => each !== leader);
      for (const each of others) each.signal("SIGSTOP");
      const tail = await ledger.fill(leader, 64, { bytes: 100_000, clients: 64, timeout: "500ms" });
      assert.ok(
        tail.every((each) => each.status === 504 || each.status === 503 || each.status === 502),
        JSON.stringify(tail[0]),
      );
      await leader.kill();
      for (const each of others) await killStopped(each);
      for (const each of others) each.start();
      await ensemble.ready(others[0] as Process);
      await ledger.write(ensemble.gateway, 3);
      const next = ensemble.replica(await ensemble.leader());
      const from = next.output.length;
      const since = leader.output.length;
      leader.start();
      const way = await printed(next, from, synchronizes(leaderId));
      assert.match(way, /by TRUNC and DIFF/);
      if (i > 0) {
        await sleep(Math.random() * 60);
        await leader.kill();
        leader.start();
      }
      await printed(leader, since, /cuts its log from 0x[0-9a-f]{16} back to 0x[0-9a-f]{16}/).catch(
        (error: unknown) => {
          if (i === 0) throw error;
        },
      );
      await ensemble.settled();
      t.diagnostic(`${way.trim()}${i > 0 ? ", killed in the midst" : ""}`);
    }
    const { unknownThere, acknowledged } = await ledger.verify(ensemble.gateway);
    t.diagnostic(
      `${acknowledged} acknowledged writes are there, ${unknownThere} of ${ledger.unknown.size} unknown ones`,
    );
    assert.equal(unknownThere, 0, "what only the former leader had is gone");
  });
});
