/** The link's `Dial` over real sockets: who the gateway says it is, and the key that it proves to know. */
import { newestForms } from "@quorate/api";
import { dialReplica, protocolVersion } from "@quorate/proto";
import type { GatewayWorld } from "./ports.ts";
import type { Dial } from "./stream.ts";

export interface GatewayDialOptions {
  readonly world: GatewayWorld;
  /** For operators, at the replicas. */
  readonly name: string;
  readonly version: string;
  /** The shared key; without it only loopback is dialled. */
  readonly key?: Uint8Array;
}

export function createDial({ world, name, version, key }: GatewayDialOptions): Dial {
  const hello = {
    protocol: protocolVersion,
    kind: "gateway",
    id: 0,
    name,
    ensembleId: "",
    historyId: "",
    version,
    rules: newestForms,
    address: "",
  } as const;
  const keyed = key === undefined ? {} : { key };
  const randomBytes = (count: number): Uint8Array => world.randomBytes(count);
  return (address, events) => dialReplica(address, { hello, timers: world, randomBytes, ...keyed }, events);
}
