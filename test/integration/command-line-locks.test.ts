/** `quorate lock` and `quorate elect` as processes: what COMMAND finds, how they end, and that what is lost is stopped. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CommandLine } from "./command-line-kit.ts";
import { Ensemble, until } from "./ensemble.ts";

let ensemble: Ensemble;
let quorate: CommandLine;
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "quorate-cli-"));
  ensemble = await Ensemble.start({ gateways: 2 });
  quorate = new CommandLine(ensemble.gateways.map(({ base }) => base));
});
after(async () => {
  quorate?.stop();
  await ensemble?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** One that has ended, and that nobody has asked for yet, is only a number. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}

async function holders(name: string): Promise<number> {
  const { code, out } = await quorate.run(["lock", "--show", "--json", name]);
  return code === 3 ? 0 : (JSON.parse(out) as { holders: unknown[] }).holders.length;
}

// Each has a lock of its own, and waits for processes most of the time.
describe("a command under a lock", { concurrency: 4 }, () => {
  it("finds name, token and session, and its exit code is passed on", async () => {
    const script = 'echo "$QUORATE_LOCK $QUORATE_FENCING_TOKEN $QUORATE_SESSION"; exit 9';
    const ended = await quorate.run(["lock", "/l/env", "--", "sh", "-c", script]);
    assert.equal(ended.code, 9, ended.err);
    assert.match(ended.out, /^\/l\/env 0x[0-9a-f]{16} 0x[0-9a-f]{16}:[0-9a-f]{32}\n$/);
    assert.equal(await holders("/l/env"), 0, "it is given back");
    assert.equal((await quorate.run(["lock", "/l/env", "--", "sh", "-c", "kill -9 $$"])).code, 137);
    assert.equal((await quorate.run(["lock", "/l/env", "--", join(folder, "none")])).code, 127);
    assert.equal((await quorate.run(["lock", "/l/env", "--", folder])).code, 126);
    assert.equal(await holders("/l/env"), 0);
  });

  it("writes what the lock protects, and nobody does with a token that has passed on", async () => {
    const write =
      'quorate put /l-state "$1" --fenced "$QUORATE_LOCK=$QUORATE_FENCING_TOKEN" && echo "$QUORATE_FENCING_TOKEN"';
    const inside = `quorate lock '/l/a, b=c%' -- bash -c '${write.replaceAll("quorate put", "$QUORATE put")}' _ one`;
    const main = join(import.meta.dirname, "../../services/quorate/src/main.ts");
    const ended = await quorate.shell(
      `export QUORATE='${process.execPath} ${main}'\n${inside.replace("quorate lock", "$QUORATE lock")}`,
    );
    // QUORATE is nobody's variable: it has no prefix.
    assert.equal(ended.code, 0, ended.err);
    const token = ended.out.trim().split("\n").at(-1) ?? "";
    const late = await quorate.run(["put", "/l-state", "two", "--fenced", `/l/a, b=c%=${token}`]);
    assert.equal(late.code, 4);
    assert.match(late.err, /\(fenced\)/);
    assert.equal(await quorate.out("get", "/l-state"), "one");
  });

  it("waits its turn, says who has it, and gives up in time", async () => {
    const first = quorate.start(["lock", "/l/turn", "--contender", "anna", "--", "sh", "-c", "echo first; read x"]);
    await first.says("first");
    const refused = await quorate.run(["lock", "--wait", "0", "/l/turn", "--", "echo", "no"]);
    assert.deepEqual([refused.code, refused.out], [8, ""]);
    assert.match(refused.err, /not got at once; anna has it/);
    const late = await quorate.run(["lock", "--wait", "300ms", "/l/turn", "--", "echo", "no"]);
    assert.equal(late.code, 8);
    const second = quorate.start(["lock", "/l/turn", "--", "echo", "second"]);
    await second.says("waiting for /l/turn: anna has it");
    const third = quorate.start(["lock", "/l/turn", "--", "echo", "third"]);
    await third.says("anna has it, 2 are ahead");
    third.signal("SIGINT");
    assert.equal((await third.end()).code, 130);
    first.write("go\n");
    assert.equal((await first.end()).code, 0);
    assert.deepEqual([(await second.end()).code, second.out], [0, "second\n"]);
    assert.equal(await holders("/l/turn"), 0);
  });

  it("gets the signals that come to quorate", async () => {
    const held = quorate.start([
      "lock",
      "/l/signal",
      "--",
      "sh",
      "-c",
      "trap 'echo TERM; exit 5' TERM; echo ready; while :; do sleep 0.1; done",
    ]);
    await held.says("ready");
    held.signal("SIGTERM");
    const { code, out } = await held.end();
    assert.deepEqual([code, out], [5, "ready\nTERM\n"]);
    assert.equal(await holders("/l/signal"), 0);
  });

  it("shares a semaphore, and a lock of many readers", async () => {
    const one = quorate.start(["lock", "--permits", "2", "/l/two", "--", "sh", "-c", "echo in; read x"]);
    await one.says("in");
    assert.equal((await quorate.run(["lock", "--permits", "2", "-w", "5s", "/l/two", "--", "true"])).code, 0);
    assert.equal((await quorate.run(["lock", "--permits", "3", "-w", "0", "/l/two", "--", "true"])).code, 4);
    one.endInput();
    await one.end();
    const reader = quorate.start(["lock", "--mode", "read", "/l/rw", "--", "sh", "-c", "echo in; read x"]);
    await reader.says("in");
    assert.equal((await quorate.run(["lock", "--mode", "read", "-w", "5s", "/l/rw", "--", "true"])).code, 0);
    assert.equal((await quorate.run(["lock", "--mode", "write", "-w", "0", "/l/rw", "--", "true"])).code, 8);
    reader.endInput();
    await reader.end();
  });
});

describe("a command that leads", () => {
  it("is known by its value, is followed, and resigns", async () => {
    const nobody = await quorate.run(["elect", "/e/one", "--leader"]);
    assert.deepEqual([nobody.code, nobody.err.trim()], [3, "quorate: elect /e/one: nobody leads"]);
    const first = quorate.start([
      "elect",
      "/e/one",
      "--value",
      "anna",
      "--",
      "sh",
      "-c",
      'echo "$QUORATE_ELECTION"; read x',
    ]);
    await first.says("/e/one");
    assert.equal(await quorate.out("elect", "/e/one", "--leader"), "anna");
    assert.equal(
      (await quorate.run(["lock", "/e/one", "--wait", "0", "--", "true"])).code,
      4,
      "an election is no lock",
    );
    const observer = quorate.start(["elect", "/e/one", "--observe", "--json"]);
    await observer.says('"value":"anna"');
    const early = quorate.start(["elect", "/e/later", "--observe"]);
    await until(() => early.out === "\n", 30_000, "nobody leads what is not there");
    assert.equal((await quorate.run(["elect", "/e/later", "--value", "dora", "--", "sleep", "2"])).code, 0);
    await early.says(/^\n0x\w+\t0x\w+\tdora\n\n$/);
    early.signal("SIGINT");
    assert.equal((await early.end()).code, 130);
    const second = quorate.start(["elect", "/e/one", "--value", "bert", "--", "echo", "bert leads"]);
    await second.says("waiting for /e/one: anna leads");
    const third = quorate.start(["elect", "/e/one", "--value", "carl", "--", "true"]);
    await third.says("anna leads, 2 are ahead");
    third.signal("SIGINT");
    assert.equal((await third.end()).code, 130);
    first.write("go\n");
    assert.equal((await first.end()).code, 0);
    assert.equal((await second.end()).out, "bert leads\n");
    await observer.says(/"value":"bert"|"leader":null/);
    observer.signal("SIGINT");
    assert.equal((await observer.end()).code, 130);
  });
});

describe("a command whose gateway or leader goes", () => {
  it("goes on through the loss of a gateway and of the leader", async () => {
    const held = quorate.start([
      "lock",
      "--session-timeout",
      "12s",
      "/l/loss",
      "--",
      "sh",
      "-c",
      "echo in; read x; echo out",
    ]);
    await held.says("in");
    await ensemble.gateways[0]?.kill();
    const leader = await ensemble.leader(ensemble.gateways[1]);
    await ensemble.replica(leader).kill();
    await ensemble.ready(ensemble.gateways[1]);
    // Longer than its session would live without a renewal.
    await new Promise((resolve) => setTimeout(resolve, 13_000));
    assert.equal(await holders("/l/loss"), 1);
    held.write("go\n");
    assert.deepEqual([(await held.end()).code, held.out], [0, "in\nout\n"]);
    ensemble.gateways[0]?.start();
    ensemble.replica(leader).start();
    await ensemble.ready();
  });

  it("is stopped with all that it started when the lock is lost", async () => {
    const file = join(folder, "pids");
    // One that ends when asked, and one that has to be made to, in a session of its own.
    const script = `echo $$ > ${file}; sh -c 'trap "" TERM; echo $$ >> ${file}; while :; do sleep 1; done' & echo in; wait`;
    const held = quorate.start([
      "lock",
      "--session-timeout",
      "4s",
      "--grace",
      "1s",
      "/l/lost",
      "--",
      "sh",
      "-c",
      script,
    ]);
    await held.says("in");
    await until(async () => (await readFile(file, "utf8")).split("\n").length > 2, 10_000, "both run");
    const pids = (await readFile(file, "utf8")).trim().split("\n").map(Number);
    for (const gateway of ensemble.gateways) gateway.signal("SIGSTOP");
    try {
      const { code, err } = await held.end();
      assert.equal(code, 7);
      assert.match(err, /the lock was lost, and COMMAND stopped/);
      assert.equal(pids.length, 2);
      for (const pid of pids) assert.equal(await isAlive(pid), false, String(pid));
    } finally {
      for (const gateway of ensemble.gateways) gateway.signal("SIGCONT");
    }
  });
});
