/**
 * The README's commands for grpcurl, which knows of the services by reflection alone, run as they stand against a real ensemble.
 * Without grpcurl on the path it is made with Go; where there is neither, they are skipped.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Ensemble, freePorts } from "./ensemble.ts";
import { findGrpcurl } from "./grpcurl.ts";

const root = join(import.meta.dirname, "../..");
const deadlineExceeded = 64 + 4;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function shell(line: string, folder: string): Promise<Ran> {
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` };
  return new Promise((resolve) => {
    execFile("sh", ["-c", line], { encoding: "utf8", timeout: 120_000, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });
}

/** Those of the README's section on gRPC. */
function readCommands(): string[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, section = ""] = readme.split("\n## gRPC\n");
  const [, block = ""] = /```sh\n([\s\S]*?)```/.exec(section.split("\n## ")[0] ?? "") ?? [];
  return block.trim().split("\n");
}

const grpcurl = findGrpcurl();
const skip = "missing" in grpcurl ? grpcurl.missing : false;
const folder = "folder" in grpcurl ? grpcurl.folder : "";

describe("grpcurl, by reflection alone", { skip }, () => {
  let ensemble: Ensemble;
  let host: string;

  before(async () => {
    const [port = 0] = await freePorts(1);
    const grpcPort = (name: string): string => (name === "gateway 1" ? String(port) : "0");
    ensemble = await Ensemble.start({ environmentOf: (name) => ({ QUORATE_GRPC_PORT: grpcPort(name) }) });
    host = `127.0.0.1:${port}`;
  });
  after(() => ensemble?.stop());

  it("runs each command of the README as it stands", async () => {
    const commands = readCommands();
    assert.ok(commands.length >= 6, `${commands.length} commands`);
    const answers = new Map<string, string>();
    // Who has come so far has run the session with curl above.
    for (const data of ["aGVsbG8=", "d29ybGQ="]) {
      const line = `grpcurl -plaintext -d '{"path": "/app", "data": "${data}"}' ${host} quorate.v1.Coordination/Put`;
      assert.equal((await shell(line, folder)).code, 0);
    }
    let session = { sessionId: "", secret: "" };
    for (const command of commands) {
      assert.match(command, /^grpcurl .*localhost:9090 \S+( quorate\S+)?$/);
      const line = command
        .replace("localhost:9090", host)
        .replace("<id>", session.sessionId)
        .replace("<secret>", session.secret);
      assert.doesNotMatch(line, /<\w+>/, "a placeholder that no line before it answers");
      const { code, stdout, stderr } = await shell(line, folder);
      assert.equal(code, line.includes("-max-time") ? deadlineExceeded : 0, `${line}\n${stdout}${stderr}`);
      const [name = ""] = /\S+$/.exec(command) ?? [];
      answers.set(`${name}${answers.has(name) ? " again" : ""}`, stdout);
      if (name.endsWith("CreateSession")) session = JSON.parse(stdout) as typeof session;
    }
    const json = (name: string) => JSON.parse(answers.get(`quorate.v1.${name}`) ?? `"nothing came of ${name}"`);
    assert.match(answers.get("quorate.v1.Coordination.Put") ?? "", /rpc Put \( \.quorate\.v1\.PutRequest \)/);
    assert.equal(json("Coordination/Put").created, true);
    assert.equal(json("Coordination/Get").data, "aGVsbG8=");
    assert.equal(json("Coordination/Txn").branch, "BRANCH_THEN");
    assert.equal(json("Coordination/Put again").stat.ephemeralOwner, session.sessionId);
    assert.match(json("Coordination/Watch").cursor, /^0x[0-9a-f]{16}\.[0-9a-f]{16}$/);
    const lock = json("Locks/Acquire");
    assert.deepEqual([lock.held, lock.sessionId], [true, session.sessionId]);
    assert.equal(json("Locks/Release").znode, lock.znode);
    const { leads, token } = json("Elections/Campaign");
    assert.equal(leads, true);
    for (const name of ["Elections/GetLeader", "Elections/Observe"]) {
      const { leader } = json(name);
      assert.deepEqual([leader.value, leader.token, leader.sessionId], ["aG9zdDc=", token, session.sessionId], name);
    }
    assert.equal(json("Cluster/ListMembers").members.length, 3);
  });

  it("shows what a call fails with, details and all", async () => {
    const failing = `grpcurl -plaintext -d '{"path": "/none"}' ${host} quorate.v1.Coordination/Get`;
    const { code, stderr } = await shell(failing, folder);
    assert.equal(code, 64 + 5);
    assert.match(stderr, /"reason": "NO_NODE"/);
    assert.match(stderr, /"certainty": "noEffect"/);
    const health = `grpcurl -plaintext -d '{"service": "none"}' ${host} grpc.health.v1.Health/Check`;
    assert.equal((await shell(health, folder)).code, 64 + 5);
    const { code: unknown } = await shell(`grpcurl -plaintext ${host} describe quorate.v1.Nothing`, folder);
    assert.notEqual(unknown, 0);
  });
});
