/** The four-letter words that tell of service, connections and watches; `mntr` has a file of its own. */
import { type Path, type SessionId, type Zxid, zeroZxid } from "@quorate/api";
import type { ClusterMember } from "../backend.ts";
import { shownVersion } from "./four-letter-facts.ts";
import type { ConnectionReport, FourLetterSource, ReplicaFigures } from "./four-letter-source.ts";

/** What nobody knows. */
const unknown = -1;
/** ZooKeeper's word for sizes of what there was none of yet. */
export const noSizes = { last: unknown, min: unknown, max: unknown };

/** As Java writes a long. */
export function hex(value: number): string {
  return `0x${(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value).toString(16)}`;
}

/** As Java writes a double: 6.5714, 9.0. */
export function decimal(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  return Number.isInteger(rounded) ? rounded.toFixed(1) : String(rounded);
}

/** What is replicated: of the replica of this process, if there is one; else of the one that is followed. */
export function stateOf(source: FourLetterSource): Pick<ReplicaFigures, "znodes" | "sessions"> | undefined {
  return source.facts.replica?.() ?? memberOf(source);
}

function zxidOf({ facts, backend }: FourLetterSource): Zxid {
  const cluster = backend.cluster();
  if (facts.self === undefined) return cluster.newest;
  return facts.replica?.().applied ?? cluster.members.find(({ id }) => id === facts.self)?.applied ?? zeroZxid;
}

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
  const { statistics, state } = source;
  const { latency } = statistics;
  const connections = [...source.connections()];
  const mode = modeOf(source);
  const lines = [`Zookeeper version: ${shownVersion(source)}`];
  if (state === "readOnly") lines.push("READ-ONLY mode; serving only read-only clients");
  if (withClients) lines.push("Clients:", ...connections.map((each) => `${counted(each)})`), "");
  lines.push(
    `Latency min/avg/max: ${Math.round(latency.min)}/${decimal(latency.average)}/${Math.round(latency.max)}`,
    `Received: ${statistics.received}`,
    `Sent: ${statistics.sent}`,
    `Connections: ${connections.length}`,
    `Outstanding: ${outstandingOf(connections)}`,
    `Zxid: ${hex(zxidOf(source))}`,
    `Mode: ${mode}`,
    `Node count: ${stateOf(source)?.znodes ?? unknown}`,
  );
  if (mode === "leader") {
    const { last, min, max } = source.facts.replica?.().proposalBytes ?? noSizes;
    lines.push(`Proposal sizes last/min/max: ${last}/${min}/${max}`);
  }
  return `${lines.join("\n")}\n`;
}

export function outstandingOf(connections: readonly ConnectionReport[]): number {
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
