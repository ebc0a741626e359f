/**
 * A program that knows one rules version more than the real one, so that a rolling restart onto a newer version can be
 * tried out: under it a write of data raises a znode's version by two. It is made of the same source by patches while
 * it is loaded. Nothing of the program may be imported here, or it would be loaded before they are.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Patch } from "../simulation/mutants/loader.ts";

const written = "node.withData(data, nature, tx)";

/** One version more, known where data is written: what it changes there is for whoever adds it. */
export const knowsNextRules: readonly Patch[] = [
  {
    file: "services/tree/src/limits.ts",
    find: "export const rulesVersion = ",
    replace: "export const rulesVersion = 1 + ",
  },
  {
    file: "services/tree/src/write.ts",
    find: `import type { State } from "./state.ts";\n`,
    replace: `import type { State } from "./state.ts";\nimport { rulesVersion } from "./limits.ts";\n`,
  },
];

export const nextRulesPatches: readonly Patch[] = [
  ...knowsNextRules,
  {
    file: "services/tree/src/write.ts",
    find: `  const next = ${written};\n`,
    replace: `  const once = ${written};\n  const next = state.rules === rulesVersion ? once.withData(once.data, nature, tx) : once;\n`,
  },
];

/** By how much a write of data raises a znode's version, under the real rules and under the next ones. */
export const raisedBy = { known: 1, next: 2 } as const;

/** What a process of the program is started with, beside its own environment, to know the next rules. */
export const nextRulesEnvironment: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "register.ts")).href}`,
  // What is kept of compiled files is kept under their names, and these are others.
  NODE_DISABLE_COMPILE_CACHE: "1",
};
