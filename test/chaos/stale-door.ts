/** `node --import …/stale-door.ts`: a program whose doors answer what may be stale where a linearizable read was asked for. */
import { loadPatched } from "../simulation/mutants/loader.ts";

loadPatched([
  {
    file: "gateway/src/rest/call.ts",
    find: `const linearizable: Freshness = { consistency: "linearizable", minZxid: zeroZxid, maxStaleMillis: 0 };`,
    replace: `const linearizable: Freshness = { consistency: "stale", minZxid: zeroZxid, maxStaleMillis: 10_000 };`,
  },
]);
