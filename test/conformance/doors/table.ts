/**
 * One table of requests and what any door has to answer: `door.ts` is what can be asked, a `…-door.ts` asks it. What HTTP
 * or gRPC has alone stands in tables and tests of its own.
 */
import { aclTable } from "./acl-table.ts";
import type { DoorCase } from "./door-runner.ts";
import { lockTable } from "./lock-table.ts";
import { readTable } from "./read-table.ts";
import { sessionTable } from "./session-table.ts";
import { txnTable } from "./txn-table.ts";
import { watchTable } from "./watch-table.ts";
import { writeTable } from "./write-table.ts";
import { zookeeperCases, zookeeperNotAskable } from "./zookeeper-cases.ts";

export const table: readonly DoorCase[] = [
  ...writeTable,
  ...readTable,
  ...aclTable,
  ...txnTable,
  ...sessionTable,
  ...watchTable,
  ...lockTable,
];

const fencedReads = {
  "fence: txn of reads, while it holds": "a fence stands among the options of writes",
  "fence: txn of reads, when it has passed on": "a fence stands among the options of writes",
};

/** What a door cannot be asked, and why. */
export const notAskable: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gRPC: fencedReads,
  "gRPC-Session": {
    ...fencedReads,
    "create: an ephemeral of nobody": "every operation is on behalf of the stream's session",
    "txn: an owner without a session": "every operation is on behalf of the stream's session",
    "session consistency: without a zxid": "it is not older than what the stream has seen",
    "session: a read that it does not concern, when it is over": "its stream is over",
  },
  ZooKeeper: zookeeperNotAskable,
};

export function casesFor(door: string): readonly DoorCase[] {
  if (door === "ZooKeeper") return zookeeperCases(table);
  const named = notAskable[door] ?? {};
  return table.filter(({ name }) => !Object.hasOwn(named, name));
}
