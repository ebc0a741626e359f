/**
 * A process that may open few files: clients that take all the connections there are do it no harm. The replica's log goes on to
 * its next segments, the doors refuse what is too much, and REST is served while ZooKeeper's clients leak.
 */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Ensemble, freePorts, Process, until } from "./ensemble.ts";
import { IdleCrowd, problemIn, statusOfAnswer, talk } from "./raw-socket.ts";

/** Of which 128 are the replica's own and 192 the peer port's. */
const openFiles = 512;
const segmentBytes = 1_048_576;
let ensemble: Ensemble;
let grpcPort = 0;
const crowd = new IdleCrowd();

before(async () => {
  [grpcPort = 0] = await freePorts(1);
  ensemble = await Ensemble.start({
    replicas: 1,
    gateways: 0,
    openFiles,
    flags: ["--segment-bytes", String(segmentBytes)],
    environmentOf: () => ({ QUORATE_GRPC_PORT: String(grpcPort) }),
  });
});
after(async () => {
  crowd.closeAll();
  await ensemble.stop();
});

async function segments(): Promise<string[]> {
  return (await readdir(ensemble.dataOf(1))).filter((name) => name.startsWith("log."));
}

/** Writes until the log has gone on to so many other segments. */
async function writeSegments(count: number): Promise<void> {
  const before = new Set(await segments());
  const body = "x".repeat(500_000);
  await until(
    async () => {
      const answer = await fetch(`${ensemble.replica(1).base}/v1/znodes/big`, { method: "PUT", body });
      assert.ok(answer.ok, `a write is answered ${answer.status}`);
      return (await segments()).filter((name) => !before.has(name)).length >= count;
    },
    30_000,
    () => `the log has ${count} more segments: ${ensemble.output()}`,
  );
}

describe("few open files", () => {
  it("said at the start, with what would be enough", () => {
    const said = /the limit of 512 open files leaves the ports 192 connections together.*: (\d+) would be enough/;
    assert.match(ensemble.replica(1).output, said);
  });

  it("ZooKeeper's and gRPC's clients take all they get: REST is served, the log goes on, then each door again", async (t) => {
    const replica = ensemble.replica(1);
    await crowd.open(replica.zookeeperPort, 300);
    await crowd.open(grpcPort, 100);
    await until(
      () => crowd.standing <= 192,
      10_000,
      () => `${crowd.standing} stand`,
    );
    t.diagnostic(`${crowd.standing} of 400 stand`);
    assert.ok(crowd.standing >= 100, `${crowd.standing} stand`);
    await writeSegments(3);
    assert.match(replica.output, /the ZooKeeper port refused a connection: the limit of 512 open files .*raise it/);
    assert.ok(!/EMFILE|too many open files/i.test(replica.output), replica.output);
    crowd.closeAll();
    await until(
      async () => (await talk(replica.zookeeperPort, "ruok")).text === "imok",
      10_000,
      "the ZooKeeper port answers again",
    );
  });

  it("REST's clients take all they get: one more is told why, and the log goes on", async () => {
    const replica = ensemble.replica(1);
    await crowd.open(replica.restPort, 400);
    await until(
      () => crowd.standing <= 192,
      10_000,
      () => `${crowd.standing} stand`,
    );
    const answer = await talk(replica.restPort, "GET /v1/znodes/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal(statusOfAnswer(answer), 429, answer.text);
    assert.match(problemIn(answer)?.detail ?? "", /its process may open no more files/);
    assert.equal((await talk(replica.zookeeperPort, "ruok")).text, "imok", "its part is kept for it");
    // One line in a second, of whichever port.
    await until(
      async () => {
        await talk(replica.restPort, "GET /v1/znodes/ HTTP/1.1\r\nHost: x\r\n\r\n");
        return replica.output.includes("the REST port refused a connection: the limit of 512 open files");
      },
      8000,
      () => replica.output,
    );
    crowd.closeAll();
    await writeSegments(2);
    assert.ok(replica.running);
  });

  it("too few for the replica itself: it does not start, and says how many it needs", async () => {
    const args = ["serve", "--id", "1", "--members", "1=127.0.0.1:1", "--data", ensemble.dataOf(2), "--initial"];
    const replica = new Process("replica", 0, () => args, {}, 200);
    replica.start();
    assert.equal(await replica.waitForEnd(30_000), 2, replica.output);
    assert.match(replica.output, /^quorate: the process may open 200 files, and a replica needs 384 at least: raise/m);
    const gateway = new Process(
      "gateway",
      0,
      () => ["gateway", "--replicas", "127.0.0.1:1", "--rest-port", "0"],
      {},
      200,
    );
    gateway.start();
    await until(
      () => gateway.output.includes("ZooKeeper on"),
      30_000,
      () => gateway.output,
    );
    await gateway.kill();
  });
});
