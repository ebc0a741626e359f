/** `quorate dev` (= `npm start`): three replicas and a gateway on this machine, as processes; says `ready` once it serves. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { devSettings } from "./options.ts";
import { numberOf, readSettings, required, textOf, type Values } from "./settings.ts";

const main = join(import.meta.dirname, "main.ts");
const ids = [1, 2, 3] as const;

interface Started {
  readonly name: string;
  readonly child: ChildProcess;
  /** Its REST port is its own; before that, who answers there may be somebody else. */
  listens: boolean;
  /** When it last said something. */
  saidAt: number;
}

export async function dev(args: readonly string[]): Promise<void> {
  const values = readSettings(devSettings, args, process.env);
  const processes = startAll(values);
  let stopping = false;
  let ready = false;
  const stop = (code: number): void => {
    if (stopping) return;
    stopping = true;
    void endAll(processes).then(() => process.exit(code));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(0));
  for (const { name, child } of processes) {
    child.once("exit", (code, signal) => {
      if (stopping) return;
      console.log(`${name} ended (${signal ?? code})`);
      if (!ready) console.error(`quorate: ${name} did not start: what it said stands above; the others are stopped`);
      if (!ready || !processes.some(lives)) stop(1);
    });
  }
  const base = `http://127.0.0.1:${numberOf(values, "rest-port")}`;
  ready = await becomesReady(base, processes, () => stopping);
  if (ready) await settle(values, processes, () => stopping);
  if (stopping) return;
  if (ready) printWelcome(values, base);
  else {
    console.error("quorate: it did not become ready within 60 s: see the lines above");
    stop(1);
  }
}

function lives({ child }: Started): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function endAll(processes: readonly Started[]): Promise<void> {
  const left = processes.filter(lives);
  const gone = left.map(({ child }) => new Promise((resolve) => child.once("exit", resolve)));
  for (const { child } of left) child.kill("SIGTERM");
  const timer = setTimeout(() => {
    for (const { child } of left) child.kill("SIGKILL");
  }, 5000);
  await Promise.all(gone);
  clearTimeout(timer);
}

function startAll(values: Values): Started[] {
  const rest = numberOf(values, "rest-port");
  const grpc = numberOf(values, "grpc-port");
  const zookeeper = numberOf(values, "zookeeper-port");
  const peer = numberOf(values, "peer-port");
  const members = ids.map((id) => `${id}=127.0.0.1:${peer + id}`).join(",");
  const superUser = textOf(values, "superuser");
  // All of them stop together: there is nowhere else to go.
  const common = ["--drain", "0", ...(superUser === undefined ? [] : ["--superuser", superUser])];
  const replicas = ids.map((id) => {
    const data = join(required(values, "data"), String(id));
    const own = [
      "--id",
      String(id),
      "--members",
      members,
      "--data",
      data,
      "--initial",
      "--rest-port",
      String(rest + id),
      "--grpc-port",
      String(grpc + id),
      "--zookeeper-port",
      String(zookeeper + id),
    ];
    return start(`replica ${id}`, ["serve", ...own, ...common]);
  });
  const all = ids.map((id) => `127.0.0.1:${peer + id}`).join(",");
  const ports = ["--rest-port", String(rest), "--grpc-port", String(grpc), "--zookeeper-port", String(zookeeper)];
  const own = ["--replicas", all, ...ports];
  return [...replicas, start("gateway", ["gateway", ...own, ...common])];
}

/** With a channel, at whose end it stops: nothing stays behind when this process is killed. */
function start(name: string, args: readonly string[]): Started {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: ownEnvironment(),
  });
  const started: Started = { name, child, listens: false, saidAt: Date.now() };
  if (child.stdout) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.includes(": REST on http://")) started.listens = true;
      started.saidAt = Date.now();
      console.log(line);
    });
  }
  return started;
}

/** The variables were meant for this command; what the others shall know, they are given as flags. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("QUORATE_")));
}

/** Serves a write and a read through the gateway. */
async function becomesReady(base: string, processes: readonly Started[], stopping: () => boolean): Promise<boolean> {
  const until = Date.now() + 60_000;
  while (Date.now() < until && !stopping()) {
    try {
      if (!processes.every((each) => each.listens)) throw new Error("not listening yet");
      const answer = await fetch(`${base}/readyz?require=leader`, { signal: AbortSignal.timeout(2000) });
      if (answer.ok) return true;
    } catch {
      // Again in a moment.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/**
 * Every replica serves by the rules that hold from now on, and nobody has more to say of the start: what a newcomer is to try stands
 * at the end of his terminal. It is not waited for long, since all that he is shown works already.
 */
async function settle(values: Values, processes: readonly Started[], stopping: () => boolean): Promise<void> {
  const until = Date.now() + 10_000;
  while (Date.now() < until && !stopping()) {
    const bases = ids.map((id) => `http://127.0.0.1:${numberOf(values, "rest-port") + id}`);
    const isQuiet = (): boolean => processes.every(({ saidAt }) => Date.now() - saidAt > 200);
    if (isQuiet() && (await Promise.all(bases.map(hasSettled))).every(Boolean) && isQuiet()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function hasSettled(base: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(2000);
    const text = await (await fetch(`${base}/metrics`, { signal })).text();
    const metric = (name: string): string | undefined => new RegExp(`^quorate_${name} (\\d+)$`, "m").exec(text)?.[1];
    return metric("replica_serving") === "1" && metric("rules_applied") === metric("rules_known");
  } catch {
    return false;
  }
}

/** For each call, in an order in which each finds what it needs: what it is for, and how. */
function callsOf(base: string): readonly (readonly [string, string])[] {
  return [
    ["create", `curl -X PUT ${base}/v1/znodes/app -d hello`],
    ["read, with ETag", `curl -i ${base}/v1/znodes/app`],
    ["as JSON", `curl '${base}/v1/znodes/app?format=json'`],
    ["compare and set", `curl -X PUT ${base}/v1/znodes/app -H 'If-Match: "<etag>"' -d world`],
    ["once it changes", `curl -i '${base}/v1/znodes/app?wait=30s' -H 'If-None-Match: "<etag>"'`],
    ["watch", `curl '${base}/v1/watch?node=/app&children=/app'`],
    ["sequential child", `curl -X POST '${base}/v1/znodes/app?prefix=item-' -d 1`],
    ["what happened", `curl '${base}/v1/watch?node=/app&children=/app&after=<cursor>&wait=30s'`],
    ["as a stream", `curl -N -H 'Accept: text/event-stream' '${base}/v1/watch?subtree=/app'`],
    ["children", `curl ${base}/v1/children/app`],
    ["all below", `curl '${base}/v1/tree/app?data=true'`],
    [
      "transaction",
      `curl ${base}/v1/txn -H 'Content-Type: application/json' -d '{"then":[{"op":"put","path":"/a","data":"1"},{"op":"put","path":"/b","data":"2"}]}'`,
    ],
    ["session", `curl -X POST ${base}/v1/sessions -H 'Content-Type: application/json' -d '{"timeout":"30s"}'`],
    ["ephemeral", `curl -X PUT '${base}/v1/znodes/me?ephemeral=true' -H 'Quorate-Session: <id>:<secret>' -d here`],
    ["renewal", `curl -X POST ${base}/v1/sessions/<id>/renew -H 'Quorate-Session: <id>:<secret>'`],
    ["for alice alone", `curl -u alice:secret -X PUT '${base}/v1/znodes/private?acl=auth::cdrwa' -d hers`],
    ["its ACL", `curl -u alice:secret ${base}/v1/acl/private`],
    ["delete", `curl -X DELETE '${base}/v1/znodes/app?recursive=true'`],
    ["the ensemble", `curl ${base}/v1/cluster`],
  ];
}

function printWelcome(values: Values, base: string): void {
  const rest = numberOf(values, "rest-port");
  const grpc = numberOf(values, "grpc-port");
  const zookeeper = numberOf(values, "zookeeper-port");
  const portsOf = (id: number): string => `gRPC 127.0.0.1:${grpc + id}  ZooKeeper 127.0.0.1:${zookeeper + id}`;
  console.log(`\ngateway   ${base}  ${portsOf(0)}`);
  for (const id of ids) console.log(`replica ${id} http://127.0.0.1:${rest + id}  ${portsOf(id)}`);
  console.log(`\nto read   ${base}/docs\n`);
  for (const [what, line] of callsOf(base)) console.log(`${what.padEnd(17)} ${line}`);
  console.log("\nready");
}
