/** `node --import=…/memory-probe.ts`: a process that prints what it holds after full collections when it gets SIGUSR2. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

process.on("SIGUSR2", () => {
  // What one collection finishes, the next can free.
  for (let i = 0; i < 4; i++) collect();
  setTimeout(() => {
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    console.log(`memory ${JSON.stringify({ live: heapUsed + external, resident: rss })}`);
  }, 200);
});
