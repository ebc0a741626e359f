/**
 * What the two ways of asking have in common: calls as values, and the port that carries them. `Calls` makes the values;
 * `Caller` (tries and gateways) and gRPC's session stream carry them.
 */

import { formatZxid, zeroZxid } from "@quorate/api";
import { defined } from "./defined.ts";
import type { ElectionState, Layout, LockMode, LockState, ObserveOptions } from "./locks.ts";
import type {
  AclAnswer,
  AclEntry,
  Child,
  Condition,
  Consistency,
  Deleted,
  Listing,
  ReadOptions,
  Shape,
  Stat,
  TreeNode,
  TreeOptions,
  Txn,
  TxnAnswer,
  Watch,
  WatchItem,
  WatchOptions,
  WriteOptions,
  Written,
  Znode,
} from "./quorate.ts";
import { QuorateError } from "./quorate-error.ts";

/** For a place in a queue: how it is asked for again and again. */
export interface ContestAsk {
  readonly path: string;
  readonly layout?: Layout;
  readonly acl?: readonly AclEntry[];
  /** How long the gateway may wait with its answer. */
  readonly waitMillis: number;
  /** Of what is held: it is renewed, and not taken anew where it is lost. */
  readonly token?: string;
  /** So that a first try that comes late makes no second place. */
  readonly key?: string;
}

/** Of a place. */
export interface GivingUp {
  readonly path: string;
  /** It goes, and no other; without it what the session has there, also what it took since. */
  readonly token?: string | undefined;
}

/** Each call's question, by its name. */
export interface Asks {
  get: { readonly path: string };
  exists: { readonly path: string };
  children: { readonly path: string; readonly limit?: number; readonly data?: boolean; readonly page?: string };
  getAcl: { readonly path: string };
  sync: Record<never, never>;
  put: { readonly path: string; readonly data: Uint8Array } & Shape & Condition;
  create: { readonly path: string; readonly data: Uint8Array; readonly sequential?: boolean } & Shape;
  delete: { readonly path: string; readonly recursive?: boolean; readonly mzxid?: string };
  setAcl: { readonly path: string; readonly acl: readonly AclEntry[]; readonly version?: number };
  txn: Txn;
  createSession: { readonly timeoutMillis?: number; readonly name?: string };
  renewSession: { readonly id: string };
  closeSession: { readonly id: string };
  acquire: ContestAsk & { readonly mode?: LockMode; readonly permits?: number; readonly contender?: string };
  campaign: ContestAsk & { readonly value: Uint8Array };
  release: GivingUp;
  resign: GivingUp;
  proclaim: { readonly path: string; readonly value: Uint8Array };
  lock: { readonly path: string; readonly waiters?: number };
  leader: { readonly path: string };
}

/** Where its session stands in a queue. */
export interface Standing {
  readonly held: boolean;
  /** Of one that is held. */
  readonly token?: string;
  readonly znode: string;
  readonly layout: Layout;
  readonly mode?: LockMode;
  readonly permits?: number;
}

export interface SessionToken {
  readonly id: string;
  readonly secret: string;
}

/** A page of children. */
export interface Page {
  readonly zxid: string;
  readonly children: readonly Child[];
  readonly next?: string;
}

export interface Answers {
  get: Znode;
  exists: Stat | undefined;
  children: Page;
  getAcl: AclAnswer;
  sync: string;
  put: Written;
  create: Written;
  delete: Deleted;
  setAcl: Written;
  txn: TxnAnswer;
  createSession: SessionToken & { readonly timeoutMillis: number };
  renewSession: undefined;
  closeSession: undefined;
  acquire: Standing;
  campaign: Standing;
  release: undefined;
  resign: undefined;
  proclaim: undefined;
  lock: LockState;
  leader: ElectionState;
}

export type Kind = keyof Asks;

/** What carries calls. */
export interface Channel {
  call<K extends Kind>(kind: K, ask: Asks[K], options: ReadOptions & WriteOptions): Promise<Answers[K]>;
  tree(path: string, options: TreeOptions): Listing<TreeNode>;
  watch(options: WatchOptions): Watch;
  observe(path: string, options: ObserveOptions): AsyncIterable<ElectionState>;
}

/** What of a read's options is asked of the gateway. */
export type Reading = Pick<ReadOptions, "consistency" | "minZxid" | "maxStaleMillis">;

/** How one try of a call is made. */
export interface Settings extends Reading {
  /** For the gateway: a little less than what `signal` leaves. */
  readonly timeoutMillis: number;
  readonly signal: AbortSignal;
  readonly session?: SessionToken;
  readonly key?: string;
  readonly fences?: readonly Fence[];
}

/** What a writer shows that it holds. */
export interface Fence {
  readonly path: string;
  readonly token: string;
}

export interface Answered<T> {
  readonly value: T;
  /** The answer's zxid; undefined where no replica was asked. */
  readonly zxid: string | undefined;
}

/** Items that came together, and where the watch stands behind them: a cursor is never inside a transaction. */
export interface WatchPart {
  readonly items: readonly WatchItem[];
  readonly cursor?: string;
}

/** One way to ask one gateway once. `Place`: what it knows an endpoint by. */
export interface Transport<Place> {
  attempt<K extends Kind>(place: Place, kind: K, ask: Asks[K], settings: Settings): Promise<Answered<Answers[K]>>;
  /** Yields the zxid, then the znodes. Throws when it was cut off. */
  tree(place: Place, path: string, options: TreeOptions, settings: Settings): AsyncIterable<string | TreeNode>;
  /** Ends where the gateway ended it in peace. */
  watch(place: Place, options: WatchOptions, after: string | undefined, settings: Settings): AsyncIterable<WatchPart>;
  /** Ends where the gateway ended it in peace. Undefined: nothing is new, but it is alive. */
  observe(place: Place, path: string, settings: Settings): AsyncIterable<ElectionState | undefined>;
}

const readers: readonly Kind[] = ["get", "exists", "children", "getAcl", "sync", "lock", "leader"];

/** A txn of reads alone is a read. */
export function isRead<K extends Kind>(kind: K, ask: Asks[K]): boolean {
  if (kind !== "txn") return readers.includes(kind);
  const { then = [], else: otherwise = [] } = ask as Txn;
  return [...then, ...otherwise].every(({ op }) => ["get", "exists", "children", "check"].includes(op));
}

const harmless: readonly Kind[] = [
  "createSession",
  "renewSession",
  "closeSession",
  "acquire",
  "campaign",
  "release",
  "resign",
];

/** May always be repeated: what is done twice is as if done once. A session has one place in a queue, however often it asks. */
export function isHarmless(kind: Kind): boolean {
  return harmless.includes(kind);
}

/** How long the gateway may wait; undefined: not for its client's sake. */
export function waitOf<K extends Kind>(kind: K, ask: Asks[K]): number | undefined {
  return kind === "acquire" || kind === "campaign" ? (ask as ContestAsk).waitMillis : undefined;
}

/** A name is a path, with or without its first slash. */
export function pathOf(name: string): string {
  return name.startsWith("/") ? name : `/${name}`;
}

/** What a write's options show; undefined: nothing. */
export function fencesOf({ fenced }: WriteOptions, read: boolean): readonly Fence[] | undefined {
  if (fenced === undefined) return undefined;
  if (read) throw new QuorateError("badArguments", "fenced: it guards writes, and this only reads");
  const all = "token" in fenced ? [fenced] : fenced;
  return all.length === 0 ? undefined : all.map(({ name, token }) => ({ path: pathOf(name), token }));
}

/** What a read's options ask for; `usual`: of the client. */
export function readingOf(options: ReadOptions, usual: Consistency | undefined, seen: Seen): Reading {
  const { consistency = usual ?? "linearizable", minZxid, maxStaleMillis } = options;
  const least = consistency === "session" && (minZxid ?? "") < seen.zxid ? seen.zxid : minZxid;
  const asked = consistency === "linearizable" ? undefined : consistency;
  return defined({ consistency: asked, minZxid: least, maxStaleMillis });
}

/** The newest zxid that a client and its sessions saw. */
export class Seen {
  #zxid = formatZxid(zeroZxid);

  get zxid(): string {
    return this.#zxid;
  }

  /** Takes a cursor, too. */
  note(zxid: string | undefined): void {
    const text = zxid?.split(".")[0];
    if (text !== undefined && text > this.#zxid) this.#zxid = text;
  }
}
