/** `quorate watch` that runs a program: what it finds, in which order, how both end. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { type Command, CommandLine } from "./command-line-kit.ts";
import { Ensemble, until } from "./ensemble.ts";

const patienceMillis = 30_000;
let ensemble: Ensemble;
let quorate: CommandLine;

before(async () => {
  ensemble = await Ensemble.start({ replicas: 1, gateways: 0 });
  quorate = new CommandLine([ensemble.replica(1).base]);
});
after(async () => {
  quorate?.stop();
  await ensemble?.stop();
});

async function ask(method: "PUT" | "DELETE", path: string, body?: string): Promise<Response> {
  const init = body === undefined ? { method } : { method, body };
  const query = method === "PUT" ? "?parents=true" : "";
  const response = await fetch(`${ensemble.replica(1).base}/v1/znodes${path}${query}`, init);
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response;
}

/** Makes the znode, and says since when: what happens behind it is watched, however late the watch begins. */
async function made(path: string): Promise<string> {
  const { stat } = (await (await ask("PUT", path, "0")).json()) as { readonly stat: { readonly mzxid: string } };
  return stat.mzxid;
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return stat !== "" && !/\) Z /.test(stat);
}

async function endsBoth(watch: Command, code: number): Promise<void> {
  const ended = await watch.end();
  assert.equal(ended.code, code, ended.err);
  const pid = Number(/pid (\d+)/.exec(ended.out)?.[1]);
  assert.ok(pid > 0);
  await until(async () => !(await isAlive(pid)), patienceMillis, "COMMAND has ended");
}

// Each has a znode of its own, and waits for processes most of the time.
describe("a program for each event", { concurrency: 3, timeout: 180_000 }, () => {
  it("is run one at a time, in order, with the event; its exit code is told, and the watch goes on", async () => {
    const zxid = await made("/x/order");
    for (const value of ["1", "2", "3"]) await ask("PUT", "/x/order", value);
    await ask("DELETE", "/x/order");
    // Each takes longer than the one behind it: at the same time they would end in another order.
    const script =
      'read event; sleep 0.$((4 - $QUORATE_N)); echo "$QUORATE_TYPE $QUORATE_PATH $QUORATE_ZXID $event"; exit $QUORATE_N';
    const line = `QUORATE_N=$(cat $FILE 2>/dev/null || echo 0); echo $((QUORATE_N + 1)) > $FILE; ${script}`;
    const args = ["watch", "--data", "--after", zxid, "-n", "4", "--exec", line, "/x/order"];
    const { code, out, err } = await quorate.run(args, { env: { FILE: `${ensemble.folder}/count` } });
    assert.equal(code, 0, err);
    const lines = out.trimEnd().split("\n");
    const told = lines.map((each) => {
      const [, type = "", path = "", zxid = "", json = ""] = /^(\S+) (\S+) (\S+) (.*)$/.exec(each) ?? [];
      const event = JSON.parse(json) as Record<string, unknown>;
      assert.deepEqual([event["type"], event["path"], event["zxid"]], [type, path, zxid], "both tell the same");
      return { type, path, zxid };
    });
    assert.deepEqual(
      told.map(({ type, path }) => `${type} ${path}`),
      ["changed /x/order", "changed /x/order", "changed /x/order", "deleted /x/order"],
    );
    const zxids = told.map((each) => each.zxid);
    assert.deepEqual([...new Set(zxids)].sort(), zxids);
    const codes = [...err.matchAll(/^(quorate: )?\w+ \/x\/order at 0x\w{16}: COMMAND ended with exit code (\d)$/gm)];
    assert.deepEqual(
      codes.map(([, warned, exit]) => [warned !== undefined, exit]),
      [
        [false, "0"],
        [true, "1"],
        [true, "2"],
        [true, "3"],
      ],
    );
  });

  it("tells its end in JSON too, and whoever does not read its input does no harm", async () => {
    const zxid = await made("/x/json");
    const data = "z".repeat(500_000);
    await ask("PUT", "/x/json", data);
    const watch = ["watch", "/x/json", "--json", "--quiet", "--data", "--after", zxid, "-n", "1"];
    const { code, out, err } = await quorate.run([...watch, "--", "sh", "-c", "exit 7"]);
    assert.equal(code, 0, err);
    const { exit, ...event } = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual([exit, event["type"], event["data"], event["encoding"]], [7, "changed", data, "utf-8"]);
    assert.match(err, /^quorate: changed \/x\/json at 0x\w{16}: COMMAND ended with exit code 7\n$/);
    const count = await quorate.run([...watch, "--", "wc", "-c"]);
    assert.equal(Number(count.out.split("\n")[0]), JSON.stringify(event).length + 1);
  });

  it("ends with the watch: by a signal, by a second one, and by Ctrl-C on a terminal", async () => {
    const zxid = await made("/x/end");
    await ask("PUT", "/x/end", "1");
    await ask("PUT", "/x/end", "2");
    // A signal may come as soon as its number is told.
    const args = (trap: string): string[] => {
      const line = `${trap}; echo pid $$; while :; do sleep 0.1; done`;
      return ["watch", "--after", zxid, "/x/end", "--exec", line];
    };
    const asked = quorate.start(args("trap 'echo TERM; exit 5' TERM"));
    await asked.says("pid");
    asked.signal("SIGTERM");
    await endsBoth(asked, 143);
    assert.equal(asked.out.match(/pid/g)?.length, 1, "nothing more is run");
    assert.match(asked.out, /TERM/);
    assert.match(asked.err, /COMMAND ended with exit code 5/);
    const deaf = quorate.start(args("trap 'echo deaf' INT"));
    await deaf.says("pid");
    deaf.signal("SIGINT");
    await deaf.says("deaf");
    deaf.signal("SIGINT");
    await endsBoth(deaf, 130);
    const seen = quorate.terminal(args("true"));
    await seen.says("pid");
    seen.write("\u0003");
    await endsBoth(seen, 130);
    assert.match(seen.out, /to go on from here: --after 0x/);
  });

  it("is one program, which is there", async () => {
    const zxid = await made("/x/usage");
    await ask("PUT", "/x/usage", "1");
    const both = await quorate.run(["watch", "/x/usage", "--exec", "true", "--", "true"]);
    assert.deepEqual(
      [both.code, both.err.trim()],
      [2, "quorate: watch /x/usage: --exec and -- COMMAND: give one of them"],
    );
    assert.equal((await quorate.run(["watch", "/x/usage", "--exec", " "])).code, 2);
    const none = await quorate.run(["watch", "/x/usage", "--after", zxid, "--", "no-such-program-here"]);
    assert.deepEqual([none.code, none.out], [127, ""]);
    const line = await quorate.run(["watch", "/x/usage", "--after", zxid, "-n", "1", "-x", "no-such-program-here"]);
    assert.equal(line.code, 0, "the shell says so, as of any line");
    assert.match(line.err, /COMMAND ended with exit code 127/);
  });
});
