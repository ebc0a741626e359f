/**
 * The ensemble as `/zookeeper/config` and `conf` tell of it, in ZooKeeper's form. There is one port between replicas, so that
 * it stands for both of ZooKeeper's; client ports are left out: clients that follow the configuration (Curator's
 * EnsembleTracker) keep the addresses they were given.
 */
import type { ClusterView } from "../backend.ts";

/** `server.1=10.0.0.1:7400:7400:participant`, a line for each member by its number, and the configuration's version. */
export function configurationOf({ members }: ClusterView): string {
  const lines = members
    .filter(({ standing, address }) => standing !== "joining" && address.includes(":"))
    .sort((one, other) => one.id - other.id)
    .map(({ id, address }) => {
      const at = address.lastIndexOf(":");
      const port = address.slice(at + 1);
      return `server.${id}=${address.slice(0, at)}:${port}:${port}:participant\n`;
    });
  return `${lines.join("")}version=0`;
}
