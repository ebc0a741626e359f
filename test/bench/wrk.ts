/** Runs wrk with a script of ours and reads what it measured. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Load {
  readonly url: string;
  readonly method: "PUT" | "GET";
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly p999Millis: number;
  /** Answers beyond 2xx and broken connections. */
  readonly failed: number;
}

/** A thousand znodes in turn, with 100 bytes each. */
function script(load: Load): string {
  const headers = Object.entries(load.headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`);
  return `
wrk.method = "${load.method}"
${headers.join("\n")}
${load.method === "PUT" ? 'wrk.body = string.rep("x", 100)' : ""}
local n = 0
request = function()
  n = n + 1
  return wrk.format(nil, "/v1/znodes/bench-" .. (n % 1000))
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

export async function wrkVersion(): Promise<string> {
  try {
    await run("wrk", ["-v"]);
  } catch (error) {
    const { stdout = "", code } = error as { stdout?: string; code?: string | number };
    if (code === "ENOENT") throw new Error("wrk is missing: install it (Debian: apt-get install wrk)");
    return stdout.split("\n")[0] ?? "wrk";
  }
  return "wrk";
}

export async function runWrk(load: Load): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), "quorate-bench-"));
  const file = join(folder, "load.lua");
  writeFileSync(file, script(load));
  try {
    const args = ["-t1", `-c${load.connections}`, `-d${load.seconds}s`, "-s", file, load.url];
    const { stdout } = await run("wrk", args);
    const found = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout);
    if (!found) throw new Error(`wrk said nothing that can be read: ${stdout}`);
    const [requests = 0, micros = 1, p50 = 0, p99 = 0, p999 = 0, failed = 0] = found.slice(1).map(Number);
    return {
      requests,
      perSecond: requests / (micros / 1e6),
      p50Millis: p50 / 1000,
      p99Millis: p99 / 1000,
      p999Millis: p999 / 1000,
      failed,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
