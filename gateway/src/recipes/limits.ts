/** The limits of locks and elections. */
export const recipeLimits = {
  /** Of a contender's name or a candidate's value. */
  valueBytes: 65_536,
  permits: 10_000,
  /** Queues that are watched at a time, for all that wait in them; one more is `throttled`. */
  queues: 10_000,
  /** Tokens whose znode is remembered; of another the queue is listed. */
  tokens: 100_000,
  /** Who waits, as far as it is told at most, and unless it is asked for more. */
  shownWaiters: 10_000,
  defaultShownWaiters: 100,
  /** How long a queue is watched after the last has gone that waited in it. */
  lingerMillis: 5000,
} as const;
