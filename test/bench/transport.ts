/**
 * What one stream between two processes carries: `node test/bench/transport.ts`. Both ends are real processes on
 * loopback; messages of 100 bytes go one way in turns of `burst`, then a snapshot's pieces, then lone ones there and back.
 */
import { fork } from "node:child_process";
import { dial, type FrameStream, StreamServer, streamLimits, type Timers } from "@quorate/proto";

const timers: Timers = {
  after(millis, run) {
    const timer = setTimeout(run, millis);
    return { cancel: () => clearTimeout(timer) };
  },
};
const seconds = 1.5;

/** The far end: counts, tells the count for an empty message, and sends one-byte messages back. */
async function serve(): Promise<void> {
  const server = new StreamServer({ address: "127.0.0.1:0", keyed: false, timers, log: console.error });
  server.handle("link", (stream) => {
    stream.markTrusted();
    let count = 0;
    stream.listen({
      received: (messages) => {
        for (const message of messages) {
          if (message.length > 1) count += 1;
          else if (message.length === 1) stream.send(message);
          else stream.send(Buffer.from(`${count}`.padStart(12)));
        }
        stream.flush();
      },
      drained: () => undefined,
      closed: () => undefined,
    });
  });
  process.send?.(await server.listen());
  process.on("disconnect", () => process.exit(0));
}

type Receiver = (message: Uint8Array) => void;

async function pour(stream: FrameStream, receiver: { now: Receiver }, burst: number, bytes: number): Promise<string> {
  const message = new Uint8Array(bytes).fill(7);
  const ask = (): Promise<number> =>
    new Promise((resolve) => {
      receiver.now = (answer) => resolve(Number(Buffer.from(answer).toString()));
      stream.send(new Uint8Array(0));
    });
  const before = await ask();
  const cpu = process.cpuUsage();
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    if (stream.queuedBytes < streamLimits.highWaterBytes) {
      for (let i = 0; i < burst; i++) stream.send(message);
      stream.flush();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const count = (await ask()) - before;
  const spent = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round(count / spent).toLocaleString("en");
  const megabytes = ((count * bytes) / spent / 1_000_000).toFixed(0);
  if (bytes > 10_000) return `pieces of ${bytes} bytes: ${megabytes} MB/s`;
  return `${String(burst).padStart(5)} a turn  ${rate.padStart(10)} messages/s  sender ${((user + system) / count).toFixed(2)} µs each`;
}

async function pingPong(stream: FrameStream, receiver: { now: Receiver }): Promise<string> {
  const one = Uint8Array.of(1);
  const times: number[] = [];
  for (let i = 0; i < 3000; i++) {
    const start = performance.now();
    await new Promise<void>((resolve) => {
      receiver.now = () => resolve();
      stream.send(one);
      stream.flush();
    });
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => `${((times[Math.floor(times.length * share)] ?? 0) * 1000).toFixed(0)} µs`;
  return `there and back, alone: p50 ${at(0.5)}, p99 ${at(0.99)}`;
}

async function main(): Promise<void> {
  const child = fork(import.meta.filename, ["serve"]);
  const port = await new Promise((resolve) => child.once("message", resolve));
  const stream = dial(`127.0.0.1:${port}`, "link", { timers, connectMillis: 1000 });
  const receiver: { now: Receiver } = { now: () => undefined };
  stream.listen({
    received: (messages) => {
      for (const message of messages) receiver.now(message);
    },
    drained: () => undefined,
    closed: (reason) => console.log(reason),
  });
  for (const burst of [1, 16, 128, 1024]) console.log(await pour(stream, receiver, burst, 100));
  console.log(await pour(stream, receiver, 1, 131_072));
  console.log(await pingPong(stream, receiver));
  stream.close("done");
  child.disconnect();
}

if (process.argv[2] === "serve") await serve();
else await main();
