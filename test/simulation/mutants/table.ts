/** Every rule that is taken out in turn. A row that no simulator notices shows a hole in the simulator. */
import { agreement } from "./agreement.ts";
import { epochs } from "./epochs.ts";
import type { Mutant } from "./row.ts";

export const mutants: readonly Mutant[] = [...agreement, ...epochs];

export function mutantNamed(name: string): Mutant {
  const found = mutants.find((each) => each.name === name);
  if (!found) throw new Error(`there is no mutant ${name}; known are ${mutants.map((each) => each.name).join(", ")}`);
  return found;
}
