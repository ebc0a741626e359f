/**
 * What was promised is kept before virtual time goes on: runs all microtasks at once, synchronously, by the engine's own
 * checkpoint. Works only outside of a microtask: see `outside`.
 */
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--allow-natives-syntax");

export const drainMicrotasks: () => void = new Function("%PerformMicrotaskCheckpoint()") as () => void;

/** Runs `work` where no microtask is running, as `drainMicrotasks` needs it. */
export function outside<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    });
  });
}
