/** A gateway's doors over a link to the replicas: embedded in a replica, or alone. */
import {
  createGrpcServer,
  createRecipes,
  createRestServer,
  createZookeeperServer,
  type Dial,
  type GatewayWorld,
  type ProcessFacts,
  type Readiness,
  type ReadinessCheck,
  ReplicaLink,
  type RestServer,
  readWords,
  type SocketBudget,
  type ZookeeperOptions,
  type ZookeeperServer,
} from "@quorate/gateway";
import type { Log } from "./log.ts";
import { parseList, version } from "./options.ts";
import { filesOf, processFacts } from "./process-facts.ts";
import { formatDoors, RequestCounts } from "./request-counts.ts";
import { numberOf, required, SettingsError, textOf, type Values } from "./settings.ts";

export interface DoorOptions {
  readonly values: Values;
  readonly log: Log;
  readonly world: GatewayWorld;
  readonly replicas: readonly string[];
  readonly dial: Dial;
  readonly home: "leader" | "local";
  readonly name: string;
  /** What all its ports may have together. */
  readonly sockets: SocketBudget;
  readonly metrics: () => string;
  /** The replica in the same process. */
  readonly facts: Pick<ProcessFacts, "self" | "replica" | "dataFolder">;
  /** What this process is beside a gateway: whether it is worse than its siblings. */
  readonly checks: () => readonly ReadinessCheck[];
}

export interface Door {
  readonly restPort: number;
  readonly grpcPort: number;
  /** Undefined: it is not served. */
  readonly zookeeperPort: number | undefined;
  stop(): Promise<void>;
}

export async function startDoor(options: DoorOptions): Promise<Door> {
  const { values, log, world, replicas, dial, home, name, sockets } = options;
  const link = new ReplicaLink({ replicas, dial, world, name, log, home });
  const counts = new RequestCounts();
  const superUser = textOf(values, "superuser");
  const origins = parseList(textOf(values, "cors-origin")?.toLowerCase());
  const readiness = (): Readiness => readinessOf(link, options.checks());
  const recipes = createRecipes({ backend: link, world, log });
  const common = {
    backend: link,
    recipes,
    world,
    version,
    log,
    sockets,
    trustedProxies: parseList(textOf(values, "trusted-proxies")),
    limits: { graceMillis: numberOf(values, "drain") },
    ...(superUser === undefined ? {} : { superUserDigest: superUser }),
  };
  const rest = createRestServer({
    ...common,
    metrics: () => options.metrics() + counts.format(zookeeper) + formatDoors(sockets, filesOf(), zookeeper),
    observe: (operation, status, millis) => counts.observe(operation, status, millis),
    readiness,
    ...(origins.length === 0 ? {} : { corsOrigins: origins }),
  });
  const grpc = createGrpcServer({
    ...common,
    observe: (method, status, millis) => counts.observe(`grpc.${method}`, status, millis),
    ready: () => readiness().ready,
    wallNow: () => Date.now(),
  });
  const places = { rest: "", grpc: "" };
  const facts = { ...processFacts, ...options.facts };
  const zookeeper = values["zookeeper"]
    ? createZookeeperServer({ ...common, ...zookeeperOptions(values), facts, otherPorts: places })
    : undefined;
  const restHost = required(values, "rest-host");
  const restPort = await listen(rest, restHost, numberOf(values, "rest-port"));
  places.rest = `${restHost}:${restPort}`;
  log(`REST on http://${places.rest}`);
  const grpcHost = required(values, "grpc-host");
  const grpcPort = await grpc.listen(grpcHost, numberOf(values, "grpc-port"));
  places.grpc = `${grpcHost}:${grpcPort}`;
  log(`gRPC on ${places.grpc}`);
  const zookeeperPort = await listenToZookeeper(zookeeper, values, log);
  return {
    restPort,
    grpcPort,
    zookeeperPort,
    async stop() {
      await Promise.all([rest.stop(), grpc.stop(), zookeeper?.stop()]);
      recipes.close();
      await link.stop();
    },
  };
}

function zookeeperOptions(values: Values): Pick<ZookeeperOptions, "commands" | "limits"> {
  const [least, most] = ["zookeeper-min-session-timeout", "zookeeper-max-session-timeout"].map((name) =>
    numberOf(values, name),
  ) as [number, number];
  if (least > most) {
    const fault = `${least} is more than --zookeeper-max-session-timeout, which is ${most}`;
    throw new SettingsError(`--zookeeper-min-session-timeout ${fault}`);
  }
  const words = readWords(required(values, "zookeeper-commands"));
  return {
    commands: "bad" in words ? [] : words,
    limits: {
      minSessionTimeoutMillis: least,
      maxSessionTimeoutMillis: most,
      connectionsPerAddress: numberOf(values, "zookeeper-connections-per-address"),
      graceMillis: numberOf(values, "drain"),
    },
  };
}

async function listenToZookeeper(
  server: ZookeeperServer | undefined,
  values: Values,
  log: Log,
): Promise<number | undefined> {
  if (server === undefined) return undefined;
  const host = required(values, "zookeeper-host");
  const port = await server.listen(host, numberOf(values, "zookeeper-port"));
  log(`ZooKeeper on ${host}:${port}`);
  return port;
}

function readinessOf(link: ReplicaLink, more: readonly ReadinessCheck[]): Readiness {
  const { connectedReplicas, lane, home: replica } = link.status;
  const reaches = connectedReplicas > 0;
  const checks: ReadinessCheck[] = [
    { name: "replicas", ok: reaches, detail: `${connectedReplicas} connected` },
    ...more,
  ];
  const ready = checks.every((each) => each.ok);
  // No leader does not fail it: every sibling would fail at once, and the balancer would drop them all.
  checks.push({
    name: "writes",
    ok: lane,
    detail: lane ? `through replica ${replica}` : "no leader at the moment",
  });
  return { ready, leader: link.cluster().leader, checks };
}

/** Resolves to the port, which for 0 is any free one. */
async function listen({ server }: RestServer, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`)));
    server.listen({ host, port }, resolve);
  });
  const bound = server.address();
  return typeof bound === "object" && bound ? bound.port : port;
}
