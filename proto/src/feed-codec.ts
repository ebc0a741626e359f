/**
 * The fields of a `feed`: the changes of whole transactions, the ACLs that they refer to, and the sessions that ended.
 * One replica encodes it once for all of its streams; ACLs travel once for each message.
 */
import {
  type Acl,
  assert,
  type ByteReader,
  type ByteWriter,
  type FeedChange,
  feedChangeBytes,
  readAcl,
  readFeedChange,
  readSessionId,
  readZxid,
  type SessionId,
  writeAcl,
  writeFeedChange,
} from "@quorate/api";
import { frameLimits } from "./frame.ts";
import type { ToGateway } from "./gateway-messages.ts";

export type Feed = Extract<ToGateway, { kind: "feed" }>;

export const feedLimits = {
  /** A feed is closed beyond this, at the end of a transaction: the next ones go into another. */
  feedBytes: 256 * 1024,
  feedChanges: 10_000,
  /** One that a transaction makes larger than this is not sent: those who watch have to ask for it. */
  largestBytes: 8 * 1_048_576,
  /** Changes of one message: those of a feed that is not closed yet, and of the largest transaction. */
  changes: 20_000,
  /** Lists in one message: at most two for each change. Places are uint16. */
  acls: 40_000,
  ended: 20_000,
} as const;

assert(feedLimits.acls <= 2 ** 16, "a place in the list of ACLs is a uint16");
assert(feedLimits.largestBytes < frameLimits.messageBytes, "a feed fits into a message");

/** `place`: where in `acls` the list stands that a change refers to. */
export function writeFeed(w: ByteWriter, feed: Omit<Feed, "kind">, place: (reference: number) => number): void {
  w.f53(feed.through);
  w.u32(feed.acls.length);
  for (const each of feed.acls) writeAcl(w, each);
  w.u32(feed.changes.length);
  for (const each of feed.changes) writeFeedChange(w, each, place);
  w.u32(feed.ended.length);
  for (const each of feed.ended) w.f53(each);
}

export function readFeed(r: ByteReader): Feed {
  const through = readZxid(r);
  const acls: Acl[] = [];
  const aclCount = r.count(feedLimits.acls, 4);
  for (let i = 0; i < aclCount && !r.failed; i++) acls.push(readAcl(r));
  const changes: FeedChange[] = [];
  const changeCount = r.count(feedLimits.changes, feedChangeBytes);
  for (let i = 0; i < changeCount && !r.failed; i++) changes.push(readFeedChange(r, acls.length));
  const ended: SessionId[] = [];
  const endedCount = r.count(feedLimits.ended, 8);
  for (let i = 0; i < endedCount; i++) ended.push(readSessionId(r));
  return { kind: "feed", through, changes, acls, ended };
}
