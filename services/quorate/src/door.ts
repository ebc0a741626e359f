/** A gateway's doors over a link to the replicas: embedded in a replica, or alone. */
import { createRestServer, type Dial, type GatewayWorld, type ReadinessCheck, ReplicaLink } from "@quorate/gateway";
import type { Log } from "./log.ts";
import { parseList, version } from "./options.ts";
import { RequestCounts } from "./request-counts.ts";
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
  /** What this process is beside a gateway: whether it is worse than its siblings. */
  readonly checks: () => readonly ReadinessCheck[];
}

export interface Door {
  readonly restPort: number;
  stop(): Promise<void>;
}

export async function startDoor(options: DoorOptions): Promise<Door> {
  const { values, log, world, replicas, dial, home, name } = options;
  const link = new ReplicaLink({ replicas, dial, world, name, log, home });
  const counts = new RequestCounts();
  const superUser = textOf(values, "superuser");
  const origins = parseList(textOf(values, "cors-origin")?.toLowerCase());
  const rest = createRestServer({
    backend: link,
    world,
    version,
    log,
    metrics: () => options.metrics() + counts.format(),
    observe: (operation, status, millis) => counts.observe(operation, status, millis),
    readiness: () => {
      const { connectedReplicas, lane, home: replica } = link.status;
      const reaches = connectedReplicas > 0;
      const checks: ReadinessCheck[] = [
        { name: "replicas", ok: reaches, detail: `${connectedReplicas} connected` },
        ...options.checks(),
      ];
      const ready = checks.every((each) => each.ok);
      // No leader does not fail it: every sibling would fail at once, and the balancer would drop them all.
      checks.push({
        name: "writes",
        ok: lane,
        detail: lane ? `through replica ${replica}` : "no leader at the moment",
      });
      return { ready, leader: link.cluster().leader, checks };
    },
    trustedProxies: parseList(textOf(values, "trusted-proxies")),
    ...(origins.length === 0 ? {} : { corsOrigins: origins }),
    limits: { graceMillis: numberOf(values, "drain") },
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
