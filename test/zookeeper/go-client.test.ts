/**
 * The test suite of go-zookeeper, the client of most programs in Go. It starts its servers as `zkServer.sh start-foreground
 * zoo.cfg`, and what it starts is a Quorate replica (`shims/zkServer.sh`).
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeReady, type Program } from "../polyglot/make-ready.ts";
import { goClient } from "./foreign-kits.ts";
import { runForeign } from "./foreign-run.ts";

const leftOut: Readonly<Record<string, string>> = {
  TestIntegration_Children: "lists 20 MB in one reply, more than an unmodified Java client reads: refused",
  TestIntegration_IncrementalReconfig: "skips itself",
  TestIntegration_Reconfig: "skips itself",
};
/** How many there are, at least, without these. */
const least = 43;
const suiteMillis = 440_000;

let program: Program | undefined;
let skip = "";
const folder = mkdtempSync(join(tmpdir(), "quorate-go-"));

interface Verdicts {
  readonly passed: readonly string[];
  readonly output: string;
}

describe("go-zookeeper", { timeout: suiteMillis + 40_000 }, () => {
  before(async () => {
    const ready = await makeReady(goClient);
    if ("skip" in ready) skip = ready.skip;
    else program = ready.program;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("passes its own tests", async (t) => {
    if (program === undefined) return t.skip(skip);
    const { output: listed } = await run(program, ["-test.list", ".*"], 20_000);
    const all = listed.split("\n").filter((name) => name.startsWith("Test"));
    for (const name of Object.keys(leftOut)) assert.ok(all.includes(name), `there is no ${name} to leave out`);
    const wanted = all.filter((name) => leftOut[name] === undefined);
    assert.ok(wanted.length >= least, `only ${wanted.length} tests`);
    const first = await play(program, wanted, suiteMillis);
    const failed = wanted.filter((name) => !first.passed.includes(name));
    // It draws its ports, and somebody else may have them: once more is fair.
    const second = failed.length === 0 ? first : await play(program, failed, 200_000);
    const left = failed.filter((name) => !second.passed.includes(name));
    assert.deepEqual(left, [], `${first.output.slice(-10_000)}\nand once more:\n${second.output.slice(-10_000)}`);
    t.diagnostic(`${wanted.length} tests of go-zookeeper passed${failed.length > 0 ? `, ${failed} once more` : ""}`);
  });
});

async function play(tests: Program, names: readonly string[], millis: number): Promise<Verdicts> {
  const { output, errors } = await run(tests, ["-test.v", "-test.run", `^(${names.join("|")})$`], millis);
  const passed = [...output.matchAll(/^--- PASS: (\S+)/gm)].map(([, name = ""]) => name);
  return { passed, output: `${output}\n${errors}` };
}

async function run(tests: Program, args: readonly string[], millis: number) {
  const env = {
    ZOOKEEPER_BIN_PATH: join(import.meta.dirname, "shims"),
    PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
    TMPDIR: folder,
  };
  return await runForeign({ ...tests, args, env }, { cwd: folder, millis });
}
