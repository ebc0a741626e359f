/** `node --import …/register-former.ts`: the program that is started knows the former rules; see `former-rules.ts`. */
import { loadPatched } from "../simulation/mutants/loader.ts";
import { formerRulesPatches } from "./former-rules.ts";

loadPatched(formerRulesPatches);
