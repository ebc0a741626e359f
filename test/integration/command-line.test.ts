/** Each command of the command line in a pipe, against a real ensemble: what it prints, and what its exit code says. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CommandLine } from "./command-line-kit.ts";
import { Ensemble, freePorts, sleep, superUser, until } from "./ensemble.ts";

let ensemble: Ensemble;
let quorate: CommandLine;
let folder = "";
/** Nobody listens there. */
let nowhere = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "quorate-cli-"));
  nowhere = `http://127.0.0.1:${(await freePorts(1))[0]}`;
  ensemble = await Ensemble.start();
  quorate = new CommandLine([ensemble.gateway.base]);
});
after(async () => {
  quorate?.stop();
  await ensemble?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Exit code and first line on standard error. */
async function fails(...args: string[]): Promise<readonly [number, string]> {
  const { code, err, out } = await quorate.run(args);
  assert.equal(out, "");
  assert.doesNotMatch(err, /^ +at /m, "no stack");
  return [code, err.split("\n")[0] ?? ""];
}

const asSuper = { env: { QUORATE_USER: `${superUser.user}:${superUser.password}` } };

// Each has paths of its own, and waits for processes most of the time.
describe("the command line in a pipe", { concurrency: 4 }, () => {
  it("puts, gets, lists and deletes", async () => {
    const mzxid = (await quorate.out("put", "/app", "hello")).trim();
    assert.match(mzxid, /^0x[0-9a-f]{16}$/);
    assert.equal(await quorate.out("get", "/app"), "hello");
    assert.equal(await quorate.out("create", "-p", "/app/a/b", "x"), "/app/a/b\n");
    assert.equal(await quorate.out("create", "--sequential", "/app/job-", "1"), "/app/job-0000000001\n");
    assert.equal(await quorate.out("ls", "/app/"), "a\njob-0000000001\n");
    assert.match(await quorate.out("ls", "-l", "/app"), /^a\tpersistent\t0\t1\t0\t\d{4}-.*Z\njob-/);
    assert.equal(
      await quorate.out("tree", "/app"),
      "/app\t5\t2\tpersistent\n/app/a\t0\t1\tpersistent\n/app/a/b\t1\t0\tpersistent\n/app/job-0000000001\t1\t0\tpersistent\n",
    );
    assert.equal((await quorate.out("tree", "-d", "0", "--data", "/app")).trim(), "/app\t5\t2\tpersistent\thello");
    assert.match(await quorate.out("stat", "/app"), new RegExp(`^mzxid\t${mzxid}$`, "m"));
    assert.equal(await quorate.out("rm", "-r", "/app"), "");
    assert.match(await quorate.out("ls"), /^zookeeper$/m);
    assert.doesNotMatch(await quorate.out("ls"), /^app$/m);
  });

  it("takes and gives bytes as they are", async () => {
    const bytes = randomBytes(100_000);
    const file = join(folder, "bytes");
    await writeFile(file, bytes);
    await quorate.out("put", "/bytes", `@${file}`);
    assert.ok((await quorate.run(["get", "/bytes"])).bytes.equals(bytes));
    assert.equal((await quorate.run(["put", "/bytes", "-"], { input: bytes.subarray(0, 77) })).code, 0);
    assert.ok((await quorate.run(["get", "/bytes"])).bytes.equals(bytes.subarray(0, 77)));
    const json = JSON.parse(await quorate.out("get", "--json", "/bytes")) as { data: string; encoding: string };
    assert.deepEqual([json.encoding, json.data], ["base64", bytes.subarray(0, 77).toString("base64")]);
    await quorate.out("put", "--literal", "/bytes", "@x");
    assert.equal(await quorate.out("get", "/bytes"), "@x");
    await quorate.out("put", "/bytes", "--", "-5");
    assert.equal(await quorate.out("get", "/bytes"), "-5");
    assert.deepEqual((await quorate.run(["put", "/bytes", "-"], { input: new Uint8Array(1_048_576) })).code, 2);
  });

  it("keeps to conditions", async () => {
    const first = (await quorate.out("put", "/cas", "1", "--create")).trim();
    assert.equal((await fails("put", "/cas", "2", "--create"))[0], 4);
    await quorate.out("put", "/cas", "2", "--if-match", first);
    const [code, line] = await fails("put", "/cas", "3", "--if-match", first);
    assert.equal(code, 4);
    assert.match(line, /^quorate: put \/cas: the mzxid is 0x\w+, expected was 0x\w+; .* \(badVersion\)$/);
    assert.equal((await fails("rm", "/cas", "--if-match", first))[0], 4);
    assert.equal((await fails("put", "/none", "x", "--replace"))[0], 4);
    assert.equal((await fails("create", "/cas"))[0], 4);
  });

  it("ends with the exit code of what is wrong, in one line", async () => {
    assert.deepEqual(await fails("get", "/none"), [3, "quorate: get /none: there is no znode /none (noNode)"]);
    assert.deepEqual(await fails("stat", "/none"), [3, "quorate: stat /none: no such znode (noNode)"]);
    assert.deepEqual(await fails("put", "/x/y", "1"), [
      4,
      "quorate: put /x/y: the parent /x does not exist (noParent)",
    ]);
    assert.deepEqual(await fails("get", "none"), [2, 'quorate: get: "none" is no path']);
    assert.deepEqual(await fails("gte", "/none"), [2, 'quorate: there is no command "gte"']);
    assert.deepEqual(await fails("get"), [2, "quorate: get: PATH is missing"]);
    assert.deepEqual(await fails("--jsno"), [2, "quorate: there is no option --jsno"]);
    assert.deepEqual(await fails("put", "/x", "1", "--ttl", "0"), [
      2,
      'quorate: put: --ttl "0" is too short: at least 1ms',
    ]);
    assert.deepEqual(await fails("txn", "/none"), [2, "quorate: txn: /none does not exist"]);
    assert.match(await quorate.out("session", "--help"), /^usage: quorate session COMMAND.*session open /s);
    assert.equal((await fails("get", "/a/../b"))[0], 2);
    assert.equal((await fails("session", "list"))[0], 6);
    const nobody = await quorate.run(["get", "/a", "--timeout", "1s", "--endpoint", nowhere]);
    assert.equal(nobody.code, 5);
    assert.match(
      nobody.err,
      /^quorate: get \/a: http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .* \(connectionLoss\)\n {2}is a gateway there\?/,
    );
    const strange = await quorate.run(["ls"], { env: { QUORATE_ENDPONIT: "x" } });
    assert.equal(strange.code, 2);
    assert.match(strange.err, /QUORATE_ENDPONIT/);
  });

  it("asks another gateway where one is gone", async () => {
    const env = { QUORATE_ENDPOINT: `${nowhere},${ensemble.gateway.base}` };
    for (let turn = 0; turn < 3; turn++) {
      assert.equal((await quorate.run(["put", "/two", "x"], { env })).code, 0);
      assert.equal((await quorate.run(["get", "/two"], { env })).out, "x");
    }
  });

  it("watches, and goes on from a cursor", async () => {
    const watch = quorate.start(["watch", "/w", "--data", "-n", "2"]);
    await watch.says("absent");
    const zxid = (await quorate.out("put", "/w", "a\tb")).trim();
    await quorate.out("rm", "/w");
    const { code, out } = await watch.end();
    assert.equal(code, 0);
    const [state = "", created = "", deleted = ""] = out.split("\n").map((line) => line.split("\t").slice(1).join("|"));
    assert.equal(state, "absent|/w|||");
    assert.equal(created, `created|/w|0|${zxid}|a\\tb`);
    assert.match(deleted, /^deleted\|\/w\|0\|0x/);
    const later = await quorate.run(["watch", "--json", "--subtree", "/w", "--after", zxid, "-n", "1"]);
    assert.deepEqual((JSON.parse(later.out) as { type: string }).type, "deleted");
  });

  it("does a transaction as REST has it", async () => {
    const txn = {
      then: [
        { op: "put", path: "/t1", data: "1" },
        { op: "put", path: "/t2", data: { base64: "/w==" } },
        { op: "get", path: "/t1" },
      ],
    };
    const done = await quorate.run(["txn"], { input: JSON.stringify(txn) });
    assert.equal(done.out, "then\n/t1\tcreated, version 0\n/t2\tcreated, version 0\n/t1\t1\n");
    assert.ok((await quorate.run(["get", "/t2"])).bytes.equals(Buffer.of(0xff)));
    const failing = { check: [{ path: "/t1", version: 7 }], then: [{ op: "delete", path: "/t1" }] };
    const failed = await quorate.run(["txn", "-"], { input: JSON.stringify(failing) });
    assert.equal(failed.code, 4);
    assert.match(failed.err, /in check\[0\] \(badVersion\)/);
    assert.equal((await quorate.run(["txn"], { input: "{" })).code, 2);
  });

  it("reads and sets ACLs, as who is named", async () => {
    await quorate.out("put", "/acl", "secret");
    const env = { QUORATE_USER: "anna:pw" };
    const set = await quorate.run(["acl", "set", "/acl", "auth::cdrwa", "world:anyone:r"], { env });
    assert.equal(set.code, 0, set.err);
    assert.match(await quorate.out("acl", "get", "/acl"), /^digest:anna:\S+:cdrwa\nworld:anyone:r\n$/);
    assert.equal((await fails("put", "/acl", "x"))[0], 6);
    assert.equal((await quorate.run(["put", "/acl", "x"], { env })).code, 0);
    const file = join(folder, "user");
    await writeFile(file, "anna:pw\n");
    assert.equal((await quorate.run(["put", "/acl", "y", "--user-file", file])).code, 0);
    const json = (await quorate.run(["acl", "get", "--json", "/acl"], { env })).out;
    const again = await quorate.run(["acl", "set", "/acl", "-"], { env, input: json });
    assert.equal(again.code, 0, again.err);
    assert.equal(
      (await quorate.run(["acl", "set", "/acl", "-"], { env, input: json })).code,
      4,
      "its version has passed",
    );
  });

  it("opens, uses, shows, keeps and closes sessions", async () => {
    const session = (await quorate.out("session", "open", "--session-timeout", "2m", "--name", "tester")).trim();
    assert.match(session, /^0x[0-9a-f]{16}:[0-9a-f]{32}$/);
    const env = { QUORATE_SESSION: session };
    assert.equal((await quorate.run(["create", "-e", "/mine"], { env })).code, 0);
    assert.equal((await fails("create", "-e", "/other"))[0], 2);
    const shown = (await quorate.run(["session", "show"], { env })).out;
    assert.match(shown, /^name\ttester$/m);
    assert.match(shown, /^ephemeral\t\/mine$/m);
    assert.match((await quorate.run(["session", "list"], asSuper)).out, /\ttester\t/);
    assert.equal((await quorate.run(["session", "renew"], { env })).code, 0);
    const keep = quorate.start(["session", "keep"], env);
    keep.signal("SIGINT");
    await keep.end().catch(() => undefined);
    assert.equal((await quorate.run(["stat", "-q", "/mine"])).code, 0, "it is not closed");
    assert.equal((await quorate.run(["session", "close"], { env })).code, 0);
    assert.equal((await fails("stat", "/mine"))[0], 3);
    assert.equal((await quorate.run(["session", "renew"], { env })).code, 7);
    const own = quorate.start(["session", "keep", "--name", "own", "--session-timeout", "5s"]);
    await own.says(/0x[0-9a-f]{16}:/);
    await sleep(6000);
    assert.match((await quorate.run(["session", "list"], asSuper)).out, /\town\t/, "it is renewed");
    own.signal("SIGTERM");
    assert.equal((await own.end()).code, 143);
    assert.doesNotMatch((await quorate.run(["session", "list"], asSuper)).out, /\town\t/);
  });

  it("leaves quietly when its reader does, and completes words", async () => {
    const head = await quorate.shell("quorate tree / | head -1; echo $PIPESTATUS");
    assert.match(head.out, /^\/\t.*\n(141|0)\n$/);
    assert.equal(head.err, "");
    assert.equal(await quorate.out("__complete", "--", "clu"), "cluster\n");
    assert.equal(await quorate.out("__complete", "--", "lock", "--layout", ""), "curator\nkazoo\n");
    // A shell waits a second for it, and not longer: on a slow machine there is nothing at times.
    await until(
      async () => (await quorate.out("__complete", "--", "get", "/zoo")) === "/zookeeper/\n",
      60_000,
      "a path is completed",
    );
    const dead = await quorate.run(["__complete", "--", "get", "/zoo"], {
      env: { QUORATE_ENDPOINT: nowhere },
    });
    assert.deepEqual([dead.out, dead.err], ["", ""], "a shell is not disturbed");
    for (const shell of ["bash", "zsh"]) assert.match(await quorate.out("completion", shell), /_quorate/);
    const typed = (line: string): string =>
      `source <(quorate completion bash); COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _quorate 2>/dev/null; echo $COMPREPLY`;
    const completes = (line: string): Promise<void> =>
      until(async () => (await quorate.shell(line)).out === "/zookeeper/\n", 60_000, line);
    await completes(typed("quorate get /zook"));
    // The gateway that the line names is asked.
    const elsewhere = `export QUORATE_ENDPOINT=${nowhere}; ${typed(`quorate ls --endpoint ${ensemble.gateway.base} /zook`)}`;
    await completes(elsewhere);
  });
});

describe("the command line and the ensemble", () => {
  it("shows the ensemble, and hands the leadership over", async () => {
    const rows = (await quorate.out("cluster", "status"))
      .trim()
      .split("\n")
      .map((line) => line.split("\t"));
    assert.deepEqual(rows.map(([id]) => id).sort(), ["1", "2", "3"]);
    assert.equal(rows.filter(([, role]) => role === "leading").length, 1);
    const leader = await ensemble.leader();
    const to = (leader % 3) + 1;
    assert.equal((await fails("leader", "transfer", "--to", String(to)))[0], 6);
    const moved = await quorate.run(["leader", "transfer", "--to", String(to)], asSuper);
    assert.equal(moved.code, 0, moved.err);
    assert.equal(await ensemble.leader(), to);
    assert.equal((await quorate.run(["leader", "transfer", "--to", String(to)], asSuper)).code, 0, "it leads already");
    const status = JSON.parse(await quorate.out("cluster", "status", "--json")) as {
      writable: boolean;
      leader: number;
    };
    assert.deepEqual([status.writable, status.leader], [true, to]);
  });

  it("says when a write would not be taken", async () => {
    const leader = await ensemble.leader();
    const others = [1, 2, 3].filter((id) => id !== leader);
    await Promise.all(others.map((id) => ensemble.replica(id).kill()));
    let status = await quorate.run(["cluster", "status"]);
    // A leader that has just lost its followers may not know it yet.
    for (let tries = 0; status.code !== 1 && tries < 20; tries++) status = await quorate.run(["cluster", "status"]);
    assert.equal(status.code, 1);
    assert.match(status.err, /a write would not be taken/);
    const write = await quorate.run(["put", "/late", "x", "--timeout", "1s"]);
    assert.equal(write.code, 5);
    for (const id of others) ensemble.replica(id).start();
    await ensemble.ready();
    assert.equal((await quorate.run(["cluster", "status", "-q"])).code, 0);
  });
});
