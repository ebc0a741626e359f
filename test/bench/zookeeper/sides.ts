/** The two that are compared, each as three processes behind three ports that speak ZooKeeper's protocol. */
import { Ensemble, freePorts, until } from "../../integration/ensemble.ts";
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
  const leads = async (): Promise<number> => {
    const modes = await Promise.all(servers.map(async (each) => /^Mode: (\w+)$/m.exec(await each.ask("srvr"))?.[1]));
    return modes.filter((mode) => mode === "follower").length === 2 ? modes.indexOf("leader") : -1;
  };
  const pids = servers.map((each) => each.pid);
  return side(`ZooKeeper ${version}`, ports, pids, leads, () => ensemble.stop());
}

export async function startQuorate(): Promise<Side> {
  const ports = await freePorts(3);
  const environmentOf = (name: string) => ({ QUORATE_ZOOKEEPER_PORT: String(ports[Number(name.split(" ")[1]) - 1]) });
  const ensemble = await Ensemble.start({ gateways: 0, environmentOf });
  const pids = ensemble.replicas.map((each) => each.pid);
  const leads = async (): Promise<number> => (await ensemble.leader()) - 1;
  return side("Quorate", ports, pids, leads, () => ensemble.stop());
}

async function side(
  name: string,
  ports: readonly number[],
  pids: readonly number[],
  leads: () => Promise<number>,
  stop: () => Promise<void>,
): Promise<Side> {
  try {
    let leader = -1;
    await until(
      async () => {
        leader = await leads();
        return leader >= 0;
      },
      60_000,
      `${name} has a leader and two followers`,
    );
    const order = [...ports.keys()].filter((at) => at !== leader);
    order.push(leader);
    return { name, ports: order.map((at) => ports[at] ?? 0), pids: order.map((at) => pids[at] ?? 0), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
