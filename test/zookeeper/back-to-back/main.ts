/**
 * `npm run back-to-back -- [--operations N] [--seed S] [--pipelined P] [--spread] [--expiries] [--against quorate|zookeeper]` plays
 * random operations to a real ZooKeeper and to Quorate, and prints the first difference that is not meant. A seed plays the same
 * steps again.
 */
import { parseArgs } from "node:util";
import { openArena } from "./arena.ts";
import { play } from "./player.ts";
import { report } from "./report.ts";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "50000" },
    seed: { type: "string", default: "1" },
    /** Of each client at most so many requests are under way at once. */
    pipelined: { type: "string", default: "1" },
    clients: { type: "string", default: "4" },
    spread: { type: "boolean", default: false },
    expiries: { type: "boolean", default: false },
    against: { type: "string", default: "quorate" },
  },
});

async function main(): Promise<number> {
  const { against, spread, expiries } = values;
  if (against !== "quorate" && against !== "zookeeper") throw new Error("--against is quorate or zookeeper");
  const [operations, seed] = [Number(values.operations), Number(values.seed)];
  const arena = await openArena({ against, spread, clients: Number(values.clients) });
  if ("skip" in arena) {
    console.log(`cannot be played: ${arena.skip}`);
    return 1;
  }
  const began = performance.now();
  try {
    console.log(`${arena.name}: ${operations} operations of seed ${seed}`);
    const { tally, finding } = await play(arena.a, arena.b, {
      operations,
      seed,
      pipelined: Number(values.pipelined),
      spread,
      expiries,
      ...(arena.witness ? { witness: arena.witness } : {}),
      onProgress: (so) => console.log(`${so.operations} operations, ${seconds(began)} s`),
    });
    console.log(tally.summary());
    if (finding) console.log(report(finding));
    else console.log(`${tally.operations} operations without a difference in ${seconds(began)} s`);
    return finding ? 1 : 0;
  } finally {
    await arena.stop();
  }
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}

process.exitCode = await main();
