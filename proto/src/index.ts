export * from "./attach.ts";
export { type Feed, feedLimits } from "./feed-codec.ts";
export * from "./frame.ts";
export * from "./gateway-codec.ts";
export * from "./gateway-messages.ts";
export * from "./handshake.ts";
export * from "./service.ts";
export * from "./stream.ts";
export * from "./stream-server.ts";
