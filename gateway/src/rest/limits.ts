/** The REST door's own bounds; what clients can meet in every door is in `@quorate/api`. Sizes in bytes, times in ms. */
import { assert } from "@quorate/api";

export const restLimits = {
  /** Open sockets; one more is answered 429 and closed. */
  connections: 24_576,
  /** Sockets that are being answered so; one more is closed without. */
  refusals: 1024,
  /** Requests under way; one more is answered 429. */
  inFlight: 8192,
  /** Polls, blocking reads and streams that wait; one more is answered 429. They do not count among those under way. */
  watchers: 20_480,
  /** A stream has a cursor so often, whatever happens. */
  watchBeatMillis: 15_000,
  /** A stream with more unsent is cut off with its last cursor. */
  watchUnsentBytes: 1_048_576,
  /** While a stream catches up, or its events get their data, it goes on once no more than this is unsent. */
  watchSoftBytes: 262_144,
  /** Events of a stream that wait for their data; beyond, its watch is closed until they have it. */
  watchQueuedEvents: 1024,
  /** What a stream has left to say, and its last word, may take so long to be read. */
  watchLingerMillis: 60_000,
  /** It is left before, when nothing has moved for so long: kernels ask for more only once a third of their buffers is empty. */
  watchStallMillis: 20_000,
  /** Characters of data in a poll's answer; it ends with the transaction that passes them. */
  pollDataBytes: 1_048_576,
  /** A client that has read nothing of a listing for so long is cut off: a replica keeps former znodes for it. */
  listingStallMillis: 25_000,
  /** Bodies held by requests under way, together; one more is answered 429. */
  heldBodyBytes: 256 * 1_048_576,
  headersMillis: 10_000,
  requestMillis: 30_000,
  /** Above the 60 s that balancers usually keep an idle connection. */
  keepAliveMillis: 65_000,
  /** After a refusal the rest of a body is read and dropped this long and this far, so that the answer is not lost. */
  lingerMillis: 2000,
  lingerBytes: 64 * 1_048_576,
  /** A body up to this size is read and dropped while the connection is kept. */
  dropBytes: 262_144,
  /** `stop` serves on for so long, so that balancers and clients go elsewhere. */
  graceMillis: 0,
  /** Then it waits this long for requests under way. */
  drainMillis: 5000,
  /** Hashed credentials remembered; the oldest goes. */
  cachedCredentials: 4096,
  jsonDepth: 32,
} as const;

export type RestLimits = { readonly [Name in keyof typeof restLimits]: number };

assert(restLimits.watchers < restLimits.connections, "there is room for requests beside the watchers");
assert(restLimits.watchStallMillis < restLimits.watchLingerMillis, "who reads on is waited for longer");
assert(restLimits.watchSoftBytes < restLimits.watchUnsentBytes, "who catches up is not cut off for it");
