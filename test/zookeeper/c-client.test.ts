/** ZooKeeper's C client, by the command line that comes with it (Debian's zookeeper-bin), against an ensemble of real processes. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { until } from "../integration/ensemble.ts";
import { type ForeignServers, startForeignServers } from "./foreign-servers.ts";
import { ForeignTalk } from "./foreign-talk.ts";

/** It is on nobody's PATH. */
const command = ["/usr/lib/zookeeper/bin/cli_mt", "/usr/bin/cli_mt", "/usr/local/bin/cli_mt"].find(existsSync);

let servers: ForeignServers | undefined;
let skip: string | undefined;
const opened: ForeignTalk[] = [];

/** Connected to the servers at these places, in their order. */
async function connect(places: readonly number[]): Promise<ForeignTalk> {
  const hosts = places.map((place) => servers?.hosts[place]).join(",");
  const talk = new ForeignTalk({ command: command ?? "", args: ["-h", hosts] });
  opened.push(talk);
  await talk.hears(/SESSION_EVENT state = CONNECTED_STATE/);
  return talk;
}

describe("ZooKeeper's C client", { timeout: 400_000 }, () => {
  before(async () => {
    const started =
      command === undefined ? { skip: "no cli_mt (Debian's zookeeper-bin)" } : await startForeignServers();
    if ("skip" in started) skip = started.skip;
    else servers = started;
  });
  after(async () => {
    for (const each of opened) await each.kill();
    await servers?.stop();
  });

  it("its command line's every operation", async (t) => {
    if (skip !== undefined) return t.skip(skip);
    const cli = await connect([0]);
    await cli.says("create /c", /\[\/c\]: rc = 0\n\tname = \/c\n/);
    await cli.says("create /c", /\[\/c\]: rc = -110\n/);
    await cli.says("create2 +s /c/s-", /rc = 0\n\tname = \/c\/s-0000000000\n[\s\S]*?ephemeralOwner = 0\n/);
    await cli.says("create +e /c/e", /rc = 0\n\tname = \/c\/e\n/);
    await cli.says("create2 +es /c/es-", /name = \/c\/es-0000000002\n[\s\S]*?ephemeralOwner = [1-9a-f]/);
    await cli.says(
      "create2 +t=60000 /c/t",
      /rc = 0\n\tname = \/c\/t\n[\s\S]*?version=0\taversion=0\n\tephemeralOwner = 0\n/,
    );
    await cli.says("create2 +c /c/box", /rc = 0\n\tname = \/c\/box\n[\s\S]*?ephemeralOwner = 0\n/);
    await cli.says("set /c data", /\/c: rc = 0 Stat:\n[\s\S]*?version=1\taversion=0\n/);
    await cli.says("get /c", /\/c: rc = 0\n value_len = 4\ndata\nStat:\n[\s\S]*?version=1\t/);
    const [listed] = await cli.says("ls /c", /\/c: rc = 0\n(\t.*\n)+/);
    assert.deepEqual(listed.match(/(?<=\t).+/g)?.sort(), ["box", "e", "es-0000000002", "s-0000000000", "t"]);
    await cli.says("ls2 /c", /\/c: rc = 0\n(\t.*\n)+time = \d+ msec\n\tctime = [\s\S]*?ephemeralOwner = 0\n/);
    await cli.says("wexists /c/none", /Error -101 for \/c\/none/);
    await cli.says("create /c/none", /Watcher CREATED_EVENT state = CONNECTED_STATE for path \/c\/none\n/);
    await cli.says("sync /c", /\[\/c\]: rc = 0\n\tname = \/c\n/);
    await cli.says("delete /c", /\/c: rc = -111\n/);
    await cli.says("get /absent", /\/absent: rc = -101\n/);
    await cli.says(
      "config",
      /\/zookeeper\/config: rc = 0\n[\s\S]*?(server\.\d=127\.0\.0\.1:\d+:\d+:participant\n){3}version=0\n/,
    );
    cli.type("addauth digest ann:secret");
    await cli.says("get /c", /\/c: rc = 0\n/);
    cli.type("quit");
    assert.equal(await cli.waitForEnd(), 0);
  });

  it("watches tell of what another client does", async (t) => {
    if (skip !== undefined) return t.skip(skip);
    const [one, other] = [await connect([0]), await connect([1])];
    await one.says("create /watched", /rc = 0/);
    await one.says("get /watched", /\/watched: rc = 0/);
    await one.says("ls /watched", /\/watched: rc = 0/);
    await other.says("sync /", /rc = 0/);
    await other.says("set /watched 1", /rc = 0/);
    await one.hears(/Watcher CHANGED_EVENT state = CONNECTED_STATE for path \/watched\n/);
    await other.says("create /watched/child", /rc = 0/);
    await one.hears(/Watcher CHILD_EVENT state = CONNECTED_STATE for path \/watched\n/);
    await one.says("get /watched/child", /rc = 0/);
    await other.says("delete /watched/child", /rc = 0/);
    await one.hears(/Watcher DELETED_EVENT state = CONNECTED_STATE for path \/watched\/child\n/);
  });

  it("two hundred sets of 64 KiB in flight, each with a watch", async (t) => {
    if (skip !== undefined) return t.skip(skip);
    const cli = await connect([0]);
    await cli.says("create /od", /rc = 0/);
    await cli.says("od", /Recvd 200 responses for 200 requests sent/);
    assert.equal(cli.output.match(/Data completion \/od rc = 0/g)?.length, 200);
    assert.equal(cli.output.match(/CHANGED_EVENT state = CONNECTED_STATE for path \/od/g)?.length, 199);
  });

  it("its session, its watches and its ephemerals survive its server", async (t) => {
    if (skip !== undefined || servers === undefined) return t.skip(skip);
    const [cli, other] = [await connect([1, 2]), await connect([2])];
    await cli.says("create +e /held", /rc = 0/);
    await cli.says("get /held", /\/held: rc = 0/);
    await servers.command("kill 1");
    await cli.hears(/state = CONNECTING_STATE/);
    await cli.hears(/state = CONNECTED_STATE/);
    // It may have been connected to the leader.
    await until(
      async () => {
        const [, code] = await other.says("set /held 1", /(?:\/held: rc =|Error) (-?\d+)/);
        return code === "0";
      },
      20_000,
      "another client writes",
    );
    await cli.hears(/Watcher CHANGED_EVENT state = CONNECTED_STATE for path \/held\n/);
    assert.equal(cli.output.match(/new session id/g)?.length, 1, cli.output);
    await servers.command("start 1");
    cli.type("quit");
    await cli.waitForEnd();
    await other.says("sync /", /rc = 0/);
    await other.says("get /held", /\/held: rc = -101/);
  });
});
