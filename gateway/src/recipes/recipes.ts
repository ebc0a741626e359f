/**
 * Locks and elections as calls: made of sessions, sequential ephemerals, txns and watches, with no state of their own outside
 * the tree. A name is the path of a znode; whoever contends is a child of it, and the queue is in the order of their numbers.
 *
 * What makes them safe is this alone: a contender that was once among the first stays there until its znode goes, since
 * whoever comes later has a higher number and a higher czxid. So `held` is never taken back but with the znode, an old view
 * may answer late but not wrongly, and the znode's czxid is a fencing token that only grows from one holder to the next.
 */
import type { Acl, Acting, Failure, IdempotencyKey, Identity, Path, ReplicaId, SessionId, Zxid } from "@quorate/api";
import type { Consistency } from "@quorate/proto";
import type { Answer, WatchEnd, WriteRequest } from "../backend.ts";
import type { Guarding } from "./fence.ts";
import type { Fenceable } from "./fence-wrap.ts";

/**
 * Whose clients a queue is shared with: how its znodes are called. Fixed by the first use of a name, in the data of its znode.
 * curator: `_c_<uuid>-lock-<number>`, `-__READ__`, `-__WRIT__`, `-latch-`. kazoo: `<uuid>__lock__<number>`, `__rlock__`.
 */
export type Layout = "curator" | "kazoo";

/** Fixed by the first use, too. A semaphore has the first `permits` of its queue as holders; no other client's is shared. */
export type LockKind = "mutex" | "readWrite" | "semaphore";

export type LockMode = "exclusive" | "read" | "write" | "permit";

/** What is wished of a lock's znode; what is not said is as it was made, or at first: a mutex in Curator's layout. */
export interface LockShape {
  readonly layout?: Layout;
  /** Says the kind: exclusive is a mutex, permit a semaphore. */
  readonly mode: LockMode;
  /** Of a semaphore, 1 to 10,000; needed when it is made. */
  readonly permits?: number;
}

/** Somebody in a queue. */
export interface Contender {
  /** czxid of its znode. Of a holder: the fencing token. */
  readonly token: Zxid;
  readonly znode: Path;
  readonly mode: LockMode;
  /** Its znode's data: for a lock the name it gave, for an election what it proclaims. */
  readonly data: Uint8Array;
  readonly session: SessionId;
  /** When it came, ms since 1970. */
  readonly since: number;
}

/** Where a session stands in a queue. */
export interface Place {
  readonly held: boolean;
  /** czxid of the contender's znode: a fencing token once it is held. */
  readonly token: Zxid;
  readonly znode: Path;
  readonly layout: Layout;
  readonly mode: LockMode;
  readonly permits?: number;
  /** How many stand before it; 0 when it is held. */
  readonly ahead: number;
  readonly session: SessionId;
  readonly sessionTimeoutMillis: number;
  /** 16 bytes: of a session that this call opened, and told this once. */
  readonly secret?: Uint8Array;
}

/** `failed`: nothing was done. Its codes are the tree's, and `fenced`: the place that was named is no more. */
export type RecipeAnswer<T> =
  | {
      readonly kind: "done";
      readonly value: T;
      readonly zxid: Zxid;
      readonly servedBy: ReplicaId;
      /** Of a stale read. */
      readonly ageMillis?: number;
    }
  | { readonly kind: "failed"; readonly failure: Failure; readonly servedBy: ReplicaId }
  | Extract<Answer, { kind: "unavailable" }>;

/** Who asks for a place, and how. */
export interface Contest {
  readonly identity: Identity;
  /** Path of the lock or election. Missing parents are made, and it itself, as a container. */
  readonly path: Path;
  /**
   * The client's. It is renewed as the call comes. Undefined: one is opened for this place, and closed with it; then the
   * answer comes at once, since it has the secret without which the place could not be found again.
   */
  readonly acting?: Acting;
  /** Of a session that is opened. */
  readonly sessionTimeoutMillis: number;
  /** The client's address, for operators. */
  readonly address: string;
  /** Of the lock's znode, if this call makes it. Undefined: open. */
  readonly acl?: Acl;
  /** Of the contender's znode: a lock's contender's name, an election's value. At most `recipeLimits.valueBytes`. */
  readonly data: Uint8Array;
  /** The place that the client has: it is not made anew if it is gone (`fenced`), and while it is held this waits for its loss. */
  readonly token?: Zxid;
  /** A retry with the same key is the same place even if the first try is still under way. */
  readonly key?: IdempotencyKey;
  /** 0: answered as soon as it is known. A third of the session's timeout at most. */
  readonly waitMillis: number;
}

export interface LockContest extends Contest {
  readonly shape: LockShape;
}

export interface ElectionContest extends Contest {
  readonly layout?: Layout;
}

/** Whose place it is, and which: any that he has, if no token is said. */
export interface GivingUp {
  readonly identity: Identity;
  readonly path: Path;
  readonly acting: Acting;
  readonly token?: Zxid;
}

/** A call that waits. */
export interface Waiting<T> {
  readonly answer: Promise<RecipeAnswer<T>>;
  /** Answer now with what is known: its time is over, or the process stops. The place stays. */
  finish(): void;
  /** Its client went before he was answered. The place stays, but not by a session that nobody was told of. */
  abandon(): void;
}

export interface RecipeRead {
  readonly identity: Identity;
  readonly acting?: Acting;
  readonly path: Path;
  readonly consistency: Consistency;
  readonly minZxid: Zxid;
  readonly maxStaleMillis: number;
}

export interface LockState {
  readonly layout: Layout;
  readonly kind: LockKind;
  readonly permits?: number;
  /** In the queue's order; nobody, if it is free. */
  readonly holders: readonly Contender[];
  /** The first ones, in the queue's order. */
  readonly waiters: readonly Contender[];
  /** How many wait in all. */
  readonly waiting: number;
}

export interface ElectionState {
  readonly layout: Layout;
  /** Undefined: nobody leads. `mzxid` is that of what it proclaims. */
  readonly leader?: Contender & { readonly mzxid: Zxid };
  /** How many wait to lead. */
  readonly candidates: number;
}

/** Nothing is called before `observe` has returned, and nothing after `close` or `ended`. */
export interface ElectionListener {
  /** At first, and whenever the leader or what it proclaims is another; those that lead shortly may be passed over. */
  changed(state: ElectionState, zxid: Zxid): void;
  ended(end: WatchEnd): void;
}

/** What a writer shows: it holds this lock (or leads) with this token. */
export interface Fence {
  readonly path: Path;
  readonly token: Zxid;
}

export interface Recipes {
  /** The session's place in the queue, made if it has none; a session has one place in a queue. */
  acquire(contest: LockContest, deadlineMillis: number): Waiting<Place>;
  /**
   * Gives up the place, held or not: `noNode` if there is none. A session that was opened for it is closed. With a token the
   * place goes that has it, and is `fenced` if that is no more: so that one that comes late does not give up the next place.
   */
  release(request: GivingUp, deadlineMillis: number): Promise<RecipeAnswer<{ znode: Path }>>;
  lock(read: RecipeRead, waiters: number, deadlineMillis: number): Promise<RecipeAnswer<LockState>>;
  campaign(contest: ElectionContest, deadlineMillis: number): Waiting<Place>;
  /** Replaces what the leader is known by; `fenced` if the session does not lead. */
  proclaim(
    request: { identity: Identity; path: Path; acting: Acting; data: Uint8Array; key?: IdempotencyKey },
    deadlineMillis: number,
  ): Promise<RecipeAnswer<Place>>;
  /** As `release`. */
  resign(request: GivingUp, deadlineMillis: number): Promise<RecipeAnswer<{ znode: Path }>>;
  leader(read: RecipeRead, deadlineMillis: number): Promise<RecipeAnswer<ElectionState>>;
  observe(read: RecipeRead, deadlineMillis: number, listener: ElectionListener): { close(): void };
  /**
   * The write, if each fence still holds when it is applied, else `fenced` with nothing done: decided in the same
   * transaction. The answer is as the write's own (of a txn the places of its operations are the client's). A txn with
   * `else` is guarded in both branches.
   */
  write(request: WriteRequest, fences: readonly Fence[], deadlineMillis: number): Promise<Answer>;
  /**
   * The same for who sends the operation himself, in an order of his own: at once when all tokens are known here, so that his
   * order is kept without a wait.
   */
  guard(
    operation: Fenceable,
    fences: readonly Fence[],
    identity: Identity,
    deadlineMillis: number,
  ): Guarding | Promise<Guarding>;
  /** Nobody waits any more; what is under way is answered with what is known. */
  close(): void;
}
