/** A thread that judges histories, behind everybody else: what it takes must not delay the proxies and the clients. */
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { checkHistory, type History, type Verdict } from "../linearizability/index.ts";

export interface Case {
  readonly number: number;
  readonly history: History;
}

export interface Finding {
  readonly number: number;
  readonly verdict: Verdict;
  readonly millis: number;
}

const port = parentPort;
if (!port) throw new Error("this is a thread of the judge");
try {
  setPriority(10);
} catch {
  // It is only slower without.
}
port.on("message", ({ number, history }: Case) => {
  const began = performance.now();
  const verdict = checkHistory(history);
  const finding: Finding = { number, verdict, millis: performance.now() - began };
  port.postMessage(finding);
});
