/** The ZooKeeper door's own bounds, and the answer to each overflow. Sizes in bytes, times in ms. */
import { assert, limits } from "@quorate/api";
import { replyLimitBytes } from "./encode.ts";

export const zookeeperLimits = {
  /** Of a request, as ZooKeeper's `jute.maxbuffer`. A length beyond it, or below zero, closes the connection. */
  frameBytes: replyLimitBytes,
  /** Of a connection's first frame, likewise: it may have a password of any length, but nobody is known yet. */
  connectBytes: 1024,
  /** What has come of requests that are not whole, or not begun, of all connections: beyond, one that has over `unbegunBytes` is cut off. */
  allUnbegunBytes: 256 * 1_048_576,
  unbegunBytes: 65_536,
  /** Open sockets, and those of one address; one more is closed at once. */
  connections: 20_000,
  connectionsPerAddress: 2000,
  /** A connection whose session is not attached by then is closed: its client tries another server. */
  handshakeMillis: 10_000,
  /** The replicas have a third of the session's timeout to open or attach it, between this and the above. */
  leastPatienceMillis: 1000,
  /** Without a leader for so long, clients that ask for it are served what there is to read. */
  readOnlyMillis: 2000,
  /** What a client asks for is brought between these: 2 and 20 of ZooKeeper's ticks. */
  minSessionTimeoutMillis: 4000,
  maxSessionTimeoutMillis: 40_000,
  /**
   * Requests of a connection that are not answered: nothing more is read from it. It begins with `firstWindow`, and goes
   * between the other two with the size of its replies, so that `pausedBytes` of them are under way. Of requests whose replies may
   * be as large as any there are never more than the first.
   */
  firstWindow: 64,
  leastWindow: 8,
  window: limits.laneWindow,
  /** Unsent bytes at which nothing more is read from a connection. */
  pausedBytes: 1_048_576,
  /** Unsent bytes at which its client reads too slowly, events included, and is cut off. */
  queuedBytes: 80 * 1_048_576,
  /** Of all connections: beyond, the one with more of them is cut off that has over `pausedBytes`. */
  allQueuedBytes: 768 * 1_048_576,
  /** What a connection may prove; the replicated identity has room for so many, the address among them. Beyond: refused. */
  identities: 16,
  /** How often connections are looked at: who is silent, who needs a renewal. */
  tickMillis: 250,
  /** The same line is logged so often at most. */
  noteMillis: 1000,
  /** `stop` serves on for so long, as the other doors do. */
  graceMillis: 0,
  /** Then it waits this long for answers. */
  drainMillis: 5000,
} as const;

export type ZookeeperLimits = { readonly [Name in keyof typeof zookeeperLimits]: number };

assert(zookeeperLimits.window <= limits.laneWindow, "what is under way fits the replicated memory");
assert(
  zookeeperLimits.firstWindow * zookeeperLimits.frameBytes + zookeeperLimits.pausedBytes <= zookeeperLimits.queuedBytes,
  "nobody is cut off for answers of requests that were read from him",
);
assert(zookeeperLimits.minSessionTimeoutMillis >= limits.sessionTimeoutMinMillis, "the shortest session is allowed");
assert(zookeeperLimits.maxSessionTimeoutMillis <= limits.sessionTimeoutMaxMillis, "the longest session is allowed");
assert(zookeeperLimits.tickMillis * 5 <= zookeeperLimits.minSessionTimeoutMillis / 3, "renewals come in time");
