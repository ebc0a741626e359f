/**
 * The port behind the doors: session operations, wherever the replicas are. Two implementations: the gRPC link
 * (`replica-link.ts`), and in tests an in-memory one that runs a real tree.
 */
import type {
  Acl,
  Acting,
  Certainty,
  ErrorCode,
  FeedChange,
  IdempotencyKey,
  Identity,
  Outcome,
  Path,
  ReadOperation,
  ReplicaId,
  SessionId,
  WatchEvent,
  WatchScope,
  WatchScopes,
  WatchState,
  WriteOperation,
  Zxid,
} from "@quorate/api";
import type { Consistency, MemberStatus } from "@quorate/proto";

export interface WriteRequest {
  readonly identity: Identity;
  readonly acting?: Acting;
  readonly key?: IdempotencyKey;
  readonly operation: WriteOperation;
}

export interface ReadRequest {
  readonly identity: Identity;
  /** The client's session, where the read is on its behalf (its own listing, `owner: "self"`). */
  readonly acting?: Acting;
  readonly operation: ReadOperation;
  readonly consistency: Consistency;
  /** 0: nothing. */
  readonly minZxid: Zxid;
  /** For `stale`; milliseconds. */
  readonly maxStaleMillis: number;
}

/**
 * `certainty` is that of all tries together. An outcome from the replicated state is certain; `unavailable` is for a
 * request that got none (noLeader, behind, timeout, connectionLoss, throttled, internal).
 */
export type Answer =
  | { readonly kind: "outcome"; readonly outcome: Outcome; readonly servedBy: ReplicaId; readonly ageMillis: number }
  | {
      readonly kind: "unavailable";
      readonly code: ErrorCode;
      readonly detail: string;
      readonly certainty: Certainty;
      readonly retryAfterMillis: number;
    };

export type RenewAnswer =
  | { readonly kind: "renewed"; readonly zxid: Zxid; readonly servedBy: ReplicaId }
  | { readonly kind: "expired" | "badSecret" }
  | Extract<Answer, { kind: "unavailable" }>;

export interface ClusterView {
  /** The leader that the gateway follows; 0: none. */
  readonly leader: ReplicaId;
  readonly members: readonly ClusterMember[];
  /** Addresses, configured or of members, of which nothing is heard at present. */
  readonly silent: readonly string[];
  /** The newest position that the gateway has heard of; 0: none. */
  readonly newest: Zxid;
}

/** Of one that is not reachable nobody knows the present: its role is unknown, it serves nobody and follows nobody. */
export interface ClusterMember extends Omit<MemberStatus, "role"> {
  /** It said something within `linkLimits.silenceMillis`. If not, positions and counts are its last word. */
  readonly reachable: boolean;
  readonly role: MemberStatus["role"] | "unknown";
}

/** A subtree at one zxid. */
export interface TreeRequest {
  readonly identity: Identity;
  readonly acting?: Acting;
  readonly path: Path;
  /** Levels below it: 0 is the znode alone; undefined is all. */
  readonly depth?: number;
  readonly withData: boolean;
  readonly consistency: Consistency;
  readonly minZxid: Zxid;
  readonly maxStaleMillis: number;
}

/**
 * Its pages, of at most about 128 KiB (a larger znode comes alone), asked for one after the other: who asks late is
 * sent nothing meanwhile. All of them are of the first one's zxid.
 */
export interface TreePages {
  /**
   * The outcome's result is a `treePage`; with `more` false it was the last. A failure, or no outcome, ends the listing:
   * `noNode`, `noAuth` and the like at first, `pageTooOld` when the replica that kept it has lost it. Never rejects.
   */
  next(deadlineMillis: number): Promise<Answer>;
  /** Harmless when it is over. A page under way is answered `pageTooOld`. */
  close(): void;
}

/** Where a watch stands. Its text is `formatCursor`'s: `0x0000000200000017.4a91e37371a4b3c6`. */
export interface Cursor {
  readonly zxid: Zxid;
  /** First 16 hex digits of the history's id; undefined: a plain zxid, which does not say. */
  readonly history?: string;
}

export interface WatchRequest {
  readonly identity: Identity;
  /** The session that the watch is kept by: when it is over, the watch ends with `sessionExpired`. */
  readonly acting?: Acting;
  readonly scopes: WatchScopes;
  /** Undefined: the state first, read with `consistency`. Else that does not matter. */
  readonly after?: Cursor;
  readonly consistency: Consistency;
  readonly minZxid: Zxid;
  readonly maxStaleMillis: number;
}

export interface WatchOpening {
  readonly states: readonly WatchState[];
  readonly servedBy: ReplicaId;
  /** Of a stale state; else 0. */
  readonly ageMillis: number;
  /** Of the session that was shown; 0: none. */
  readonly sessionTimeoutMillis: number;
}

/** Nothing is called before `watch` has returned, and nothing after `close` or `ended`. */
export interface WatchListener {
  /** Once, first, unless it ends before. */
  opened(opening: WatchOpening): void;
  /**
   * Whole transactions in zxid order, each once. `more`: what has happened since `after` is not all here yet, and the rest
   * is on its way. Comes once behind `opened` where `after` was given, also with no events.
   */
  events(events: readonly WatchEvent[], more: boolean): void;
  /** The last word: `noAuth`, `cursorTooOld`, `cursorOfAnotherHistory`, `sessionExpired`, or why it was not opened in time. */
  ended(end: WatchEnd): void;
}

export interface WatchEnd {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryAfterMillis: number;
  /** Of the state that was judged; undefined, or 0: of none. */
  readonly zxid?: Zxid;
  /** The replica that judged; undefined: the gateway. */
  readonly servedBy?: ReplicaId;
  /** What it is about. */
  readonly path?: Path;
}

export interface Watching {
  /** All before it was told to the listener; it moves on also when nothing matches. */
  readonly cursor: Cursor;
  close(): void;
}

/** Nothing is called before `follow` has returned, and nothing after `close` or `ended`. */
export interface FollowListener {
  /**
   * Whole transactions in zxid order, each once: the changes that meet what is followed (perhaps others too), none of type
   * `acl`. They refer to `acls` by place; who may be told of them is the listener's to judge.
   */
  changes(changes: readonly FeedChange[], acls: readonly Acl[]): void;
  /**
   * The last word: `sessionExpired` (the session's lane says so, too, and alone where nobody saw the end); `cursorTooOld`,
   * `cursorOfAnotherHistory` (changes are lost); `noLeader` (this gateway stops); `throttled` (too much is followed); `internal`
   * (a listener that throws).
   */
  ended(end: WatchEnd): void;
}

/**
 * What one attached session watches, path by path: changed at will, without asking a replica while the feed goes on. Once a
 * read that was given to the session's lane behind `add` is answered at zxid U, every change of the path behind U comes, or
 * `ended` does. No answer of the lane shows what was not told here (`SessionLane`, rule 9), from `follow` on.
 */
export interface Following {
  /** All before it was told to the listener; 0: nothing is known yet. */
  readonly cursor: Zxid;
  add(scope: WatchScope, path: Path): void;
  /** Harmless if it is not followed. */
  remove(scope: WatchScope, path: Path): void;
  close(): void;
}

/**
 * One write of a session's own lane. The client gives the numbers: 1, 2, … through all attachments, each given once, but
 * that a number is given again to the same write to get its outcome once more (after a break: from the first unanswered).
 */
export interface LaneWrite {
  /** The last one given + 1, or any lower one. */
  readonly sequence: number;
  /** Outcomes up to this one are not asked for again: the client's word. At most `limits.laneWindow` below `sequence`. */
  readonly answeredUpTo: number;
  readonly identity: Identity;
  readonly key?: IdempotencyKey;
  readonly operation: WriteOperation;
}

/**
 * `decided`: the number is used. Else nothing was done and nothing behind it on the lane was taken either: each of those is
 * answered likewise (also those that come before the number comes again), and the number is the next write's.
 */
export interface LaneAnswer {
  readonly answer: Answer;
  readonly decided: boolean;
}

export interface LaneOpening {
  readonly attachment: number;
  /** The last sequence that was applied; lower ones are answered from the replicated memory when they are sent again. */
  readonly lastSequence: number;
  readonly timeoutMillis: number;
  readonly servedBy: ReplicaId;
  /** Of the attachment: nothing that was committed before it began is newer. */
  readonly zxid: Zxid;
}

/** Nothing is called before `attach` has returned, and nothing after `close` or `ended`. */
export interface LaneListener {
  /** Requests may be given from here on. */
  opened(opening: LaneOpening): void;
  /**
   * The last word. `sessionMoved`: it was attached elsewhere; `sessionExpired`; `authFailed`; `connectionLoss`: the lane
   * cannot go on, attach again; or why it could not be opened in time. What was given and not answered is not answered
   * any more: its fate is unknown, and, while the session lives, told by the `lastSequence` of the next attachment.
   */
  ended(end: WatchEnd): void;
  /** It had not been `writable`, and is again. */
  drained(): void;
}

/**
 * A session at home on one stream: its writes and reads are answered in the order given. Survives moves of the home: a
 * write is sent again until it is decided, and has no time limit; who will not wait closes the lane. Callbacks, so that
 * replies and a watch's events keep their order; a `done` may be called before `write` or `read` returns, and may give more.
 */
export interface SessionLane {
  /** False: give nothing more before `drained`. What is given all the same is answered `throttled`, undecided. */
  readonly writable: boolean;
  write(write: LaneWrite, done: (answer: LaneAnswer) => void): void;
  /**
   * Sees every write given before it (but the undecided), and none given after it; not older than anything that was
   * answered on this lane. A linearizable, session or stale read else; a stale one may come from another replica than the
   * events of watches, and before them. Answered behind what was given before it, whatever its time limit.
   */
  read(request: ReadRequest, deadlineMillis: number, done: (answer: Answer) => void): void;
  /** Detaches; the session lives on. What is under way is not answered. */
  close(): void;
}

export interface Backend {
  /** `deadlineMillis`: how long it may take. Never rejects. */
  write(request: WriteRequest, deadlineMillis: number): Promise<Answer>;
  read(request: ReadRequest, deadlineMillis: number): Promise<Answer>;
  /** Renews a session; `secretHash` is the SHA-256 of the secret the client showed. */
  renew(session: SessionId, secretHash: Uint8Array, deadlineMillis: number): Promise<RenewAnswer>;
  handOver(target: ReplicaId, deadlineMillis: number): Promise<Answer>;
  /** Asks nothing before its first `next`. Whoever does not read to the end closes it. */
  listTree(request: TreeRequest): TreePages;
  /** `deadlineMillis`: for the opening. An open watch outlives homes and leaders. */
  watch(request: WatchRequest, deadlineMillis: number, listener: WatchListener): Watching;
  /** On behalf of a session that is attached here. Begins with nothing followed. */
  follow(acting: Acting, listener: FollowListener): Following;
  /**
   * Takes the session over: whoever was attached before gets `sessionMoved`. A sign of life, but no renewal to count on: its
   * end may be proposed already.
   */
  attach(acting: Acting, identity: Identity, deadlineMillis: number, listener: LaneListener): SessionLane;
  cluster(): ClusterView;
}
