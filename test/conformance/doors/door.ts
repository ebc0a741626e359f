/**
 * What can be asked of any door and what it answers, in no door's own form: numbers are decimal, zxids and session ids are
 * `0x` and 16 hex digits, times are milliseconds, and data is text (`base64:` and the rest, where it is no UTF-8).
 */
import type { ErrorCode, HttpErrorCode } from "@quorate/api";
import type { ElectionShown, Fence, LockAsk, LockShown, Place } from "./lock-asks.ts";

export interface Condition {
  readonly exists?: boolean;
  readonly mzxids?: readonly string[];
  readonly version?: number;
}

export interface AclEntry {
  readonly scheme: string;
  readonly id: string;
  readonly perms: string;
}

export interface Check {
  readonly path: string;
  readonly exists?: boolean;
  readonly version?: number;
  readonly mzxid?: string;
  readonly czxid?: string;
  readonly ownerSelf?: true;
}

interface Making {
  readonly kind?: "ephemeral" | "container" | "ttl";
  readonly ttlMillis?: number;
  readonly acl?: readonly AclEntry[];
  readonly parents?: true;
}

export type TxnStep =
  | ({ readonly op: "create"; readonly path: string; readonly data?: string; readonly sequential?: true } & Making)
  | ({ readonly op: "put"; readonly path: string; readonly data?: string; readonly condition?: Condition } & Making)
  | { readonly op: "set"; readonly path: string; readonly data?: string; readonly condition?: Condition }
  | { readonly op: "delete"; readonly path: string; readonly recursive?: true; readonly condition?: Condition }
  | { readonly op: "setAcl"; readonly path: string; readonly acl: readonly AclEntry[]; readonly aversion?: number }
  | ({ readonly op: "check" } & Check)
  | { readonly op: "get" | "exists"; readonly path: string }
  | { readonly op: "children"; readonly path: string; readonly limit?: number; readonly withData?: true };

export type Request =
  | LockAsk
  | Exclude<TxnStep, { readonly op: "children" | "setAcl" | "check" }>
  | {
      readonly op: "children";
      readonly path: string;
      readonly limit?: number;
      readonly token?: string;
      readonly withData?: true;
    }
  | { readonly op: "tree"; readonly path: string; readonly depth?: number; readonly withData?: true }
  | { readonly op: "getAcl"; readonly path: string }
  | {
      readonly op: "setAcl";
      readonly path: string;
      readonly acl: readonly AclEntry[];
      /** Both: the tag that reading it gave. */
      readonly aversion?: number;
      readonly czxid?: string;
    }
  | {
      readonly op: "txn";
      readonly check?: readonly Check[];
      readonly then?: readonly TxnStep[];
      readonly else?: readonly TxnStep[];
    }
  | { readonly op: "sync" }
  | { readonly op: "createSession"; readonly timeoutMillis?: number; readonly name?: string }
  /** Of the session that the request shows, unless an id is given. */
  | { readonly op: "renewSession" | "closeSession" | "getSession"; readonly id?: string }
  | { readonly op: "listSessions"; readonly limit?: number; readonly token?: string }
  | {
      readonly op: "watch";
      readonly nodes?: readonly string[];
      readonly children?: readonly string[];
      readonly subtrees?: readonly string[];
      /** A cursor or a zxid; without it the state is answered. */
      readonly after?: string;
      /** How many events to wait for; else what is there at once. */
      readonly events?: number;
      readonly withData?: true;
    }
  | { readonly op: "members" }
  | { readonly op: "handOver"; readonly to: number };

export interface ShownSession {
  readonly id: string;
  readonly secret: string | undefined;
}

export interface Terms {
  /** `user:password`. */
  readonly as?: string;
  readonly session?: ShownSession;
  readonly key?: string;
  readonly consistency?: "linearizable" | "session" | "stale";
  readonly minZxid?: string;
  readonly maxStaleMillis?: number;
  readonly timeoutMillis?: number;
  readonly fenced?: readonly Fence[];
}

export type Asked = Request & { readonly terms: Terms };

export interface Stat {
  readonly czxid: string;
  readonly mzxid: string;
  readonly pzxid: string;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly kind: "persistent" | "ephemeral" | "container" | "ttl";
  readonly owner?: string;
  readonly ttlMillis?: number;
}

export interface Child {
  readonly name: string;
  readonly stat?: Stat;
  readonly data?: string;
}

/** What one step of a txn answered, or a znode in a tree. */
export interface Part {
  readonly path: string;
  readonly stat?: Stat;
  readonly data?: string;
  readonly deleted?: number;
  readonly children?: readonly Child[];
}

export interface Event {
  readonly type: "created" | "changed" | "deleted";
  readonly path: string;
  readonly zxid: string;
  readonly czxid: string;
  readonly version: number;
  readonly time: number;
  readonly data?: string;
  readonly superseded?: true;
}

export interface State {
  readonly scope: "node" | "children";
  readonly path: string;
  readonly exists: boolean;
  readonly stat?: Stat;
  readonly data?: string;
  readonly names?: readonly string[];
}

export interface SessionShown {
  readonly id: string;
  readonly name: string;
  readonly timeoutMillis: number;
  readonly identity: readonly { readonly scheme: string; readonly id: string }[];
  readonly ephemeralCount: number;
}

/** The fields that the request's kind has. */
export interface Good {
  readonly ok: true;
  readonly zxid: string;
  readonly replayed: boolean;
  readonly consistency?: string;
  /** It says how old it is. */
  readonly aged?: boolean;
  readonly path?: string;
  readonly stat?: Stat;
  readonly data?: string;
  /** Of put. */
  readonly created?: boolean;
  readonly exists?: boolean;
  readonly deleted?: number;
  readonly children?: readonly Child[];
  readonly names?: readonly string[];
  readonly namesZxid?: string;
  readonly token?: string;
  readonly nodes?: readonly Part[];
  readonly acl?: readonly AclEntry[];
  readonly aversion?: number;
  readonly branch?: "then" | "else";
  readonly results?: readonly Part[];
  readonly id?: string;
  readonly secret?: string;
  readonly timeoutMillis?: number;
  readonly session?: SessionShown;
  readonly ephemerals?: readonly string[];
  readonly sessions?: readonly SessionShown[];
  readonly states?: readonly State[];
  readonly events?: readonly Event[];
  readonly cursor?: string;
  readonly place?: Place;
  /** Of a place that was given up. */
  readonly znode?: string;
  readonly lock?: LockShown;
  readonly election?: ElectionShown;
  readonly leader?: number;
  readonly members?: readonly number[];
}

export interface Bad {
  readonly ok: false;
  readonly code: ErrorCode | HttpErrorCode;
  /** Others that this door does not tell apart from it. */
  readonly alike?: readonly ErrorCode[];
  readonly certainty: string;
  readonly detail: string;
  readonly replayed: boolean;
  readonly path?: string;
  readonly op?: { readonly in: "check" | "then" | "else"; readonly index: number };
}

export type Answer = Good | Bad;

export interface Door {
  readonly name: string;
  /** Rejects where the answer itself breaks the door's own contract. */
  ask(asked: Asked): Promise<Answer>;
  close(): void;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function shown(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return `base64:${Buffer.from(bytes).toString("base64")}`;
  }
}

export function bytesOf(data = ""): Buffer {
  return data.startsWith("base64:") ? Buffer.from(data.slice(7), "base64") : Buffer.from(data);
}

export function hex(value: number): string {
  return `0x${value.toString(16).padStart(16, "0")}`;
}
