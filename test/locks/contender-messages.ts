/** What is said between the run and each contender, which is a process of its own. */
import type { LockMode } from "./rest-locks.ts";

export type Kind = "mutex" | "readWrite" | "semaphore";

export interface LockPlan {
  /** As in `/v1/locks/{name}`. */
  readonly name: string;
  readonly kind: Kind;
  readonly permits?: number;
  readonly layout: "curator" | "kazoo";
  /** The znode that it protects, which every write replaces or reads; below it each accepted write leaves a child. */
  readonly znode: string;
  /** Whether the resource outside is written as well. A semaphore's tokens have no one order that it could go by. */
  readonly outside: boolean;
}

export interface ContenderPlan {
  readonly name: string;
  readonly seed: number;
  readonly doors: readonly string[];
  readonly outside: string;
  readonly locks: readonly LockPlan[];
  readonly withToken: boolean;
  readonly sessionMillis: number;
}

export type ToContender =
  | { readonly kind: "begin"; readonly plan: ContenderPlan }
  /** In the midst of its next section it says so, and waits to be told to go on. */
  | { readonly kind: "wait in midst" }
  | { readonly kind: "go on" }
  /** No more turns but a last one at each lock. */
  | { readonly kind: "finish" };

export type FromContender =
  | { readonly kind: "midst" }
  /** The session that it uses now. */
  | { readonly kind: "session"; readonly id: string }
  /** A write of the znode itself that was answered: it has left no child. */
  | {
      readonly kind: "replaced";
      readonly lock: string;
      readonly at: number;
      readonly token: number;
      readonly mode: LockMode;
    }
  /** Within a reader's section, by the accepted reads, what it reads changed. */
  | { readonly kind: "changed"; readonly what: string }
  | { readonly kind: "violation"; readonly what: string }
  | { readonly kind: "counts"; readonly counts: ContenderCounts }
  | { readonly kind: "done" };

export interface ContenderCounts {
  acquired: number;
  waited: number;
  /** Sections that ended early since a write was refused, or the place was gone. */
  lost: number;
  /** Calls that were not answered, or answered without effect or certainty. */
  troubled: number;
  sessions: number;
}

export function noCounts(): ContenderCounts {
  return { acquired: 0, waited: 0, lost: 0, troubled: 0, sessions: 0 };
}
