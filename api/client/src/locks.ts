/**
 * Locks and elections as a client shows them. A name is a znode's path, with or without its first slash; `token` is the fencing
 * token, which only grows from each holder to the next.
 */
import type { AclEntry, CallOptions, Data, Fenced, ReadOptions, Session, WriteOptions } from "./quorate.ts";

/** Whose clients take part, besides ours. Fixed by the first use of a name, where it is curator unless it is said. */
export type Layout = "curator" | "kazoo";
export type LockMode = "exclusive" | "read" | "write" | "permit";

export interface ContestOptions extends CallOptions {
  /**
   * How long to wait for one's turn, in milliseconds: 0 is not at all, and without it only `signal` ends the waiting. When it is
   * over the place in the queue is given up, and the error's code is `timeout`: its certainty `noEffect` says that the place
   * is gone, `unknown` that it may be there as long as its session.
   */
  readonly wait?: number;
  /**
   * Whose place it is. A session has one place in a queue, so that all who acquire with the same one hold it, and give it up,
   * together. Without it a session is opened for the place, and closed with it.
   */
  readonly session?: Session;
  /** Of a session that is opened; default 30 s. */
  readonly sessionTimeoutMillis?: number;
  readonly layout?: Layout;
  /** Of the znode that is the lock, if it is made. */
  readonly acl?: readonly AclEntry[];
}

export interface AcquireOptions extends ContestOptions {
  /** `read` and `write`: many readers or one writer. `permit`, as with `permits`: one of a semaphore's. Default `exclusive`. */
  readonly mode?: LockMode;
  /** How many may hold the semaphore, when it is first used. */
  readonly permits?: number;
  /** For those who look who holds it, such as `billing@host7`. */
  readonly contender?: string;
}

/** What is held, until it is given up or lost. To be given as `fenced` with whatever it protects. */
export interface Holding extends Fenced, AsyncDisposable {
  readonly name: string;
  readonly token: string;
  readonly layout: Layout;
  readonly znode: string;
  readonly session: Session;
  /**
   * Aborted, with a `QuorateError` as its reason, when it is lost or given up, and when it may be lost: no renewal sent within
   * the last `session.timeoutMillis` was answered. Whatever it protects stops then.
   */
  readonly signal: AbortSignal;
  /** Looks at the clock, too: right even where the process stood still, and `signal` had no time to be aborted. */
  readonly held: boolean;
}

export interface Lock extends Holding {
  readonly mode: LockMode;
  /** Of a semaphore. */
  readonly permits?: number;
  /**
   * Of this place alone, by its token: what the session has taken since stays. May be called again, above all after it has failed:
   * then it is not known whether the lock is still held here.
   */
  release(options?: CallOptions): Promise<void>;
}

export interface Contender {
  readonly contender: string;
  readonly mode: LockMode;
  readonly session: string;
  /** When it came. */
  readonly since: string;
  readonly znode: string;
}

export interface LockState {
  readonly layout: Layout;
  readonly kind: "mutex" | "readWrite" | "semaphore";
  readonly permits?: number;
  /** In the queue's order; none: it is free. */
  readonly holders: readonly (Contender & { readonly token: string })[];
  /** The first ones, in the queue's order. */
  readonly waiters: readonly Contender[];
  /** How many wait in all. */
  readonly waiting: number;
  readonly zxid: string;
}

export interface LockStateOptions extends ReadOptions {
  /** How many who wait are told; default 100. */
  readonly waiters?: number;
}

export interface Locks {
  /** Resolves when it is held. Broken connections and gateways that go cost nothing: the place in the queue is kept. */
  acquire(name: string, options?: AcquireOptions): Promise<Lock>;
  /** Who holds it and who waits; `noNode` where nobody ever did, or not for long. */
  get(name: string, options?: LockStateOptions): Promise<LockState>;
}

export interface Leadership extends Holding {
  /** Replaces what the leader is known by; `fenced` if it does not lead any more. */
  proclaim(value: Data, options?: Omit<WriteOptions, "fenced">): Promise<void>;
  /** As a lock is released. */
  resign(options?: CallOptions): Promise<void>;
}

export interface Leader {
  readonly value: Uint8Array;
  readonly token: string;
  readonly session: string;
  /** When it became a candidate. */
  readonly since: string;
  readonly znode: string;
}

export interface ElectionState {
  readonly layout: Layout;
  /** Undefined: nobody leads. */
  readonly leader: Leader | undefined;
  /** How many wait to lead. */
  readonly candidates: number;
  readonly zxid: string;
}

export interface ObserveOptions {
  /** How long it may be out of touch before that is an error; without it, for ever. */
  readonly timeoutMillis?: number;
  readonly signal?: AbortSignal;
}

export interface Elections {
  /** Resolves when it leads, as a lock is acquired. `value` is what the leader is known by. */
  campaign(name: string, value: Data, options?: ContestOptions): Promise<Leadership>;
  leader(name: string, options?: ReadOptions): Promise<ElectionState>;
  /**
   * Who leads, at first and whenever that or its value is another; who leads but shortly may be passed over. It goes on through
   * losses of gateways and leaders, until its reader breaks off. `noNode`: there is no such election.
   */
  observe(name: string, options?: ObserveOptions): AsyncIterable<ElectionState>;
}
