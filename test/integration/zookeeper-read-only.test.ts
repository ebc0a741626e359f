/** Two of three replicas are killed: who only wants to read is served by the last one, and by a gateway, until they are back. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { WireClient, type WireConnectOptions } from "../zookeeper/wire-client.ts";
import { openAcl } from "../zookeeper/wire-records.ts";
import { Ensemble, type Process, until } from "./ensemble.ts";
import { talk } from "./raw-socket.ts";

const patienceMillis = 60_000;
const notReadOnly = -119;
let ensemble: Ensemble;

before(async () => {
  ensemble = await Ensemble.start();
});
after(() => ensemble?.stop());

/** As clients do: again and again, until the door answers. */
async function connect(process: Process, options: WireConnectOptions): Promise<WireClient> {
  let client: WireClient | undefined;
  await until(
    async () => {
      client = await WireClient.connect(process.zookeeperPort, { patienceMillis, ...options });
      return client.accepted;
    },
    patienceMillis,
    `${process.name} accepts`,
  );
  return client as WireClient;
}

async function word(process: Process, text: string): Promise<string> {
  return (await talk(process.zookeeperPort, text)).text;
}

describe("read-only connections", { timeout: 300_000 }, () => {
  it("last from the loss of the quorum to its return", async () => {
    const doors = [ensemble.replica(1), ensemble.gateway];
    const writer = await connect(ensemble.gateway, {});
    const path = "/kept";
    const data = Buffer.from("x");
    const made = await writer.send({ op: "create2", path, data, acl: openAcl, flags: 0 });
    assert.equal(made.error, 0);
    const ordinary = await connect(ensemble.replica(1), { readOnly: true });
    assert.equal(ordinary.readOnly, false, "with a leader the flag changes nothing");
    const lastZxidSeen = (await ordinary.send({ op: "sync", path })).zxid;
    await Promise.all([ensemble.replica(2).kill(), ensemble.replica(3).kill()]);
    const readers = await Promise.all(doors.map((door) => connect(door, { readOnly: true, lastZxidSeen })));
    for (const reader of readers) {
      assert.equal(reader.readOnly, true);
      const seen = await reader.send({ op: "getData", path, watch: true });
      assert.deepEqual([seen.error, seen.result?.data, seen.result?.stat], [0, data, made.result?.stat]);
      assert.equal((await reader.send({ op: "setData", path, data, version: -1 })).error, notReadOnly);
      assert.equal((await reader.send({ op: "ping" })).error, 0);
      assert.equal((await reader.send({ op: "getAllChildrenNumber", path: "/" })).error, 0);
    }
    for (const door of doors) {
      assert.equal(await word(door, "isro"), "ro");
      assert.match(await word(door, "srvr"), /\nREAD-ONLY mode; [\s\S]*\nMode: read-only\n/);
    }
    ensemble.replica(2).start();
    await Promise.all(readers.map((reader) => reader.closed));
    for (const door of doors) {
      const client = await connect(door, { readOnly: true });
      assert.equal(client.readOnly, false);
      assert.equal((await client.send({ op: "setData", path, data, version: -1 })).error, 0);
      assert.equal(await word(door, "isro"), "rw");
    }
  });
});
