export * from "./gateway-codec.ts";
export * from "./gateway-messages.ts";
