/**
 * One table of requests and what they must be answered, run against anything that has a REST door: the tree in memory
 * here, real processes elsewhere. How the server was started is not its business; it needs a leader and a super user.
 */
import { electionCases } from "./election-cases.ts";
import { fenceCases } from "./fence-cases.ts";
import { listingCases } from "./listing-cases.ts";
import { lockCases } from "./lock-cases.ts";
import { readCases } from "./read-cases.ts";
import { requestCases } from "./request-cases.ts";
import type { Case } from "./runner.ts";
import { sessionCases } from "./session-cases.ts";
import { treeCases } from "./tree-cases.ts";
import { txnCases } from "./txn-cases.ts";
import { writeCases } from "./write-cases.ts";

export const cases: readonly Case[] = [
  ...readCases,
  ...writeCases,
  ...listingCases,
  ...treeCases,
  ...txnCases,
  ...sessionCases,
  ...lockCases,
  ...electionCases,
  ...fenceCases,
  ...requestCases,
];
export { type Case, type RunOptions, runCase, runCases } from "./runner.ts";
