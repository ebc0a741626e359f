/** The command line on a terminal: tables that fit it, questions, progress, and data that must not steer it. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { bare, CommandLine } from "./command-line-kit.ts";
import { Ensemble } from "./ensemble.ts";

let ensemble: Ensemble;
let quorate: CommandLine;
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "quorate-cli-"));
  ensemble = await Ensemble.start();
  quorate = new CommandLine([ensemble.gateway.base]);
});
after(async () => {
  quorate?.stop();
  await ensemble?.stop();
  await rm(folder, { recursive: true, force: true });
});

// Each has paths of its own, and waits for processes most of the time.
describe("the command line on a terminal", { concurrency: 4 }, () => {
  it("draws tables and trees that fit its width", async () => {
    await quorate.out("put", "-p", `/app/${"long-".repeat(30)}`, "x");
    const list = await quorate.terminal(["ls", "-l", "/app"], 60).end();
    const lines = bare(list.out).trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^NAME .* MODIFIED$/);
    assert.ok(
      lines.every((line) => line.length <= 60),
      list.out,
    );
    assert.match(lines[1] ?? "", /^long-\S*… /);
    const tree = bare((await quorate.terminal(["tree", "/app"], 60).end()).out).split("\n");
    assert.match(tree[1] ?? "", /^└── long-.*…$/);
    assert.match(tree[2] ?? "", /^2 znodes, 1 B, at zxid 0x/);
    const status = bare((await quorate.terminal(["cluster", "status"], 80).end()).out);
    assert.match(status, /^ID +ROLE +EPOCH/);
    assert.match(status, /\na write would be taken: replica \d leads\n$/);
  });

  it("has colours only where they are wished", async () => {
    const colored = /\u001b\[[0-9;]*m/;
    assert.match((await quorate.terminal(["put", "/color", "x"]).end()).out, colored);
    assert.doesNotMatch((await quorate.terminal(["put", "/color", "x", "--no-color"]).end()).out, colored);
    const env = { NO_COLOR: "1" };
    assert.doesNotMatch((await quorate.terminal(["put", "/color", "x"], 80, env).end()).out, colored);
  });

  it("does not show what is no text, or would steer it", async () => {
    await quorate.out("put", "/text", "two\nlines");
    assert.equal(bare((await quorate.terminal(["get", "/text"]).end()).out), "two\nlines\n");
    await quorate.run(["put", "/bytes", "-"], { input: Buffer.of(0xff, 0x1b, 0x5b) });
    const bytes = await quorate.terminal(["get", "/bytes"]).end();
    assert.match(bytes.out, /3 bytes, which are no UTF-8/);
    assert.equal(bytes.code, 1);
    await quorate.run(["put", "/bytes", "-"], { input: "\u001b[2J" });
    assert.match((await quorate.terminal(["get", "/bytes"]).end()).out, /would steer the terminal/);
    assert.ok((await quorate.terminal(["get", "--raw", "/bytes"]).end()).out.includes("\u001b[2J"));
  });

  it("asks before it deletes many, and says how many", async () => {
    await quorate.out("create", "-p", "/many/a/b");
    const no = quorate.terminal(["rm", "-r", "/many"]);
    await no.says("delete /many and 2 below? [y/N]");
    no.write("n\r");
    assert.equal((await no.end()).code, 1);
    assert.equal(await quorate.out("ls", "/many"), "a\n");
    const yes = quorate.terminal(["rm", "-r", "/many"]);
    await yes.says("[y/N]");
    yes.write("y\r");
    assert.match((await yes.end()).out, /deleted.* \/many and 2 below/);
  });

  it("asks for a password and does not show it", async () => {
    await quorate.run(["create", "/hers", "x", "--acl", "auth::cdrwa"], { env: { QUORATE_USER: "anna:pass-word" } });
    const get = quorate.terminal(["get", "/hers", "--user", "anna"]);
    await get.says("password of anna:");
    get.write("pass-word\r");
    const { code, out } = await get.end();
    assert.equal(code, 0, out);
    assert.match(bare(out), /\nx\n$/);
    assert.doesNotMatch(out, /pass-word/);
  });

  it("ends at Ctrl-C while it reads what nobody types", async () => {
    for (const args of [["import", "/typed"], ["txn"], ["put", "/typed", "-"]]) {
      const reading = quorate.terminal(args);
      await reading.says("from the keyboard");
      reading.write("\u0003");
      assert.equal((await reading.end()).code, 130, args.join(" "));
    }
    const asking = quorate.terminal(["get", "/typed", "--user", "anna"]);
    await asking.says("password of anna:");
    asking.write("\u0003");
    const { code, out } = await asking.end();
    assert.equal(code, 130);
    assert.equal(bare(out).trim(), "password of anna:");
    assert.equal((await quorate.run(["stat", "-q", "/typed"])).code, 3);
  });

  it("watches until Ctrl-C, and tells where to go on", async () => {
    const watch = quorate.terminal(["watch", "/seen"]);
    await watch.says("absent");
    await quorate.out("put", "/seen", "x");
    await watch.says("created");
    watch.write("\u0003");
    const { code, out } = await watch.end();
    assert.equal(code, 130);
    assert.match(bare(out), /to go on from here: --after 0x/);
  });

  it("shows how far an import is", async () => {
    const head = { quorate: "export", version: 1, root: "/x", zxid: "0x1" };
    const znodes = Array.from({ length: 3000 }, (_, at) => ({
      path: at === 0 ? "" : `/n${at}`,
      data: "x".repeat(1000),
    }));
    const file = join(folder, "import.ndjson");
    const lines = [head, ...znodes, { end: true, count: znodes.length }].map((each) => JSON.stringify(each));
    await writeFile(file, lines.join("\n"));
    const { code, out } = await quorate.terminal(["import", "/imported", file], 90).end();
    assert.equal(code, 0, out);
    assert.match(out, /import \/imported {2}[█░]{24} +\d+ % {2}\d+ of 3000 znodes/);
    assert.match(bare(out), /3000 created at \/imported\n$/);
  });

  it("shares Ctrl-C with a lock's COMMAND, and gives the lock back", async () => {
    const script = "trap 'echo stopped; exit 3' INT; echo ready; while :; do sleep 0.1; done";
    const held = quorate.terminal(["lock", "/lock", "--", "sh", "-c", script]);
    await held.says("ready");
    held.write("\u0003");
    const { code, out } = await held.end();
    assert.deepEqual([code, out.match(/stopped/g)?.length], [3, 1], out);
    const free = await quorate.run(["lock", "--wait", "0", "/lock", "--", "echo", "free"]);
    assert.equal(free.out, "free\n");
  });
});
