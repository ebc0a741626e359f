/** The real world of a gateway: the only file here that touches clock, timers and randomness. */
import { randomBytes } from "node:crypto";
import type { GatewayTimer, GatewayWorld } from "./ports.ts";

/** `embedded`: in a replica's process. */
export function createNodeWorld(embedded = false): GatewayWorld {
  return {
    now: () => performance.now(),
    after(millis: number, run: () => void): GatewayTimer {
      const timer = setTimeout(run, millis);
      return { cancel: () => clearTimeout(timer) };
    },
    every(millis: number, run: () => void): GatewayTimer {
      const timer = setInterval(run, millis);
      return { cancel: () => clearInterval(timer) };
    },
    soon(run: () => void): void {
      setImmediate(run);
    },
    next: embedded ? (run) => process.nextTick(run) : (run) => void setImmediate(run),
    randomBytes: (count: number) => randomBytes(count),
  };
}
