/** How a replica that was away catches up: DIFF, SNAP, TRUNC; killed in the midst of each, the leader too. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { frameLimits } from "@quorate/proto";
import { Ensemble, freePorts, type Process, sleep } from "./ensemble.ts";
import { Ledger } from "./ledger.ts";
import { TestProxy } from "./test-proxy.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 3);
const long = { timeout: 300_000 + rounds * 30_000 };

/** Small segments, and a snapshot for each 2 MB of log: a follower soon needs SNAP. */
const flags = ["--segment-bytes", "262144", "--snapshot-log-bytes", "2097152"];

/** Looks at a process's output oftener than `until`: some moments are short. */
async function printed(process: Process, from: number, pattern: RegExp, millis = 60_000): Promise<string> {
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

/** More than a frame can have, and the batch that ends it: who got so much has heard what the synchronization begins with. */
const aFrame = frameLimits.frameBytes + 100_000;

const following = /following \(leader \d+, epoch \d+\) *\n/;

describe("catching up", long, () => {
  let ensemble: Ensemble;
  let ledger: Ledger;
  /** By `1-2`: from the replica that dials, the one with the smaller id, to the other. */
  const links = new Map<string, TestProxy>();

  before(async () => {
    const peerPorts = await freePorts(3);
    for (const [from, to] of [
      [1, 2],
      [1, 3],
      [2, 3],
    ] as const) {
      links.set(`${from}-${to}`, await TestProxy.start(peerPorts[to - 1] ?? 0));
    }
    const addressOf = (from: string, to: number): string | undefined =>
      links.get(`${from.replace("replica ", "")}-${to}`)?.address;
    ensemble = await Ensemble.start({ flags, peerPorts, addressOf });
    ledger = new Ledger();
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
  });
  after(async () => {
    await ensemble?.stop();
    await Promise.all([...links.values()].map((each) => each.stop()));
  });

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

  /**
   * Starts `id`, and lets so many bytes of what `leaderId` says to it arrive: less than the synchronization has, and more
   * than what is said before it. Resolves in the midst, in which both stay until the link is healed.
   */
  async function intoTheMidst(leaderId: number, id: number, bytes: number): Promise<{ link: TestProxy; way: string }> {
    const link = links.get(`${Math.min(leaderId, id)}-${Math.max(leaderId, id)}`);
    assert.ok(link);
    const process = ensemble.replica(id);
    const from = ensemble.replica(leaderId).output.length;
    const since = process.output.length;
    const frozen = link.freezeAfter(leaderId < id ? "there" : "back", bytes);
    process.start();
    await Promise.race([
      frozen,
      printed(process, since, following).then((text) => {
        throw new Error(`${process.name} is ${text.trim()} before ${bytes} bytes have passed`);
      }),
    ]);
    const way = await printed(ensemble.replica(leaderId), from, synchronizes(id));
    assert.doesNotMatch(process.output.slice(since), following, "in the midst");
    return { link, way };
  }

  /** Starts the follower, and kills it when it has got so many bytes of its synchronization. */
  async function killInMidst(bytes: number, way: RegExp): Promise<void> {
    const { follower, followerId, leaderId } = await pair();
    const midst = await intoTheMidst(leaderId, followerId, bytes);
    assert.match(midst.way, way);
    await follower.kill();
    midst.link.heal();
  }

  /** Starts the follower and lets it come; how it was synchronized, and how long that took until it served. */
  async function comeBack(): Promise<{ way: string; millis: number }> {
    const { follower, followerId, leader } = await pair();
    const from = leader.output.length;
    const since = follower.output.length;
    follower.start();
    const way = await printed(leader, from, synchronizes(followerId));
    const began = performance.now();
    await printed(follower, since, following);
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
    await ledger.fillAll(ensemble.gateway, 300, { bytes: 4000 });
    for (let i = 0; i < rounds; i++) {
      await killInMidst(aFrame, /by DIFF/);
      // What a try leaves behind shortens the next one.
      await ledger.fillAll(ensemble.gateway, Math.ceil(aFrame / 4000), { bytes: 4000 });
    }
    const { way, millis } = await comeBack();
    assert.match(way, /by DIFF/);
    t.diagnostic(`${rounds} kills in the midst; then ${way}: ${Math.round(millis)} ms`);
    await allIsThere();
  });

  it("a follower away for many writes catches up by SNAP, killed in its midst too", async (t) => {
    const { follower } = await pair();
    await follower.kill();
    await ledger.fillAll(ensemble.gateway, 200, { bytes: 50_000 });
    // A snapshot begins anew each time: each try gets further.
    for (let i = 0; i < rounds; i++) await killInMidst((200 * 50_000 * (i + 1)) / (rounds + 1), /by SNAP/);
    const { way, millis } = await comeBack();
    assert.match(way, /by SNAP/);
    t.diagnostic(`${rounds} kills in the midst; then ${way}: ${Math.round(millis)} ms`);
    await allIsThere();
  });

  for (const [way, count, bytes] of [
    ["DIFF", 300, 4000],
    ["SNAP", 120, 50_000],
  ] as const) {
    it(`the leader killed in the midst of a ${way}, the follower comes back under the next one`, async (t) => {
      const { follower, followerId, leader, leaderId } = await pair();
      await follower.kill();
      await ledger.fillAll(ensemble.gateway, count, { bytes });
      const midst = await intoTheMidst(leaderId, followerId, (count * bytes) / 2);
      assert.match(midst.way, new RegExp(way));
      await leader.kill();
      midst.link.heal();
      const killed = performance.now();
      await ledger.write(ensemble.gateway);
      t.diagnostic(`writes again ${Math.round(performance.now() - killed)} ms after the kill`);
      leader.start();
      await allIsThere();
    });
  }

  it("one with an uncommitted tail is cut by TRUNC, killed in its midst too", async (t) => {
    const cut = /cuts its log from 0x[0-9a-f]{16} back to 0x[0-9a-f]{16}/;
    for (let i = 0; i < Math.max(3, rounds); i++) {
      const { leader, leaderId } = await pair();
      const others = ensemble.replicas.filter((each) => each !== leader);
      for (const each of others) each.signal("SIGSTOP");
      const tail = await ledger.fill(leader, 64, { bytes: 100_000, clients: 64, timeout: "500ms" });
      assert.ok(
        tail.every((each) => each.status === 504 || each.status === 503 || each.status === 502),
        JSON.stringify(tail[0]),
      );
      await leader.kill();
      // Stopped as they are: what waits in their sockets is never read.
      for (const each of others) await each.kill();
      for (const each of others) each.start();
      await ensemble.ready(others[0] as Process);
      await ledger.fillAll(ensemble.gateway, (2 * aFrame) / 4000, { bytes: 4000 });
      const nextId = await ensemble.leader();
      const since = leader.output.length;
      // The first comes back undisturbed; the second is killed at any point of the cut, the third when it is done.
      const { link, way } = await intoTheMidst(nextId, leaderId, aFrame);
      assert.match(way, /by TRUNC and DIFF/);
      if (i !== 1) await printed(leader, since, cut);
      if (i > 0) await leader.kill();
      link.heal();
      if (i > 0) leader.start();
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
