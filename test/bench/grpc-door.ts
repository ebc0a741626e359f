/**
 * What the gRPC door costs: unary Get and Set, and a Session stream with many operations in a message. With `--alone` over a tree in
 * memory, in a process of its own; else through the gateway of a real ensemble of three, all on this machine.
 * `node test/bench/grpc-door.ts [--alone] [seconds]` prints operations a second, and CPU an operation of the door where it is alone.
 */
import { fork } from "node:child_process";
import { createGrpcServer, createNodeWorld, createRecipes } from "@quorate/gateway";
import type { v1 } from "@quorate/proto";
import { Caller } from "../conformance/grpc-client.ts";
import { MemoryBackend } from "../conformance/memory-backend.ts";
import { Ensemble, freePorts } from "../integration/ensemble.ts";

const alone = process.argv.includes("--alone");
const seconds = Number(process.argv.find((each) => /^\d+$/.test(each)) ?? 4);
const data = Buffer.alloc(100, 7);

async function serve(): Promise<void> {
  const backend = new MemoryBackend();
  const world = createNodeWorld();
  const server = createGrpcServer({
    backend,
    recipes: createRecipes({ backend, world }),
    world,
    version: "bench",
    wallNow: () => Date.now(),
    ready: () => true,
    log: (line) => console.error(line),
  });
  const port = await server.listen("127.0.0.1", 0);
  process.on("message", () => process.send?.(process.cpuUsage()));
  process.on("disconnect", () => process.exit(0));
  process.send?.(port);
}

interface Target {
  readonly port: number;
  /** CPU of the door so far, microseconds; undefined: it is not known. */
  cpu(): Promise<number | undefined>;
  stop(): Promise<void>;
}

async function start(): Promise<Target> {
  if (!alone) {
    const [port = 0] = await freePorts(1);
    const grpcPort = (name: string): string => (name === "gateway 1" ? String(port) : "0");
    const ensemble = await Ensemble.start({ environmentOf: (name) => ({ QUORATE_GRPC_PORT: grpcPort(name) }) });
    return { port, cpu: () => Promise.resolve(undefined), stop: () => ensemble.stop() };
  }
  const child = fork(import.meta.filename, ["serve"]);
  const next = <Value>(): Promise<Value> =>
    new Promise((resolve) => child.once("message", (value) => resolve(value as Value)));
  const port = await next<number>();
  const cpu = async (): Promise<number> => {
    child.send("cpu");
    const { user, system } = await next<NodeJS.CpuUsage>();
    return user + system;
  };
  const stop = (): Promise<void> => {
    child.disconnect();
    return Promise.resolve();
  };
  return { port, cpu, stop };
}

async function measure(target: Target, name: string, run: (until: number) => Promise<number>): Promise<void> {
  await run(performance.now() + 1000);
  const [cpu, began] = [await target.cpu(), performance.now()];
  const count = await run(began + seconds * 1000);
  const took = (performance.now() - began) / 1000;
  const spent = (await target.cpu()) ?? 0;
  const each = cpu === undefined ? "" : `, ${((spent - cpu) / count).toFixed(1)} µs CPU of the door each`;
  console.log(
    `${name.padEnd(28)} ${Math.round(count / took)
      .toLocaleString("en")
      .padStart(9)}/s${each}`,
  );
}

/** `inFlight` callers, each asking again when it is answered. */
function unary(inFlight: number, ask: () => Promise<unknown>): (until: number) => Promise<number> {
  return async (until) => {
    let count = 0;
    const caller = async (): Promise<void> => {
      while (performance.now() < until) {
        await ask();
        count++;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return count;
  };
}

/** `batches` messages of `size` operations under way on one stream. */
async function session(
  caller: Caller,
  size: number,
  batches: number,
  writes: boolean,
): Promise<(until: number) => Promise<number>> {
  const { sessionId = 0, secret = "" } = await caller.call("CreateSession", { timeout: { seconds: 60 } });
  const inbox = caller.session();
  inbox.send({ open: { sessionId, secret } });
  await inbox.next();
  let sequence = 0;
  const send = (): void => {
    const operations: v1.SessionOperation[] = [];
    const answeredUpTo = Math.max(0, sequence - size * batches);
    for (let i = 0; i < size; i++) {
      operations.push(writes ? { sequence: ++sequence, set: { path: "/bench", data } } : { get: { path: "/bench" } });
    }
    inbox.send({ operations, answeredUpTo });
  };
  return async (until) => {
    let [replies, sent] = [0, 0];
    for (; sent < batches; sent++) send();
    while (replies < sent * size) {
      const { replies: came = [] } = await inbox.next();
      const before = Math.floor(replies / size);
      replies += came.length;
      if (came.some(({ error }) => error !== undefined))
        throw new Error(JSON.stringify(came.find(({ error }) => error)));
      for (let done = before; done < Math.floor(replies / size) && performance.now() < until; done++, sent++) send();
    }
    return replies;
  };
}

async function main(): Promise<void> {
  const target = await start();
  const caller = new Caller(target.port);
  await caller.call("Put", { path: "/bench", data });
  const stale = { consistency: "CONSISTENCY_STALE" } as const;
  await measure(
    target,
    "unary Get, 1",
    unary(1, () => caller.call("Get", { path: "/bench" })),
  );
  await measure(
    target,
    "unary Get, 64",
    unary(64, () => caller.call("Get", { path: "/bench" })),
  );
  await measure(
    target,
    "unary Get, stale, 64",
    unary(64, () => caller.call("Get", { path: "/bench", options: stale })),
  );
  await measure(
    target,
    "unary Set, 1",
    unary(1, () => caller.call("Set", { path: "/bench", data })),
  );
  await measure(
    target,
    "unary Set, 64",
    unary(64, () => caller.call("Set", { path: "/bench", data })),
  );
  await measure(target, "Session set, 10 × 64", await session(caller, 64, 10, true));
  await measure(target, "Session get, 10 × 64", await session(caller, 64, 10, false));
  caller.close();
  await target.stop();
}

if (process.argv[2] === "serve") await serve();
else await main();
