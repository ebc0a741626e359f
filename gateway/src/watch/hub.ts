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
 *    sent before it can be joined by its answer afterwards: there is none (no watchers), or it got a new number (2).
 */
import { type Acting, type ErrorCode, noSession, type SessionId, type WatchOperation, type Zxid, zeroZxid } from "@quorate/api";
import type { Answer, Following, FollowListener, ReadRequest, WatchEnd, Watching, WatchListener, WatchRequest } from "../backend.ts";
import { linkLimits } from "../limits.ts";
import type { GatewayWorld } from "../ports.ts";
import { Queue } from "../queue.ts";
import type { ReplicaStream } from "../stream.ts";
import { Delivery, type FeedMessage } from "./delivery.ts";
import { Readers } from "./readers.ts";
import { WatchIndex } from "./watch-index.ts";
import { type FeedPlace, Watcher } from "./watcher.ts";

/** `stream`: whose answer it is. Called in the turn of the answer, before what stands behind it on the stream. */
export type WatchAnswered = (answer: Answer, stream: ReplicaStream | undefined) => void;

export interface WatchPorts {
  readonly world: GatewayWorld;
  home(): ReplicaStream | undefined;
  /** First 16 hex digits of the id of the history that `stream` serves; empty: unknown. */
  historyOf(stream: ReplicaStream): string;
  /** Asks a read of kind `watch`; answers the way to give it up, after which nothing is called. */
  ask(request: ReadRequest, deadline: number, answered: WatchAnswered): () => void;
  unwatch(stream: ReplicaStream): void;
  /** `told` was false for this session, and may not be now. */
  eventsTold(session: SessionId): void;
  /** `pump` is due by the end of the turn. */
  wake(): void;
  log(text: string): void;
}

const stopping: WatchEnd = { code: "noLeader", detail: "this gateway is stopping", retryAfterMillis: 1000 };

export class Watches {
  readonly #ports: WatchPorts;
  readonly #all = new Set<Watcher>();
  readonly #index = new WatchIndex<Watcher>();
  readonly #readers = new Readers();
  readonly #delivery: Delivery;
  readonly #sessions = new Map<SessionId, Set<Watcher>>();
  /** Those with answers that wait for events. */
  readonly #held = new Set<SessionId>();
  /** Those of state `waiting`. */
  readonly #queue = new Queue<Watcher>();
  /** Those of state `asking`. */
  #asking = 0;
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
    this.#delivery = new Delivery(this.#index, this.#readers);
    this.#leftAt = ports.world.now();
  }

  get size(): number {
    return this.#all.size;
  }

  /** Of these, how many the feed reaches. */
  get joined(): number {
    let count = 0;
    for (const { state } of this.#all) if (state === "joined") count += 1;
    return count;
  }

  /**
   * Whether all watches that the session keeps have told everything up to `zxid`, which somebody has answered. What came on
   * the home's own stream had the feed before it; a former home, or another replica, may be ahead of that.
   */
  told(session: SessionId, zxid: Zxid, from: ReplicaStream | undefined): boolean {
    for (const each of this.#sessions.get(session) ?? []) {
      if (each.state === "opening" || each.cursor.zxid >= zxid) continue;
      if (each.state === "joined" && from === this.#home) continue;
      this.#held.add(session);
      return false;
    }
    return true;
  }

  /** The cursors may have moved on. */
  #release(): void {
    if (this.#held.size === 0) return;
    const held = [...this.#held];
    this.#held.clear();
    for (const session of held) this.#ports.eventsTold(session);
  }

  watch(request: WatchRequest, deadlineMillis: number, listener: WatchListener): Watching {
    const { identity, acting } = request;
    const reader = this.#readers.enter(identity);
    const watcher = new Watcher(request, reader, listener, (each) => this.#forget(each));
    const refusal = this.#refusal();
    if (refusal) {
      this.#ports.world.soon(() => this.#end(watcher, refusal));
      return watcher;
    }
    this.#all.add(watcher);
    this.#index.add(request.scopes, watcher);
    if (acting) {
      const ofSession = this.#sessions.get(acting.session);
      if (ofSession) ofSession.add(watcher);
      else this.#sessions.set(acting.session, new Set([watcher]));
    }
    this.#open(watcher, request, deadlineMillis);
    return watcher;
  }

  follow(_acting: Acting, _listener: FollowListener): Following {
    throw new Error("following is not built yet");
  }

  #refusal(): WatchEnd | undefined {
    if (this.#stopped) return stopping;
    if (this.#all.size < linkLimits.watchers) return undefined;
    const detail = `this gateway has ${linkLimits.watchers} watches, and takes no more; try another one, or again later`;
    return { code: "throttled", detail, retryAfterMillis: 1000 };
  }

  #open(watcher: Watcher, request: WatchRequest, deadlineMillis: number): void {
    const { after, consistency, minZxid, maxStaleMillis } = request;
    const state = { consistency, minZxid, maxStaleMillis };
    const events = { consistency: "session", minZxid, maxStaleMillis: 0 } as const;
    this.#ask(watcher, after ? events : state, after !== undefined, deadlineMillis);
  }

  #ask(
    watcher: Watcher,
    how: Pick<ReadRequest, "consistency" | "minZxid" | "maxStaleMillis">,
    resumes: boolean,
    budgetMillis: number,
  ): void {
    const { scopes, zxid, history, acting, reader } = watcher;
    const behind = history === undefined ? { after: zxid } : { after: zxid, history };
    const operation: WatchOperation = resumes ? { kind: "watch", scopes, ...behind } : { kind: "watch", scopes };
    const { identity } = reader;
    const request: ReadRequest = acting ? { ...how, identity, acting, operation } : { ...how, identity, operation };
    const stale = how.consistency === "stale";
    const { world } = this.#ports;
    let within = true;
    let givenUp = false;
    const giveUp = this.#ports.ask(request, world.now() + budgetMillis, (answer, stream) => {
      // Nothing is told before `watch` has returned.
      if (!within) this.#answered(watcher, answer, stale ? undefined : stream, stream);
      else world.soon(() => givenUp || this.#answered(watcher, answer, undefined, stream));
    });
    within = false;
    watcher.giveUp = () => {
      givenUp = true;
      giveUp();
    };
  }

  /** `joins`: whose feed goes on behind this answer, if it is the home. */
  #answered(
    watcher: Watcher,
    answer: Answer,
    joins: ReplicaStream | undefined,
    stream: ReplicaStream | undefined,
  ): void {
    watcher.giveUp = undefined;
    const opens = watcher.state === "opening";
    if (!opens) this.#asking -= 1;
    // There is room for another question.
    if (this.#queue.size > 0) this.#ports.wake();
    if (answer.kind === "unavailable") {
      const { code, detail, retryAfterMillis } = answer;
      if (opens) this.#end(watcher, { code, detail, retryAfterMillis });
      else this.#rest(watcher, answer.code);
      return;
    }
    const { outcome, servedBy, ageMillis } = answer;
    if (!outcome.ok) {
      const { code, detail, zxid, path } = outcome;
      const end = { code, detail, retryAfterMillis: 0, zxid, servedBy };
      this.#end(watcher, path === undefined ? end : { ...end, path });
      return;
    }
    const { result } = outcome;
    if (result.kind !== "watched") {
      this.#end(watcher, { code: "internal", detail: `a watch was answered ${result.kind}`, retryAfterMillis: 0 });
      return;
    }
    watcher.state = "waiting";
    watcher.zxid = result.through;
    const history = stream && this.#ports.historyOf(stream);
    if (history) watcher.history = history;
    if (opens) {
      const { states, sessionTimeoutMillis } = result;
      this.#tell(watcher, () => watcher.listener.opened({ states, servedBy, ageMillis, sessionTimeoutMillis }));
    }
    const { events, more } = result;
    if (events.length > 0 || more || watcher.owed) {
      watcher.owed = more;
      if (!isOver(watcher)) this.#tell(watcher, () => watcher.listener.events(events, more));
    }
    if (isOver(watcher)) return;
    if (!more && this.#joins(joins, result.through)) this.#join(watcher, result.through);
    else this.#await(watcher);
    this.#release();
  }

  #joins(stream: ReplicaStream | undefined, through: Zxid): boolean {
    if (!stream || stream !== this.#home || stream !== this.#ports.home()) return false;
    return this.#place === undefined || this.#place.through <= through;
  }

  #join(watcher: Watcher, through: Zxid): void {
    this.#fed = true;
    this.#place ??= { through };
    // What lies between the feed's last word and this answer changed nothing.
    this.#place.through = through;
    watcher.state = "joined";
    watcher.feed = this.#place;
  }

  #await(watcher: Watcher): void {
    watcher.state = "waiting";
    // Sessions first: their reads stand in one order with their events.
    if (watcher.acting) this.#queue.pushFront(watcher);
    else this.#queue.push(watcher);
    this.#ports.wake();
  }

  /** It asks for ever, but not at once: whoever answered so needs a moment. */
  #rest(watcher: Watcher, code: ErrorCode): void {
    watcher.state = "resting";
    const pause = code === "throttled" ? linkLimits.retryMaxMillis : linkLimits.retryMillis;
    this.#ports.world.after(pause, () => {
      if (watcher.state === "resting") this.#await(watcher);
    });
  }

  /** Asks for those who wait, as far as there is a home and room. */
  pump(): void {
    if (!this.#home || this.#home !== this.#ports.home()) return;
    for (let each = this.#queue.first; each && this.#asking < linkLimits.watchQuestions; each = this.#queue.first) {
      this.#queue.remove(each);
      each.state = "asking";
      this.#asking += 1;
      const how = { consistency: "session", minZxid: zeroZxid, maxStaleMillis: 0 } as const;
      this.#ask(each, how, true, linkLimits.watchQuestionMillis);
    }
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
      for (const watcher of touched) this.#deliver(watcher);
    }
    for (const session of message.ended) {
      for (const watcher of [...(this.#sessions.get(session) ?? [])]) {
        const detail = "the session of this watch is over (expired or closed), and the watch with it; open a new one";
        this.#end(watcher, { code: "sessionExpired", detail, retryAfterMillis: 0, zxid: message.through });
      }
    }
    this.#release();
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
    for (const watcher of this.#all) {
      if (watcher.feed !== place) continue;
      watcher.leaveFeed();
      this.#await(watcher);
    }
  }

  /** Now and then: turns the feed off when nobody has watched for a while. */
  check(now: number): void {
    if (!this.#fed || !this.#home || this.#all.size > 0 || now - this.#leftAt < linkLimits.unwatchMillis) return;
    this.#fed = false;
    this.#place = undefined;
    this.#ports.unwatch(this.#home);
  }

  /** A listener that throws has lost what it was told: its watch ends. */
  #tell(watcher: Watcher, call: () => void): void {
    if (isOver(watcher)) return;
    try {
      call();
    } catch (error) {
      this.#ports.log(`a watch's listener failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      this.#end(watcher, { code: "internal", detail: "this gateway failed to pass events on", retryAfterMillis: 0 });
    }
  }

  #end(watcher: Watcher, end: WatchEnd): void {
    if (isOver(watcher)) return;
    this.#forget(watcher);
    try {
      watcher.listener.ended(end);
    } catch (error) {
      this.#ports.log(`a watch's listener failed at its end: ${error instanceof Error ? error.message : error}`);
    }
  }

  #forget(watcher: Watcher): void {
    if (isOver(watcher)) return;
    if (watcher.state === "asking" && watcher.giveUp) this.#asking -= 1;
    watcher.giveUp?.();
    watcher.giveUp = undefined;
    watcher.leaveFeed();
    watcher.state = "ended";
    this.#queue.remove(watcher);
    this.#readers.leave(watcher.reader);
    if (!this.#all.delete(watcher)) return;
    this.#index.remove(watcher.scopes, watcher);
    const session = watcher.acting?.session ?? noSession;
    const ofSession = this.#sessions.get(session);
    if (ofSession?.delete(watcher) && ofSession.size === 0) this.#sessions.delete(session);
    this.#release();
    if (this.#all.size === 0) this.#leftAt = this.#ports.world.now();
    if (this.#queue.size > 0) this.#ports.wake();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const watcher of [...this.#all]) this.#end(watcher, stopping);
  }
}

function isOver(watcher: Watcher): boolean {
  return watcher.state === "ended";
}
