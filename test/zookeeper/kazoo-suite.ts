/**
 * kazoo's own test suite in parts, each with servers of its own that it starts and stops itself: what it starts as `java` is a
 * Quorate replica (`shims/java`). Which of its tests are left out, and why, stands in `kazoo.md` and nowhere else.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { before, describe, it } from "node:test";
import { freePorts, isFree } from "../integration/ensemble.ts";
import { makeReady, type Program } from "../polyglot/make-ready.ts";
import { kazoo } from "./foreign-kits.ts";
import { againstReal } from "./foreign-servers.ts";
import { type PythonRun, playAgain, type RepeatedRun, runPythonSuite } from "./python-suite.ts";
import { findRealJars } from "./real-jars.ts";

export interface KazooPart {
  /** Of kazoo/tests, without `.py`, and perhaps a class of it. */
  readonly files: readonly string[];
  /** Classes that are in another part. */
  readonly without?: readonly string[];
  /** How many tests they hold, at least: those that are left out are not counted. */
  readonly least: number;
}

const partMillis = 400_000;
const againMillis = 120_000;
/** The suite takes these, for each of its three servers, behind the one that it is told. */
const portsOfServer = 5;
const serverStep = 10;

const leftOut: readonly string[] = [
  ...readFileSync(join(import.meta.dirname, "kazoo.md"), "utf8").matchAll(/^\| `(kazoo\/\S+)` \|/gm),
].map(([, test = ""]) => test);

const handlers =
  "test_exceptions test_hosts test_paths test_retry test_security test_threading_handler test_utils".split(" ");

const mostOfClient = "test_client::TestClient";

/** Two at a time run side by side; so many that none comes near its limit on a machine that does much else. */
export const kazooParts = {
  client: { files: [mostOfClient], least: 62 },
  restOfClient: { files: ["test_client"], without: [`${mostOfClient}::`], least: 45 },
  connection: { files: ["test_connection", "test_interrupt", "test_sasl"], least: 14 },
  handlers: { files: ["test_gevent_handler", ...handlers], least: 136 },
  eventlet: { files: ["test_eventlet_handler"], least: 100 },
  watchers: { files: ["test_watchers", "test_party", "test_selectors_select", "test_build"], least: 31 },
  locks: { files: ["test_lock", "test_lease", "test_barrier", "test_cache"], least: 68 },
  recipes: { files: ["test_partitioner", "test_queue", "test_counter", "test_election"], least: 27 },
} as const satisfies Readonly<Record<string, KazooPart>>;

/** Parts run side by side. */
export function kazooSuite(title: string, parts: readonly KazooPart[]): void {
  const runs = new Map<KazooPart, RepeatedRun>();
  let skip: string | undefined;
  describe(title, { timeout: partMillis + againMillis + 18_000 }, () => {
    before(async () => {
      const ready = await makeReady(kazoo);
      const servers = await serverEnvironment();
      if ("skip" in ready) skip = ready.skip;
      else if ("skip" in servers) skip = servers.skip;
      else {
        const played = await Promise.all(parts.map((part) => play(ready.program, part, servers.env)));
        for (const [at, part] of parts.entries()) {
          const run = played[at];
          if (run) runs.set(part, await again(ready.program, run, servers.env));
        }
      }
    });
    for (const part of parts) {
      it(part.files.join(" "), (t) => {
        const run = runs.get(part);
        if (run === undefined) return t.skip(skip);
        judge(part, run);
        assert.deepEqual(strangers(run), [], "no such test, or no such file in any part");
        t.diagnostic(
          `${run.tests.length} of kazoo's tests passed${run.again.map((test) => `, ${test} at the second try`).join("")}`,
        );
      });
    }
  });
}

/** What makes the suite start our replicas, or real ZooKeepers. */
async function serverEnvironment(): Promise<
  { readonly env: Readonly<Record<string, string>> } | { readonly skip: string }
> {
  if (againstReal) {
    const jars = await findRealJars();
    return "skip" in jars ? jars : { env: { ZOOKEEPER_CLASSPATH: jars.classPath, ZOOKEEPER_VERSION: jars.version } };
  }
  const path = [join(import.meta.dirname, "shims"), dirname(process.execPath), process.env["PATH"]].join(delimiter);
  return { env: { PATH: path, ZOOKEEPER_CLASSPATH: "quorate", ZOOKEEPER_VERSION: "3.9.5" } };
}

/** As pytest names it. */
function nodeOf(file: string): string {
  const [name, ...group] = file.split("::");
  return [`kazoo/tests/${name}.py`, ...group].join("::");
}

async function play(python: Program, part: KazooPart, env: Readonly<Record<string, string>>): Promise<PythonRun> {
  return await runPythonSuite(python, {
    tests: part.files.map(nodeOf),
    without: [...(againstReal ? [] : leftOut), ...(part.without ?? []).map(nodeOf), ...(await impossible())],
    env: { ...env, ZOOKEEPER_PORT_OFFSET: String(await freeOffset()) },
    flags: ["--timeout", "100"],
    millis: partMillis,
  });
}

/** One test wants that nobody listens on ZooKeeper's usual port. */
async function impossible(): Promise<readonly string[]> {
  return (await isFree(2181)) ? [] : ["kazoo/tests/test_utils.py::TestCreateTCPConnection::test_slow_connect"];
}

async function again(python: Program, run: PythonRun, env: Readonly<Record<string, string>>): Promise<RepeatedRun> {
  return await playAgain(run, async (tests) =>
    runPythonSuite(python, {
      tests,
      env: { ...env, ZOOKEEPER_PORT_OFFSET: String(await freeOffset()) },
      millis: againMillis,
    }),
  );
}

async function freeOffset(): Promise<number> {
  for (;;) {
    const [offset = 0] = await freePorts(1);
    const ports = [0, 1, 2].flatMap((server) =>
      Array.from({ length: portsOfServer }, (_, i) => offset + server * serverStep + i),
    );
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return offset;
  }
}

/** Whatever kazoo.md leaves out that is not there, and whatever is there and in no part. */
function strangers({ folder }: PythonRun): string[] {
  const suite = join(folder, "kazoo/tests");
  const text = (file: string): string => {
    try {
      return readFileSync(join(folder, file), "utf8");
    } catch {
      return "";
    }
  };
  const absent = leftOut.filter((test) => {
    const [file = "", group = "", name = ""] = test.split("::");
    return !text(file).includes(`class ${group}(`) || !text(file).includes(`def ${name}(`);
  });
  const named = new Set<string>(
    Object.values(kazooParts).flatMap(({ files }) => files.map((file) => `${file.split("::")[0]}.py`)),
  );
  const forgotten = readdirSync(suite).filter((file) => /^test_.*\.py$/.test(file) && !named.has(file));
  return [...absent, ...forgotten];
}

function judge({ least }: KazooPart, { tests, end }: PythonRun): void {
  const wrong = tests.filter(
    ({ outcome, test }) => outcome === "failed" || (outcome === "skipped" && !leftOut.includes(test)),
  );
  assert.deepEqual(
    wrong.map(({ test, outcome }) => `${test} ${outcome}`),
    [],
    wrong.map(({ test, outcome, why }) => `${test} ${outcome}\n${why}`).join("\n"),
  );
  assert.equal(end.status, 0, `${end.output.slice(-4_000)}\n${end.errors.slice(-2_000)}`);
  assert.ok(tests.length >= least, `only ${tests.length} tests were run, not ${least}`);
}
