/** Histories of clients in virtual time against one atomic service, right by construction unless a bug is asked for. */
import type {
  History,
  LockResult,
  Operation,
  RegisterCall,
  RegisterCondition,
  TxnPart,
  ZxidNumber,
} from "./history.ts";
import { goodNetwork, type Network, type Script, type Step, VirtualClients } from "./virtual-clients.ts";
import { type Bug, LockService, Occasions, RegisterService, SequenceService } from "./virtual-service.ts";

export interface VirtualOptions {
  readonly seed: number;
  /** Clients. */
  readonly clients?: number;
  /** Calls of each client. */
  readonly calls?: number;
  readonly network?: Partial<Network>;
  readonly bug?: Bug;
  readonly bugRate?: number;
}

interface World {
  readonly clients: VirtualClients;
  readonly occasions: Occasions;
  readonly count: number;
  readonly calls: number;
}

function worldOf({ seed, clients: count = 12, calls = 25, network, bug, bugRate = 0.2 }: VirtualOptions): World {
  const clients = new VirtualClients(seed, { ...goodNetwork, ...network });
  return { clients, occasions: new Occasions(bug, clients.random, bugRate), count, calls };
}

const keys = ["a", "b", "c"];

export function registerHistory(options: VirtualOptions): History {
  const world = worldOf(options);
  spawnRegisterClients(world);
  return historyOf(world);
}

function historyOf({ clients }: World): History {
  clients.run();
  return { operations: clients.operations, settings: { sessionEndBoundMillis } };
}

function spawnRegisterClients(world: World): void {
  const service = new RegisterService(world.occasions);
  for (let client = 0; client < world.count; client++) world.clients.spawn(registerClient(world, service));
}

function* registerClient({ clients, calls }: World, service: RegisterService): Script {
  const known = new Map<string, { mzxid: ZxidNumber; version: number }>();
  for (let call = 0; call < calls; call++) {
    const next = registerCall(clients, known);
    const ask = { model: "registers", object: "/group", call: next } as const;
    const told = yield { kind: "ask", ask, perform: () => service.perform(next) };
    if (told?.kind !== "ok") continue;
    const { result } = told;
    if (result.kind === "read" && result.znode !== null && next.kind === "read") known.set(next.key, result.znode);
    if (result.kind === "put" && next.kind === "put") known.set(next.key, result);
  }
}

function registerCall(
  clients: VirtualClients,
  known: ReadonlyMap<string, { mzxid: ZxidNumber; version: number }>,
): RegisterCall {
  const { random } = clients;
  const fresh = (): string => clients.fresh();
  const key = random.pick(keys);
  const seen = known.get(key);
  const compare: RegisterCondition =
    seen === undefined ? { exists: false } : random.chance(0.7) ? { mzxid: seen.mzxid } : { version: seen.version };
  const kind = random.below(20);
  if (kind < 7) return { kind: "read", key };
  if (kind < 10) return { kind: "put", key, value: fresh() };
  if (kind < 14) return { kind: "put", key, value: fresh(), condition: compare };
  if (kind < 15) return { kind: "put", key, value: fresh(), condition: { exists: random.chance(0.5) } };
  if (kind < 16) return { kind: "delete", key };
  if (kind < 17 && seen !== undefined) return { kind: "delete", key, condition: { mzxid: seen.mzxid } };
  const other = random.pick(keys.filter((each) => each !== key));
  const then: TxnPart[] = [
    { kind: "put", key, value: fresh() },
    { kind: "put", key: other, value: fresh() },
  ];
  if (random.chance(0.3)) then.push({ kind: "read", key: other });
  const check = [{ kind: "check", key, ...compare } as const];
  const instead: TxnPart[] = [random.chance(0.5) ? { kind: "put", key: other, value: fresh() } : { kind: "read", key }];
  return { kind: "txn", check, then, ...(random.chance(0.5) ? { else: instead } : undefined) };
}

export function sequenceHistory(options: VirtualOptions): History {
  const world = worldOf(options);
  spawnSequenceClients(world);
  return historyOf(world);
}

function spawnSequenceClients(world: World): void {
  const service = new SequenceService(world.occasions);
  for (let client = 0; client < world.count; client++) world.clients.spawn(sequenceClient(world, service));
}

function* sequenceClient({ clients, calls }: World, service: SequenceService): Script {
  const { random } = clients;
  let known: string[] = [];
  for (let index = 0; index < calls; index++) {
    const kind = random.below(10);
    const name = known.length > 0 ? random.pick(known) : undefined;
    const call =
      kind < 4
        ? ({ kind: "append", prefix: `item-${clients.fresh()}-` } as const)
        : kind < 7 && name !== undefined
          ? ({ kind: "remove", name } as const)
          : ({ kind: "list" } as const);
    const ask = { model: "sequence", object: "/queue", call } as const;
    const told = yield { kind: "ask", ask, perform: () => service.perform(call) };
    if (told?.kind !== "ok") continue;
    if (told.result.kind === "append") known.push(told.result.name);
    if (told.result.kind === "list") known = [...told.result.names];
  }
}

const sessionTimeoutMillis = 120;
const sessionEndBoundMillis = 100;
/** What a session's end may be late by is less than what `sessionEndBoundMillis` allows. */
const lateForSessions = { lateMillis: 20 };

export function lockHistory(options: VirtualOptions): History {
  const world = worldOf({ ...options, network: { ...lateForSessions, ...options.network } });
  spawnLockClients(world);
  return historyOf(world);
}

/** Three objects of one service, each with its clients, all at once. */
export function mixedHistory(options: VirtualOptions): History {
  const world = worldOf({ ...options, network: { ...lateForSessions, ...options.network } });
  spawnRegisterClients(world);
  spawnSequenceClients(world);
  spawnLockClients(world);
  return historyOf(world);
}

function spawnLockClients(world: World): void {
  const { clients, occasions, count } = world;
  const service = new LockService(
    occasions,
    () => clients.now,
    (at, run) => clients.at(at, run),
  );
  const silent = clients.random.below(count);
  for (let client = 0; client < count; client++) {
    if (client < count / 2) clients.spawn(lockClient(world, service, `s${client}`, client !== silent));
    else clients.spawn(observer(world, service));
  }
}

/** Opens sessions, takes the lock and gives it back; now and then falls silent, or closes the session with the lock in hand. */
function* lockClient({ clients, calls }: World, service: LockService, name: string, renews: boolean): Script {
  const { random } = clients;
  let session: string | undefined;
  let token: ZxidNumber | undefined;
  for (let index = 0; index < calls; index++) {
    if (session === undefined) {
      const opened = `${name}.${index}`;
      const told = yield sessionStep(service, opened, { kind: "open", timeoutMillis: sessionTimeoutMillis });
      if (told?.kind !== "ok") continue;
      session = opened;
    }
    const own: string = session;
    const kind = random.below(20);
    if (kind < 6 && renews) {
      const told = yield sessionStep(service, own, { kind: "renew" });
      if (told?.kind === "failed") session = undefined;
    } else if (kind < 7) {
      const told = yield sessionStep(service, own, { kind: "close" });
      if (told?.kind === "ok" || told?.kind === "failed") session = undefined;
    } else if (kind < 8) yield { kind: "sleep", millis: random.below(sessionTimeoutMillis * 3) };
    else if (token === undefined) {
      const told = yield lockStep(service, { kind: "acquire", session: own });
      if (told?.kind === "ok") token = (told.result as Extract<LockResult, { kind: "acquire" }>).token;
      if (told?.kind === "failed" && told.code === "sessionExpired") session = undefined;
    } else if (kind < 14) {
      const told = yield lockStep(service, { kind: "release", session: own, token });
      if (told?.kind === "ok" || told?.kind === "failed") token = undefined;
    } else yield lockStep(service, { kind: "observe" });
  }
}

function* observer({ calls }: World, service: LockService): Script {
  for (let index = 0; index < calls; index++) {
    yield lockStep(service, { kind: "observe" });
    yield { kind: "sleep", millis: 20 };
  }
}

function lockStep(service: LockService, call: Parameters<LockService["perform"]>[0]): Step {
  return { kind: "ask", ask: { model: "lock", object: "/lock", call }, perform: () => service.perform(call) };
}

function sessionStep(service: LockService, name: string, call: Parameters<LockService["performSession"]>[1]): Step {
  const ask = { model: "session", object: name, call } as const;
  return { kind: "ask", ask, perform: () => service.performSession(name, call) };
}

/** The same without the zxids of headers: only what the black box shows. */
export function withoutHeaders({ operations, ...rest }: History): History {
  const bare = operations.map((operation): Operation => {
    const { zxid: _, ...answer } = operation.answer as { readonly zxid?: ZxidNumber };
    return { ...operation, answer } as Operation;
  });
  return { ...rest, operations: bare };
}
