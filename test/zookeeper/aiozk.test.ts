/** The whole test suite of aiozk, a client for Python's asyncio, against an ensemble of real processes. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { makeReady } from "../polyglot/make-ready.ts";
import { aiozk } from "./foreign-kits.ts";
import { type ForeignServers, startForeignServers } from "./foreign-servers.ts";
import { type PythonRun, playAgain, type RepeatedRun, runPythonSuite } from "./python-suite.ts";

const least = 85;

let servers: ForeignServers | undefined;
let skip: string | undefined;
let run: RepeatedRun | undefined;

describe("aiozk", { timeout: 480_000 }, () => {
  before(async () => {
    const ready = await makeReady(aiozk);
    const started = "skip" in ready ? ready : await startForeignServers();
    if ("skip" in started) {
      skip = started.skip;
      return;
    }
    servers = started;
    if ("skip" in ready) return;
    const [host = "", port = ""] = (servers.hosts[0] ?? "").split(":");
    // One of them waits for ever unless its session has expired while it slept, 3 s longer than the timeout.
    const flags = ["-o", "asyncio_mode=auto", "--timeout=100"];
    const play = (tests: readonly string[]): Promise<PythonRun> =>
      runPythonSuite(ready.program, { tests, env: { ZK_HOST: host, ZK_PORT: port }, flags, millis: 400_000 });
    run = await playAgain(await play(["aiozk/test"]), play);
  });
  after(async () => {
    await servers?.stop();
  });

  it("passes all its own tests", (t) => {
    if (run === undefined) return t.skip(skip);
    const { tests, end } = run;
    const failed = tests.filter(({ outcome }) => outcome !== "passed");
    assert.deepEqual(
      failed.map(({ test, outcome }) => `${test} ${outcome}`),
      [],
      failed.map(({ test, why }) => `${test}\n${why}`).join("\n"),
    );
    assert.ok(tests.length >= least, `${tests.length} tests were run\n${end.output.slice(-4_000)}`);
    assert.equal(end.status, 0, end.output.slice(-4_000));
    const again = run.again.map((test) => `, ${test} at another try`).join("");
    t.diagnostic(`${tests.length} tests of aiozk passed${again}`);
  });
});
