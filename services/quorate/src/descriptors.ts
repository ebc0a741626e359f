/**
 * How the process's open files are shared out: first what the replica cannot do without, which is set aside; then what the
 * doors may have together. Idle clients must never take the descriptor that the log's next segment needs.
 */
import { assert } from "@quorate/api";
import { grpcLimits, restLimits, SocketBudget, type SocketBudgetOptions, zookeeperLimits } from "@quorate/gateway";
import { serverLimits } from "@quorate/proto";
import type { Log } from "./log.ts";
import { filesOf } from "./process-facts.ts";
import { SettingsError, type Values } from "./settings.ts";

export const descriptorLimits = {
  /** Set aside for Node itself, the log, snapshots, listening ports, and the links to the replicas. */
  own: 128,
  /** Set aside for the peer port, where other replicas and gateways come in: this part of all, between these two. */
  peerPart: 1 / 4,
  leastPeers: 192,
  mostPeers: serverLimits.connections,
  /** With fewer for the doors it does not start. */
  leastDoors: 64,
} as const;

assert(descriptorLimits.leastPeers > serverLimits.strangers, "strangers do not take the whole of the peer port");

export interface Descriptors {
  /** What the process may open; Infinity where the system does not say. Node has raised it as far as it may. */
  readonly files: number;
  /** Sockets that the peer port may have; 0 without one. */
  readonly peers: number;
  /** What is left for the doors. */
  readonly doors: number;
}

/** Throws where the limit leaves nothing. */
export function readDescriptors(kind: "replica" | "gateway"): Descriptors {
  const { most } = filesOf();
  return shareOut(most < 0 ? Number.POSITIVE_INFINITY : most, kind);
}

export function shareOut(files: number, kind: "replica" | "gateway"): Descriptors {
  const { own, peerPart, leastPeers, mostPeers, leastDoors } = descriptorLimits;
  const least = own + leastDoors + (kind === "replica" ? leastPeers : 0);
  if (files < least) {
    const why = `the process may open ${files} files, and a ${kind} needs ${least} at least`;
    throw new SettingsError(`${why}: raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd)`);
  }
  const peers = kind === "gateway" ? 0 : Math.min(mostPeers, Math.max(leastPeers, Math.floor(files * peerPart)));
  return { files, peers, doors: files - own - peers };
}

/** Each door's own limit, and what REST needs to refuse. */
function wantedBy(values: Values): SocketBudgetOptions["wanted"] {
  return {
    rest: restLimits.connections,
    refusals: restLimits.refusals,
    grpc: grpcLimits.connections,
    zookeeper: values["zookeeper"] ? zookeeperLimits.connections : 0,
  };
}

/** Says so if the doors may have less than their limits. */
export function makeBudget(
  { files, peers, doors }: Descriptors,
  values: Values,
  now: () => number,
  log: Log,
): SocketBudget {
  const wanted = wantedBy(values);
  const full = Object.values(wanted).reduce((sum, each) => sum + each, 0);
  if (doors < full) {
    const each = `REST ${wanted.rest}, gRPC ${wanted.grpc}, ZooKeeper ${wanted.zookeeper}`;
    const may = `the limit of ${files} open files leaves the ports ${doors} connections together, fewer than theirs (${each})`;
    const enough = full + descriptorLimits.own + (peers === 0 ? 0 : descriptorLimits.mostPeers);
    log(`${may}: ${enough} would be enough for all (ulimit -Hn, or LimitNOFILE= of systemd)`);
  }
  return new SocketBudget({ sockets: doors, files, wanted, now, log });
}
