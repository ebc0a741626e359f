/** The paths of ZooKeeper's own that every tree has from rules version 2 on (`genesis.ts`). */
import { type Path, rootPath } from "@quorate/api";

export const zookeeperPath: Path = "/zookeeper" as Path;
export const configPath: Path = "/zookeeper/config" as Path;
export const quotaPath: Path = "/zookeeper/quota" as Path;

/** Nobody deletes them. */
export function isReserved(path: Path): boolean {
  return path === rootPath || path === zookeeperPath || path === configPath || path === quotaPath;
}
