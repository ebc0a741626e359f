/**
 * ZooKeeper's own Java client and Curator's recipes, unmodified, against an ensemble of real processes: one program plays a
 * scenario after the other and asks for servers to be killed or stopped where that is part of it.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { makeReady, type Ready } from "../polyglot/make-ready.ts";
import { javaClients } from "./foreign-kits.ts";
import { type ForeignServers, startForeignServers } from "./foreign-servers.ts";

/** All that the program plays; it names each with how it went. */
const scenarios = {
  "every kind of znode is created": "create-modes",
  "a TTL node ends": "ttl",
  "an empty container ends": "container",
  "stats are ZooKeeper's": "stat",
  "data, null data and conditions": "data",
  "a multi of every operation": "multi",
  "a multi that fails says what each operation is told": "multi-failure",
  "a multi of reads": "multi-read",
  "ACLs and identities": "acl",
  "who the connection is": "who-am-i",
  "a session's ephemerals are listed": "ephemerals",
  "all znodes below are counted": "children-number",
  "the configuration is read": "config",
  "what is reserved stays": "reserved",
  "pipelined sets and gets are answered in order": "pipelined",
  "behind a sync nothing older is read": "sync",
  "five thousand children are listed": "long-listing",
  "one-shot watches": "watch-once",
  "watches of children, and the order of a deletion": "watch-children",
  "persistent watches": "watch-persistent",
  "persistent recursive watches": "watch-recursive",
  "watches are removed": "watch-removed",
  "an event comes before the data that it announces": "event-before-data",
  "who may not read is not told": "watch-denied",
  "Curator: mutex": "mutex",
  "Curator: read-write lock": "read-write-lock",
  "Curator: semaphore": "semaphore",
  "Curator: leader latch": "leader-latch",
  "Curator: a leader that is lost": "leader-lost",
  "Curator: cache": "cache",
  "Curator: a cache whose server is killed": "cache-through-loss",
  "Curator: barrier": "barrier",
  "Curator: double barrier": "double-barrier",
  "Curator: queue": "queue",
  "Curator: counters": "counters",
  "Curator: group membership": "group-member",
  "Curator: transaction": "transaction",
  "a session that is closed elsewhere is over": "session-closed-elsewhere",
  "a session is taken over": "session-taken-over",
  "a wrong password takes nothing over": "session-wrong-password",
  "a session moves when its server is killed": "session-moves",
  "setWatches tells what was missed": "set-watches",
  "a session whose server stands still expires": "session-expires",
} as const;
const programMillis = 300_000;

const told = new Map<string, string>();
let servers: ForeignServers | undefined;
let ready: Ready | undefined;
let skip: string | undefined;
let child: ChildProcess | undefined;
let errors = "";
let said = false;

describe("ZooKeeper's Java clients", { timeout: 480_000 }, () => {
  before(async () => {
    ready = await makeReady(javaClients);
    const started = "skip" in ready ? ready : await startForeignServers();
    if ("skip" in started) skip = started.skip;
    else servers = started;
    if (!("skip" in ready) && servers !== undefined) await play(ready, servers);
  });
  after(async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    await servers?.stop();
  });

  for (const [what, name] of Object.entries(scenarios)) {
    it(what, (t) => {
      if (skip !== undefined) return t.skip(skip);
      const [verdict, ...rest] = (told.get(name) ?? "nothing was said of it").split(" ");
      const reason = rest.join(" ").replaceAll("\\n", "\n");
      assert.equal(verdict, "pass", `${reason || verdict}\n${whatElseWasSaid()}`);
      t.diagnostic(`${reason} ms`);
    });
  }

  it("nothing else was played", (t) => {
    if (skip !== undefined) return t.skip(skip);
    const known: ReadonlySet<string> = new Set(Object.values(scenarios));
    assert.deepEqual(
      [...told.keys()].filter((name) => !known.has(name)),
      [],
    );
  });
});

async function play({ program }: Exclude<Ready, { skip: string }>, against: ForeignServers): Promise<void> {
  const args = [...program.args, "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "clients.Main"];
  const playing = spawn(program.command, [...args, against.hosts.join(",")], { stdio: "pipe" });
  child = playing;
  playing.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-20_000);
  });
  const timer = setTimeout(() => playing.kill("SIGKILL"), programMillis);
  for await (const line of createInterface({ input: playing.stdout })) {
    const [, word, rest = ""] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    if (word === "ask") {
      const reply = await against.command(rest).then(
        () => "done",
        (error: unknown) => String(error),
      );
      playing.stdin.write(`${reply.replaceAll("\n", " ")}\n`);
    } else if (word === "pass" || word === "fail") {
      const [name = "", ...more] = rest.split(" ");
      told.set(name, [word, ...more].join(" "));
    }
  }
  clearTimeout(timer);
}

/** Once, with the first failure: it is the same for all. */
function whatElseWasSaid(): string {
  if (said) return "";
  said = true;
  return `${errors.slice(-4_000)}\n${servers?.output()}`;
}
