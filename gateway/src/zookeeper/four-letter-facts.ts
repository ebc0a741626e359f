/** The four-letter words that tell of the process and its settings; what there is nothing alike of is -1 or `<NA>`, ZooKeeper's own words for it. */
import { configurationOf } from "./cluster-config.ts";
import type { FourLetterSource } from "./four-letter-source.ts";

/** Whose protocol and behaviour this is; clients go by its numbers. */
const zookeeperVersion = "3.9.5";
/** Of which the timeouts are 2 and 20. */
const tickMillis = 2000;

/**
 * In the form of ZooKeeper's, where a revision stands behind the version. Nothing is built: it is as old as its process. The date
 * is written as ZooKeeper 3.5 does: go-zookeeper understands no other, and nobody is known who does not understand this one.
 */
export function shownVersion({ version, startedAt }: FourLetterSource): string {
  const [, year, month, day, minute] = /^(\d+)-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(new Date(startedAt).toISOString()) ?? [];
  return `${zookeeperVersion}-quorate-${version}, built on ${month}/${day}/${year} ${minute} UTC`;
}

function lines(entries: readonly (readonly [name: string, value: string | number])[]): string {
  return entries.map(([name, value]) => `${name}=${value}\n`).join("");
}

/** Java's part of `envi`; clients and tools look for single names of it. */
const java = ["java.version", "java.vendor", "java.home", "java.class.path", "java.library.path"] as const;

export function environment(source: FourLetterSource): string {
  const told = source.facts.environment?.() ?? [];
  return `Environment:\n${lines([
    ["zookeeper.version", shownVersion(source)],
    ...told,
    ...java.map((name) => [name, "<NA>"] as const),
  ])}`;
}

export function configuration(source: FourLetterSource): string {
  const { facts, backend } = source;
  const { dataFolder: folder } = facts;
  const cluster = backend.cluster();
  const own = cluster.members.find(({ id }) => id === facts.self);
  const port = own?.address.slice(own.address.lastIndexOf(":") + 1) ?? -1;
  const bytes = folder?.bytes() ?? -1;
  const text = lines([
    ["clientPort", source.clientPort],
    ["secureClientPort", -1],
    ["dataDir", folder?.path ?? "<NA>"],
    ["dataDirSize", bytes],
    ["dataLogDir", folder?.path ?? "<NA>"],
    ["dataLogSize", bytes],
    ["tickTime", tickMillis],
    ["maxClientCnxns", source.connectionsPerAddress],
    ["minSessionTimeout", source.minSessionTimeoutMillis],
    ["maxSessionTimeout", source.maxSessionTimeoutMillis],
    ["clientPortListenBacklog", -1],
    ["serverId", facts.self ?? 0],
    ["initLimit", -1],
    ["syncLimit", -1],
    ["electionAlg", -1],
    ["electionPort", port],
    ["quorumPort", port],
    // Participant, or observer.
    ["peerType", facts.self === undefined ? 1 : 0],
  ]);
  return `${text}membership: \n${configurationOf(cluster)}`;
}

export function directories({ facts }: FourLetterSource): string {
  const bytes = facts.dataFolder?.bytes() ?? -1;
  return `datadir_size: ${bytes}\nlogdir_size: ${bytes}\n`;
}
