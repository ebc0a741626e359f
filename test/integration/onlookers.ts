/** Those who want nothing but to be served, while somebody else misbehaves; and the proof that nobody was harmed. */
import assert from "node:assert/strict";
import { type Ensemble, type Process, sleep } from "./ensemble.ts";

/** A normal client is served within it, whatever others do: a second where the machine is idle, and those of tests stand still at times. */
export const servedMillis = 15_000;

/** A write and a read through `door`; answers how long the slower took. */
export async function normalClient(door: Process): Promise<number> {
  let slowest = 0;
  for (const method of ["PUT", "GET"]) {
    const began = performance.now();
    const body = method === "PUT" ? { body: String(began) } : {};
    const answer = await fetch(`${door.base}/v1/znodes/alive`, { method, ...body });
    assert.ok(answer.ok, `${door.name}: ${method} is answered ${answer.status}`);
    await answer.arrayBuffer();
    slowest = Math.max(slowest, performance.now() - began);
  }
  return slowest;
}

/** Serves a normal client again and again while `work` goes on; the slowest answer. */
export async function serveMeanwhile(doors: readonly Process[], work: Promise<unknown>): Promise<number> {
  let busy = true;
  let slowest = 0;
  const done = work.finally(() => {
    busy = false;
  });
  const client = async (door: Process): Promise<void> => {
    do {
      slowest = Math.max(slowest, await normalClient(door));
      await sleep(20);
    } while (busy);
  };
  await Promise.all([done, ...doors.map(client)]);
  return slowest;
}

/** Everybody runs as when this was made, and nobody has noted a fault of his own. */
export function watchOver(ensemble: Ensemble): () => void {
  const everybody = [...ensemble.replicas, ...ensemble.gateways];
  const pids = everybody.map((each) => each.pid);
  return () => {
    assert.deepEqual(
      everybody.map((each) => each.pid),
      pids,
    );
    for (const each of everybody) {
      assert.ok(each.running, `${each.name} ended: ${each.ended}\n${each.output.slice(-2000)}`);
      assert.doesNotMatch(each.output, /rest: fault|stops:|\n {4}at /, `${each.name} noted a fault of its own`);
    }
  };
}
