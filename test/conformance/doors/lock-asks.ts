/** What of locks and elections can be asked of any door, and what it answers, in no door's own form. */

export type LockMode = "exclusive" | "read" | "write" | "permit";
export type Layout = "curator" | "kazoo";

/** A write that is done only while this is held. */
export interface Fence {
  readonly path: string;
  readonly token: string;
}

interface Contest {
  readonly path: string;
  readonly layout?: Layout;
  readonly token?: string;
}

export type LockAsk =
  | ({
      readonly op: "acquire";
      readonly mode?: LockMode;
      readonly permits?: number;
      readonly contender?: string;
    } & Contest)
  | ({ readonly op: "campaign"; readonly data?: string } & Contest)
  | { readonly op: "proclaim"; readonly path: string; readonly data?: string }
  | { readonly op: "release" | "resign"; readonly path: string; readonly token?: string }
  | { readonly op: "lock" | "leader"; readonly path: string };

export function isLockAsk(asked: { readonly op: string }): asked is LockAsk {
  return /^(acquire|release|lock|campaign|proclaim|resign|leader)$/.test(asked.op);
}

export interface Place {
  readonly path: string;
  readonly held: boolean;
  readonly token?: string;
  /** Of a lock's. */
  readonly mode?: LockMode;
  readonly layout: Layout;
  readonly permits?: number;
  readonly znode: string;
  readonly ahead: number;
  readonly id: string;
  readonly secret?: string;
  readonly timeoutMillis: number;
}

export interface Contender {
  readonly token?: string;
  readonly contender: string;
  readonly mode: LockMode;
  readonly id: string;
  readonly znode: string;
}

export interface LockShown {
  readonly path: string;
  readonly layout: Layout;
  readonly kind: "mutex" | "readWrite" | "semaphore";
  readonly permits?: number;
  readonly holders: readonly Contender[];
  readonly waiters: readonly Contender[];
  readonly waiting: number;
}

export interface ElectionShown {
  readonly path: string;
  readonly layout: Layout;
  readonly leads?: { readonly data: string; readonly token: string; readonly id: string; readonly znode: string };
  readonly candidates: number;
}
