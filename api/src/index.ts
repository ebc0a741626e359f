/** The vocabulary's public face. */
export * from "./assert.ts";
export * from "./batch.ts";
export type { Brand } from "./brand.ts";
export * from "./errors.ts";
export * from "./limits.ts";
export * from "./node.ts";
export * from "./operation.ts";
export * from "./outcome.ts";
export * from "./path.ts";
export * from "./zxid.ts";
