/** The replicated state machine's public face. */
export type { Applied } from "./apply.ts";
export { ChangeRing } from "./change-ring.ts";
export { memoryLimits, rulesVersion, treeLimits } from "./limits.ts";
export type { Listing, ListingRequest } from "./listing.ts";
export type { SnapshotCursor } from "./snapshot.ts";
export type { BadSnapshot } from "./snapshot-loader.ts";
export { type LaneView, type SessionView, Tree, type TreeLoader, type TreeOptions } from "./tree.ts";
