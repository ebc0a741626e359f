/** A gateway for clients in tests: its ports, with a real tree in this process behind them. */
import type { AddressInfo } from "node:net";
import {
  type Backend,
  createGrpcServer,
  createNodeWorld,
  createRecipes,
  createRestServer,
  createZookeeperServer,
} from "@quorate/gateway";

export interface Doors {
  readonly restPort: number;
  readonly grpcPort: number;
  readonly zookeeperPort: number;
  stop(): Promise<void>;
}

export interface DoorsOptions {
  readonly superUserDigest?: string;
}

export async function startDoors(backend: Backend, options: DoorsOptions = {}): Promise<Doors> {
  const world = createNodeWorld();
  // Connections are broken on purpose: what a door says of it is for whoever reads the test's output.
  const log = (line: string): void => console.error(line);
  const recipes = createRecipes({ backend, world, log });
  const common = { ...options, backend, recipes, world, version: "test", log };
  const rest = createRestServer({
    ...common,
    readiness: () => ({ ready: true, leader: 1, checks: [] }),
    metrics: () => "",
  });
  const grpc = createGrpcServer({ ...common, wallNow: () => Date.now(), ready: () => true });
  const zookeeper = createZookeeperServer({ ...common, facts: { wallMillis: () => Date.now() } });
  await new Promise<void>((resolve) => rest.server.listen(0, "127.0.0.1", resolve));
  const grpcPort = await grpc.listen("127.0.0.1", 0);
  return {
    restPort: (rest.server.address() as AddressInfo).port,
    grpcPort,
    zookeeperPort: await zookeeper.listen("127.0.0.1", 0),
    stop: async () => {
      await Promise.all([rest.stop(), grpc.stop(), zookeeper.stop()]);
      recipes.close();
    },
  };
}
