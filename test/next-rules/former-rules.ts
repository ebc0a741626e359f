/**
 * A program that knows one rules version less than the real one, as the release before it did: its replicas do not tell gateways
 * which rules hold. It is made of the same source by patches while it is loaded. Nothing of the program may be imported here.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Patch } from "../simulation/mutants/loader.ts";

export const formerRulesPatches: readonly Patch[] = [
  {
    file: "services/tree/src/limits.ts",
    find: "export const rulesVersion = ",
    replace: "export const rulesVersion = -1 + ",
  },
  {
    file: "services/replica/src/desk.ts",
    find: "if (connection.rules > 0) connection.send(",
    replace: "if (connection.rules < 0) connection.send(",
  },
];

/** What a process is started with to be of the former release; see `nextRulesEnvironment`. */
export const formerRulesEnvironment: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "register-former.ts")).href}`,
  NODE_DISABLE_COMPILE_CACHE: "1",
};
