/**
 * Four-letter words of real processes: what `mntr` says is so, and /metrics says the same; beside a real ZooKeeper, each line and
 * each word is either alike or stands in docs/zookeeper.md.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Ensemble, freePorts, type Process, until } from "../integration/ensemble.ts";
import { talk } from "../integration/raw-socket.ts";
import { RealZooKeeper } from "./real-server.ts";
import { covers, documentedUnmeasured, unmeasured, unmeasuredBy } from "./unmeasured.ts";
import { WireClient } from "./wire-client.ts";
import { createFlags, openAcl } from "./wire-records.ts";

const patienceMillis = 60_000;
/** All that this test asks for: with one that is refused, at both. */
const allowed = "srvr,stat,mntr,conf,cons,crst,srst,dirs,envi,isro,ruok,wchs,wchc,wchp";
const names = ["replica 1", "replica 2", "replica 3", "gateway 1"];

it("docs/zookeeper.md has the families that are left out", () => {
  const { text, wanted } = documentedUnmeasured();
  assert.ok(wanted.includes("local_sessions"), "it has the table's head");
  assert.equal(text, wanted, "node test/zookeeper/unmeasured.ts writes the table into docs/zookeeper.md");
});

let ensemble: Ensemble;

before(async () => {
  const free = await freePorts(names.length);
  const portOf = (name: string): string => String(free[names.indexOf(name)] ?? 0);
  const environmentOf = (name: string) => ({
    QUORATE_ZOOKEEPER_PORT: portOf(name),
    QUORATE_ZOOKEEPER_COMMANDS: allowed,
  });
  ensemble = await Ensemble.start({ environmentOf });
});
after(() => ensemble?.stop());

type Lines = ReadonlyMap<string, string>;

function linesOf(text: string): Lines {
  return new Map(
    text
      .trimEnd()
      .split("\n")
      .map((line) => {
        const [name = "", value = ""] = line.split("\t");
        return [name.replace(/^zk_/, ""), value] as const;
      }),
  );
}

async function ask({ zookeeperPort }: Process, word: string): Promise<string> {
  return (await talk(zookeeperPort, word)).text;
}

async function monitor(process: Process): Promise<Lines> {
  return linesOf(await ask(process, "mntr"));
}

async function metrics({ base }: Process): Promise<Map<string, number>> {
  const text = await (await fetch(`${base}/metrics`)).text();
  return new Map([...text.matchAll(/^quorate_(\S+) (\S+)$/gm)].map(([, name = "", value]) => [name, Number(value)]));
}

/** What both tell, and what nobody changes while they are asked: in mntr's names, and in those of /metrics. */
const told = {
  ephemerals_count: "ephemerals",
  znode_count: "znodes",
  approximate_data_size: "data_bytes",
  watch_count: "zookeeper_watches",
  auth_failed_count: "zookeeper_auth_failed_total",
  connection_rejected: 'connections_refused_total{door="zookeeper"}',
  looking_count: "looked_total",
  cnt_election_time: "elections_total",
  sum_election_time: "election_ms_total",
  max_election_time: "election_slowest_ms",
  cnt_unavailable_time: "outages_total",
  sum_unavailable_time: "outage_ms_total",
  cnt_snapshottime: "snapshots_total",
  sum_snapshottime: "snapshot_ms_total",
} as const;

/** Of what the heartbeats of a gateway's session move on too: between two looks of mntr. */
const growing = {
  cnt_fsynctime: "fsyncs_total",
  sum_fsynctime: "fsync_ms_total",
  max_fsynctime: "fsync_slowest_ms",
  proposal_count: "proposals_total",
} as const;

async function agrees(process: Process): Promise<void> {
  const first = await monitor(process);
  const between = await metrics(process);
  const last = await monitor(process);
  for (const [name, metric] of Object.entries(told)) {
    assert.equal(first.get(name), last.get(name), `${name} of ${process.name} stands still`);
    assert.equal(Number(first.get(name)), between.get(metric), `${name} of ${process.name}`);
  }
  for (const [name, metric] of Object.entries(growing)) {
    const [low, value, high] = [Number(first.get(name)), between.get(metric) ?? NaN, Number(last.get(name))];
    assert.ok(low <= value && value <= high, `${name} of ${process.name}: ${low}, ${value}, ${high}`);
  }
}

describe("mntr", { timeout: 240_000 }, () => {
  it("says what is so, at each port, as /metrics says it", async () => {
    const leader = await ensemble.leader();
    const home = ensemble.replica(leader);
    const client = await WireClient.connect(home.zookeeperPort, { patienceMillis });
    const before = await monitor(home);
    for (let i = 0; i < 7; i++) {
      const flags = i < 5 ? createFlags.ephemeral : createFlags.persistent;
      const { error } = await client.send({
        op: "create",
        path: `/told-${i}`,
        data: Buffer.alloc(50),
        acl: openAcl,
        flags,
      });
      assert.equal(error, 0);
    }
    const data = Buffer.alloc(2000);
    assert.equal((await client.send({ op: "setData", path: "/told-6", data, version: -1 })).error, 0);
    for (const path of ["/told-6", "/none"]) await client.send({ op: "exists", path, watch: true });
    await client.send({ op: "getData", path: "/told-6", watch: false });
    const now = await monitor(home);
    const grown = (name: string): number => Number(now.get(name)) - Number(before.get(name));
    assert.deepEqual([grown("ephemerals_count"), grown("znode_count"), grown("watch_count")], [5, 7, 2]);
    // Seven paths, six with 50 bytes and one with 2,000.
    assert.equal(grown("approximate_data_size"), 7 * "/told-0".length + 6 * 50 + 2000);
    assert.deepEqual([grown("cnt_updatelatency"), grown("cnt_readlatency")], [8, 3]);
    assert.ok(grown("proposal_count") >= 8, "each write was waited for");
    assert.ok(Number(now.get("max_proposal_size")) > 2000 && Number(now.get("min_proposal_size")) > 0);
    // The header's 16 bytes, the data with its length, the Stat.
    assert.equal(now.get("max_client_response_size"), String(16 + 4 + data.length + 68));
    assert.ok(Number(now.get("leader_uptime")) > 0 && Number(now.get("leader_uptime")) <= Number(now.get("uptime")));
    for (const process of ensemble.replicas) {
      const here = (): Promise<boolean> => monitor(process).then((each) => each.get("ephemerals_count") === "5");
      await until(here, patienceMillis, `${process.name} has applied them`);
      const role = process === home ? "leader" : "follower";
      assert.equal((await monitor(process)).get("server_state"), role);
      await agrees(process);
    }
    await ask(home, "srst");
    const anew = await monitor(home);
    assert.deepEqual([anew.get("cnt_updatelatency"), anew.get("max_client_response_size")], ["0", "-1"]);
    assert.ok(Number(anew.get("proposal_count")) >= Number(now.get("proposal_count")), "what a replica measures stays");
    await client.close();
  });

  it("is beside a real ZooKeeper's, line for line, but for what is left out with its reason", async (context) => {
    const real = await RealZooKeeper.start({
      servers: 3,
      force: false,
      settings: [`4lw.commands.whitelist=${allowed}`],
    });
    if ("skip" in real) return context.skip(real.skip);
    try {
      await besides(real);
    } finally {
      await real.stop();
    }
  });
});

/** One of each at both: the leader, and a follower. */
async function besides(real: RealZooKeeper): Promise<void> {
  const leader = await ensemble.leader();
  const modes = await Promise.all(real.servers.map((each) => each.ask("srvr")));
  const at = modes.findIndex((text) => text.includes("Mode: leader"));
  const pairs = [
    [ensemble.replica(leader), real.servers[at]],
    [ensemble.replica((leader % 3) + 1), real.servers[(at + 1) % 3]],
  ] as const;
  const all = new Set<string>();
  for (const [process, server] of pairs) {
    if (server === undefined) throw new Error("no real server leads");
    const [own, theirs] = [await monitor(process), linesOf(await server.ask("mntr"))];
    for (const name of theirs.keys()) {
      all.add(name);
      if (!own.has(name)) assert.ok(unmeasuredBy(name) !== undefined, `${name} is missing, and nobody says why`);
    }
    for (const name of own.keys()) {
      assert.ok(theirs.has(name), `ZooKeeper has no ${name}`);
      assert.equal(unmeasuredBy(name), undefined, `${name} is there, though it is said to be left out`);
    }
    for (const word of [
      "srvr",
      "stat",
      "conf",
      "dirs",
      "wchs",
      "wchc",
      "wchp",
      "isro",
      "ruok",
      "crst",
      "srst",
      "hash",
    ]) {
      assert.deepEqual(shapeOf(await ask(process, word)), shapeOf(await server.ask(word)), word);
    }
  }
  for (const { families } of unmeasured) {
    for (const each of families) {
      const meets = (name: string): boolean => unmeasuredBy(name)?.families.includes(each) === true;
      assert.ok(
        [...all].some((name) => meets(name) && covers(each, plain(name))),
        `ZooKeeper has no ${each}`,
      );
    }
  }
}

function plain(name: string): string {
  return name.replace(/^(avg|min|max|cnt|sum)_/, "");
}

/** Its lines without what is another each time: numbers, paths and addresses; and which members there are. */
function shapeOf(text: string): string[] {
  return text
    .replace(/(Zookeeper version: ).*/, "$1")
    .replace(/^((data|dataLog)Dir=).*/gm, "$1")
    .replace(/-?(\b0x[\da-f]+|\d[\d.]*)/g, "#")
    .replace(/\[#]/g, "[]")
    .split("\n");
}
