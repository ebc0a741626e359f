/** The four-letter words, line by line as ZooKeeper 3.9.5 answers them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Path, SessionId, Zxid } from "@quorate/api";
import type { Answer, ReadRequest } from "../backend.ts";
import { answerWord, fourLetterWords, plainWords, readWords, wordOf } from "./four-letter.ts";
import {
  answer,
  busy,
  cluster,
  figures,
  idle,
  latenciesOf,
  member,
  parsed,
  sourceOf,
  startedAt,
  version,
} from "./four-letter-scene.test-support.ts";
import { Statistics } from "./statistics.ts";

test("the words are known by the first four bytes", () => {
  for (const word of fourLetterWords) assert.equal(wordOf(Buffer.from(word).readInt32BE()), word);
  assert.equal(wordOf(Buffer.from("fff4fffd", "hex").readInt32BE()), "telnet close");
  for (const first of [45, 0, Buffer.from("RUOK").readInt32BE(), Buffer.from("kill").readInt32BE(), -1]) {
    assert.equal(wordOf(first), undefined);
  }
});

test("a list of words is read with its spaces, a star is all, and a mistake is named", () => {
  assert.deepEqual(readWords("srvr, stat,,ruok "), ["srvr", "stat", "ruok"]);
  assert.deepEqual(readWords(""), []);
  assert.equal(readWords("ruok,*"), fourLetterWords);
  assert.deepEqual(readWords("srvr,stats"), { bad: "stats" });
});

test("only what is allowed is answered, and srvr always", async () => {
  const source = sourceOf({});
  assert.match(await answerWord("srvr", [], source), /^Zookeeper version: /);
  assert.equal(
    await answerWord("ruok", ["stat"], source),
    "ruok is not executed because it is not in the whitelist.\n",
  );
  assert.equal(
    await answerWord("telnet close", fourLetterWords, source),
    "telnet close is not executed because it is not in the whitelist.\n",
  );
  for (const word of ["cons", "dump", "wchc", "wchp", "crst", "srst"]) assert.equal(plainWords.includes(word), false);
});

const report = [
  "Latency min/avg/max: 0/6.5712/18",
  "Received: 9",
  "Sent: 8",
  "Connections: 2",
  "Outstanding: 3",
] as const;

test("srvr and stat, of a leader, a follower, a gateway alone and one replica alone", async () => {
  const head = `Zookeeper version: ${version}`;
  const leader = ["Zxid: 0x100000009", "Mode: leader", "Node count: 31", "Proposal sizes last/min/max: 70/40/900", ""];
  const own = { replica: () => figures };
  assert.equal(await answer("srvr", { self: 3, facts: own }), [head, ...report, ...leader].join("\n"));
  const idle = { replica: () => ({ ...figures, proposalBytes: undefined }) };
  assert.match(await answer("srvr", { self: 3, facts: idle }), /\nProposal sizes last\/min\/max: -1\/-1\/-1\n$/);
  const follower = ["Zxid: 0x100000001", "Mode: follower", "Node count: 7", ""];
  const clients = [
    "Clients:",
    " /[::1]:45938[5](queued=3,recved=7,sent=9)",
    " /127.0.0.1:42552[0](queued=0,recved=1,sent=0)",
  ];
  assert.equal(await answer("stat", { self: 1 }), [head, ...clients, "", ...report, ...follower].join("\n"));
  const gateway = ["Zxid: 0x100000003", "Mode: observer", "Node count: 7", ""];
  assert.equal(await answer("srvr"), [head, ...report, ...gateway].join("\n"));
  const alone = { self: 1, view: cluster(1, [member(1, 1)]) };
  assert.match(await answer("srvr", alone), /\nZxid: 0x100000001\nMode: standalone\nNode count: 7\n$/);
});

test("without a leader nothing is reported, until clients that take that are served what there is", async () => {
  const view = cluster(0, [member(1, 0, { role: "looking" })]);
  const silent = { self: 1, view, state: "interrupted" as const };
  for (const word of ["srvr", "stat", "mntr", "conf", "cons", "dirs", "dump", "wchs", "wchc", "wchp", "crst", "srst"]) {
    assert.equal(await answer(word, silent), "This ZooKeeper instance is not currently serving requests\n", word);
  }
  const reading = { self: 1, view, state: "readOnly" as const };
  assert.match(
    await answer("srvr", reading),
    /^Zookeeper version: .*\nREAD-ONLY mode; serving only read-only clients\nLatency [\s\S]*\nMode: read-only\n/,
  );
  assert.match(
    await answer("mntr", reading),
    /^zk_version\t.*\nzk_server_state\tread-only\nzk_peer_state\tlooking\nzk_quorum_size\t1\n/,
  );
  assert.deepEqual(
    [await answer("isro"), await answer("isro", silent), await answer("isro", reading)],
    ["rw", "null", "ro"],
  );
  for (const scene of [{}, silent, reading]) {
    const [ruok, mask] = [await answer("ruok", scene), await answer("gtmk", scene)];
    assert.deepEqual([ruok, mask, await answer("stmk", scene)], ["imok", "0", "0"]);
    assert.match(await answer("envi", scene), /^Environment:\nzookeeper.version=3\.9\.5-/);
  }
});

test("cons tells of each connection", async () => {
  const counts = "minlat=0,avglat=6,maxlat=18";
  const times = `est=${startedAt + 1000},to=10000,lcxid=0x6,lzxid=0x100000003,lresp=35470,llat=0,${counts}`;
  const lines = [
    ` /[::1]:45938[5](queued=3,recved=7,sent=9,sid=0x100000001,lop=EXIS,${times})`,
    " /127.0.0.1:42552[0](queued=0,recved=1,sent=0)",
    "",
    "",
  ];
  assert.equal(await answer("cons"), lines.join("\n"));
  const fresh = busy.session && { ...busy.session, session: -5 as SessionId, lastReply: undefined };
  assert.match(
    await answer("cons", { connections: [{ ...busy, session: fresh }] }),
    /sid=0xfffffffffffffffb,lop=SESS,est=\d+,to=10000,lzxid=0xffffffffffffffff,lresp=0,llat=0,/,
  );
});

test("conf, dirs and envi", async () => {
  const facts = { dataFolder: { path: "/var/lib/quorate", bytes: () => 67_109_498 } };
  const conf = await answer("conf", { self: 3, facts });
  const [settings = "", membership] = conf.split("membership: \n");
  assert.deepEqual(Object.fromEntries(parsed(settings, "=")), {
    clientPort: "2181",
    secureClientPort: "-1",
    dataDir: "/var/lib/quorate",
    dataDirSize: "67109498",
    dataLogDir: "/var/lib/quorate",
    dataLogSize: "67109498",
    tickTime: "2000",
    maxClientCnxns: "2000",
    minSessionTimeout: "4000",
    maxSessionTimeout: "40000",
    clientPortListenBacklog: "-1",
    serverId: "3",
    initLimit: "-1",
    syncLimit: "-1",
    electionAlg: "-1",
    electionPort: "7403",
    quorumPort: "7403",
    peerType: "0",
  });
  const servers = [1, 2, 3].map((id) => `server.${id}=127.0.0.1:740${id}:740${id}:participant\n`);
  assert.equal(membership, `${servers.join("")}version=0`);
  const gateway = parsed((await answer("conf")).split("membership")[0] ?? "", "=");
  assert.deepEqual(
    ["dataDir", "dataDirSize", "serverId", "quorumPort", "peerType"].map((name) => gateway.get(name)),
    ["<NA>", "-1", "0", "-1", "1"],
  );
  assert.equal(await answer("dirs", { facts }), "datadir_size: 67109498\nlogdir_size: 67109498\n");
  assert.equal(await answer("dirs"), "datadir_size: -1\nlogdir_size: -1\n");
  const told = parsed(
    (await answer("envi", { facts: { environment: () => [["os.name", "Linux"]] } })).replace("Environment:\n", ""),
    "=",
  );
  assert.deepEqual(
    ["zookeeper.version", "os.name", "java.version"].map((name) => told.get(name)),
    [version, "Linux", "<NA>"],
  );
});

test("the words of watches show each path of each connection", async () => {
  const session = busy.session && {
    ...busy.session,
    session: 0x100000002 as SessionId,
    watchedPaths: () => ["/w"] as Path[],
  };
  const silent = busy.session && { ...busy.session, session: 3 as SessionId, watchedPaths: () => [] };
  const connections = [busy, { ...busy, session }, idle, { ...busy, session: silent }];
  assert.equal(await answer("wchs", { connections }), "2 connections watching 2 paths\nTotal watches:3\n");
  assert.equal(await answer("wchc", { connections }), "0x100000001\n\t/w\n\t/none\n0x100000002\n\t/w\n\n");
  assert.equal(await answer("wchp", { connections }), "/w\n\t0x100000001\n\t0x100000002\n/none\n\t0x100000001\n\n");
  assert.equal(await answer("wchs", { connections: [idle] }), "0 connections watching 0 paths\nTotal watches:0\n");
});

test("what is counted is counted anew", async () => {
  const done: string[] = [];
  const source = sourceOf({}, done);
  assert.equal(await answerWord("crst", ["crst"], source), "Connection stats reset.\n");
  assert.equal(await answerWord("srst", ["srst"], source), "Server stats reset.\n");
  assert.deepEqual(done, ["connections", "statistics"]);
  const statistics = new Statistics();
  statistics.observe(3, 20);
  assert.deepEqual(statistics.replySizes, { last: 20, min: 20, max: 20 });
  statistics.reset();
  assert.deepEqual([statistics.latency, statistics.replySizes], [{ min: 0, average: 0, max: 0 }, undefined]);
  const latencies = latenciesOf(3, 5);
  latencies.reset();
  assert.deepEqual([latencies.count, latencies.sum, latencies.min, latencies.max], [0, 0, 0, 0]);
  assert.equal(await answer("hash"), "");
});

test("dump lists the ensemble's sessions page by page, their ephemerals, and who is connected", async () => {
  const info = (id: number, ephemeralCount: number) => ({
    session: id as SessionId,
    name: "",
    address: "",
    timeoutMillis: 10_000,
    identity: [],
    createdAt: 0,
    ephemeralCount,
  });
  const asked: string[] = [];
  const read = ({ operation, identity }: ReadRequest): Answer => {
    assert.equal(identity.superUser, true);
    const ok = (result: object) => ({ ok: true, zxid: 9 as Zxid, result }) as never;
    const answered = (result: object): Answer => ({ kind: "outcome", outcome: ok(result), servedBy: 1, ageMillis: 0 });
    if (operation.kind === "getSession") {
      asked.push(`${operation.session}`);
      return answered({ kind: "sessionInfo", info: info(operation.session, 2), ephemerals: ["/a/e", "/b"] });
    }
    assert.equal(operation.kind, "listSessions");
    const { after } = operation as { after?: SessionId };
    asked.push(`after ${after}`);
    const sessions = after === undefined ? [info(16, 0), info(17, 2)] : [info(32, 0)];
    return answered({ kind: "sessionList", sessions, more: after === undefined });
  };
  const expected = [
    "SessionTracker dump:",
    "Global Sessions(3):",
    "0x10\t10000ms",
    "0x11\t10000ms",
    "0x20\t10000ms",
    "ephemeral nodes dump:",
    "Sessions with Ephemerals (1):",
    "0x11:",
    "\t/a/e",
    "\t/b",
    "Connections dump:",
    "Connections Sets (2)/(2):",
    "1 expire at Wed Feb 11 20:18:10 UTC 2026:",
    "\tip: /127.0.0.1:42552 sessionId: 0x0",
    "1 expire at Wed Feb 11 20:18:21 UTC 2026:",
    "\tip: /[::1]:45938 sessionId: 0x100000001",
    "",
  ];
  assert.equal(await answer("dump", { read }), expected.join("\n"));
  assert.deepEqual(asked, ["after undefined", "after 17", "17"]);
  const unavailable = { code: "noLeader", detail: "", certainty: "noEffect", retryAfterMillis: 0 } as const;
  const none = await answer("dump", { read: () => ({ kind: "unavailable", ...unavailable }) });
  assert.match(none, /^SessionTracker dump:\nGlobal Sessions\(0\):\nephemeral nodes dump:\nSessions with Eph/);
});
