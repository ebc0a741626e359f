/**
 * `mntr`: a line for each figure, in ZooKeeper's names, for monitors. Each is measured, here or by the replica of this process;
 * what is not is left out, so that nobody draws a curve of what nobody knows.
 */
import { shownVersion } from "./four-letter-facts.ts";
import { decimal, modeOf, noSizes, outstandingOf, stateOf } from "./four-letter-report.ts";
import type { FourLetterSource, ReplicaFigures, Spread } from "./four-letter-source.ts";

type Line = readonly [name: string, value: number | string];

export function monitor(source: FourLetterSource): string {
  const lines = [
    ["version", shownVersion(source)],
    ["server_state", modeOf(source)],
    ...peerState(source),
    ...replicated(source),
    ...traffic(source),
    ...processOf(source),
    ...replicaOf(source),
    ...leaderOf(source),
  ] as const;
  return lines.map(([name, value]) => `zk_${name}\t${value}\n`).join("");
}

function peerState({ facts, backend }: FourLetterSource): readonly Line[] {
  if (facts.self === undefined) return [];
  const { leader, members } = backend.cluster();
  const serving = leader === facts.self ? "leading - broadcast" : "following - broadcast";
  return [
    ["peer_state", leader === 0 ? "looking" : serving],
    ["quorum_size", members.length],
  ];
}

/** Of what is replicated. */
function replicated(source: FourLetterSource): readonly Line[] {
  const state = stateOf(source);
  if (state === undefined) return [];
  return [
    ["znode_count", state.znodes],
    ["global_sessions", state.sessions],
  ];
}

/** Of this port. */
function traffic(source: FourLetterSource): readonly Line[] {
  const { statistics, reads, updates } = source;
  const { latency } = statistics;
  const connections = [...source.connections()];
  return [
    ["num_alive_connections", connections.length],
    ["outstanding_requests", outstandingOf(connections)],
    ["packets_received", statistics.received],
    ["packets_sent", statistics.sent],
    ["watch_count", connections.reduce((sum, { session }) => sum + (session?.watches ?? 0), 0)],
    ["avg_latency", decimal(latency.average)],
    ["min_latency", Math.round(latency.min)],
    ["max_latency", Math.round(latency.max)],
    ...spread("readlatency", reads),
    ...spread("updatelatency", updates),
    ...sizes("client_response_size", statistics.replySizes ?? noSizes),
    ["auth_failed_count", source.failedAuths],
    ["connection_rejected", source.rejectedConnections],
  ];
}

/** ZooKeeper too says -1 where the system does not tell of files. */
function processOf({ facts, startedAt }: FourLetterSource): readonly Line[] {
  const { open, most } = facts.files?.() ?? { open: -1, most: -1 };
  return [
    ["open_file_descriptor_count", open],
    ["max_file_descriptor_count", most],
    ["uptime", Math.max(0, Math.round(facts.wallMillis() - startedAt))],
  ];
}

function replicaOf({ facts }: FourLetterSource): readonly Line[] {
  const figures: ReplicaFigures | undefined = facts.replica?.();
  if (figures === undefined) return [];
  return [
    ["ephemerals_count", figures.ephemerals],
    ["approximate_data_size", figures.dataBytes],
    ["proposal_count", figures.proposals],
    ["looking_count", figures.looked],
    ...spread("election_time", figures.elections),
    ...spread("unavailable_time", figures.outages),
    ...spread("fsynctime", figures.fsyncs),
    ...spread("snapshottime", figures.snapshots),
  ];
}

/** Of the leader's own port, as in ZooKeeper. */
function leaderOf({ facts, backend }: FourLetterSource): readonly Line[] {
  const { members, leader } = backend.cluster();
  if (facts.self === undefined || leader !== facts.self) return [];
  const followers = members.filter(({ id, reachable, role }) => id !== leader && reachable && role === "following");
  const synced = followers.filter(({ serving }) => serving).length;
  const figures = facts.replica?.();
  const millis = figures?.leadsMillis;
  return [
    ["learners", followers.length],
    ["synced_followers", synced],
    ["pending_syncs", followers.length - synced],
    ...(millis === undefined ? [] : [["leader_uptime", Math.round(millis)] as const]),
    ...(figures === undefined ? [] : sizes("proposal_size", figures.proposalBytes ?? noSizes)),
  ];
}

function sizes(name: string, { last, min, max }: typeof noSizes): readonly Line[] {
  return [
    [`last_${name}`, last],
    [`min_${name}`, min],
    [`max_${name}`, max],
  ];
}

/** As ZooKeeper shows what it takes the average of. */
function spread(name: string, { count, sum, min, max }: Spread): readonly Line[] {
  return [
    [`avg_${name}`, decimal(count === 0 ? 0 : sum / count)],
    [`min_${name}`, Math.round(min)],
    [`max_${name}`, Math.round(max)],
    [`cnt_${name}`, count],
    [`sum_${name}`, Math.round(sum)],
  ];
}
