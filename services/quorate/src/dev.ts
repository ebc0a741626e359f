/** `quorate dev` (= `npm start`): three replicas and a gateway on this machine, as processes; says `ready` once it serves. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { devSettings } from "./options.ts";
import { numberOf, readSettings, required, textOf, type Values } from "./settings.ts";

const main = join(import.meta.dirname, "main.ts");
const ids = [1, 2, 3] as const;

export async function dev(args: readonly string[]): Promise<void> {
  const values = readSettings(devSettings, args, process.env);
  const processes = startAll(values);
  let stopping = false;
  const stop = (code: number): void => {
    if (stopping) return;
    stopping = true;
    let left = processes.filter((each) => each.exitCode === null && each.signalCode === null);
    const gone = (): void => {
      left = left.filter((each) => each.exitCode === null && each.signalCode === null);
      if (left.length === 0) process.exit(code);
    };
    for (const each of left) each.once("exit", gone).kill("SIGTERM");
    setTimeout(() => {
      for (const each of left) each.kill("SIGKILL");
    }, 5000).unref();
    gone();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(0));
  for (const each of processes) {
    each.once("exit", (code, signal) => {
      if (!stopping) console.log(`process ${each.pid} ended (${signal ?? code}): ${each.spawnargs.slice(2, 5).join(" ")}`);
      if (!stopping && processes.every((other) => other.exitCode !== null || other.signalCode !== null)) process.exit(1);
    });
  }
  const base = `http://127.0.0.1:${numberOf(values, "rest-port")}`;
  if (!(await becomesReady(base, () => stopping))) {
    console.log("it did not become ready within 60 s: see the lines above");
    stop(1);
    return;
  }
  printWelcome(values, base);
}

function startAll(values: Values): ChildProcess[] {
  const rest = numberOf(values, "rest-port");
  const peer = numberOf(values, "peer-port");
  const members = ids.map((id) => `${id}=127.0.0.1:${peer + id}`).join(",");
  const superUser = textOf(values, "superuser");
  const common = superUser === undefined ? [] : ["--superuser", superUser];
  const replicas = ids.map((id) => {
    const data = join(required(values, "data"), String(id));
    const own = ["--id", String(id), "--members", members, "--data", data, "--initial", "--rest-port", String(rest + id)];
    return start(["serve", ...own, ...common]);
  });
  const all = ids.map((id) => `127.0.0.1:${peer + id}`).join(",");
  return [...replicas, start(["gateway", "--replicas", all, "--rest-port", String(rest), ...common])];
}

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  createInterface({ input: child.stdout }).on("line", (line) => console.log(line));
  return child;
}

/** Serves a write and a read through the gateway. */
async function becomesReady(base: string, stopping: () => boolean): Promise<boolean> {
  const until = Date.now() + 60_000;
  while (Date.now() < until && !stopping()) {
    try {
      const answer = await fetch(`${base}/readyz?require=leader`, { signal: AbortSignal.timeout(2000) });
      if (answer.ok) return true;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

function printWelcome(values: Values, base: string): void {
  const rest = numberOf(values, "rest-port");
  const lines: readonly (readonly [string, string])[] = [
    ["create", `curl -X PUT ${base}/v1/znodes/app -d hello`],
    ["read", `curl ${base}/v1/znodes/app`],
    ["as JSON", `curl '${base}/v1/znodes/app?format=json'`],
    ["compare and set", `curl -X PUT ${base}/v1/znodes/app -H 'If-Match: "<etag>"' -d world`],
    ["sequential child", `curl -X POST '${base}/v1/znodes/app?prefix=item-' -d 1`],
    ["children", `curl ${base}/v1/children/app`],
    [
      "transaction",
      `curl ${base}/v1/txn -H 'Content-Type: application/json' -d '{"then":[{"op":"put","path":"/a","data":"1"},{"op":"put","path":"/b","data":"2"}]}'`,
    ],
    ["session", `curl -X POST ${base}/v1/sessions -H 'Content-Type: application/json' -d '{"timeout":"30s"}'`],
    ["ephemeral", `curl -X PUT '${base}/v1/znodes/me?ephemeral=true' -H 'Quorate-Session: <id>:<secret>' -d here`],
    ["delete", `curl -X DELETE '${base}/v1/znodes/app?recursive=true'`],
    ["the ensemble", `curl ${base}/v1/cluster`],
  ];
  console.log(`\ngateway  ${base}`);
  for (const id of ids) console.log(`replica ${id} http://127.0.0.1:${rest + id}`);
  console.log("");
  for (const [what, line] of lines) console.log(`${what.padEnd(17)} ${line}`);
  console.log("\nready");
}
