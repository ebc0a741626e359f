/** `node --import …/small-ring.ts`: a replica whose ring holds some hundreds of changes, to be left behind soon. */
import { loadPatched } from "../simulation/mutants/loader.ts";

loadPatched([
  { file: "services/tree/src/limits.ts", find: "ringBytes: 32 * 1_048_576,", replace: "ringBytes: 65_536," },
]);
