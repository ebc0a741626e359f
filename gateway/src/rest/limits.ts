/** The REST door's own bounds; what clients can meet in every door is in `@quorate/api`. Sizes in bytes, times in ms. */
export const restLimits = {
  /** Open sockets; one more is answered 429 and closed. */
  connections: 16_384,
  /** Requests under way; one more is answered 429. */
  inFlight: 8192,
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
  /** `stop` waits this long for requests under way. */
  drainMillis: 5000,
  /** Hashed credentials remembered; the oldest goes. */
  cachedCredentials: 4096,
  jsonDepth: 32,
} as const;

export type RestLimits = { readonly [Name in keyof typeof restLimits]: number };
