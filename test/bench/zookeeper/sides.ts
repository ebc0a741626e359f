/** The two that are compared, each as three processes behind three ports that speak ZooKeeper's protocol. */
import { Ensemble, freePorts, until } from "../../integration/ensemble.ts";
import { talk } from "../../integration/raw-socket.ts";
import { RealZooKeeper } from "../../zookeeper/real-server.ts";

export interface Side {
  readonly name: string;
  /** Followers first, the leader last: a single client is at a follower, as two of three are. */
  readonly ports: readonly number[];
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** As its own start script and sample configuration have it: heap of 1 GB, every write forced to disk, no options on. */
const asItComes = {
  servers: 3,
  javaFlags: ["-Dzookeeper.extendedTypesEnabled=false", "-Dzookeeper.enforceQuota=false"],
};

export async function startZooKeeper(): Promise<Side> {
  const ensemble = await RealZooKeeper.start(asItComes);
  if ("skip" in ensemble) throw new Error(ensemble.skip);
  const { version, ports, servers } = ensemble;
  const pids = servers.map((each) => each.pid);
  return side(`ZooKeeper ${version}`, ports, pids, () => ensemble.stop());
}

export async function startQuorate(): Promise<Side> {
  const ports = await freePorts(3);
  const environmentOf = (name: string) => ({ QUORATE_ZOOKEEPER_PORT: String(ports[Number(name.split(" ")[1]) - 1]) });
  const ensemble = await Ensemble.start({ gateways: 0, environmentOf });
  const pids = ensemble.replicas.map((each) => each.pid);
  return side("Quorate", ports, pids, () => ensemble.stop());
}

async function side(
  name: string,
  ports: readonly number[],
  pids: readonly number[],
  stop: () => Promise<void>,
): Promise<Side> {
  try {
    const modes = new Map<number, string>();
    await until(
      async () => {
        for (const port of ports)
          modes.set(port, /^Mode: (\w+)$/m.exec((await talk(port, "srvr")).text)?.[1] ?? "unknown");
        return [...modes.values()].sort().join() === "follower,follower,leader";
      },
      60_000,
      () => `${name} has a leader and two followers: ${[...modes.values()].join()}`,
    );
    const inOrder = [...ports].sort((a, b) => Number(modes.get(a) === "leader") - Number(modes.get(b) === "leader"));
    return { name, ports: inOrder, pids: inOrder.map((port) => pids[ports.indexOf(port)] ?? 0), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
