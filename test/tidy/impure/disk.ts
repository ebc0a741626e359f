/** Must not compile in a pure room: see ../pure.test.ts. */
export { readFileSync } from "node:fs";
