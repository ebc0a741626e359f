/**
 * One table of requests and what any door has to answer: `door.ts` is what can be asked, a `…-door.ts` asks it. What HTTP
 * or gRPC has alone stands in tables and tests of its own.
 */
import { aclTable } from "./acl-table.ts";
import type { DoorCase } from "./door-runner.ts";
import { readTable } from "./read-table.ts";
import { sessionTable } from "./session-table.ts";
import { txnTable } from "./txn-table.ts";
import { watchTable } from "./watch-table.ts";
import { writeTable } from "./write-table.ts";

export const table: readonly DoorCase[] = [
  ...writeTable,
  ...readTable,
  ...aclTable,
  ...txnTable,
  ...sessionTable,
  ...watchTable,
];
