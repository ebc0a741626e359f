/** The gRPC door's own bounds; what clients can meet in every door is in `@quorate/api`. Sizes in bytes, times in ms. */
import { assert, limits } from "@quorate/api";

export const grpcLimits = {
  /** Open sockets; one more is closed. */
  connections: 16_384,
  /** Streams of one connection under way; HTTP/2 makes a client wait with more. A watch is one, so it is generous. */
  streamsPerConnection: 10_000,
  /** Unary calls under way; one more is RESOURCE_EXHAUSTED. */
  inFlight: 8192,
  /** Watches and Session streams; one more is RESOURCE_EXHAUSTED. */
  watches: 65_536,
  sessionStreams: 16_384,
  /** What the transport reads at all; what is over `requestBytes` and below this gets an answer with details. */
  receiveBytes: 2 * 1_048_576,
  /** A client behind a NAT or a balancer that forgot it is found by a ping; balancers forget after a minute and more. */
  keepaliveMillis: 30_000,
  keepaliveTimeoutMillis: 10_000,
  /** HTTP/2's first window of 64 KiB would make a batch of a Session stream wait for a round trip. */
  flowControlWindow: 1_048_576,
  /** A connection that says nothing at first gets no HTTP/2 session; so long it may be silent. */
  strangerMillis: 10_000,
  /** A watch's message is cut at about this size. */
  watchMessageBytes: 1_048_576,
  /** Unsent bytes of a watch's stream at which its reader is too slow and is cut off. */
  watchQueuedBytes: 4 * 1_048_576,
  /** Unsent bytes of a tree's stream at which the next page waits; what a reader of nothing is given in time. */
  treeQueuedBytes: 1_048_576,
  treeStallMillis: 25_000,
  /** A watch says its cursor at least this often. */
  cursorMillis: 15_000,
  /** Operations in one message of a Session stream. */
  sessionOperations: 4096,
  /** Operations of a Session stream under way. Beyond: nothing more is read from it. */
  sessionWindow: limits.laneWindow,
  /** Unsent bytes of a Session stream at which nothing more is begun on it. */
  sessionQueuedBytes: 1_048_576,
  /** Unsent bytes at which its reader is too slow for the events of its watches, and the stream ends. */
  sessionEventBytes: 8 * 1_048_576,
  /** A batch of replies is sent at about this size, else at the end of the turn. */
  sessionBatchBytes: 262_144,
  sessionWatches: 1000,
  /** A first message with `open` must come within this. */
  sessionOpenMillis: 10_000,
  /** After `stop`, so long everything is still taken, though health says no: balancers need to see that first. */
  graceMillis: 0,
  /** `stop` waits this long for unary calls under way, and for last words to be read. */
  drainMillis: 5000,
  /** How often a change of the health is looked for. */
  healthMillis: 500,
  /** Health streams; one more is RESOURCE_EXHAUSTED. */
  healthWatches: 1024,
  /** Hashed credentials remembered; the oldest goes. */
  cachedCredentials: 4096,
  /** Taken from the client's deadline, so that the reason why it was not kept still arrives. */
  deadlineMarginMillis: 50,
} as const;

export type GrpcLimits = { readonly [Name in keyof typeof grpcLimits]: number };

assert(grpcLimits.receiveBytes > limits.requestBytes, "a request that is too large can be answered");
assert(grpcLimits.watchMessageBytes + limits.dataBytes + 65_536 <= limits.answerBytes, "one event more fits an answer");
assert(grpcLimits.sessionBatchBytes + 2 * limits.dataBytes <= limits.answerBytes, "one reply more fits an answer");
assert(grpcLimits.sessionWindow <= limits.laneWindow, "what is under way fits the replicated memory");
