/** What a replica has measured since its start, for ZooKeeper's monitors and Prometheus, who are to be told the same. */
import type { Zxid } from "@quorate/api";
import type { Tree } from "@quorate/tree";
import type { Elections } from "./elections.ts";
import type { Parts } from "./parts.ts";
import type { Counts } from "./report.ts";
import type { Spread } from "./spread.ts";
import type { StorageStats } from "./storage.ts";

export interface Measured {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

export interface Figures {
  readonly applied: Zxid;
  readonly znodes: number;
  /** Of clients. */
  readonly sessions: number;
  readonly ephemerals: number;
  /** For how long it leads; undefined: it does not. */
  readonly leadsMillis: number | undefined;
  /** Made as a leader. */
  readonly proposals: number;
  /** Of this leadership; undefined: there was none. */
  readonly proposalBytes: Spread | undefined;
  readonly fsyncs: Measured;
  readonly snapshots: Measured;
  readonly looked: number;
  readonly elections: Measured;
  readonly outages: Measured;
}

/** Up to here they are counted for whoever asks; of more, once in a while. */
const fewSessions = 5000;
const countedMillis = 1000;

/** Each session knows how many ephemerals it has: who asks again and again must not hold the loop up by walking them all. */
export class EphemeralCount {
  #at = Number.NEGATIVE_INFINITY;
  #count = 0;

  of(tree: Tree, now: number): number {
    if (tree.sessionCount > fewSessions && now - this.#at < countedMillis) return this.#count;
    this.#at = now;
    this.#count = 0;
    for (const { ephemeralCount } of tree.sessions()) this.#count += ephemeralCount;
    return this.#count;
  }
}

export function figuresOf(
  { applier, leadership, snapshotter }: Pick<Parts, "applier" | "leadership" | "snapshotter">,
  { syncs, syncMillis, fastestSyncMillis, slowestSyncMillis }: StorageStats,
  { looked, times, outages }: Elections,
  ephemerals: (tree: Tree) => number,
): Figures {
  const { tree } = applier;
  const { leadsMillis, proposals, proposalBytes } = leadership;
  return {
    applied: tree.applied,
    znodes: tree.znodeCount,
    sessions: tree.clientSessionCount,
    get ephemerals() {
      return ephemerals(tree);
    },
    leadsMillis,
    proposals,
    proposalBytes: proposalBytes.count === 0 ? undefined : proposalBytes,
    fsyncs: { count: syncs, sum: syncMillis, min: syncs === 0 ? 0 : fastestSyncMillis, max: slowestSyncMillis },
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
