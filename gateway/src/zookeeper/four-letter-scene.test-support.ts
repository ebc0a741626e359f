/** What the four-letter words tell of, put together for their tests. */
import assert from "node:assert/strict";
import type { Path, ReplicaId, SessionId, Zxid } from "@quorate/api";
import type { Answer, Backend, ClusterMember, ClusterView, ReadRequest } from "../backend.ts";
import { answerWord, fourLetterWords } from "./four-letter.ts";
import type { ConnectionReport, FourLetterSource, ProcessFacts, ReplicaFigures } from "./four-letter-source.ts";
import { Statistics, Tally } from "./statistics.ts";

export const startedAt: number = Date.UTC(2026, 1, 11, 20, 18, 5);
export const version = "3.9.5-quorate-0.1.0, built on 02/11/2026 20:18 UTC";

export function member(id: number, leader: number, more: Partial<ClusterMember> = {}): ClusterMember {
  return {
    id,
    standing: "member",
    role: id === leader ? "leading" : "following",
    serving: true,
    reason: "",
    leader,
    epoch: 1,
    acceptedEpoch: 1,
    applied: (0x100000000 + id) as Zxid,
    committed: 0x100000003 as Zxid,
    logged: 0x100000003 as Zxid,
    ensembleId: "e",
    historyId: "h",
    version: "0.1.0",
    rules: 1,
    digest: "",
    znodes: 7,
    sessions: 2,
    agoMillis: 0,
    address: `127.0.0.1:740${id}`,
    reachable: true,
    ...more,
  };
}

export function cluster(leader: ReplicaId, members: readonly ClusterMember[]): ClusterView {
  return { leader, members, silent: [], newest: 0x100000003 as Zxid };
}

export const three = [member(2, 3), member(3, 3), member(1, 3)];

export const idle: ConnectionReport = {
  address: "127.0.0.1:42552",
  paused: true,
  unsent: false,
  outstanding: 0,
  received: 1,
  sent: 0,
  session: undefined,
};

export const busy: ConnectionReport = {
  address: "[::1]:45938",
  paused: false,
  unsent: true,
  outstanding: 3,
  received: 7,
  sent: 9,
  session: {
    session: 0x100000001 as SessionId,
    timeoutMillis: 10_000,
    establishedAt: startedAt + 1000,
    silentUntil: startedAt + 15_400,
    lastReply: { op: "exists", xid: 6, zxid: 0x100000003 as Zxid, at: 35_470.4, millis: 0.4 },
    latency: { min: 0.1, average: 6.3, max: 18.2 },
    watches: 4,
    watchedPaths: () => ["/w", "/none"] as Path[],
  },
};

export const figures: ReplicaFigures = {
  applied: 0x100000009 as Zxid,
  znodes: 31,
  sessions: 4,
  dataBytes: 4711,
  ephemerals: 12,
  leadsMillis: 4000.4,
  proposals: 9,
  proposalBytes: { last: 70, min: 40, max: 900 },
  fsyncs: { count: 4, sum: 10.2, min: 1.2, max: 4.6 },
  snapshots: { count: 0, sum: 0, min: 0, max: 0 },
  looked: 2,
  elections: { count: 2, sum: 310, min: 60, max: 250 },
  outages: { count: 1, sum: 400, min: 400, max: 400 },
};

export function latenciesOf(...millis: number[]): Tally {
  const latencies = new Tally();
  for (const each of millis) latencies.observe(each);
  return latencies;
}

export interface Scene {
  readonly self?: ReplicaId;
  readonly view?: ClusterView;
  readonly facts?: Partial<ProcessFacts>;
  readonly read?: (request: ReadRequest) => Answer;
  readonly connections?: readonly ConnectionReport[];
  readonly state?: FourLetterSource["state"];
}

export function sourceOf(scene: Scene, done: string[] = []): FourLetterSource {
  const statistics = new Statistics();
  statistics.received = 9;
  statistics.sent = 8;
  const replies = [
    [0.2, 20],
    [18, 1044],
    [1.5137, 88],
  ] as const;
  for (const [millis, bytes] of replies) statistics.observe(millis, bytes);
  const { self, view = cluster(3, three), facts, state = "serving", connections = [busy, idle] } = scene;
  const backend = {
    cluster: () => view,
    read: (request: ReadRequest) => Promise.resolve(scene.read?.(request)),
  } as unknown as Backend;
  return {
    version: "0.1.0",
    facts: { wallMillis: () => startedAt + 5000, ...(self === undefined ? {} : { self }), ...facts },
    backend,
    state,
    startedAt,
    clientPort: 2181,
    connectionsPerAddress: 2000,
    minSessionTimeoutMillis: 4000,
    maxSessionTimeoutMillis: 40_000,
    statistics,
    reads: latenciesOf(0.2, 1.5137),
    updates: latenciesOf(18),
    connections: () => connections,
    rejectedConnections: 5,
    failedAuths: 2,
    resetConnections: () => void done.push("connections"),
    resetStatistics: () => void done.push("statistics"),
  };
}

export async function answer(word: string, scene: Scene = {}): Promise<string> {
  return answerWord(word, fourLetterWords, sourceOf(scene));
}

/** What a monitor makes of it. */
export function parsed(text: string, separator: string): Map<string, string> {
  return new Map(
    text
      .trimEnd()
      .split("\n")
      .map((line) => {
        const at = line.indexOf(separator);
        assert.ok(at > 0, `${JSON.stringify(line)} has no ${JSON.stringify(separator)}`);
        return [line.slice(0, at), line.slice(at + 1)];
      }),
  );
}
