/** Every rule that is taken out in turn. A row that nobody notices shows a hole in the simulator. */
import { agreement } from "./agreement.ts";
import { disk } from "./disk.ts";
import { epochs } from "./epochs.ts";
import { follows } from "./follows.ts";
import { lanes } from "./lanes.ts";
import { reads } from "./reads.ts";
import type { Mutant } from "./row.ts";
import { sessionLanes } from "./session-lanes.ts";
import { sessions } from "./sessions.ts";
import { upgrades } from "./upgrades.ts";
import { watches } from "./watches.ts";

export const mutants: readonly Mutant[] = [
  ...agreement,
  ...epochs,
  ...disk,
  ...lanes,
  ...sessionLanes,
  ...sessions,
  ...reads,
  ...watches,
  ...follows,
  ...upgrades,
];

export function mutantNamed(name: string): Mutant {
  const found = mutants.find((each) => each.name === name);
  if (!found) throw new Error(`there is no mutant ${name}; known are ${mutants.map((each) => each.name).join(", ")}`);
  return found;
}
