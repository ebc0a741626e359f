/** The three that are compared, each as three processes of its own, and what their own counters say of operations. */
import { Ensemble, freePorts } from "../../integration/ensemble.ts";
import { RealZooKeeper } from "../../zookeeper/real-server.ts";
import { RealEtcd } from "./etcd.ts";

export const sideNames = ["quorate", "zookeeper", "etcd"] as const;
export type SideName = (typeof sideNames)[number];

/** What load.py knows. */
export type ClientName = "quorate-rest" | "quorate-grpc" | "kazoo" | "etcd-json" | "etcd-grpc";

export interface Client {
  readonly name: ClientName;
  /** `127.0.0.1:8080`, of each server. */
  readonly hosts: readonly string[];
}

/** Since the servers' start, all three together. */
export interface Operations {
  /** Transactions that were committed. */
  readonly writes: number;
  readonly reads: number;
  /** Events of watches: to clients; of Quorate the changes that a replica tells its own doors. */
  readonly events: number;
}

export interface Side {
  readonly title: string;
  readonly clients: readonly Client[];
  readonly pids: readonly number[];
  operations(): Promise<Operations>;
  stop(): Promise<void>;
}

/** The sum of what the servers' texts have under this name. */
function sum(texts: readonly string[], name: RegExp): number {
  const pattern = new RegExp(`^(?:${name.source})(?:\\{[^}]*\\})?\\s+([\\d.e+]+)$`, "gm");
  return texts.reduce(
    (all, text) => [...text.matchAll(pattern)].reduce((more, [, value]) => more + Number(value), all),
    0,
  );
}

function largest(texts: readonly string[], name: RegExp): number {
  return Math.max(...texts.map((each) => sum([each], name)));
}

function metricsOf(ports: readonly number[]): Promise<string[]> {
  return Promise.all(ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()));
}

function hostsOf(ports: readonly number[]): string[] {
  return ports.map((port) => `127.0.0.1:${port}`);
}

/** At the ports of the replicas themselves, as the others' clients are at the servers. */
async function startQuorate(): Promise<Side> {
  const grpcPorts = await freePorts(3);
  const environmentOf = (name: string) => ({ QUORATE_GRPC_PORT: `${grpcPorts[Number(name.split(" ")[1]) - 1]}` });
  const ensemble = await Ensemble.start({ gateways: 0, environmentOf });
  const ports = ensemble.replicas.map((each) => each.restPort);
  return {
    title: "Quorate",
    clients: [
      { name: "quorate-rest", hosts: hostsOf(ports) },
      { name: "quorate-grpc", hosts: hostsOf(grpcPorts) },
    ],
    pids: ensemble.replicas.map((each) => each.pid),
    operations: async () => {
      const texts = await metricsOf(ports);
      return {
        writes: largest(texts, /quorate_commands_applied_total/),
        reads: sum(texts, /quorate_reads_total/),
        events: sum(texts, /quorate_feed_changes_total/),
      };
    },
    stop: () => ensemble.stop(),
  };
}

/** As its own start script and sample configuration have it. */
async function startZooKeeper(): Promise<Side> {
  const javaFlags = ["-Dzookeeper.extendedTypesEnabled=false", "-Dzookeeper.enforceQuota=false"];
  const ensemble = await RealZooKeeper.start({ servers: 3, javaFlags });
  if ("skip" in ensemble) throw new Error(ensemble.skip);
  return {
    title: `ZooKeeper ${ensemble.version}`,
    clients: [{ name: "kazoo", hosts: hostsOf(ensemble.ports) }],
    pids: ensemble.servers.map((each) => each.pid),
    operations: async () => {
      const texts = await Promise.all(ensemble.servers.map((each) => each.ask("mntr")));
      return {
        writes: sum(texts, /zk_cnt_updatelatency/),
        reads: sum(texts, /zk_cnt_readlatency/),
        events: sum(texts, /zk_sum_node_\w+_watch_count/),
      };
    },
    stop: () => ensemble.stop(),
  };
}

async function startEtcd(): Promise<Side> {
  const etcd = await RealEtcd.start();
  return {
    title: `etcd ${etcd.version}`,
    clients: [
      { name: "etcd-grpc", hosts: hostsOf(etcd.ports) },
      { name: "etcd-json", hosts: hostsOf(etcd.ports) },
    ],
    pids: etcd.pids,
    operations: async () => {
      const texts = await metricsOf(etcd.ports);
      return {
        writes: largest(texts, /etcd_server_proposals_applied_total/),
        reads: sum(texts, /etcd_debugging_mvcc_range_total/),
        events: sum(texts, /etcd_debugging_mvcc_events_total/),
      };
    },
    stop: () => etcd.stop(),
  };
}

export function startSide(name: SideName): Promise<Side> {
  return { quorate: startQuorate, zookeeper: startZooKeeper, etcd: startEtcd }[name]();
}
