/** The limits that clients can meet, in one table that a test and the documents read. Sizes in bytes, times in ms. */
export const limits = {
  dataBytes: 1_048_575,
  pathBytes: 4096,
  requestBytes: 1_048_576 + 65_536,
  headerBytes: 16_384,
  /** Paths of one watch, all scopes together. */
  watchPaths: 100,
  /** States of one watch, or about so much of its events. */
  watchAnswerBytes: 1_048_576,
  watchWaitDefaultMillis: 30_000,
  watchWaitMaxMillis: 300_000,
  pageNames: 10_000,
  /** Of one answer where all names are asked at once, as ZooKeeper's clients do. */
  listedNames: 1_000_000,
  /** Of those names, each with four bytes more: what is larger fits no reply that they can read. */
  listedBytes: 1_048_576,
  defaultPageNames: 1000,
  /** Levels of a listing: more than a path can have. */
  treeDepth: 2048,
  answerBytes: 3 * 1_048_576,
  txnOperations: 1000,
  /** Of ZooKeeper's multi, which has no limit but the frame's. */
  multiOperations: 10_000,
  txnZnodes: 10_000,
  sessionEphemerals: 10_000,
  sessionTimeoutMinMillis: 1000,
  sessionTimeoutMaxMillis: 86_400_000,
  sessionTimeoutDefaultMillis: 30_000,
  sessionNameBytes: 256,
  laneWindow: 1024,
  keyCount: 100_000,
  keyMillis: 60_000,
  keyCharacters: 64,
  ttlMaxMillis: 1_099_511_627_775,
  aclEntries: 100,
  requestTimeoutDefaultMillis: 10_000,
  requestTimeoutMaxMillis: 60_000,
  maxStaleDefaultMillis: 10_000,
} as const;
