/** A client that waits for a lock in a process of its own, until it is killed: `node waiting-process.ts BASE NAME SESSION-MILLIS`. */
import { acquire, openSession } from "./rest-locks.ts";

const [base = "", name = "", millis = ""] = process.argv.slice(2);
const session = await openSession(base, Number(millis), "a waiter");
for (;;) {
  const { status, text } = await acquire(base, name, { session, waitMillis: Math.floor(Number(millis) / 3) });
  console.log(status === 200 || status === 202 ? JSON.parse(text).znode : `failed ${status}`);
}
