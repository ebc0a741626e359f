/** Settings of real processes: what is printed, what is refused at start and with which exit code, and the shared key. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { freePorts, Process, superUser, until } from "./ensemble.ts";

let folder: string;
const started: Process[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "quorate-settings-"));
});
after(async () => {
  await Promise.all(started.map((each) => each.kill()));
  await rm(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}, port = 0): Process {
  const process = new Process(args.slice(0, 3).join(" "), port, () => args, env);
  started.push(process);
  process.start();
  return process;
}

interface Refusal {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly says: RegExp;
  readonly code?: number;
}

const member = ["serve", "--id", "1", "--members"];

const refusals: readonly Refusal[] = [
  { args: ["sreve"], says: /no command "sreve"\s+did you mean serve\?/ },
  { args: ["gateway"], env: { QUORATE_REST_PROT: "1" }, says: /QUORATE_REST_PROT/ },
  { args: ["gateway"], env: { QUORATE_REST_PORT: "http" }, says: /QUORATE_REST_PORT is "http"/ },
  { args: ["gateway"], says: /--replicas is missing: .*QUORATE_REPLICAS/ },
  { args: ["gateway", "--replicas", "10.1.2.3:7400"], says: /10\.1\.2\.3:7400 is another machine.*--key-file/ },
  { args: ["gateway", "--replicas", "127.0.0.1:1", "--superuser", "super:secret"], says: /--superuser must be/ },
  {
    args: ["gateway", "--replicas", "127.0.0.1:1", "--key-file", "/nowhere/key"],
    says: /--key-file \/nowhere\/key: ENOENT/,
  },
  { args: [...member, "2=127.0.0.1:7400", "--data", "x"], says: /--members does not name this replica, 1/ },
  { args: [...member, "1=127.0.0.1:7400"], says: /--data is missing/ },
  { args: [...member, "1=0.0.0.0:7400", "--data", "x"], says: /without a key .*loopback/ },
  { args: [...member, "1=127.0.0.1:7400", "--peer-host", "0.0.0.0", "--data", "x"], says: /without a key .*loopback/ },
  { args: ["recover", "--data", "/nowhere"], says: /\/nowhere/, code: 1 },
];

describe("settings of real processes", () => {
  it("what is wrong is refused at start, by name, and nothing is made", async () => {
    for (let i = 0; i < refusals.length; i += 4) {
      await Promise.all(
        refusals.slice(i, i + 4).map(async ({ args, env, says, code = 2 }) => {
          const process = start(args, env);
          assert.equal(await process.waitForEnd(30_000), code, `${process.name}: ${process.output}`);
          assert.match(process.output, says);
          assert.doesNotMatch(process.output, /\n {4}at /, "a stack is no explanation");
        }),
      );
    }
  });

  it("help for each command, on demand and with 0", async () => {
    const commands = ["dev", "serve", "gateway", "recover"].map((name) => start([name, "--help"]));
    const overview = start(["--help"]);
    for (const each of [...commands, overview]) assert.equal(await each.waitForEnd(30_000), 0, each.output);
    for (const each of commands) assert.match(each.output, /^quorate \w+: .*\n\n {2}--\w+.*[\s\S]*--config FILE/);
    assert.match(overview.output, /serve[\s\S]*gateway[\s\S]*recover/);
  });

  it("prints what is in force, flag before variable before file, secrets masked", async () => {
    const config = join(folder, "gateway.yaml");
    await writeFile(
      config,
      `restPort: 1\nname: from the file\nreplicas: [127.0.0.1:1, 127.0.0.1:2]\nsuperuser: ${superUser.digest}\n`,
    );
    const env = { QUORATE_CONFIG: config, QUORATE_REST_PORT: "2", QUORATE_REST_HOST: "127.0.0.2" };
    const gateway = start(["gateway", "--rest-port", "0"], env);
    await until(
      () => gateway.output.includes("REST on http://127.0.0.2:"),
      10_000,
      () => gateway.output,
    );
    assert.match(
      gateway.output,
      /from the file: starts[\s\S]* {2}replicas: 127\.0\.0\.1:1,127\.0\.0\.1:2\n[\s\S]* {2}rest-port: 0\n {2}grpc-host: 127\.0\.0\.1\n {2}grpc-port: 0\n[\s\S]* {2}zookeeper-port: 0\n[\s\S]* {2}superuser: \*{6}\n/,
    );
    assert.ok(!gateway.output.includes(superUser.digest));
    await gateway.kill("SIGTERM");
    assert.equal(gateway.ended, 0);
  });

  it("replicas and gateways with one key work together; another key, or none, is refused with a clear line", async () => {
    const [peer = 0, rest = 0, good = 0, wrong = 0, bare = 0] = await freePorts(5);
    const [key, other] = [join(folder, "key"), join(folder, "other")];
    await writeFile(key, "the key that they share, all of them\n");
    await writeFile(other, "the key of somebody else altogether\n");
    // With a key a peer port may listen on every address.
    const own = [
      "--members",
      `1=127.0.0.1:${peer}`,
      "--peer-host",
      "0.0.0.0",
      "--data",
      join(folder, "1"),
      "--initial",
    ];
    const replica = start(["serve", "--id", "1", ...own, "--rest-port", String(rest), "--key-file", key], {}, rest);
    const gateway = (port: number, ...more: string[]) =>
      start(["gateway", "--replicas", `127.0.0.1:${peer}`, "--rest-port", String(port), ...more], {}, port);
    const keyed = gateway(good, "--key-file", key);
    const stranger = gateway(wrong, "--key-file", other);
    const keyless = gateway(bare);
    await until(
      async () => (await fetch(`${keyed.base}/readyz?require=leader`)).ok,
      15_000,
      () => replica.output + keyed.output,
    );
    assert.equal((await fetch(`${keyed.base}/v1/znodes/a`, { method: "PUT", body: "x" })).status, 201);
    await until(
      () => /keys differ|proof is wrong/.test(stranger.output),
      10_000,
      () => `it says why: ${stranger.output}`,
    );
    await until(
      () => /key is required|has a key, this side has none/.test(keyless.output),
      10_000,
      () => `it says why: ${keyless.output}`,
    );
    await until(
      () => /refused a gateway's stream .*keys differ/.test(replica.output),
      10_000,
      () => `so does the replica: ${replica.output}`,
    );
    for (const each of [stranger, keyless]) {
      const answer = await fetch(`${each.base}/v1/znodes/a`, { headers: { "Quorate-Timeout": "200ms" } });
      assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [503, "noLeader"]);
      assert.equal((await fetch(`${each.base}/readyz`)).status, 503);
    }
    const output = [replica, keyed, stranger, keyless].map((each) => each.output).join("");
    assert.ok(!output.includes("the key that they share"), "a key was printed");
    assert.equal(stranger.output.match(/keys differ/g)?.length, 1, "said once, not at each try");
    // The folder of a replica that runs is not another's.
    const twin = start(["serve", "--id", "1", ...own, "--rest-port", "0", "--key-file", key]);
    assert.equal(await twin.waitForEnd(30_000), 1);
    assert.match(twin.output, /another process uses this data folder/);
    for (const each of [keyed, stranger, keyless, replica]) {
      await each.kill("SIGTERM");
      assert.equal(each.ended, 0, each.output);
    }
  });
});
