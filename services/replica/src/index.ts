/** The replica's public face: for the executable, and for tests that run whole replicas. */
export { type Attachment, type AttachPoint, type GatewayConnection, Gateways } from "./gateways.ts";
export type { ReplicaObserver } from "./observer.ts";
export type { PeersPort, ReplicaOptions } from "./parts.ts";
export { type HelloFields, Peers, type PeersEvents } from "./peers.ts";
export { Replica } from "./replica.ts";
export { heldFault } from "./rules-check.ts";
export { Storage, type StorageOptions } from "./storage.ts";
export { CorruptionError, StorageError } from "./storage-error.ts";
export type { Clock, Disk, Random, World } from "./world.ts";
export { nodeWorld } from "./world-node.ts";
