/**
 * The open watches of a gateway. The home's feed goes to all that are joined to it; who is not asks for what happened
 * behind its cursor. A question's answer stands in the stream before the feed of what comes after it, so that joining
 * needs no buffer and leaves neither gap nor overlap.
 *
 * 1. Joined watchers have no place of their own: all stand where the feed stands (`FeedPlace`). A change that nobody
 *    watches costs the same with one watcher and with ten thousand.
 * 2. A feed is joined only by an answer of the home itself, to a question that was sent to it as the home: `Calls` gives
 *    a question that is asked again a new number, so that an answer from before a move never passes for one behind it.
 *    Answers to stale reads, and answers that end before the feed's place, are told; then the watcher asks on.
 * 3. When the home moves, or its stream or feed breaks, all joined ones ask again, some hundreds at a time.
 * 4. An old home's feed, and that of a home through which nobody watches any more, is turned off by `unwatch`. No question
 *    sent before it can be joined by its answer afterwards: there is none (nobody asks), or it got a new number (2).
 * 5. Those who follow paths, which come and go, all stand at one place, and ask together (`followers.ts`).
 */
import type { Acting, SessionId, WatchedResult, Zxid } from "@quorate/api";
import type { Answer, Following, FollowListener, WatchEnd, Watching, WatchListener, WatchRequest } from "../backend.ts";
import { linkLimits } from "../limits.ts";
import type { ReplicaStream } from "../stream.ts";
import { Delivery, type FeedMessage } from "./delivery.ts";
import { Followers, type Member } from "./followers.ts";
import { type Party, type QuestionPorts, Questions, type WatchAnswered } from "./questions.ts";
import { Readers } from "./readers.ts";
import { SessionMembers } from "./session-members.ts";
import { WatchIndex } from "./watch-index.ts";
import { type FeedPlace, Watcher } from "./watcher.ts";

export type { WatchAnswered };

export interface WatchPorts extends QuestionPorts {
  home(): ReplicaStream | undefined;
  /** First 16 hex digits of the id of the history that `stream` serves; empty: unknown. */
  historyOf(stream: ReplicaStream): string;
  unwatch(stream: ReplicaStream): void;
  /** `told` was false for this session, and may not be now. */
  eventsTold(session: SessionId): void;
  log(text: string): void;
}

const stopping: WatchEnd = { code: "noLeader", detail: "this gateway is stopping", retryAfterMillis: 1000 };

export class Watches {
  readonly #ports: WatchPorts;
  readonly #watchers = new Set<Watcher>();
  readonly #index = new WatchIndex<Member>();
  readonly #readers = new Readers();
  readonly #delivery: Delivery;
  readonly #followers: Followers;
  readonly #questions: Questions;
  readonly #sessions: SessionMembers;
  /** The home that was last told of; its feed is the one to join. */
  #home: ReplicaStream | undefined;
  /** Undefined: nobody has joined the home's feed since it began. */
  #place: FeedPlace | undefined;
  /** The home has, or may have, its feed turned on. */
  #fed = false;
  /** When somebody last watched, while nobody does. */
  #leftAt: number;
  /** When streams that are not the home were last told to stop their feed. */
  readonly #hushedAt = new WeakMap<ReplicaStream, number>();
  #stopped = false;

  constructor(ports: WatchPorts) {
    this.#ports = ports;
    this.#sessions = new SessionMembers((session) => ports.eventsTold(session));
    this.#delivery = new Delivery(this.#index, this.#readers);
    this.#questions = new Questions(ports, (...answered) => this.#answered(...answered));
    this.#followers = new Followers(this.#index, this.#delivery, {
      world: ports.world,
      place: () => (this.#home === ports.home() ? this.#place : undefined),
      wait: (followers) => this.#questions.await(followers),
      relieved: () => this.#relieved(),
      tell: (member, call) => this.#tell(member, call),
      end: (member, end) => this.#end(member, end),
      forget: (member) => this.#forget(member),
    });
    this.#leftAt = ports.world.now();
  }

  /** Of watches. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Of these, how many the feed reaches. */
  get joined(): number {
    let count = 0;
    for (const { state } of this.#watchers) if (state === "joined") count += 1;
    return count;
  }

  get followers(): number {
    return this.#followers.all.size;
  }
  /** A path counts once for each follower and scope. */
  get followedPaths(): number {
    return this.#followers.followed;
  }

  /**
   * Whether all that the session watches has been told up to `zxid`, which somebody has answered. What came on the home's
   * own stream had the feed before it; a former home, or another replica, may be ahead of that.
   */
  told(session: SessionId, zxid: Zxid, from: ReplicaStream | undefined): boolean {
    return this.#sessions.told(session, zxid, from === this.#home);
  }

  /** Reads of the session may show nothing older: from here on what it follows is told, and up to here it was. */
  floor(session: SessionId): Zxid {
    return this.#sessions.floor(session);
  }

  watch(request: WatchRequest, deadlineMillis: number, listener: WatchListener): Watching {
    const { identity, after, consistency, minZxid, maxStaleMillis } = request;
    const reader = this.#readers.enter(identity);
    const watcher = new Watcher(request, reader, listener, (each) => this.#forget(each));
    const refusal = this.#refusal(this.#watchers.size, linkLimits.watchers, "watches");
    if (refusal) {
      this.#ports.world.soon(() => this.#end(watcher, refusal));
      return watcher;
    }
    this.#watchers.add(watcher);
    this.#index.add(request.scopes, watcher);
    this.#sessions.enter(watcher);
    const state = { consistency, minZxid, maxStaleMillis };
    const events = { consistency: "session", minZxid, maxStaleMillis: 0 } as const;
    const question = watcher.question(after ? events : state, after !== undefined);
    this.#questions.ask(watcher, question, deadlineMillis);
    return watcher;
  }

  follow(acting: Acting, listener: FollowListener): Following {
    const refusal = this.#refusal(this.#followers.all.size, linkLimits.followers, "sessions that follow paths");
    const follower = this.#followers.open(acting, listener, refusal);
    if (!refusal) this.#sessions.enter(follower);
    return follower;
  }

  #refusal(size: number, limit: number, what: string): WatchEnd | undefined {
    if (this.#stopped) return stopping;
    if (size < limit) return undefined;
    const detail = `this gateway has ${limit} ${what}, and takes no more; try another one, or again later`;
    return { code: "throttled", detail, retryAfterMillis: 1000 };
  }

  #answered(party: Party, answer: Answer, joins: ReplicaStream | undefined, stream: ReplicaStream | undefined): void {
    const opens = party.state === "opening";
    if (answer.kind === "unavailable") {
      const { code, detail, retryAfterMillis } = answer;
      if (opens) this.#fail(party, { code, detail, retryAfterMillis });
      else this.#questions.rest(party, code);
      return;
    }
    const { outcome, servedBy } = answer;
    if (!outcome.ok) {
      const { code, detail, zxid, path } = outcome;
      const end = { code, detail, retryAfterMillis: 0, zxid, servedBy };
      this.#fail(party, path === undefined ? end : { ...end, path });
      return;
    }
    const { result } = outcome;
    if (result.kind !== "watched") {
      this.#fail(party, { code: "internal", detail: `a watch was answered ${result.kind}`, retryAfterMillis: 0 });
      return;
    }
    if (party.kind === "followers" && party.isBack(result.through)) return this.#questions.rest(party, "behind");
    party.state = "waiting";
    const history = stream && this.#ports.historyOf(stream);
    if (history) party.history = history;
    if (party.kind === "followers") party.took(result);
    else this.#tellWatcher(party, opens, result, answer);
    if (party.kind === "watcher" && isOver(party)) return;
    if (!result.more && this.#joins(joins, result.through)) this.#join(party, result.through);
    else this.#questions.await(party);
    this.#sessions.release();
  }

  #tellWatcher(
    watcher: Watcher,
    opens: boolean,
    { through, states, events, more, sessionTimeoutMillis }: WatchedResult,
    { servedBy, ageMillis }: Extract<Answer, { kind: "outcome" }>,
  ): void {
    watcher.zxid = through;
    if (opens) {
      this.#tell(watcher, () => watcher.listener.opened({ states, servedBy, ageMillis, sessionTimeoutMillis }));
    }
    if (events.length > 0 || more || watcher.owed) {
      watcher.owed = more;
      this.#tell(watcher, () => watcher.listener.events(events, more));
    }
  }

  #fail(party: Party, end: WatchEnd): void {
    if (party.kind === "watcher") this.#end(party, end);
    else party.lost(end);
  }

  #joins(stream: ReplicaStream | undefined, through: Zxid): boolean {
    if (!stream || stream !== this.#home || stream !== this.#ports.home()) return false;
    return this.#place === undefined || this.#place.through <= through;
  }

  #join(party: Party, through: Zxid): void {
    this.#fed = true;
    this.#place ??= { through, history: party.history };
    // What lies between the feed's last word and this answer changed nothing.
    this.#place.through = through;
    party.state = "joined";
    party.feed = this.#place;
  }

  /** Asks for those who wait, as far as there is a home and room. */
  pump(): void {
    if (!this.#home || this.#home !== this.#ports.home()) return;
    const waited = !this.#followers.joined;
    this.#questions.pump((party) => party.question());
    if (waited && this.#followers.joined) this.#sessions.release();
  }

  /** A feed came on `stream`. */
  feed(stream: ReplicaStream, message: FeedMessage): void {
    if (stream !== this.#home) {
      this.#hush(stream);
      return;
    }
    this.#fed = true;
    const place = this.#place;
    if (place) {
      const touched = message.changes.length > 0 ? this.#delivery.gather(place, message) : [];
      if (message.through > place.through) place.through = message.through;
      for (const member of touched) {
        if (member.kind === "watcher") this.#deliver(member);
        else this.#followers.deliver(member, message.acls);
      }
    }
    for (const session of message.ended) {
      for (const member of [...this.#sessions.of(session)]) {
        const detail = "the session of this watch is over (expired or closed), and the watch with it; open a new one";
        this.#end(member, { code: "sessionExpired", detail, retryAfterMillis: 0, zxid: message.through });
      }
    }
    this.#sessions.release();
  }

  #deliver(watcher: Watcher): void {
    const { pending, denied, feed } = watcher;
    if (pending === undefined || feed === undefined) return;
    if (denied !== undefined) {
      const last = pending.at(-1);
      watcher.leaveFeed();
      if (last) {
        watcher.zxid = last.zxid;
        this.#tell(watcher, () => watcher.listener.events(pending, false));
      }
      const detail = `the permission READ (r) on ${denied} is missing now, so that it is watched no more`;
      this.#end(watcher, { code: "noAuth", detail, retryAfterMillis: 0, zxid: feed.through, path: denied });
      return;
    }
    watcher.pending = undefined;
    this.#tell(watcher, () => watcher.listener.events(pending, false));
  }

  /** A feed that nobody here listens to: said once in a while, for some of it may be on its way. */
  #hush(stream: ReplicaStream): void {
    // Without another home it may become the home again, with questions of ours on the way to it.
    if (!this.#home) return;
    const now = this.#ports.world.now();
    const last = this.#hushedAt.get(stream);
    if (last !== undefined && now - last < linkLimits.unwatchMillis) return;
    this.#hushedAt.set(stream, now);
    this.#ports.unwatch(stream);
  }

  /** The feed of `stream` has a gap. */
  feedBroken(stream: ReplicaStream): void {
    if (stream === this.#home) this.#breakFeed();
  }

  lost(stream: ReplicaStream): void {
    if (stream === this.#home) this.#breakFeed();
  }

  moved(home: ReplicaStream | undefined): void {
    if (home === this.#home) return;
    this.#breakFeed();
    this.#home = home;
    this.#fed = false;
    this.#ports.wake();
  }

  #breakFeed(): void {
    const place = this.#place;
    this.#place = undefined;
    if (!place) return;
    for (const watcher of this.#watchers) {
      if (watcher.feed !== place) continue;
      watcher.leaveFeed();
      this.#questions.await(watcher);
    }
    this.#followers.broken(place);
  }

  /** Now and then: turns the feed off when nobody has watched for a while. */
  check(now: number): void {
    if (!this.#fed || !this.#home || this.#busy || now - this.#leftAt < linkLimits.unwatchMillis) return;
    this.#breakFeed();
    this.#fed = false;
    this.#ports.unwatch(this.#home);
  }

  get #busy(): boolean {
    return this.#watchers.size > 0 || this.#index.size > 0 || this.#questions.size > 0;
  }

  /** Somebody watches less. */
  #relieved(): void {
    if (!this.#busy) this.#leftAt = this.#ports.world.now();
    this.#sessions.release();
  }

  /** A listener that throws has lost what it was told: its watch ends. */
  #tell(member: Member, call: () => void): void {
    if (isOver(member)) return;
    try {
      call();
    } catch (error) {
      this.#ports.log(`a watch's listener failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      this.#end(member, { code: "internal", detail: "this gateway failed to pass events on", retryAfterMillis: 0 });
    }
  }

  #end(member: Member, end: WatchEnd): void {
    if (isOver(member)) return;
    this.#leave(member);
    try {
      member.listener.ended(end);
    } catch (error) {
      this.#ports.log(`a watch's listener failed at its end: ${error instanceof Error ? error.message : error}`);
    }
    // Answers that waited for its events are told behind its end.
    this.#relieved();
  }

  #forget(member: Member): void {
    if (isOver(member)) return;
    this.#leave(member);
    this.#relieved();
  }

  #leave(member: Member): void {
    if (member.kind === "follower") this.#followers.forget(member);
    else {
      this.#questions.drop(member);
      member.leaveFeed();
      this.#readers.leave(member.reader);
      if (this.#watchers.delete(member)) this.#index.remove(member.scopes, member);
    }
    member.state = "ended";
    this.#sessions.leave(member);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#questions.drop(this.#followers);
    for (const member of [...this.#watchers, ...this.#followers.all]) this.#end(member, stopping);
  }
}

function isOver(member: Member): boolean {
  return member.state === "ended";
}
