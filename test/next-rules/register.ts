/** `node --import …/register.ts`: the program that is started knows the next rules version; see `next-rules.ts`. */
import { loadPatched } from "../simulation/mutants/loader.ts";
import { nextRulesPatches } from "./next-rules.ts";

loadPatched(nextRulesPatches);
