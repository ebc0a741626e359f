/** The specification of the REST door: its document as JSON text, and its types. */
import { readFileSync } from "node:fs";

export type { components, operations, paths } from "./gen/coordination.ts";

/** Made from `coordination.yaml` by `npm run generate`; a test makes it again and compares. */
export const document: string = readFileSync(new URL("./gen/coordination.json", import.meta.url), "utf8");
