/** `npm start` as a newcomer has it: a process that prints what to try, whose lines work as they stand, and that goes as a whole. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sleep, until } from "./ensemble.ts";

const root = join(import.meta.dirname, "../..");
/** The same without npm, which takes a while of its own. */
const dev = [process.execPath, "services/quorate/src/main.ts", "dev"];
let folder: string;
let restPort: number;
let grpcPort: number;
let zookeeperPort: number;
let peerPort: number;
let base: string;
const started: Start[] = [];

/** A run of `npm start`, with all that it printed. */
class Start {
  output = "";
  readonly child: ChildProcess;

  constructor(command: readonly string[] = ["npm", "start"]) {
    const [program = "npm", ...args] = command;
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("QUORATE_"));
    const own = {
      QUORATE_DATA: folder,
      QUORATE_REST_PORT: String(restPort),
      QUORATE_GRPC_PORT: String(grpcPort),
      QUORATE_ZOOKEEPER_PORT: String(zookeeperPort),
      QUORATE_PEER_PORT: String(peerPort),
    };
    const env = { ...Object.fromEntries(clean), ...own };
    this.child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.child.once("close", () => {
      this.over = true;
    });
    started.push(this);
  }

  /** It has ended, and all that was said has been read. */
  over = false;

  async ready(): Promise<void> {
    await until(
      () => this.over || this.output.includes("\nready\n"),
      60_000,
      () => `it is ready:\n${this.output.slice(-3000)}`,
    );
    assert.ok(!this.over, `it ended: ${this.output.slice(-3000)}`);
  }

  /** Its exit code, or the signal. */
  async end(signal: NodeJS.Signals): Promise<number | string> {
    const gone = once(this.child, "exit");
    this.child.kill(signal);
    await gone;
    return this.child.exitCode ?? this.child.signalCode ?? "";
  }

  /** What is left of its process group is ended; for a test that failed. */
  sweep(): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // Nobody is left, as it should be.
    }
  }
}

/** Processes of this machine whose arguments name our data folder or our replicas. */
async function left(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (
      line.includes("services/quorate/src/main.ts") &&
      (line.includes(folder) || line.includes(`127.0.0.1:${peerPort + 1}`))
    ) {
      found.push(`${pid} ${line.replaceAll("\0", " ")}`);
    }
  }
  return found;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** The first of `count` free ports in a row, below those that the system gives out. */
async function freeRow(count: number, from: number): Promise<number> {
  for (let port = from; port < from + 4000; port += count) {
    const row = await Promise.all(Array.from({ length: count }, (_, i) => isFree(port + i)));
    if (row.every(Boolean)) return port;
  }
  throw new Error("no free ports in a row");
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "quorate-start-"));
  const place = 10_000 + (process.pid % 50) * 100;
  restPort = await freeRow(4, place);
  grpcPort = await freeRow(4, place + 5000);
  peerPort = await freeRow(4, place + 10_000);
  zookeeperPort = await freeRow(4, place + 15_000);
  base = `http://127.0.0.1:${restPort}`;
});
after(async () => {
  for (const each of started) each.sweep();
  await rm(folder, { recursive: true, force: true });
});

/** A stream has no end of its own: what it says until its first event is whole. */
async function firstEvent(line: string): Promise<string> {
  const child = spawn("sh", ["-c", `exec ${line} -sS --max-time 60`], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.includes("\n\n")) child.kill();
  });
  await once(child, "close");
  return output;
}

function shell(line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      "sh",
      ["-c", `${line} -sS --fail-with-body`],
      { encoding: "utf8", timeout: 60_000 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${line}: ${error.message} ${stderr} ${stdout}`));
        else resolve(stdout);
      },
    );
  });
}

/** Each printed line: what it is for, and the command. */
function linesOf(output: string): Map<string, string> {
  const found = [...output.matchAll(/^(\S.*?) {2,}(curl .*)$/gm)];
  return new Map(found.map(([, what = "", line = ""]) => [what, line]));
}

/** Another ensemble serves on the same ports: a second one must not be called ready by its answers. */
async function doesNotTakeItForItsOwn(): Promise<void> {
  const twin = new Start(dev);
  await until(() => twin.over, 30_000, "the second ends");
  assert.equal(twin.child.exitCode, 1);
  assert.doesNotMatch(twin.output, /^ready$/m);
  assert.match(twin.output, /another process uses this data folder|EADDRINUSE/);
  assert.equal(await shell(`curl ${base}/v1/znodes/kept`), "always");
}

describe("npm start", () => {
  it("prints one curl line for each common call, and each works as it stands", async () => {
    const start = new Start();
    await start.ready();
    const lines = linesOf(start.output);
    assert.ok(lines.size >= 19, [...lines.keys()].join(", "));
    const answers = new Map<string, string>();
    let etag = "";
    let cursor = "";
    let session = { id: "", secret: "" };
    for (const [what, line] of lines) {
      assert.ok(line.includes(base), line);
      const filled = line
        .replace('"<etag>"', etag)
        .replace("<cursor>", cursor)
        .replaceAll("<id>", session.id)
        .replaceAll("<secret>", session.secret);
      assert.doesNotMatch(filled, /<[a-z]+>/, "a placeholder that no line before it answers");
      const answer = await (filled.includes(" -N ") ? firstEvent(filled) : shell(filled));
      answers.set(what, answer);
      etag = /^etag: (.*?)\r?$/im.exec(answer)?.[1] ?? etag;
      if (what === "watch") cursor = (JSON.parse(answer) as { cursor: string }).cursor;
      if (what === "session") session = JSON.parse(answer) as typeof session;
    }
    const json = (what: string) => JSON.parse(answers.get(what) ?? `"nothing was printed for ${what}"`);
    assert.equal(json("as JSON").data, "hello");
    assert.equal(json("compare and set").stat.version, 1);
    assert.match(answers.get("once it changes") ?? "", /^HTTP\/1.1 200 /);
    assert.deepEqual(
      json("watch").states.map(({ scope }: { scope: string }) => scope),
      ["node", "children"],
    );
    assert.equal(json("what happened").events[0].path, "/app/item-0000000000");
    assert.match(answers.get("as a stream") ?? "", /^event: cursor$/m);
    assert.equal(json("children").children.length, 1);
    assert.match(answers.get("all below") ?? "", /"end":true,"count":2/);
    assert.equal(json("its ACL").acl[0].perms, "cdrwa");
    assert.match(await shell(`curl ${/^to read +(\S+)$/m.exec(start.output)?.[1] ?? ""}`), /<title>/);
    assert.equal(json("transaction").results.length, 2);
    assert.equal(json("ephemeral").stat.kind, "ephemeral");
    assert.equal(json("the ensemble").members.length, 3);
    for (const member of json("the ensemble").members) assert.ok(member.sessions <= 1, "those of the gateways count");
    await shell(`curl -X PUT ${base}/v1/znodes/kept -d always`);
    const [before = "", behind = ""] = start.output.split("\nready\n");
    assert.match(before, /rules version \d+ holds/);
    assert.doesNotMatch(behind, /rules version/, "what is said of the start stands before the end of it");
    assert.equal(await start.end("SIGINT"), 0);
    assert.deepEqual(await left(), []);
  });

  it("keeps its data, is not mistaken for another, and goes as a whole at SIGTERM to npm and at the death of its parent", async () => {
    const second = new Start();
    await second.ready();
    assert.equal(await shell(`curl ${base}/v1/znodes/kept`), "always");
    assert.equal(await second.end("SIGTERM"), 0);
    assert.deepEqual(await left(), []);
    const third = new Start(dev);
    await third.ready();
    assert.equal(await shell(`curl ${base}/v1/znodes/kept`), "always");
    await doesNotTakeItForItsOwn();
    assert.equal(await third.end("SIGKILL"), "SIGKILL");
    await until(async () => (await left()).length === 0, 10_000, "nobody stays behind");
  });

  it("says which port is busy, and ends", async () => {
    for (const [port, who] of [
      [restPort, "gateway"],
      [peerPort + 2, "replica 2"],
    ] as const) {
      const busy = createServer().listen(port, "127.0.0.1");
      await once(busy, "listening");
      const start = new Start();
      await until(
        () => start.over,
        30_000,
        () => `it ends: ${start.output.slice(-2000)}`,
      );
      busy.close();
      assert.equal(start.child.exitCode, 1);
      assert.match(start.output, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
      assert.match(start.output, new RegExp(`${who} did not start`));
      assert.doesNotMatch(start.output, /^ready$/m);
      await sleep(50);
      assert.deepEqual(await left(), []);
    }
  });
});
