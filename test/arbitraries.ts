/** Arbitrary values of the vocabulary for property tests: every kind, within the limits that bytes must keep to. */
import {
  type Acl,
  type AuthId,
  type Check,
  type ChildrenOperation,
  type Command,
  type Condition,
  type ErrorCode,
  errorCodes,
  type FeedChange,
  type IdempotencyKey,
  type Identity,
  isBadPath,
  type Lane,
  limits,
  type NodeKind,
  type Outcome,
  type Path,
  parsePath,
  parseSequentialPrefix,
  type ReadOperation,
  type Result,
  type SessionId,
  type SessionInfo,
  type Shape,
  type Stat,
  type TxnOperation,
  type TxnOperationSet,
  type WatchEvent,
  type WatchOperation,
  type WatchState,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import fc, { type Arbitrary } from "fast-check";

/** Plain objects only: what a codec makes has no other prototype. */
const record = <T>(fields: { [Key in keyof T]: Arbitrary<T[Key]> }): Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as Arbitrary<T>;

/** Numbers of both small and large size, to the last safe integer. */
const safe: Arbitrary<number> = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constant(Number.MAX_SAFE_INTEGER));
const int32: Arbitrary<number> = fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 2 ** 31 - 1, -(2 ** 31)));
const uint32: Arbitrary<number> = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constant(2 ** 32 - 1));

export const zxidArbitrary: Arbitrary<Zxid> = safe.map((value) => value as Zxid);
export const sessionIdArbitrary: Arbitrary<SessionId> = safe.map((value) => value as SessionId);
export const dataArbitrary: Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 200 });
const hash32: Arbitrary<Uint8Array> = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hash16: Arbitrary<Uint8Array> = fc.uint8Array({ minLength: 16, maxLength: 16 });

/** Well-formed text: ASCII, or of any planes. */
const text = (maxLength: number): Arbitrary<string> =>
  fc.oneof(fc.string({ maxLength }), fc.string({ unit: "binary", maxLength: Math.floor(maxLength / 4) }));

const segment: Arbitrary<string> = fc
  .oneof(
    fc.string({ maxLength: 12 }),
    fc.stringMatching(/^[a-z0-9._-]{1,20}$/),
    fc.constantFrom("ä", "名前", ".a", "…"),
  )
  .filter((name) => name !== "" && !name.includes("/") && !isBadPath(parsePath(`/${name}`)));

export const pathArbitrary: Arbitrary<Path> = fc
  .array(segment, { maxLength: 5 })
  .map((names) => parsePath(`/${names.join("/")}`))
  .filter((path): path is Path => !isBadPath(path));

const prefixArbitrary: Arbitrary<Path> = fc
  .tuple(pathArbitrary, fc.boolean())
  .map(([path, open]) => parseSequentialPrefix(open && path !== "/" ? `${path}/` : path))
  .filter((path): path is Path => !isBadPath(path));

const optional = <T extends object>(fields: { [Key in keyof T]-?: Arbitrary<NonNullable<T[Key]>> }): Arbitrary<T> =>
  fc.record(fields as Record<string, Arbitrary<unknown>>, { requiredKeys: [], noNullPrototype: true }) as Arbitrary<T>;

/** What is always there, and what may be. */
const both = <A extends object, B extends object>(fixed: Arbitrary<A>, rest: Arbitrary<B>): Arbitrary<A & B> =>
  fc.tuple(fixed, rest).map(([a, b]) => ({ ...a, ...b }));

const authIds: Arbitrary<readonly AuthId[]> = fc.array(record({ scheme: text(20), id: text(40) }), { maxLength: 4 });
export const identityArbitrary: Arbitrary<Identity> = record({ ids: authIds, superUser: fc.boolean() });
export const aclArbitrary: Arbitrary<Acl> = fc.array(
  record({ scheme: text(20), id: text(40), perms: fc.integer({ min: 1, max: 31 }) }),
  { maxLength: 5 },
);

const kindAndTtl: Arbitrary<{ kind: NodeKind; ttlMillis: number }> = fc.oneof(
  fc.constantFrom("persistent", "ephemeral", "container").map((kind) => ({ kind: kind as NodeKind, ttlMillis: 0 })),
  fc.integer({ min: 1, max: limits.ttlMaxMillis }).map((ttlMillis) => ({ kind: "ttl" as const, ttlMillis })),
);
const shape: Arbitrary<Shape> = fc
  .tuple(kindAndTtl, fc.option(aclArbitrary, { nil: undefined }))
  .map(([base, acl]) => (acl === undefined ? base : { ...base, acl }));

const condition: Arbitrary<Condition> = optional<Condition>({
  exists: fc.boolean(),
  mzxids: fc.array(zxidArbitrary, { maxLength: 4 }),
  version: int32,
});

export const statArbitrary: Arbitrary<Stat> = fc
  .record({
    czxid: zxidArbitrary,
    mzxid: zxidArbitrary,
    pzxid: zxidArbitrary,
    ctime: safe,
    mtime: safe,
    version: int32,
    cversion: int32,
    aversion: int32,
    ephemeralOwner: sessionIdArbitrary,
    dataLength: uint32,
    numChildren: uint32,
  })
  .chain((stat) => kindAndTtl.map((shaped) => ({ ...stat, ...shaped })));

const checkFields = { exists: fc.boolean(), version: int32, mzxid: zxidArbitrary, czxid: zxidArbitrary };
const check: Arbitrary<Check> = fc
  .tuple(pathArbitrary, optional<Omit<Check, "path">>({ ...checkFields, ownerSelf: fc.boolean() }))
  .map(([path, rest]) => ({ path, ...rest }));

const children: Arbitrary<ChildrenOperation> = both(
  record({
    kind: fc.constant("children" as const),
    path: pathArbitrary,
    limit: fc.integer({ min: 1, max: limits.pageNames }),
    withData: fc.boolean(),
  }),
  optional<{ after?: string; at?: Zxid }>({ after: segment, at: zxidArbitrary }),
);

const znodeReads: readonly Arbitrary<TxnOperation>[] = [
  check.map((each) => ({ kind: "check" as const, ...each })),
  record({ kind: fc.constant("get" as const), path: pathArbitrary }),
  record({ kind: fc.constant("exists" as const), path: pathArbitrary }),
  children,
];

/** Sometimes ZooKeeper's null, which has no bytes. */
const orNull = <T extends { readonly data: Uint8Array }>(written: Arbitrary<T>): Arbitrary<T> =>
  fc
    .tuple(written, fc.integer({ min: 0, max: 4 }))
    .map(([value, of5]) => (of5 > 0 ? value : { ...value, data: new Uint8Array(0), nullData: true as const }));

const create: Arbitrary<TxnOperation & WriteOperation> = fc.boolean().chain((sequential) =>
  orNull(
    record({
      kind: fc.constant("create" as const),
      path: sequential ? prefixArbitrary : pathArbitrary,
      data: dataArbitrary,
      shape,
      sequential: fc.constant(sequential),
      parents: fc.boolean(),
    }),
  ),
);
const put: Arbitrary<TxnOperation & WriteOperation> = both(
  record({
    kind: fc.constant("put" as const),
    path: pathArbitrary,
    data: dataArbitrary,
    parents: fc.boolean(),
    condition,
  }),
  optional<{ shape?: Shape }>({ shape }),
);
const setAcl: Arbitrary<TxnOperation & WriteOperation> = both(
  record({ kind: fc.constant("setAcl" as const), path: pathArbitrary, acl: aclArbitrary, aversion: int32 }),
  optional<{ czxid?: Zxid }>({ czxid: zxidArbitrary }),
);

const znodeWrites: readonly Arbitrary<TxnOperation & WriteOperation>[] = [
  create,
  put,
  orNull(record({ kind: fc.constant("set" as const), path: pathArbitrary, data: dataArbitrary, condition })),
  record({ kind: fc.constant("delete" as const), path: pathArbitrary, condition, recursive: fc.boolean() }),
  setAcl,
];

function txnOf(operation: Arbitrary<TxnOperation>): Arbitrary<TxnOperationSet> {
  const list = fc.array(operation, { maxLength: 4 });
  return both(
    record({ kind: fc.constant("txn" as const), check: fc.array(check, { maxLength: 4 }), then: list }),
    optional<{ else?: readonly TxnOperation[] }>({ else: list }),
  );
}

const sessionWrites: readonly Arbitrary<WriteOperation>[] = [
  record({
    kind: fc.constant("createSession" as const),
    role: fc.constantFrom("client" as const, "gateway" as const),
    timeoutMillis: fc.integer({ min: limits.sessionTimeoutMinMillis, max: limits.sessionTimeoutMaxMillis }),
    secretHash: hash32,
    name: text(60),
    address: text(40),
  }),
  record({ kind: fc.constant("closeSession" as const), session: sessionIdArbitrary }),
  record({ kind: fc.constant("attach" as const), session: sessionIdArbitrary }),
  record({ kind: fc.constant("expireSession" as const), session: sessionIdArbitrary }),
  record({
    kind: fc.constant("sweep" as const),
    candidates: fc.array(record({ path: pathArbitrary, mzxid: zxidArbitrary, pzxid: zxidArbitrary }), {
      maxLength: 4,
    }),
  }),
];

export const writeOperationArbitrary: Arbitrary<WriteOperation> = fc.oneof(
  ...znodeWrites,
  txnOf(fc.oneof(...znodeWrites, ...znodeReads)),
  ...sessionWrites,
);

const watch: Arbitrary<WatchOperation> = fc
  .tuple(
    record({
      node: fc.array(pathArbitrary, { maxLength: 3 }),
      children: fc.array(pathArbitrary, { maxLength: 3 }),
      subtree: fc.array(pathArbitrary, { maxLength: 3 }),
    }),
    optional<{ after?: Zxid; history?: string; raw?: true }>({
      after: zxidArbitrary,
      history: fc.stringMatching(/^[0-9a-f]{0,64}$/),
      raw: fc.constant(true as const),
    }),
  )
  .map(([scopes, rest]) => ({ kind: "watch" as const, scopes, ...rest }));

export const readOperationArbitrary: Arbitrary<ReadOperation> = fc.oneof(
  record({ kind: fc.constantFrom("get" as const, "exists" as const, "getAcl" as const), path: pathArbitrary }),
  children,
  record({ kind: fc.constant("getSession" as const), session: sessionIdArbitrary }),
  both(
    record({ kind: fc.constant("listSessions" as const), limit: fc.integer({ min: 1, max: limits.pageNames }) }),
    optional<{ after?: SessionId }>({ after: sessionIdArbitrary }),
  ),
  fc.constant({ kind: "sync" as const }),
  watch,
  txnOf(fc.oneof(...znodeReads)),
);

export const laneArbitrary: Arbitrary<Lane> = record({
  session: sessionIdArbitrary,
  attachment: uint32,
  sequence: safe,
  answeredUpTo: safe,
});

const key: Arbitrary<IdempotencyKey> = record({
  key: fc.stringMatching(new RegExp(`^[!-~]{1,${limits.keyCharacters}}$`)),
  requestHash: hash16,
});

export const commandArbitrary: Arbitrary<Command> = both(
  record({ identity: identityArbitrary, operation: writeOperationArbitrary }),
  optional<Omit<Command, "identity" | "operation">>({
    lane: laneArbitrary,
    acting: record({ session: sessionIdArbitrary, secretHash: hash32 }),
    key,
  }),
);

const sessionInfo: Arbitrary<SessionInfo> = both(
  record({
    session: sessionIdArbitrary,
    name: text(60),
    address: text(40),
    timeoutMillis: uint32,
    identity: authIds,
    createdAt: safe,
    ephemeralCount: uint32,
  }),
  optional<{ idleMillis?: number }>({ idleMillis: safe }),
);

const child = both(
  record({ name: segment }),
  optional<{ stat?: Stat; data?: Uint8Array }>({ stat: statArbitrary, data: dataArbitrary }),
);

const state: Arbitrary<WatchState> = fc.oneof(
  fc
    .tuple(pathArbitrary, optional<{ stat?: Stat; data?: Uint8Array }>({ stat: statArbitrary, data: dataArbitrary }))
    .map(([path, rest]) => ({ scope: "node" as const, path, ...rest })),
  fc
    .tuple(pathArbitrary, fc.array(segment, { maxLength: 4 }), optional<{ stat?: Stat }>({ stat: statArbitrary }))
    .map(([path, children, rest]) => ({ scope: "children" as const, path, children, ...rest })),
);
const eventFields = { zxid: zxidArbitrary, path: pathArbitrary, version: int32, czxid: zxidArbitrary, time: safe };
const eventType = fc.constantFrom("created" as const, "changed" as const, "deleted" as const);
const event: Arbitrary<WatchEvent> = record({ ...eventFields, type: eventType });

/** A feed as a replica sends it: what its changes refer to is there. */
export const feedArbitrary: Arbitrary<{
  through: Zxid;
  changes: readonly FeedChange[];
  acls: readonly Acl[];
  ended: readonly SessionId[];
}> = fc.array(aclArbitrary, { maxLength: 4 }).chain((acls) => {
  const place = fc.nat(Math.max(0, acls.length - 1));
  const change = record<FeedChange>({
    ...eventFields,
    type: fc.oneof(eventType, fc.constant("acl" as const)),
    kind: fc.constantFrom("persistent" as const, "ephemeral" as const, "container" as const, "ttl" as const),
    acl: place,
    parentAcl: place,
  });
  return record({
    through: zxidArbitrary,
    changes: fc.array(change, { maxLength: acls.length === 0 ? 0 : 5 }),
    acls: fc.constant(acls),
    ended: fc.array(sessionIdArbitrary, { maxLength: 3 }),
  });
});

const smallResults: readonly Arbitrary<Result>[] = [
  record({ kind: fc.constant("node" as const), path: pathArbitrary, created: fc.boolean(), stat: statArbitrary }),
  record({ kind: fc.constant("deleted" as const), path: pathArbitrary, count: uint32 }),
  orNull(record({ kind: fc.constant("data" as const), path: pathArbitrary, data: dataArbitrary, stat: statArbitrary })),
  record({ kind: fc.constant("stat" as const), path: pathArbitrary, stat: statArbitrary }),
  record({
    kind: fc.constant("children" as const),
    path: pathArbitrary,
    stat: statArbitrary,
    at: zxidArbitrary,
    children: fc.array(child, { maxLength: 5 }),
    more: fc.boolean(),
  }),
  record({ kind: fc.constant("acl" as const), path: pathArbitrary, acl: aclArbitrary, stat: statArbitrary }),
  record({ kind: fc.constant("checked" as const), path: pathArbitrary }),
  record({ kind: fc.constant("done" as const), count: uint32 }),
];

const watched = record({
  kind: fc.constant("watched" as const),
  states: fc.array(state, { maxLength: 3 }),
  events: fc.array(event, { maxLength: 4 }),
  through: zxidArbitrary,
  more: fc.boolean(),
  sessionTimeoutMillis: uint32,
});

export const resultArbitrary: Arbitrary<Result> = fc.oneof(
  ...smallResults,
  record({
    kind: fc.constant("txn" as const),
    branch: fc.constantFrom("then" as const, "else" as const),
    results: fc.array(fc.oneof(...smallResults), { maxLength: 4 }),
  }),
  record({
    kind: fc.constant("session" as const),
    session: sessionIdArbitrary,
    timeoutMillis: uint32,
    attachment: uint32,
    lastSequence: safe,
  }),
  record({
    kind: fc.constant("sessionInfo" as const),
    info: sessionInfo,
    ephemerals: fc.array(pathArbitrary, { maxLength: 4 }),
  }),
  record({
    kind: fc.constant("sessionList" as const),
    sessions: fc.array(sessionInfo, { maxLength: 4 }),
    more: fc.boolean(),
  }),
  watched,
  fc.tuple(watched, feedArbitrary).map(([result, { changes, acls }]) => ({ ...result, changes, acls })),
);

export const errorCodeArbitrary: Arbitrary<ErrorCode> = fc.constantFrom(...errorCodes);

export const outcomeArbitrary: Arbitrary<Outcome> = fc.oneof(
  both(
    record({ ok: fc.constant(true as const), zxid: zxidArbitrary, result: resultArbitrary }),
    optional<{ replayed?: boolean }>({ replayed: fc.boolean() }),
  ),
  both(
    record({ ok: fc.constant(false as const), zxid: zxidArbitrary, code: errorCodeArbitrary, detail: text(200) }),
    optional<{ path?: Path; op?: { in: "check" | "then" | "else"; index: number }; replayed?: boolean }>({
      path: prefixArbitrary,
      op: record({ in: fc.constantFrom("check" as const, "then" as const, "else" as const), index: uint32 }),
      replayed: fc.boolean(),
    }),
  ),
);
