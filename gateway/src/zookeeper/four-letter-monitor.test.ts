/** `mntr`, line by line as ZooKeeper 3.9.5 answers it, and as monitors read it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, cluster, figures, member, parsed, version } from "./four-letter-scene.test-support.ts";

type Lines = Readonly<Record<string, string>>;

function spreadOf(name: string, average: string, min: number, max: number, count: number, sum: number): Lines {
  const others = { min, max, cnt: count, sum };
  const lines = Object.entries(others).map(([of, value]) => [`zk_${of}_${name}`, String(value)]);
  return { [`zk_avg_${name}`]: average, ...Object.fromEntries(lines) };
}

function sizesOf(name: string, last: number, min: number, max: number): Lines {
  return { [`zk_last_${name}`]: `${last}`, [`zk_min_${name}`]: `${min}`, [`zk_max_${name}`]: `${max}` };
}

test("mntr has what is measured, each once", async () => {
  const facts = { files: () => ({ open: 63, most: 20_000 }), replica: () => figures };
  const leader = parsed(await answer("mntr", { self: 3, facts }), "\t");
  const expected = {
    zk_version: version,
    zk_server_state: "leader",
    zk_peer_state: "leading - broadcast",
    zk_znode_count: "31",
    zk_global_sessions: "4",
    zk_num_alive_connections: "2",
    zk_outstanding_requests: "3",
    zk_packets_received: "9",
    zk_packets_sent: "8",
    zk_watch_count: "4",
    zk_avg_latency: "6.5712",
    zk_min_latency: "0",
    zk_max_latency: "18",
    ...spreadOf("readlatency", "0.8569", 0, 2, 2, 2),
    ...spreadOf("updatelatency", "18.0", 18, 18, 1, 18),
    ...sizesOf("client_response_size", 88, 20, 1044),
    zk_auth_failed_count: "2",
    zk_connection_rejected: "5",
    zk_open_file_descriptor_count: "63",
    zk_max_file_descriptor_count: "20000",
    zk_uptime: "5000",
    zk_ephemerals_count: "12",
    zk_approximate_data_size: "4711",
    zk_proposal_count: "9",
    zk_looking_count: "2",
    ...spreadOf("election_time", "155.0", 60, 250, 2, 310),
    ...spreadOf("unavailable_time", "400.0", 400, 400, 1, 400),
    ...spreadOf("fsynctime", "2.55", 1, 5, 4, 10),
    ...spreadOf("snapshottime", "0.0", 0, 0, 0, 0),
    zk_learners: "2",
    zk_synced_followers: "2",
    zk_pending_syncs: "0",
    zk_quorum_size: "3",
    zk_leader_uptime: "4000",
    ...sizesOf("proposal_size", 70, 40, 900),
  };
  assert.deepEqual(Object.fromEntries(leader), expected);
});

test("mntr leaves out what is not a follower's, a limping leader's or a gateway's to say", async () => {
  const follower = parsed(await answer("mntr", { self: 1, facts: { replica: () => figures } }), "\t");
  assert.deepEqual([follower.get("zk_server_state"), follower.get("zk_ephemerals_count")], ["follower", "12"]);
  for (const name of ["zk_learners", "zk_leader_uptime", "zk_max_proposal_size"]) assert.ok(!follower.has(name), name);
  // As ZooKeeper says where the system does not tell.
  assert.equal(follower.get("zk_open_file_descriptor_count"), "-1");
  const members = [member(3, 3), member(1, 3, { serving: false }), member(2, 3, { reachable: false, role: "unknown" })];
  const limping = parsed(await answer("mntr", { self: 3, view: cluster(3, members) }), "\t");
  const counts = ["zk_learners", "zk_synced_followers", "zk_pending_syncs", "zk_quorum_size"];
  assert.deepEqual(
    counts.map((name) => limping.get(name)),
    ["1", "0", "1", "3"],
  );
  const gateway = parsed(await answer("mntr"), "\t");
  assert.equal(gateway.get("zk_server_state"), "observer");
  assert.equal(gateway.get("zk_znode_count"), "7");
  for (const name of ["zk_peer_state", "zk_quorum_size", "zk_ephemerals_count", "zk_cnt_fsynctime"])
    assert.ok(!gateway.has(name), name);
  const unheard = parsed(await answer("mntr", { view: cluster(3, []) }), "\t");
  assert.ok(!unheard.has("zk_znode_count"), "nobody has said how many");
});

/** As Telegraf and OpenTelemetry's collector take a line apart; the one gives up at a line that is none, the other logs it. */
const telegrafLine = /^zk_(\w[\w.-]*)\s+([\w.-]+)/;

test("mntr is read by the monitors that take it apart line by line", async () => {
  const text = await answer("mntr", { self: 3, facts: { replica: () => figures } });
  const lines = text.trimEnd().split("\n");
  // check_zookeeper and dabealu's exporter: the version stands first, and its numbers do.
  assert.match(lines[0] ?? "", /^zk_version\t\d+\.\d+\.\d+-/);
  for (const line of lines) {
    const [, name, value = ""] = telegrafLine.exec(line) ?? [];
    assert.ok(name !== undefined, line);
    if (name === "version" || name.endsWith("_state")) continue;
    // Averages have a point, always; a series that changes its type is refused by InfluxDB.
    assert.match(value, name.startsWith("avg_") ? /^\d+\.\d+$/ : /^(\d+|-1)$/, line);
  }
});
