/** `node --import …/mutant-program.ts` with CHAOS_MUTANT=NAME: a process of the program without that rule. */
import { loadPatched } from "../simulation/mutants/loader.ts";
import { mutantNamed } from "../simulation/mutants/table.ts";

loadPatched(mutantNamed(process.env["CHAOS_MUTANT"] ?? "").patches);
