/**
 * One table of requests and what they must be answered, run against anything that has a REST door: the tree in memory
 * here, real processes elsewhere. How the server was started is not its business; it needs a leader and a super user.
 */
import type { Case } from "./runner.ts";
import { serviceCases } from "./service-cases.ts";
import { znodeCases } from "./znode-cases.ts";

export const cases: readonly Case[] = [...znodeCases, ...serviceCases];
export { type Case, type RunOptions, runCase, runCases } from "./runner.ts";
