/** What a replica has measured since its start, for ZooKeeper's monitors and Prometheus, who are to be told the same. */
import type { Zxid } from "@quorate/api";
import type { Elections } from "./elections.ts";
import type { Parts } from "./parts.ts";
import type { Counts } from "./report.ts";
import type { Spread } from "./spread.ts";
import type { StorageStats } from "./storage.ts";

export interface Figures {
  readonly applied: Zxid;
  readonly znodes: number;
  /** Of clients. */
  readonly sessions: number;
  /** Of all paths and data. */
  readonly dataBytes: number;
  readonly ephemerals: number;
  /** For how long it leads; undefined: it does not. */
  readonly leadsMillis: number | undefined;
  /** Made as a leader. */
  readonly proposals: number;
  /** Of this leadership; undefined: there was none. */
  readonly proposalBytes: Spread | undefined;
  readonly fsyncs: Spread;
  readonly snapshots: Spread;
  readonly looked: number;
  readonly elections: Spread;
  readonly outages: Spread;
}

export function figuresOf(
  { applier, leadership, snapshotter }: Pick<Parts, "applier" | "leadership" | "snapshotter">,
  { syncs }: StorageStats,
  { looked, times, outages }: Elections,
): Figures {
  const { tree } = applier;
  const { leadsMillis, proposals, proposalBytes } = leadership;
  return {
    applied: tree.applied,
    znodes: tree.znodeCount,
    sessions: tree.clientSessionCount,
    dataBytes: tree.bytes,
    ephemerals: tree.ephemeralCount,
    leadsMillis,
    proposals,
    proposalBytes: proposalBytes.count === 0 ? undefined : proposalBytes,
    fsyncs: syncs,
    snapshots: snapshotter.times,
    looked,
    elections: times,
    outages,
  };
}

/** What the parts hold and have done, for Prometheus alone. */
export function countsOf(parts: Parts, storage: StorageStats): Omit<Counts, "figures" | "turns" | "slowestTurnMillis"> {
  const { leadership, desk, applier, reads, feeds, members } = parts;
  return {
    leads: leadership.leads,
    gateways: desk.size,
    submissionsWaiting: leadership.submissions.waiting,
    applyWaiting: applier.waiting,
    readsWaiting: reads.waiting,
    feeds: feeds.size,
    feedChanges: feeds.sent,
    commands: applier.commands,
    reads: reads.count,
    digestsCompared: members.compared,
    storage,
  };
}
