/** What a replica says of itself: to its siblings, to gateways and to Prometheus. */

import type { MemberStatus } from "@quorate/proto";
import { rulesVersion, type Tree } from "@quorate/tree";
import type { PeerView } from "@quorate/zab";
import type { Figures } from "./figures.ts";
import type { StorageStats } from "./storage.ts";

export interface Facts {
  readonly id: number;
  readonly address: string;
  readonly version: string;
  readonly view: PeerView;
  readonly tree: Tree;
  readonly historyId: string;
  /** Its lanes have been told where they stand. */
  readonly ready: boolean;
  readonly restoring: boolean;
}

export function memberStatus(facts: Facts): MemberStatus {
  const { id, address, version, view, tree, historyId, ready, restoring } = facts;
  const { role, leader, epoch, reason } = view.status;
  const catchingUp = view.status.serving && !ready ? "it applies what it was synchronized with" : reason;
  return {
    id,
    standing: view.state.standing,
    role,
    serving: view.status.serving && ready,
    reason: restoring ? "it loads the leader's snapshot" : catchingUp,
    leader,
    epoch,
    acceptedEpoch: view.state.acceptedEpoch,
    applied: tree.applied,
    committed: view.committed,
    logged: view.durable,
    ensembleId: view.state.ensembleId,
    historyId,
    version,
    rules: rulesVersion,
    digest: tree.digest(),
    znodes: tree.znodeCount,
    sessions: tree.clientSessionCount,
    agoMillis: 0,
    address,
  };
}

export interface Counts {
  readonly leads: boolean;
  readonly gateways: number;
  readonly submissionsWaiting: number;
  readonly applyWaiting: number;
  readonly readsWaiting: number;
  readonly feeds: number;
  readonly feedChanges: number;
  readonly commands: number;
  readonly reads: number;
  readonly turns: number;
  readonly slowestTurnMillis: number;
  readonly digestsCompared: number;
  readonly storage: StorageStats;
  readonly figures: Figures;
}

type Row = readonly [name: string, type: "gauge" | "counter", help: string, value: number];

/** What `mntr` of the ZooKeeper port tells too, in ZooKeeper's names. */
function figureRows(figures: Figures): readonly Row[] {
  const { snapshots, elections, outages, proposalBytes, leadsMillis } = figures;
  const { last, min, max } = proposalBytes ?? { last: -1, min: -1, max: -1 };
  return [
    ["data_bytes", "gauge", "bytes of all paths and data, about", figures.dataBytes],
    ["ephemerals", "gauge", "ephemeral znodes", figures.ephemerals],
    ["leading_ms", "gauge", "for how long this replica leads, ms; 0: it does not", Math.round(leadsMillis ?? 0)],
    ["proposals_total", "counter", "proposals made as a leader", figures.proposals],
    ["proposal_last_bytes", "gauge", "bytes of this leadership's last proposal; -1: none yet", last],
    ["proposal_smallest_bytes", "gauge", "of its smallest", min],
    ["proposal_largest_bytes", "gauge", "of its largest", max],
    ["snapshots_total", "counter", "snapshots taken", snapshots.count],
    ["snapshot_ms_total", "counter", "time that they took, ms", Math.round(snapshots.sum)],
    ["snapshot_slowest_ms", "gauge", "the slowest of them, ms", Math.round(snapshots.max)],
    ["looked_total", "counter", "times that this replica began to look for a leader", figures.looked],
    ["elections_total", "counter", "leaders found, or become", elections.count],
    ["election_ms_total", "counter", "time until then, ms", Math.round(elections.sum)],
    ["election_slowest_ms", "gauge", "the longest of them, ms", Math.round(elections.max)],
    ["outages_total", "counter", "times that this replica served again after it had lost its leader", outages.count],
    ["outage_ms_total", "counter", "time until then, ms", Math.round(outages.sum)],
    ["outage_slowest_ms", "gauge", "the longest of them, ms", Math.round(outages.max)],
  ];
}

/** Prometheus' text form. */
export function formatMetrics(facts: Facts, counts: Counts): string {
  const { view, tree } = facts;
  const { storage } = counts;
  const rows: readonly Row[] = [
    ["replica_leading", "gauge", "1 while this replica leads and serves", counts.leads ? 1 : 0],
    ["replica_serving", "gauge", "1 while this replica serves", facts.ready ? 1 : 0],
    ["epoch", "gauge", "the current epoch", view.state.currentEpoch],
    ["committed_zxid", "gauge", "the commit index", view.committed],
    ["applied_zxid", "gauge", "the last zxid applied", tree.applied],
    ["rules_known", "gauge", "the newest rules version that this program knows", rulesVersion],
    ["rules_applied", "gauge", "the rules version of the last batch applied", tree.rules],
    ["znodes", "gauge", "znodes", tree.znodeCount],
    ["sessions", "gauge", "sessions, the gateways' own included", tree.sessionCount],
    ["gateways", "gauge", "gateway streams attached", counts.gateways],
    ["submissions_waiting", "gauge", "commands that wait to be proposed", counts.submissionsWaiting],
    ["apply_waiting", "gauge", "committed batches that wait to be applied", counts.applyWaiting],
    ["reads_waiting", "gauge", "reads that wait", counts.readsWaiting],
    ["feeds", "gauge", "gateway streams that have the feed of changes on", counts.feeds],
    ["feed_changes_total", "counter", "changes sent to gateways, counted for each stream", counts.feedChanges],
    ["commands_applied_total", "counter", "commands applied", counts.commands],
    ["reads_total", "counter", "reads asked of this replica", counts.reads],
    ["loop_turns_total", "counter", "turns of the loop", counts.turns],
    ["loop_slowest_turn_ms", "gauge", "the slowest turn since the last look, ms", Math.round(counts.slowestTurnMillis)],
    ["digests_compared_total", "counter", "digests compared with other members", counts.digestsCompared],
    ["fsyncs_total", "counter", "fsyncs of the log", storage.syncs.count],
    ["fsync_ms_total", "counter", "time in fsyncs of the log, ms", Math.round(storage.syncs.sum)],
    ["fsync_slowest_ms", "gauge", "the slowest fsync of the log, ms", Math.round(storage.syncs.max)],
    ["log_bytes_total", "counter", "bytes appended to the log", storage.bytes],
    ["log_segments", "gauge", "segments of the log", storage.segments],
    ...figureRows(counts.figures),
    ["disk_free_bytes", "gauge", "free bytes where the data lies", storage.freeBytes],
  ];
  const lines = rows.map(
    ([name, type, help, value]) =>
      `# HELP quorate_${name} ${help}\n# TYPE quorate_${name} ${type}\nquorate_${name} ${value}\n`,
  );
  return lines.join("");
}
