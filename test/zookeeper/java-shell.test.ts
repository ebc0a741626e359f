/** ZooKeeper's own shell (zkCli): its commands, and word for word what it prints against a real ZooKeeper. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { makeReady, type Program } from "../polyglot/make-ready.ts";
import { javaClients } from "./foreign-kits.ts";
import { runForeign } from "./foreign-run.ts";
import { type ForeignServers, startForeignServers } from "./foreign-servers.ts";

/** What is typed, and what is printed; what is different each time is named by its kind and the order of its appearance. */
const dialogue: readonly (readonly [string, string])[] = [
  ["ls /", "[zookeeper]"],
  ["ls /zookeeper", "[config, quota]"],
  ["create /cli data", ""],
  ["create -s /cli/s- x", ""],
  ["create -e /cli/e y", ""],
  ["create -c /cli/c", ""],
  ["create -t 60000 /cli/t z", ""],
  ["get -s /cli", `data\n${stat("zxid1", "zxid1", "zxid2", 4, 0, 0, 4, 4)}`],
  ["set -v 0 /cli more", ""],
  ["set -v 0 /cli again", ""],
  ["stat /cli", stat("zxid1", "zxid3", "zxid2", 4, 1, 0, 4, 4)],
  ["ls -R /cli", "/cli\n/cli/c\n/cli/e\n/cli/s-0000000000\n/cli/t"],
  ["ls -s /cli", `[c, e, s-0000000000, t]\n${stat("zxid1", "zxid3", "zxid2", 4, 1, 0, 4, 4)}`],
  ["getAllChildrenNumber /cli", "4"],
  ["getEphemerals /cli", "[/cli/e]"],
  ["setquota -n 10 /cli", ""],
  [
    "listquota /cli",
    "Output quota for /cli count=10,bytes=-1=;byteHardLimit=-1;countHardLimit=-1\nOutput stat for /cli count=5,bytes=7",
  ],
  ["create /cli/s-0000000000/deep 12345", ""],
  [
    "listquota /cli",
    "Output quota for /cli count=10,bytes=-1=;byteHardLimit=-1;countHardLimit=-1\nOutput stat for /cli count=6,bytes=12",
  ],
  ["delquota -n /cli", ""],
  [
    "listquota /cli",
    "Output quota for /cli count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=-1\nOutput stat for /cli count=6,bytes=12",
  ],
  ["getAcl /cli", "'world,'anyone\n: cdrwa"],
  ["addauth digest ann:secret", ""],
  ["setAcl /cli auth:ann:cdrwa,world:anyone:r", ""],
  ["getAcl /cli", "'digest,'ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=\n: cdrwa\n'world,'anyone\n: r"],
  ["whoami", "Auth scheme: User\ndigest: ann\nip: 127.0.0.1"],
  ["addWatch /cli", ""],
  ["set /cli watched", ""],
  ["removewatches /cli", ""],
  ["config", "server.1=HOST:participant\nserver.2=HOST:participant\nserver.3=HOST:participant\nversion=0"],
  ["sync /cli", "Sync is OK"],
  ["get /none", ""],
  ["delete /cli", ""],
  ["deleteall /cli", ""],
  ["ls /cli", ""],
  ["create /cli/x/y", ""],
  ["ls /", "[zookeeper]"],
  ["quit", ""],
];

/** What it says of itself and of failures, apart from what it prints. */
const remarks = [
  "Created /cli",
  "Created /cli/s-0000000000",
  "Created /cli/e",
  "Created /cli/c",
  "Created /cli/t",
  "version No is not valid : /cli",
  "absolute path is /zookeeper/quota/cli/zookeeper_limits",
  "Created /cli/s-0000000000/deep",
  "absolute path is /zookeeper/quota/cli/zookeeper_limits",
  "absolute path is /zookeeper/quota/cli/zookeeper_limits",
  "Node does not exist: /none",
  "Node not empty: /cli",
  "Node does not exist: /cli",
  "Node does not exist: /cli/x/y",
];

let servers: ForeignServers | undefined;
let program: Program;
let skip: string | undefined;

describe("ZooKeeper's shell", { timeout: 480_000 }, () => {
  before(async () => {
    const ready = await makeReady(javaClients);
    const started = "skip" in ready ? ready : await startForeignServers();
    if ("skip" in started) skip = started.skip;
    else servers = started;
    if (!("skip" in ready)) program = ready.program;
  });
  after(async () => {
    await servers?.stop();
  });

  it("every command of zkCli prints what it prints against a real ZooKeeper", async (t) => {
    if (servers === undefined) return t.skip(skip);
    const shell = ["org.apache.zookeeper.ZooKeeperMain", "-waitforconnection", "-server", servers.hosts[0] ?? ""];
    const args = [...program.args, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", ...shell];
    const input = dialogue.map(([line]) => `${line}\n`).join("");
    const { status, output, errors } = await runForeign({ ...program, args }, { input, millis: 180_000 });
    const { printed, events } = withoutEvents(output);
    const expected = dialogue.flatMap(([, text]) => (text === "" ? [] : text.split("\n")));
    assert.deepEqual(named(printed.split("JLine support is disabled\n")[1] ?? ""), expected, `${output}\n${errors}`);
    assert.deepEqual(linesOf(errors), remarks);
    assert.deepEqual(events, [
      "SyncConnected None null",
      "SyncConnected NodeDataChanged /cli",
      "SyncConnected PersistentWatchRemoved /cli",
      "Closed None null",
    ]);
    assert.equal(status, 0);
  });
});

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** They come in between at any place. */
function withoutEvents(output: string): { readonly printed: string; readonly events: string[] } {
  const events: string[] = [];
  const watcher = /\nWATCHER::\n\nWatchedEvent state:(\S+) type:(\S+) path:(\S+) zxid: -?\d+\n?/g;
  const printed = output.replace(watcher, (_, state: string, type: string, path: string) => {
    events.push(`${state} ${type} ${path}`);
    return "";
  });
  return { printed, events };
}

/** Lines in which what is different each time has a name: zxids in the order in which they appear. Identities have no order. */
function named(printed: string): string[] {
  const zxids: string[] = [];
  return linesOf(printed.replace(/(ip: .*)\n(digest: .*)/, "$2\n$1")).map((line) =>
    line
      .replace(/^([cmp]Zxid) = 0x([0-9a-f]+)$/, (_, field: string, zxid: string) => {
        if (!zxids.includes(zxid)) zxids.push(zxid);
        return `${field} = zxid${zxids.indexOf(zxid) + 1}`;
      })
      .replace(/^([cm]time) = \w{3} \w{3} \d\d \d\d:\d\d:\d\d \S+ \d{4}$/, "$1 = TIME")
      .replace(/^(server\.\d)=127\.0\.0\.1:\d+:\d+:/, "$1=HOST:"),
  );
}

function stat(czxid: string, mzxid: string, pzxid: string, ...counts: readonly number[]): string {
  const [cversion, version, aversion, length, children] = counts;
  return [
    `cZxid = ${czxid}`,
    "ctime = TIME",
    `mZxid = ${mzxid}`,
    "mtime = TIME",
    `pZxid = ${pzxid}`,
    `cversion = ${cversion}`,
    `dataVersion = ${version}`,
    `aclVersion = ${aversion}`,
    "ephemeralOwner = 0x0",
    `dataLength = ${length}`,
    `numChildren = ${children}`,
  ].join("\n");
}
