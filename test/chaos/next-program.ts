/**
 * `node --import …/next-program.ts`: the program that is started knows the next rules version, made of the same source by
 * patches while it is loaded. Under it a write of data is dated to odd milliseconds: seen in the digest, and in no history.
 */
import { knowsNextRules } from "../next-rules/next-rules.ts";
import { loadPatched } from "../simulation/mutants/loader.ts";

const moment = "{ zxidHigh: tx.zxidHigh, zxidLow: tx.zxidLow, timeHigh: tx.timeHigh, timeLow: (tx.timeLow | 1) >>> 0 }";

loadPatched([
  ...knowsNextRules,
  {
    file: "services/tree/src/write.ts",
    find: "  const next = node.withData(data, nature, tx);\n",
    replace: `  const next = node.withData(data, nature, state.rules === rulesVersion ? ${moment} : tx);\n`,
  },
]);
