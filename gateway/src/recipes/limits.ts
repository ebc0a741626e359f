/** The limits of locks and elections. */
export const recipeLimits = {
  /** Of a contender's name or a candidate's value. */
  valueBytes: 65_536,
  permits: 10_000,
  /** Of one write. */
  fences: 10,
  /** Queues that are watched at a time, for all that wait in them; one more is `throttled`. */
  queues: 10_000,
  /** Tokens whose znode is remembered; of another the queue is listed. */
  tokens: 100_000,
  /** The same for those that writers have shown. */
  shownTokens: 10_000,
  /** Sessions, and queues, of which something is remembered. */
  remembered: 100_000,
  /** Names that are listed with a new place: who stands among no more knows from that alone where it stands. */
  namesWithPlace: 64,
  /** Names that are read to tell a place once; where there are more the queue is watched. */
  namesOfQueue: 1000,
  /** How long the watch of a queue may take to open. */
  watchOpenMillis: 10_000,
  /** How often a place is tried to be made while the queue's znode is made, changed and swept by others. */
  tries: 8,
  /** Who waits, as far as it is told at most, and unless it is asked for more. */
  shownWaiters: 10_000,
  defaultShownWaiters: 100,
  /** How long a queue is watched after the last has gone that waited in it. */
  lingerMillis: 5000,
} as const;
