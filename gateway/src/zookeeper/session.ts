/** What a connection has once its session is attached, put together. */
import { ClientWatches } from "./client-watches.ts";
import type { ConnectionContext, ConnectionWatches } from "./context.ts";
import type { Credentials } from "./credentials.ts";
import type { ZookeeperDoor } from "./door.ts";
import type { SessionReport } from "./four-letter-source.ts";
import type { Attached } from "./handshake.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LaneCalls } from "./lane-calls.ts";
import { type ConnectRequest, codes, xids } from "./messages.ts";
import { Operations } from "./operations.ts";
import { Outbox } from "./outbox.ts";
import { nameOfSession } from "./read-only.ts";
import type { Statistics } from "./statistics.ts";

export interface Session {
  readonly context: ConnectionContext;
  readonly outbox: Outbox;
  readonly operations: Operations;
  readonly keepAlive: KeepAlive;
  readonly watches: ConnectionWatches;
  /** Milliseconds since 1970. */
  readonly establishedAt: number;
}

/** The connection, as its session needs it. */
export interface SessionPorts {
  readonly statistics: Statistics;
  /** What is put out in one turn. */
  write(bytes: Uint8Array): void;
  /** Written, and not sent. */
  unsent(): number;
  /** Nothing more is begun; it is closed once all replies are put out. */
  finish(): void;
  close(why: string): void;
  isOver(): boolean;
}

export function openSession(
  door: ZookeeperDoor,
  credentials: Credentials,
  { acting, lane, opening, backend, readOnly }: Attached,
  request: ConnectRequest,
  ports: SessionPorts,
): Session {
  const { options, slabs, limits } = door;
  const { world, facts } = options;
  const { timeoutMillis } = opening;
  const { write, unsent, finish, close, isOver } = ports;
  const statistics = [ports.statistics, door.statistics];
  // It is told of no newer zxid than it has been shown: by that it says what it missed when it comes back.
  const outbox = new Outbox({ world, slabs, limits, statistics, write, unsent }, request.lastZxidSeen);
  const context: ConnectionContext = {
    backend,
    world,
    acting,
    lane,
    replies: outbox,
    identity: () => credentials.identity,
    minZxid: opening.zxid,
    readOnly,
    isOver,
    log: (text) => door.note("session", `${nameOfSession(acting.session)}: ${text}`),
    close,
  };
  const calls = new LaneCalls(context, opening, timeoutMillis);
  const watches = new ClientWatches(context);
  const operations = new Operations({ context, calls, watches, finish });
  const confirmed = (): void => outbox.direct(xids.ping, codes.ok);
  const keepAlive = new KeepAlive({ backend, acting, timeoutMillis, confirmed, over: close }, world.now());
  return { context, outbox, operations, keepAlive, watches, establishedAt: facts.wallMillis() };
}

export function reportOf(session: Session, door: ZookeeperDoor, statistics: Statistics): SessionReport {
  const { context, outbox, keepAlive, watches, establishedAt } = session;
  const { world, facts } = door.options;
  const silentMillis = world.now() - keepAlive.heardAt;
  return {
    session: context.acting.session,
    timeoutMillis: keepAlive.timeoutMillis,
    establishedAt,
    silentUntil: facts.wallMillis() - silentMillis + keepAlive.silenceMillis,
    lastReply: outbox.lastReply,
    latency: statistics.latency,
    watches: watches.count,
    watchedPaths: () => watches.dataPaths(),
  };
}
