/** Made from proto/quorate/v1 by `npm run generate`; not written by hand. */
export interface CreateSessionRequest {
  readonly timeout?: Duration | undefined;
  readonly name?: string | undefined;
}

export interface CreateSessionResponse {
  readonly header?: Header | undefined;
  readonly sessionId?: number | undefined;
  readonly secret?: string | undefined;
  readonly timeout?: Duration | undefined;
}

export interface RenewSessionRequest {
  readonly sessionId?: number | undefined;
}

export interface RenewSessionResponse {
  readonly header?: Header | undefined;
}

export interface CloseSessionRequest {
  readonly sessionId?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface CloseSessionResponse {
  readonly header?: Header | undefined;
  readonly deleted?: number | undefined;
}

export interface GetSessionRequest {
  readonly sessionId?: number | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface GetSessionResponse {
  readonly header?: Header | undefined;
  readonly session?: SessionInfo | undefined;
  readonly ephemerals?: readonly string[] | undefined;
}

export interface ListSessionsRequest {
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface ListSessionsResponse {
  readonly header?: Header | undefined;
  readonly sessions?: readonly SessionInfo[] | undefined;
  readonly nextPageToken?: string | undefined;
}

export interface AuthId {
  readonly scheme?: string | undefined;
  readonly id?: string | undefined;
}

export interface SessionInfo {
  readonly sessionId?: number | undefined;
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  readonly timeout?: Duration | undefined;
  readonly identity?: readonly AuthId[] | undefined;
  readonly createdAt?: Timestamp | undefined;
  readonly ephemeralCount?: number | undefined;
  readonly idle?: Duration | undefined;
}

export interface SessionRequest {
  readonly open?: SessionOpen | undefined;
  readonly operations?: readonly SessionOperation[] | undefined;
  readonly heartbeat?: SessionHeartbeat | undefined;
  readonly answeredUpTo?: number | undefined;
}

export interface SessionOpen {
  readonly sessionId?: number | undefined;
  readonly secret?: string | undefined;
  readonly answeredUpTo?: number | undefined;
}

export interface SessionHeartbeat {
  readonly id?: number | undefined;
}

export interface SessionOperation {
  readonly requestId?: number | undefined;
  readonly sequence?: number | undefined;
  readonly timeout?: Duration | undefined;
  readonly create?: CreateRequest | undefined;
  readonly put?: PutRequest | undefined;
  readonly set?: SetRequest | undefined;
  readonly delete?: DeleteRequest | undefined;
  readonly setAcl?: SetAclRequest | undefined;
  readonly txn?: TxnRequest | undefined;
  readonly get?: GetRequest | undefined;
  readonly exists?: ExistsRequest | undefined;
  readonly listChildren?: ListChildrenRequest | undefined;
  readonly getAcl?: GetAclRequest | undefined;
  readonly sync?: SyncRequest | undefined;
  readonly watch?: WatchRequest | undefined;
  readonly unwatch?: SessionUnwatch | undefined;
  readonly close?: SessionClose | undefined;
  /** Which of them is there: told when it is read, not needed when it is written. */
  readonly operation?: "create" | "put" | "set" | "delete" | "setAcl" | "txn" | "get" | "exists" | "listChildren" | "getAcl" | "sync" | "watch" | "unwatch" | "close" | undefined;
}

export interface SessionUnwatch {
  readonly watchId?: number | undefined;
}

export interface SessionUnwatched {
  readonly header?: Header | undefined;
}

export interface SessionClose {

}

export interface SessionResponse {
  readonly opened?: SessionOpened | undefined;
  readonly events?: readonly SessionEvents[] | undefined;
  readonly replies?: readonly SessionReply[] | undefined;
  readonly heartbeat?: SessionHeartbeat | undefined;
}

export interface SessionOpened {
  readonly header?: Header | undefined;
  readonly attachment?: number | undefined;
  readonly lastSequence?: number | undefined;
  readonly timeout?: Duration | undefined;
}

export interface SessionEvents {
  readonly watchId?: number | undefined;
  readonly watch?: WatchResponse | undefined;
  readonly error?: Failure | undefined;
  readonly cursor?: string | undefined;
  /** Which of them is there: told when it is read, not needed when it is written. */
  readonly what?: "watch" | "error" | undefined;
}

export interface SessionReply {
  readonly requestId?: number | undefined;
  readonly sequence?: number | undefined;
  readonly decided?: boolean | undefined;
  readonly error?: Failure | undefined;
  readonly create?: CreateResponse | undefined;
  readonly put?: PutResponse | undefined;
  readonly set?: SetResponse | undefined;
  readonly delete?: DeleteResponse | undefined;
  readonly setAcl?: SetAclResponse | undefined;
  readonly txn?: TxnResponse | undefined;
  readonly get?: GetResponse | undefined;
  readonly exists?: ExistsResponse | undefined;
  readonly listChildren?: ListChildrenResponse | undefined;
  readonly getAcl?: GetAclResponse | undefined;
  readonly sync?: SyncResponse | undefined;
  readonly watch?: WatchResponse | undefined;
  readonly unwatch?: SessionUnwatched | undefined;
  readonly close?: CloseSessionResponse | undefined;
  /** Which of them is there: told when it is read, not needed when it is written. */
  readonly result?: "error" | "create" | "put" | "set" | "delete" | "setAcl" | "txn" | "get" | "exists" | "listChildren" | "getAcl" | "sync" | "watch" | "unwatch" | "close" | undefined;
}

export type NodeKind = "NODE_KIND_UNSPECIFIED" | "NODE_KIND_PERSISTENT" | "NODE_KIND_EPHEMERAL" | "NODE_KIND_CONTAINER" | "NODE_KIND_TTL";

export interface Stat {
  readonly czxid?: number | undefined;
  readonly mzxid?: number | undefined;
  readonly pzxid?: number | undefined;
  readonly ctime?: Timestamp | undefined;
  readonly mtime?: Timestamp | undefined;
  readonly version?: number | undefined;
  readonly cversion?: number | undefined;
  readonly aversion?: number | undefined;
  readonly ephemeralOwner?: number | undefined;
  readonly dataLength?: number | undefined;
  readonly numChildren?: number | undefined;
  readonly kind?: NodeKind | undefined;
  readonly ttl?: Duration | undefined;
}

export interface AclEntry {
  readonly scheme?: string | undefined;
  readonly id?: string | undefined;
  readonly perms?: string | undefined;
}

export interface Acl {
  readonly entries?: readonly AclEntry[] | undefined;
}

export interface Shape {
  readonly kind?: NodeKind | undefined;
  readonly ttl?: Duration | undefined;
  readonly acl?: Acl | undefined;
}

export interface Condition {
  readonly exists?: boolean | undefined;
  readonly mzxids?: readonly number[] | undefined;
  readonly version?: number | undefined;
}

export type Consistency = "CONSISTENCY_UNSPECIFIED" | "CONSISTENCY_LINEARIZABLE" | "CONSISTENCY_SESSION" | "CONSISTENCY_STALE";

export interface ReadOptions {
  readonly consistency?: Consistency | undefined;
  readonly minZxid?: number | undefined;
  readonly maxStale?: Duration | undefined;
  readonly sessionId?: number | undefined;
}

export interface WriteOptions {
  readonly idempotencyKey?: string | undefined;
  readonly sessionId?: number | undefined;
  readonly fenced?: readonly Fence[] | undefined;
}

export interface Fence {
  readonly path?: string | undefined;
  readonly token?: number | undefined;
}

export interface Header {
  readonly zxid?: number | undefined;
  readonly servedBy?: number | undefined;
  readonly replayed?: boolean | undefined;
  readonly consistency?: Consistency | undefined;
  readonly staleAge?: Duration | undefined;
}

export type Certainty = "CERTAINTY_UNSPECIFIED" | "CERTAINTY_NO_EFFECT" | "CERTAINTY_UNKNOWN";

export interface Failure {
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
  readonly certainty?: Certainty | undefined;
  readonly zxid?: number | undefined;
  readonly path?: string | undefined;
  readonly operation?: FailedOperation | undefined;
  readonly retryAfter?: Duration | undefined;
  readonly replayed?: boolean | undefined;
}

export interface FailedOperation {
  readonly in?: FailedOperationIn | undefined;
  readonly index?: number | undefined;
}

export type FailedOperationIn = "IN_UNSPECIFIED" | "IN_CHECKS" | "IN_THEN" | "IN_OTHERWISE";

export interface WatchRequest {
  readonly nodes?: readonly string[] | undefined;
  readonly children?: readonly string[] | undefined;
  readonly subtrees?: readonly string[] | undefined;
  readonly afterCursor?: string | undefined;
  readonly afterZxid?: number | undefined;
  readonly includeData?: boolean | undefined;
  readonly options?: ReadOptions | undefined;
  /** Which of them is there: told when it is read, not needed when it is written. */
  readonly after?: "afterCursor" | "afterZxid" | undefined;
}

export interface WatchResponse {
  readonly header?: Header | undefined;
  readonly cursor?: string | undefined;
  readonly states?: readonly WatchState[] | undefined;
  readonly events?: readonly WatchEvent[] | undefined;
  readonly more?: boolean | undefined;
}

export interface WatchState {
  readonly node?: string | undefined;
  readonly childrenOf?: string | undefined;
  readonly exists?: boolean | undefined;
  readonly stat?: Stat | undefined;
  readonly data?: Uint8Array | undefined;
  readonly names?: readonly string[] | undefined;
  /** Which of them is there: told when it is read, not needed when it is written. */
  readonly scope?: "node" | "childrenOf" | undefined;
}

export interface WatchEvent {
  readonly type?: WatchEventType | undefined;
  readonly path?: string | undefined;
  readonly zxid?: number | undefined;
  readonly version?: number | undefined;
  readonly czxid?: number | undefined;
  readonly time?: Timestamp | undefined;
  readonly data?: Uint8Array | undefined;
  readonly superseded?: boolean | undefined;
}

export type WatchEventType = "TYPE_UNSPECIFIED" | "TYPE_CREATED" | "TYPE_CHANGED" | "TYPE_DELETED";

export interface CreateRequest {
  readonly path?: string | undefined;
  readonly data?: Uint8Array | undefined;
  readonly shape?: Shape | undefined;
  readonly sequential?: boolean | undefined;
  readonly parents?: boolean | undefined;
  readonly options?: WriteOptions | undefined;
}

export interface CreateResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly stat?: Stat | undefined;
}

export interface PutRequest {
  readonly path?: string | undefined;
  readonly data?: Uint8Array | undefined;
  readonly shape?: Shape | undefined;
  readonly parents?: boolean | undefined;
  readonly condition?: Condition | undefined;
  readonly options?: WriteOptions | undefined;
}

export interface PutResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly stat?: Stat | undefined;
  readonly created?: boolean | undefined;
}

export interface GetRequest {
  readonly path?: string | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface GetResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly data?: Uint8Array | undefined;
  readonly stat?: Stat | undefined;
}

export interface ExistsRequest {
  readonly path?: string | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface ExistsResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly exists?: boolean | undefined;
  readonly stat?: Stat | undefined;
}

export interface SetRequest {
  readonly path?: string | undefined;
  readonly data?: Uint8Array | undefined;
  readonly condition?: Condition | undefined;
  readonly options?: WriteOptions | undefined;
}

export interface SetResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly stat?: Stat | undefined;
}

export interface DeleteRequest {
  readonly path?: string | undefined;
  readonly condition?: Condition | undefined;
  readonly recursive?: boolean | undefined;
  readonly options?: WriteOptions | undefined;
}

export interface DeleteResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly deleted?: number | undefined;
}

export interface ListChildrenRequest {
  readonly path?: string | undefined;
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
  readonly withData?: boolean | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface Child {
  readonly name?: string | undefined;
  readonly stat?: Stat | undefined;
  readonly data?: Uint8Array | undefined;
}

export interface ListChildrenResponse {
  readonly header?: Header | undefined;
  readonly namesZxid?: number | undefined;
  readonly stat?: Stat | undefined;
  readonly children?: readonly Child[] | undefined;
  readonly nextPageToken?: string | undefined;
}

export interface GetTreeRequest {
  readonly path?: string | undefined;
  readonly depth?: number | undefined;
  readonly options?: ReadOptions | undefined;
  readonly withData?: boolean | undefined;
}

export interface TreeNode {
  readonly path?: string | undefined;
  readonly data?: Uint8Array | undefined;
  readonly stat?: Stat | undefined;
}

export interface GetTreeResponse {
  readonly header?: Header | undefined;
  readonly nodes?: readonly TreeNode[] | undefined;
  readonly end?: boolean | undefined;
  readonly count?: number | undefined;
}

export interface GetAclRequest {
  readonly path?: string | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface GetAclResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly acl?: Acl | undefined;
  readonly stat?: Stat | undefined;
}

export interface SetAclRequest {
  readonly path?: string | undefined;
  readonly acl?: Acl | undefined;
  readonly aversion?: number | undefined;
  readonly czxid?: number | undefined;
  readonly options?: WriteOptions | undefined;
}

export interface SetAclResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly stat?: Stat | undefined;
}

export interface Check {
  readonly path?: string | undefined;
  readonly exists?: boolean | undefined;
  readonly version?: number | undefined;
  readonly mzxid?: number | undefined;
  readonly czxid?: number | undefined;
  readonly ownerSelf?: boolean | undefined;
}

export interface CheckResponse {
  readonly path?: string | undefined;
}

export interface TxnOperation {
  readonly create?: CreateRequest | undefined;
  readonly put?: PutRequest | undefined;
  readonly set?: SetRequest | undefined;
  readonly delete?: DeleteRequest | undefined;
  readonly setAcl?: SetAclRequest | undefined;
  readonly check?: Check | undefined;
  readonly get?: GetRequest | undefined;
  readonly exists?: ExistsRequest | undefined;
  readonly listChildren?: ListChildrenRequest | undefined;
  /** Which of them is there: told when it is read, not needed when it is written. */
  readonly operation?: "create" | "put" | "set" | "delete" | "setAcl" | "check" | "get" | "exists" | "listChildren" | undefined;
}

export interface TxnBranch {
  readonly operations?: readonly TxnOperation[] | undefined;
}

export interface TxnRequest {
  readonly checks?: readonly Check[] | undefined;
  readonly then?: readonly TxnOperation[] | undefined;
  readonly otherwise?: TxnBranch | undefined;
  readonly options?: WriteOptions | undefined;
  readonly readOptions?: ReadOptions | undefined;
}

export interface TxnResult {
  readonly create?: CreateResponse | undefined;
  readonly put?: PutResponse | undefined;
  readonly set?: SetResponse | undefined;
  readonly delete?: DeleteResponse | undefined;
  readonly setAcl?: SetAclResponse | undefined;
  readonly check?: CheckResponse | undefined;
  readonly get?: GetResponse | undefined;
  readonly exists?: ExistsResponse | undefined;
  readonly listChildren?: ListChildrenResponse | undefined;
  /** Which of them is there: told when it is read, not needed when it is written. */
  readonly result?: "create" | "put" | "set" | "delete" | "setAcl" | "check" | "get" | "exists" | "listChildren" | undefined;
}

export interface TxnResponse {
  readonly header?: Header | undefined;
  readonly branch?: TxnResponseBranch | undefined;
  readonly results?: readonly TxnResult[] | undefined;
}

export type TxnResponseBranch = "BRANCH_UNSPECIFIED" | "BRANCH_THEN" | "BRANCH_OTHERWISE";

export interface SyncRequest {

}

export interface SyncResponse {
  readonly header?: Header | undefined;
}

export type Layout = "LAYOUT_UNSPECIFIED" | "LAYOUT_CURATOR" | "LAYOUT_KAZOO";

export type LockMode = "LOCK_MODE_UNSPECIFIED" | "LOCK_MODE_EXCLUSIVE" | "LOCK_MODE_READ" | "LOCK_MODE_WRITE" | "LOCK_MODE_PERMIT";

export type LockKind = "LOCK_KIND_UNSPECIFIED" | "LOCK_KIND_MUTEX" | "LOCK_KIND_READ_WRITE" | "LOCK_KIND_SEMAPHORE";

export interface AcquireRequest {
  readonly path?: string | undefined;
  readonly mode?: LockMode | undefined;
  readonly permits?: number | undefined;
  readonly layout?: Layout | undefined;
  readonly contender?: string | undefined;
  readonly wait?: Duration | undefined;
  readonly sessionId?: number | undefined;
  readonly sessionTimeout?: Duration | undefined;
  readonly token?: number | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly acl?: Acl | undefined;
}

export interface AcquireResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly held?: boolean | undefined;
  readonly token?: number | undefined;
  readonly mode?: LockMode | undefined;
  readonly layout?: Layout | undefined;
  readonly permits?: number | undefined;
  readonly znode?: string | undefined;
  readonly ahead?: number | undefined;
  readonly sessionId?: number | undefined;
  readonly secret?: string | undefined;
  readonly sessionTimeout?: Duration | undefined;
}

export interface ReleaseRequest {
  readonly path?: string | undefined;
  readonly sessionId?: number | undefined;
  readonly token?: number | undefined;
}

export interface ReleaseResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly znode?: string | undefined;
}

export interface GetLockRequest {
  readonly path?: string | undefined;
  readonly maxWaiters?: number | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface Contender {
  readonly token?: number | undefined;
  readonly contender?: string | undefined;
  readonly mode?: LockMode | undefined;
  readonly sessionId?: number | undefined;
  readonly since?: Timestamp | undefined;
  readonly znode?: string | undefined;
}

export interface GetLockResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly layout?: Layout | undefined;
  readonly kind?: LockKind | undefined;
  readonly permits?: number | undefined;
  readonly holders?: readonly Contender[] | undefined;
  readonly waiters?: readonly Contender[] | undefined;
  readonly waiting?: number | undefined;
}

export interface CampaignRequest {
  readonly path?: string | undefined;
  readonly value?: Uint8Array | undefined;
  readonly layout?: Layout | undefined;
  readonly wait?: Duration | undefined;
  readonly sessionId?: number | undefined;
  readonly sessionTimeout?: Duration | undefined;
  readonly token?: number | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly acl?: Acl | undefined;
}

export interface CampaignResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly leads?: boolean | undefined;
  readonly token?: number | undefined;
  readonly layout?: Layout | undefined;
  readonly znode?: string | undefined;
  readonly ahead?: number | undefined;
  readonly sessionId?: number | undefined;
  readonly secret?: string | undefined;
  readonly sessionTimeout?: Duration | undefined;
}

export interface ProclaimRequest {
  readonly path?: string | undefined;
  readonly value?: Uint8Array | undefined;
  readonly sessionId?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface ProclaimResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly token?: number | undefined;
  readonly znode?: string | undefined;
}

export interface ResignRequest {
  readonly path?: string | undefined;
  readonly sessionId?: number | undefined;
  readonly token?: number | undefined;
}

export interface ResignResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly znode?: string | undefined;
}

export interface GetLeaderRequest {
  readonly path?: string | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface Leader {
  readonly value?: Uint8Array | undefined;
  readonly token?: number | undefined;
  readonly mzxid?: number | undefined;
  readonly sessionId?: number | undefined;
  readonly since?: Timestamp | undefined;
  readonly znode?: string | undefined;
}

export interface GetLeaderResponse {
  readonly header?: Header | undefined;
  readonly path?: string | undefined;
  readonly layout?: Layout | undefined;
  readonly leader?: Leader | undefined;
  readonly candidates?: number | undefined;
}

export interface ObserveRequest {
  readonly path?: string | undefined;
  readonly options?: ReadOptions | undefined;
}

export interface ObserveResponse {
  readonly header?: Header | undefined;
  readonly layout?: Layout | undefined;
  readonly leader?: Leader | undefined;
  readonly candidates?: number | undefined;
}

export interface ListMembersRequest {

}

export interface ListMembersResponse {
  readonly header?: Header | undefined;
  readonly leader?: number | undefined;
  readonly members?: readonly Member[] | undefined;
  readonly silent?: readonly string[] | undefined;
  readonly gatewayVersion?: string | undefined;
}

export interface Member {
  readonly id?: number | undefined;
  readonly address?: string | undefined;
  readonly standing?: MemberStanding | undefined;
  readonly role?: MemberRole | undefined;
  readonly serving?: boolean | undefined;
  readonly reason?: string | undefined;
  readonly leader?: number | undefined;
  readonly epoch?: number | undefined;
  readonly acceptedEpoch?: number | undefined;
  readonly applied?: number | undefined;
  readonly committed?: number | undefined;
  readonly logged?: number | undefined;
  readonly lag?: number | undefined;
  readonly ensembleId?: string | undefined;
  readonly historyId?: string | undefined;
  readonly version?: string | undefined;
  readonly rules?: number | undefined;
  readonly digest?: string | undefined;
  readonly znodes?: number | undefined;
  readonly sessions?: number | undefined;
  readonly ago?: Duration | undefined;
  readonly reachable?: boolean | undefined;
}

export type MemberStanding = "STANDING_UNSPECIFIED" | "STANDING_FOUNDING" | "STANDING_JOINING" | "STANDING_MEMBER";

export type MemberRole = "ROLE_UNSPECIFIED" | "ROLE_LOOKING" | "ROLE_FOLLOWING" | "ROLE_LEADING";

export interface HandOverRequest {
  readonly to?: number | undefined;
}

export interface HandOverResponse {
  readonly header?: Header | undefined;
  readonly to?: number | undefined;
}

export interface Duration {
  readonly seconds?: number | undefined;
  readonly nanos?: number | undefined;
}

export interface Timestamp {
  readonly seconds?: number | undefined;
  readonly nanos?: number | undefined;
}
