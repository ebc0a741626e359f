/** The four-letter words that tell of service, connections and watches. */
import type { Path, SessionId } from "@quorate/api";
import type { ClusterMember } from "../backend.ts";
import { shownVersion } from "./four-letter-facts.ts";
import type { ConnectionReport, FourLetterSource } from "./four-letter-source.ts";
import type { Latency } from "./statistics.ts";

/** What nobody knows. */
const unknown = -1;

/** As Java writes a long. */
export function hex(value: number): string {
  return `0x${(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value).toString(16)}`;
}

/** As Java writes a double: 6.5714, 9.0. */
function decimal(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  return Number.isInteger(rounded) ? rounded.toFixed(1) : String(rounded);
}

/** The replica of this process, if there is one; else the one that is followed: its figures are the ensemble's. */
function memberOf({ backend, facts }: FourLetterSource): ClusterMember | undefined {
  const { members, leader } = backend.cluster();
  return members.find(({ id }) => id === (facts.self ?? leader)) ?? members.find(({ reachable }) => reachable);
}

/**
 * `zk_server_state` and `Mode`. A gateway alone is `observer`: ZooKeeper's word for one that serves clients and has no vote, which
 * every monitor knows and counts neither as a leader nor as a follower.
 */
export function modeOf(source: FourLetterSource): string {
  const { facts, backend, state } = source;
  if (state === "readOnly") return "read-only";
  if (facts.self === undefined) return "observer";
  const { members, leader } = backend.cluster();
  if (leader !== facts.self) return "follower";
  return members.length === 1 ? "standalone" : "leader";
}

/** srvr; stat with the connections. */
export function serverReport(source: FourLetterSource, withClients: boolean): string {
  const { statistics, backend, state } = source;
  const { latency } = statistics;
  const connections = [...source.connections()];
  const mode = modeOf(source);
  const member = memberOf(source);
  const lines = [`Zookeeper version: ${shownVersion(source)}`];
  if (state === "readOnly") lines.push("READ-ONLY mode; serving only read-only clients");
  if (withClients) lines.push("Clients:", ...connections.map((each) => `${counted(each)})`), "");
  lines.push(
    `Latency min/avg/max: ${Math.round(latency.min)}/${decimal(latency.average)}/${Math.round(latency.max)}`,
    `Received: ${statistics.received}`,
    `Sent: ${statistics.sent}`,
    `Connections: ${connections.length}`,
    `Outstanding: ${outstandingOf(connections)}`,
    `Zxid: ${hex(source.facts.self === undefined ? backend.cluster().newest : (member?.applied ?? 0))}`,
    `Mode: ${mode}`,
    `Node count: ${member?.znodes ?? unknown}`,
  );
  if (mode === "leader") lines.push("Proposal sizes last/min/max: -1/-1/-1");
  return `${lines.join("\n")}\n`;
}

function outstandingOf(connections: readonly ConnectionReport[]): number {
  return connections.reduce((sum, { outstanding }) => sum + outstanding, 0);
}

/** The bits of Java's SelectionKey: reads, writes. */
function interestOf({ paused, unsent }: ConnectionReport): number {
  return (paused ? 0 : 1) | (unsent ? 4 : 0);
}

/** Without the closing bracket: `cons` has more. */
function counted(each: ConnectionReport): string {
  const { address, outstanding, received, sent } = each;
  return ` /${address}[${interestOf(each)}](queued=${outstanding},recved=${received},sent=${sent}`;
}

/** ZooKeeper's short names, for `lop`. */
const operationNames: { readonly [op: string]: string | undefined } = {
  create: "CREA",
  delete: "DELE",
  exists: "EXIS",
  getData: "GETD",
  setData: "SETD",
  getAcl: "GETA",
  setAcl: "SETA",
  getChildren: "GETC",
  getChildren2: "GETC",
  sync: "SYNC",
  ping: "PING",
  multi: "MULT",
  multiRead: "MLTR",
  checkWatches: "CHKW",
  removeWatches: "REMW",
  setWatches: "SETW",
  addWatch: "ADDW",
  getEphemerals: "GETE",
  getAllChildrenNumber: "GETACN",
  whoAmI: "HOMI",
  reconfig: "RECO",
  closeSession: "CLOS",
};

function detailed(each: ConnectionReport): string {
  if (each.session === undefined) return `${counted(each)})`;
  const { session, establishedAt, timeoutMillis, lastReply, latency } = each.session;
  const operation = lastReply === undefined ? "SESS" : (operationNames[lastReply.op] ?? "NA");
  const fields = [`sid=${hex(session)}`, `lop=${operation}`, `est=${Math.round(establishedAt)}`, `to=${timeoutMillis}`];
  if (lastReply !== undefined && lastReply.xid >= 0) fields.push(`lcxid=${hex(lastReply.xid)}`);
  fields.push(lastReply === undefined ? "lzxid=0xffffffffffffffff" : `lzxid=${hex(lastReply.zxid)}`);
  fields.push(`lresp=${Math.round(lastReply?.at ?? 0)}`, `llat=${Math.round(lastReply?.millis ?? 0)}`);
  const { min, average, max } = latency;
  fields.push(`minlat=${Math.round(min)}`, `avglat=${Math.round(average)}`, `maxlat=${Math.round(max)}`);
  return `${counted(each)},${fields.join(",")})`;
}

/** cons */
export function connectionList(source: FourLetterSource): string {
  const lines = [...source.connections()].map((each) => `${detailed(each)}\n`);
  return `${lines.join("")}\n`;
}

/** mntr */
export function monitor(source: FourLetterSource): string {
  const lines = [
    ["version", shownVersion(source)],
    ["server_state", modeOf(source)],
    ...peerState(source),
    ...gauges(source),
    ...leaderGauges(source),
  ] as const;
  return lines.map(([name, value]) => `zk_${name}\t${value}\n`).join("");
}

type Line = readonly [name: string, value: number | string];

function peerState({ facts, backend }: FourLetterSource): readonly Line[] {
  if (facts.self === undefined) return [];
  const { leader } = backend.cluster();
  if (leader === 0) return [["peer_state", "looking"]];
  return [["peer_state", leader === facts.self ? "leading - broadcast" : "following - broadcast"]];
}

function gauges(source: FourLetterSource): readonly Line[] {
  const { statistics, facts } = source;
  const connections = [...source.connections()];
  const member = memberOf(source);
  const latency: Latency = statistics.latency;
  const files = facts.files?.();
  return [
    ["ephemerals_count", unknown],
    ["num_alive_connections", connections.length],
    ["avg_latency", decimal(latency.average)],
    ["outstanding_requests", outstandingOf(connections)],
    ["znode_count", member?.znodes ?? unknown],
    ["global_sessions", member?.sessions ?? unknown],
    ["packets_sent", statistics.sent],
    ["packets_received", statistics.received],
    ["connection_drop_probability", "0.0"],
    ["watch_count", connections.reduce((sum, { session }) => sum + (session?.watches ?? 0), 0)],
    ["auth_failed_count", source.failedAuths],
    ["min_latency", Math.round(latency.min)],
    ["max_file_descriptor_count", files?.most ?? unknown],
    ["approximate_data_size", unknown],
    ["open_file_descriptor_count", files?.open ?? unknown],
    ["local_sessions", 0],
    ["uptime", Math.max(0, Math.round(facts.wallMillis() - source.startedAt))],
    ["max_latency", Math.round(latency.max)],
    ["outstanding_tls_handshake", 0],
    ["connection_rejected", source.rejectedConnections],
  ];
}

/** Of the leader's own port, as in ZooKeeper. */
function leaderGauges({ facts, backend }: FourLetterSource): readonly Line[] {
  const { members, leader } = backend.cluster();
  if (facts.self === undefined || leader !== facts.self) return [];
  const followers = members.filter(({ id, reachable, role }) => id !== leader && reachable && role === "following");
  const synced = followers.filter(({ serving }) => serving).length;
  return [
    ["learners", followers.length],
    ["synced_followers", synced],
    ["synced_non_voting_followers", 0],
    ["synced_observers", 0],
    ["pending_syncs", followers.length - synced],
    ["leader_uptime", unknown],
    ["last_proposal_size", unknown],
    ["max_proposal_size", unknown],
    ["min_proposal_size", unknown],
    ["quorum_size", members.length],
  ];
}

/** Who watches what: of ZooKeeper's table of data watches, which its words show. */
function watching(source: FourLetterSource): Map<SessionId, readonly Path[]> {
  const found = new Map<SessionId, readonly Path[]>();
  for (const { session } of source.connections()) {
    const paths = session === undefined ? [] : [...session.watchedPaths()];
    if (session !== undefined && paths.length > 0) found.set(session.session, paths);
  }
  return found;
}

/** wchs */
export function watchSummary(source: FourLetterSource): string {
  const found = watching(source);
  const paths = new Set<Path>();
  let total = 0;
  for (const each of found.values()) {
    total += each.length;
    for (const path of each) paths.add(path);
  }
  return `${found.size} connections watching ${paths.size} paths\nTotal watches:${total}\n`;
}

/** wchc */
export function watchesBySession(source: FourLetterSource): string {
  const groups = [...watching(source)].map(([session, paths]) => group(hex(session), paths));
  return `${groups.join("")}\n`;
}

/** wchp */
export function watchesByPath(source: FourLetterSource): string {
  const byPath = new Map<Path, string[]>();
  for (const [session, paths] of watching(source)) {
    for (const path of paths) {
      const sessions = byPath.get(path);
      if (sessions === undefined) byPath.set(path, [hex(session)]);
      else sessions.push(hex(session));
    }
  }
  return `${[...byPath].map(([path, sessions]) => group(path, sessions)).join("")}\n`;
}

export function group(head: string, lines: readonly string[]): string {
  return `${head}\n${lines.map((line) => `\t${line}\n`).join("")}`;
}
