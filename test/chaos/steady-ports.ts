/**
 * Free ports below those that the system draws from for outgoing connections: a process that is killed and started again
 * finds its own still free, and a proxy that dials a dead one never meets itself.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { SeededRandom } from "../simulation/random.ts";

const lowest = 10_000;
const highest = 29_999;

export async function steadyPorts(count: number): Promise<number[]> {
  // Not the run's seed: two runs at once look for different ports.
  const random = new SeededRandom(process.pid ^ Date.now());
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1000) throw new Error(`there are no ${count} free ports between ${lowest} and ${highest}`);
    const port = random.between(lowest, highest);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
