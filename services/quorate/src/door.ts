/** A gateway's doors over a link to the replicas: embedded in a replica, or alone. */
import { createRestServer, type Dial, type GatewayWorld, ReplicaLink } from "@quorate/gateway";
import type { Log } from "./log.ts";
import { parseList, version } from "./options.ts";
import { numberOf, required, textOf, type Values } from "./settings.ts";

export interface DoorOptions {
  readonly values: Values;
  readonly log: Log;
  readonly world: GatewayWorld;
  readonly replicas: readonly string[];
  readonly dial: Dial;
  readonly home: "leader" | "local";
  readonly name: string;
  readonly metrics: () => string;
}

export interface Door {
  readonly restPort: number;
  stop(): Promise<void>;
}

export async function startDoor(options: DoorOptions): Promise<Door> {
  const { values, log, world, replicas, dial, home, name } = options;
  const link = new ReplicaLink({ replicas, dial, world, name, log, home });
  const superUser = textOf(values, "superuser");
  const rest = createRestServer({
    backend: link,
    world,
    version,
    log,
    metrics: options.metrics,
    trustedProxies: parseList(textOf(values, "trusted-proxies")),
    ...(superUser === undefined ? {} : { superUserDigest: superUser }),
  });
  const host = required(values, "rest-host");
  const port = numberOf(values, "rest-port");
  await new Promise<void>((resolve, reject) => {
    rest.server.once("error", (error) => reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`)));
    rest.server.listen({ host, port }, resolve);
  });
  const bound = rest.server.address();
  const restPort = typeof bound === "object" && bound ? bound.port : port;
  log(`REST on http://${host}:${restPort}`);
  return {
    restPort,
    async stop() {
      await rest.stop();
      await link.stop();
    },
  };
}
