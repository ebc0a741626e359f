/**
 * Everything in which Quorate means to differ from a real ZooKeeper, on its port, with the reason: the one table. What random play
 * meets names its row here, what a few requests can show is shown (`difference-scenes.ts`), and docs/zookeeper.md has it all:
 * `node test/zookeeper/differences.ts` writes it there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plainWords } from "@quorate/gateway";
import { linkLimits } from "../../gateway/src/limits.ts";
import { watchLimits } from "../../gateway/src/zookeeper/watch-limits.ts";
import type { Entry } from "./back-to-back/side.ts";
import type { WireMultiResult, WireRequest } from "./wire-records.ts";

export interface MeantDifference {
  readonly what: string;
  readonly zookeeper: string;
  readonly quorate: string;
  readonly reason: string;
  /** Whether the difference between two entries of a client's streams, the real server's first, is this one. */
  readonly covers?: (a: Entry, b: Entry) => boolean;
}

const document = join(import.meta.dirname, "../../docs/zookeeper.md");
const config = "/zookeeper/config";

const count = (number: number): string => number.toLocaleString("en");
const mebibytes = (bytes: number): number => bytes / 1_048_576;

const sessions: readonly MeantDifference[] = [
  {
    what: "number, password",
    zookeeper: "server's number and clock; the password follows from the number",
    quorate: "the zxid of the session's creation; 16 random bytes, of which only a hash is kept",
    reason: "nobody can guess a session",
  },
  {
    what: "what keeps one",
    zookeeper: "any request",
    quorate:
      "renewals, which the gateway makes for each ping and while anything comes; a ping is answered once the leader has confirmed its renewal, and a busy connection whose renewals are not confirmed for half of the timeout is closed",
    reason: "no client believes in a session that expires elsewhere",
  },
  {
    what: "timeout",
    zookeeper: "asked for anew at each reconnect",
    quorate: "the session's own, from its creation",
    reason: "it is replicated state",
  },
  {
    what: "requests in flight when the session moves",
    zookeeper: "answered -118",
    quorate: "the connection is closed",
    reason: "what was done is told by reading",
  },
  {
    what: "read-only connections",
    zookeeper: "a server without a majority, where it is switched on",
    quorate: "a gateway that has seen no leader for 2 s; their numbers are negative and of no other door",
    reason: "what is read is as old either way",
  },
  {
    what: "a session that is closed",
    zookeeper: "tells its own watches of its own ephemerals' end before it answers",
    quorate: "tells them nothing more",
    reason: "its client has said goodbye",
  },
];

const requests: readonly MeantDifference[] = [
  {
    what: "`sync`",
    zookeeper: "the leader's word",
    quorate: 'a confirmation by a majority: "sync, then read" is linearizable',
    reason: "ZOOKEEPER-1675",
  },
  {
    what: "opcode 20, deleteContainer",
    zookeeper: "taken from any client",
    quorate: "-6, and the connection is closed, as behind any opcode that nobody knows",
    reason: "it is the server's own, and asks for no right",
  },
  {
    what: "reconfig",
    zookeeper: "where it is switched on",
    quorate: "-123",
    reason: "membership cannot be changed yet",
  },
  {
    what: "SASL, X.509",
    zookeeper: "where they are set up; else the opcode of SASL is answered with an empty token",
    quorate: "refused (-115), and the connection is closed",
    reason: "not there yet",
  },
  {
    what: "TTL and container znodes",
    zookeeper: "TTL where it is switched on; both are looked for once a minute",
    quorate: "always; they go within the second",
    reason: "a lease that ends should be seen to end",
  },
  {
    what: "hard quotas",
    zookeeper:
      "where they are switched on, and if a client has made `zookeeper_stats` too; by the count before the request, so that a multi, or requests in flight, pass them; what takes less is refused too while they are passed",
    quorate: "always, exact; `zookeeper_stats` shows the count if it is there; what takes less is never refused",
    reason: "a limit that is written is meant, and a way out is left",
  },
  {
    what: "limits of a quota that are no limits",
    zookeeper: "the server ends for good",
    quorate: "-8",
    reason: "no client may stop a server",
  },
  {
    what: "`zookeeper_limits` of the root, right below `/zookeeper/quota`",
    zookeeper: "the server ends for good",
    quorate: "a znode like others, and no quota: nothing is counted, nothing refused",
    reason: "a quota on all would refuse its own repair",
  },
  {
    what: "multi",
    zookeeper: "as many operations as fit its frame",
    quorate: "at most 10,000 (-8)",
    reason: "one transaction stops nobody else's pings",
  },
  {
    what: "an ACL",
    zookeeper: "any number of entries",
    quorate: "at most 100, and 16 identities of one connection (-114, -115)",
    reason: "each is looked at in every check",
  },
  {
    what: "a request behind a setAcl that is under way",
    zookeeper: "judged by the former list, now and then, until the new one is applied",
    quorate: "judged by the new one",
    reason: "who takes a right away has taken it from what comes next",
  },
  {
    what: "permissions beyond the five",
    zookeeper: "stored as they are",
    quorate: "-114",
    reason: "they mean nothing",
  },
  {
    what: "a list of rights, a scheme or an id that is null",
    zookeeper: "-5, or -114, by where it is met",
    quorate: "-5, or -114",
    reason: "no client library writes them",
  },
  {
    what: "a path",
    zookeeper: "as long as fits",
    quorate: "at most 4,096 bytes (-8)",
    reason: "paths are kept in memory",
  },
  {
    what: "paths that no client library lets through",
    zookeeper:
      "-101 or -8, by what is there; a parent that is missing, rights that are missing and a bad list of rights are named first; the empty path is the root; a watch may be set on any; `sync` gives characters beyond U+FFFF back in bytes that are no UTF-8",
    quorate: "-8 where the path would be written or watched for good, else -101",
    reason: "they never get as far as the tree",
    covers: (a, b) => (hasFailed(a) || asksForWatches(a)) && hasFailed(b) && namesNonsense(a),
  },
  {
    what: "a sequential znode behind a last name of one or two dots",
    zookeeper: "`/a/.` becomes `/a/.0000000000`",
    quorate: "-8",
    reason: "a prefix is a path, or ends in `/`",
  },
  {
    what: "a record that is not what its opcode says",
    zookeeper: "-5; a follower never answers some",
    quorate: "-5",
    reason: "nobody waits for ever",
  },
  {
    what: "what the door refuses by itself",
    zookeeper: "takes a zxid",
    quorate: "takes none; its reply bears the newest that the client knows",
    reason: "nothing was decided",
  },
  {
    what: "createTTL of another kind with a negative time",
    zookeeper: "the server ends for good",
    quorate: "a plain create, or -8",
    reason: "no client may stop a server",
  },
];

const answers: readonly MeantDifference[] = [
  {
    what: "a reply over 1,048,575 bytes",
    zookeeper: "sent, and the client disconnects, again and again",
    quorate: "-8",
    reason: "the client can do something about it",
  },
  {
    what: "`/zookeeper/config`",
    zookeeper: "empty on a lone server; on an ensemble what `reconfig` keeps there",
    quorate: "the members, as this gateway knows them; version 0; the Stat of a znode that nobody has written",
    reason:
      "it is read from the ensemble, not stored in the tree: REST and gRPC show the stored znode, which is empty, since its ETag must change with what it shows; they have the members in `/v1/cluster` and `ListMembers`",
    covers: (a, b) => isOf(a, config) && isOf(b, config),
  },
  {
    what: "a read in front of a write that is under way with it",
    zookeeper: "bears the zxid before the write",
    quorate: "may bear the write's, and come behind its events, when the write is of something else",
    reason: "replicas apply whole batches; what the read shows is as it was before the write",
  },
  {
    what: "the order of children, and of the identities that `auth` and `whoAmI` stand for",
    zookeeper: "a hash table's",
    quorate: "by name; in the order shown",
    reason: "it is the same everywhere",
  },
  {
    what: "a connection that does not read",
    zookeeper: "its replies pile up",
    quorate: "nothing more is read from it; beyond 80 MiB it is cut off",
    reason: "one client's slowness takes no other's memory",
  },
];

const watches: readonly MeantDifference[] = [
  {
    what: "setWatches after a reconnect",
    zookeeper:
      "what the znodes show: a creation and deletion in between is missed; events of zxid -1; rights are not asked",
    quorate:
      "all that happened and may be read, in order, from the ring of changes; when that does not reach back, ZooKeeper's comparison",
    reason: "nothing is missed that can be known",
  },
  {
    what: "persistent and recursive watches over a reconnect",
    zookeeper: "re-armed; what happened meanwhile is lost",
    quorate: "told as above",
    reason: "as above",
  },
  {
    what: "watches of one connection",
    zookeeper: "as many as memory takes",
    quorate: `${count(watchLimits.followed)} paths or ${mebibytes(watchLimits.followedBytes)} MiB of them (a list of children, and a persistent watch, count twice); beyond, -127. All of a gateway: ${count(linkLimits.followed)} and ${mebibytes(linkLimits.followedBytes)} MiB`,
    reason: "one client takes no other's memory",
  },
];

const port: readonly MeantDifference[] = [
  {
    what: "connections of an address",
    zookeeper: "60",
    quorate: "2,000; 20,000 in all",
    reason: "one host runs many clients",
  },
  {
    what: "four-letter words",
    zookeeper: "`srvr` alone",
    quorate: `${plainWords.map((word) => `\`${word}\``).join(", ")}: of clients their addresses and counts (\`stat\`), never a session; of the server its settings, folders and machine (\`conf\`, \`envi\`). \`zookeeperCommands\` says which`,
    reason: "monitors ask for them",
  },
  {
    what: "admin server",
    zookeeper: "port 8080",
    quorate: "`/metrics`, `/readyz`, `/v1/cluster`",
    reason: "one HTTP port is enough",
  },
];

const groups = { sessions, requests, answers, watches, "the port": port };
export const meantDifferences: readonly MeantDifference[] = Object.values(groups).flat();

/** The row that covers it. */
export function meantBy(a: Entry, b: Entry): MeantDifference | undefined {
  return meantDifferences.find((each) => each.covers?.(a, b) === true);
}

/** As it stands in the document. */
export function table(): string {
  const lines = ["| | ZooKeeper | here | why |", "| --- | --- | --- | --- |"];
  for (const [name, rows] of Object.entries(groups)) {
    lines.push(`| **${name}** | | | |`);
    for (const { what, zookeeper, quorate, reason } of rows) {
      lines.push(`| ${what} | ${zookeeper} | ${quorate} | ${reason} |`);
    }
  }
  return lines.join("\n");
}

/** The document with the table as it should be. */
export function documented(): { readonly text: string; readonly wanted: string } {
  const text = readFileSync(document, "utf8");
  return { text, wanted: text.replace(/\| \| ZooKeeper \|(.|\n\|)*/, () => table()) };
}

/** A successful read of the path, by itself or among others. */
function isOf(entry: Entry, path: string): boolean {
  if (entry.kind !== "reply" || entry.reply.error !== 0) return false;
  const { request } = entry;
  const paths = request.op === "multiRead" ? request.operations.map(pathOf) : [pathOf(request)];
  return paths.includes(path);
}

function hasFailed(entry: Entry): boolean {
  if (entry.kind !== "reply") return false;
  const { error, result } = entry.reply;
  if (error !== 0) return true;
  // The results of a multi, if it is one.
  const { results } = (result ?? {}) as { readonly results?: readonly WireMultiResult[] };
  return results?.some(({ op }) => op === "error") === true;
}

/** A read of what cannot be there leaves a watch with a real server. */
function asksForWatches(entry: Entry): boolean {
  return entry.kind === "reply" && (entry.request.op === "checkWatches" || entry.request.op === "removeWatches");
}

function namesNonsense(entry: Entry): boolean {
  if (entry.kind !== "reply") return false;
  const { request } = entry;
  const all = request.op === "multi" ? request.operations : [request];
  const isSequential = (flags: number): boolean => [2, 3, 6].includes(flags);
  return all.some((each) => {
    if (!("path" in each) || each.path instanceof Uint8Array) return false;
    return !isPath(each.path, "flags" in each && isSequential(each.flags));
  });
}

/** PathUtils.validatePath, of what the suffix of a sequential znode makes of it. */
function isPath(path: string | null, isSequential: boolean): boolean {
  const whole = isSequential ? `${path}0000000000` : path;
  if (whole === "/") return true;
  if (whole === null || !whole.startsWith("/")) return false;
  const isName = (name: string): boolean => name !== "" && name !== "." && name !== ".." && !isUnfit(name);
  return whole.slice(1).split("/").every(isName);
}

/** By UTF-16 units, as Java has them. */
function isUnfit(name: string): boolean {
  const ranges = [
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0xd800, 0xf8ff],
    [0xfff0, 0xffff],
  ] as const;
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    if (ranges.some(([low, high]) => unit >= low && unit <= high)) return true;
  }
  return false;
}

function pathOf(request: WireRequest | { readonly path?: unknown }): string | null {
  return "path" in request && typeof request.path === "string" ? request.path : null;
}

if (import.meta.main) writeFileSync(document, documented().wanted);
