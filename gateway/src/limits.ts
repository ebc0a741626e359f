/**
 * The limits of a gateway's link to the replicas, with the answer to each overflow. Sizes in bytes, times in ms.
 */
import { assert, limits, watchCodecLimits } from "@quorate/api";

export const linkLimits = {
  /** Writes numbered and not yet answered; the rest wait for a number. The replicated memory of a lane has no more. */
  laneWindow: limits.laneWindow,
  /** Bytes of those; one write always fits. */
  laneBytes: 32 * 1_048_576,
  /** Writes that wait for a number. Beyond: `throttled`. */
  waitingWrites: 16_384,
  waitingWriteBytes: 64 * 1_048_576,
  /** Reads and hand-overs, sent or waiting for a replica. Beyond: `throttled`. */
  calls: 65_536,
  callBytes: 32 * 1_048_576,
  /** Listings of subtrees under way; a replica has its own limit for all gateways. Beyond: `throttled`. */
  listings: 64,
  /** Renewals, sent or waiting. Beyond: `throttled`. */
  renewals: 65_536,
  /** Renewals in one message. */
  renewalsPerMessage: 1000,
  /** Client sessions attached at once. Beyond: `throttled`. */
  sessionLanes: 65_536,
  /** Requests of one of them that are not answered, and their bytes; one always fits. Beyond: it is not `writable`. */
  sessionRequests: limits.laneWindow,
  sessionBytes: 4 * 1_048_576,
  /** Bytes of all of them; one request of each always fits. */
  allSessionBytes: 256 * 1_048_576,
  /** Lanes that are fenced in one turn when the home moves; the rest in the next ones. */
  fencesPerTurn: 256,
  /** Nothing more is put on a stream that has this much unsent; what waits then waits here, under its own limits. */
  streamQueuedBytes: 4 * 1_048_576,
  /** Members learned from statuses, beyond the configured ones. Beyond: not dialled. */
  learnedReplicas: 32,
  /** Redials: doubling from the first to the last, which is what a replica that comes back may wait to be seen. */
  redialFirstMillis: 50,
  redialLastMillis: 250,
  /** A stream on which no status was heard for so long is broken (replicas send one every 500 ms). */
  silenceMillis: 3000,
  /** So long after the start the configured addresses have had their chance, and learned ones are dialled too. */
  learnAfterMillis: 1000,
  /** A member of which nothing was heard for so long may be elsewhere: where the others say that it is, it is dialled too. */
  movedAfterMillis: 10_000,
  /** The gateway's own session. */
  laneSessionTimeoutMillis: 30_000,
  /** Open watches. Beyond: `throttled`. */
  watchers: 50_000,
  /** Sessions that follow paths. Beyond: `throttled`. */
  followers: 65_536,
  /** What one of them follows, and its bytes (a path counts once for each scope). Beyond: it ends, `throttled`. */
  sessionFollowed: 200_000,
  sessionFollowedBytes: 32 * 1_048_576,
  /** What all of them follow: some 150 bytes each, and its own. Beyond: `throttled`. */
  followed: 2_000_000,
  followedBytes: 256 * 1_048_576,
  /** Who follows more bytes than this asks for all changes behind its cursor, and picks its own. */
  followQuestionBytes: 256 * 1024,
  /** Who watches or follows, and asks at once where it stands with a new home; the others wait for their turn. */
  watchQuestions: 256,
  /** Bytes of these questions; one always fits. */
  watchQuestionBytes: 8 * 1_048_576,
  /** How long one of these questions may wait before it is asked anew. */
  watchQuestionMillis: 10_000,
  /** Nobody has watched for so long: the replica is told to stop its feed. */
  unwatchMillis: 5000,
  /** How long `open` or `lane` may stay unanswered before it is said again. */
  laneAnswerMillis: 3000,
  /** No progress for so long with writes in flight: the lane is fenced and they are sent again, which is harmless. */
  laneStallMillis: 5000,
  /** A replica's verdict on a read has this much, or a quarter of the time, to be here before the time is over. */
  verdictMillis: 250,
  /** Between tries that met no leader, or a replica that is behind. */
  retryMillis: 50,
  retryMaxMillis: 1000,
  /** The gateway's own session is touched this often at least. */
  touchMillis: 2000,
  /** A touch without an answer is said again after so long. */
  touchAnswerMillis: 2000,
  /** The longest wait for a reply when the link stops. */
  stopMillis: 300,
  /** Grain of the deadlines. */
  deadlineTickMillis: 10,
  /** Slots of the deadline wheel; what is farther away goes round again. */
  deadlineSlots: 1024,
} as const;

assert(linkLimits.laneWindow <= limits.laneWindow, "the lane's window fits the replicated memory");
assert(linkLimits.laneBytes >= limits.requestBytes, "the largest request fits the lane");
assert(linkLimits.waitingWriteBytes >= limits.requestBytes, "the largest request may wait");
assert(linkLimits.streamQueuedBytes >= limits.requestBytes, "the largest request fits a stream");
assert(linkLimits.touchMillis * 3 <= linkLimits.laneSessionTimeoutMillis, "three touches fit a session's time");
assert(linkLimits.redialFirstMillis <= linkLimits.redialLastMillis, "back-off rises");
assert(linkLimits.watchers + linkLimits.watchQuestions <= linkLimits.calls, "every watch may be opened at once");
assert(linkLimits.sessionLanes <= linkLimits.followers, "every attached session may follow");
assert(linkLimits.followQuestionBytes <= watchCodecLimits.rawPathBytes, "what is followed fits a question");
assert(
  linkLimits.watchQuestionBytes + linkLimits.followQuestionBytes < linkLimits.callBytes / 2,
  "the questions of a new home leave room for reads",
);
assert(linkLimits.silenceMillis < linkLimits.movedAfterMillis, "who is elsewhere is connected no more");
assert(linkLimits.silenceMillis >= 1500, "three statuses fit the silence that breaks a stream");
