/** Agreement's public face. */
export { defaultTiming, type PeerOptions, type Timing } from "./core.ts";
export * from "./effect.ts";
export * from "./input.ts";
export * from "./message.ts";
export { Peer, type PeerView } from "./peer.ts";
export * from "./state.ts";
export { commonPrefix, planSync } from "./sync-plan.ts";
