/** `node --import …/register.ts` with QUORATE_MUTANT=NAME: any program, a test above all, without that rule. */
import { loadPatched } from "./loader.ts";
import { mutantNamed } from "./table.ts";

loadPatched(mutantNamed(process.env["QUORATE_MUTANT"] ?? "").patches);
