/** The vocabulary's public face. */
export * from "./assert.ts";
export * from "./batch.ts";
export type { Brand } from "./brand.ts";
export * from "./bytes.ts";
export * from "./command-codec.ts";
export * from "./errors.ts";
export * from "./limits.ts";
export * from "./node.ts";
export * from "./node-codec.ts";
export * from "./operation.ts";
export * from "./outcome.ts";
export * from "./outcome-codec.ts";
export * from "./path.ts";
export * from "./read-codec.ts";
export { readUtf8, writeUtf8 } from "./utf8.ts";
export type * from "./watch.ts";
export * from "./zxid.ts";
