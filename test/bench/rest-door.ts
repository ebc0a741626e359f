/**
 * What the REST door alone costs: its server over a tree in memory, in a process of its own, and wrk beside it.
 * `node test/bench/rest-door.ts [seconds]` prints requests a second and CPU a request for GET and PUT.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answer, type Backend, createNodeWorld, createRecipes, createRestServer } from "@quorate/gateway";
import { MemoryBackend } from "../conformance/memory-backend.ts";

const seconds = Number(process.argv[2] ?? 4);
const folder = mkdtempSync(join(tmpdir(), "quorate-bench-"));
const memory = new MemoryBackend();
/** With `trivial`, each kind of request is decided once and that answer given ever after: the door alone. */
let trivial = false;
const decided = new Map<string, Promise<Answer>>();
/** The first answer to this kind of request. */
function once(kind: string, ask: () => Promise<Answer>): Promise<Answer> {
  const known = trivial ? decided.get(kind) : undefined;
  const answer = known ?? ask();
  if (known === undefined) decided.set(kind, answer);
  return answer;
}
const backend: Backend = {
  write: (request) => once("write", () => memory.write(request)),
  read: (request) => once("read", () => memory.read(request)),
  renew: (session, secretHash) => memory.renew(session, secretHash),
  handOver: (target) => memory.handOver(target),
  listTree: (request) => memory.listTree(request),
  watch: (request, deadlineMillis, listener) => memory.watch(request, deadlineMillis, listener),
  follow: (acting, listener) => memory.follow(acting, listener),
  attach: (acting, identity, deadlineMillis, listener) => memory.attach(acting, identity, deadlineMillis, listener),
  cluster: () => memory.cluster(),
};
const world = createNodeWorld();
const { server, stop } = createRestServer({
  backend,
  recipes: createRecipes({ backend, world }),
  world,
  version: "bench",
  readiness: () => ({ ready: true, leader: 1, checks: [] }),
  metrics: () => "",
  log: (line) => console.error(line),
});

function wrk(url: string, script: string): Promise<string> {
  const file = join(folder, "request.lua");
  writeFileSync(file, script);
  return new Promise((resolve) => {
    let text = "";
    const child = spawn("wrk", ["-t1", "-c32", `-d${seconds}s`, "--latency", "-s", file, url]);
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.on("close", () => resolve(text));
  });
}

async function measure(name: string, url: string, script: string): Promise<void> {
  await wrk(url, script);
  const before = process.cpuUsage();
  const text = await wrk(url, script);
  const spent = process.cpuUsage(before);
  const rate = Number(/Requests\/sec: +([0-9.]+)/.exec(text)?.[1] ?? 0);
  const p99 = /99% +(\S+)/.exec(text)?.[1] ?? "?";
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? "0";
  const micros = (spent.user + spent.system) / (rate * seconds);
  console.log(`${name}: ${Math.round(rate)}/s, p99 ${p99}, ${micros.toFixed(1)} µs CPU each, ${bad} not 2xx`);
}

async function main(): Promise<void> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/znodes/bench`;
  await fetch(url, { method: "PUT", body: "x".repeat(100) });
  const put = `wrk.method = "PUT"\nwrk.body = string.rep("x", 100)\n`;
  await measure("GET from a tree", url, "");
  await measure("PUT into a tree", url, put);
  trivial = true;
  await measure("GET, the door alone", url, "");
  await measure("PUT, the door alone", url, put);
  await stop();
  rmSync(folder, { recursive: true });
}

server.listen(0, "127.0.0.1", () => void main());
