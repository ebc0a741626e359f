/**
 * The port behind the doors, over ordered streams to the replicas. Writes go through the lane (`lane.ts`), those of
 * attached sessions through lanes of their own (`session-lanes.ts`), reads and hand-overs through `calls.ts`, renewals
 * through `touches.ts`, watches through `watch/hub.ts`; `homes.ts` knows which replica is home. Whatever one turn of the
 * loop brings leaves in one flush for each stream.
 */
import type { Acting, Identity, ReplicaId, SessionId, Zxid } from "@quorate/api";
import type { ToGateway } from "@quorate/proto";
import type {
  Answer,
  Backend,
  ClusterView,
  Following,
  FollowListener,
  LaneListener,
  ReadRequest,
  RenewAnswer,
  SessionLane,
  TreePages,
  TreeRequest,
  Watching,
  WatchListener,
  WatchRequest,
  WriteRequest,
} from "./backend.ts";
import { Calls } from "./calls.ts";
import type { Endpoint } from "./endpoint.ts";
import { Homes } from "./homes.ts";
import { Lane } from "./lane.ts";
import { linkLimits } from "./limits.ts";
import { Listings } from "./listings.ts";
import type { GatewayTimer, GatewayWorld } from "./ports.ts";
import { SessionLanes } from "./session-lanes.ts";
import type { Dial, ReplicaConnection, ReplicaEvents, ReplicaStream } from "./stream.ts";
import { Touches } from "./touches.ts";
import { cursorHistoryDigits } from "./watch/cursor.ts";
import { Watches } from "./watch/hub.ts";

export type { Dial, ReplicaConnection, ReplicaEvents };

export interface ReplicaLinkOptions {
  /** `host:port` of one replica or more; further members are learned from them. */
  readonly replicas: readonly string[];
  readonly dial: Dial;
  readonly world: GatewayWorld;
  /** For operators: names the gateway's own session. */
  readonly name: string;
  readonly log: (text: string) => void;
  /** `leader` (default), or `local`: the first of `replicas`, whenever it serves (the embedded gateway). */
  readonly home?: "leader" | "local";
}

export interface LinkStatus {
  /** Writes can be sent. */
  readonly lane: boolean;
  /** The replica that the lane is sent to; 0: none. */
  readonly home: ReplicaId;
  readonly connectedReplicas: number;
  readonly waitingWrites: number;
  readonly unansweredWrites: number;
  readonly calls: number;
  readonly watchers: number;
  /** Sessions that follow paths, and how many these are. */
  readonly followers: number;
  readonly followedPaths: number;
  /** Client sessions that are attached, or about to be. */
  readonly attached: number;
}

export class ReplicaLink implements Backend {
  readonly #world: GatewayWorld;
  readonly #homes: Homes;
  readonly #lane: Lane;
  readonly #sessions: SessionLanes;
  readonly #calls: Calls;
  readonly #listings: Listings;
  readonly #touches: Touches;
  readonly #watches: Watches;
  readonly #timers: GatewayTimer[] = [];
  readonly #dirty = new Set<Endpoint>();
  readonly #ready: Promise<void>;
  #becomeReady: () => void = () => {};
  #lastId = 0;
  #newest = 0 as Zxid;
  #woken = false;
  #stopping: Promise<void> | undefined;

  constructor(options: ReplicaLinkOptions) {
    const { world, log, name } = options;
    this.#world = world;
    this.#ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    const nextId = (): number => (this.#lastId += 1);
    const wake = (): void => this.#wake();
    const home = (): ReplicaStream | undefined => this.#homes.home;
    this.#lane = new Lane({ world, name, log, nextId, wake, flows: () => this.#becomeReady() });
    const learn = (zxid: Zxid): void => this.#learn(zxid);
    this.#calls = new Calls({ world, nextId, home, wake, learn, anywhere: (avoid) => this.#homes.anywhere(avoid) });
    this.#listings = new Listings({
      world,
      nextId,
      read: (request, deadline, answered) => this.#calls.read(request, deadline, answered),
    });
    this.#sessions = new SessionLanes({
      world,
      home,
      write: (request, deadline, done) => this.#lane.write(request, deadline, done),
      read: (request, deadline, done) => this.#calls.read(request, deadline, done),
      told: (session, zxid, from) => this.#watches.told(session, zxid, from),
      floor: (session) => this.#watches.floor(session),
      wake,
      log,
    });
    const ownExpired = (session: SessionId): void => {
      if (session === this.#lane.session) this.#lane.over("its session has expired");
    };
    this.#touches = new Touches({ world, log, nextId, home, wake, ownExpired, newest: () => this.#newest });
    this.#watches = new Watches({
      world,
      home,
      historyOf: (stream) => this.#homes.historyOf(stream).slice(0, cursorHistoryDigits),
      ask: (request, deadline, answered) => this.#calls.read(request, deadline, answered),
      unwatch: (stream) => stream.send({ kind: "unwatch" }),
      eventsTold: (session) => this.#sessions.eventsTold(session),
      wake,
      log,
    });
    this.#homes = new Homes(
      { replicas: options.replicas, home: options.home ?? "leader", dial: options.dial, world, log },
      {
        received: (stream, message) => this.#received(stream, message),
        lost: (stream) => this.#lost(stream),
        moved: (stream) => this.#moved(stream),
        drained: wake,
        queued: (endpoint) => {
          this.#dirty.add(endpoint);
          this.#wake();
        },
      },
    );
    this.#timers.push(world.every(linkLimits.deadlineTickMillis, () => this.#tick()));
    this.#timers.push(world.every(100, () => this.#check()));
    this.#homes.start();
  }

  /** Once writes can be sent for the first time, or the link was stopped. */
  ready(): Promise<void> {
    return this.#ready;
  }

  get status(): LinkStatus {
    return {
      lane: this.#lane.flowing,
      home: this.#homes.home?.replica ?? 0,
      connectedReplicas: this.#homes.connected,
      waitingWrites: this.#lane.waiting,
      unansweredWrites: this.#lane.unanswered,
      calls: this.#calls.size,
      watchers: this.#watches.size,
      followers: this.#watches.followers,
      followedPaths: this.#watches.followedPaths,
      attached: this.#sessions.size,
    };
  }

  write(request: WriteRequest, deadlineMillis: number): Promise<Answer> {
    return new Promise((resolve) => this.#lane.write(request, this.#world.now() + deadlineMillis, resolve));
  }

  read(request: ReadRequest, deadlineMillis: number): Promise<Answer> {
    return new Promise((resolve) => this.#calls.read(request, this.#world.now() + deadlineMillis, resolve));
  }

  renew(session: SessionId, secretHash: Uint8Array, deadlineMillis: number): Promise<RenewAnswer> {
    return new Promise((resolve) => {
      this.#touches.renew(session, secretHash, this.#world.now() + deadlineMillis, resolve);
    });
  }

  handOver(target: ReplicaId, deadlineMillis: number): Promise<Answer> {
    return new Promise((resolve) => this.#calls.handOver(target, this.#world.now() + deadlineMillis, resolve));
  }

  listTree(request: TreeRequest): TreePages {
    return this.#listings.create(request);
  }

  watch(request: WatchRequest, deadlineMillis: number, listener: WatchListener): Watching {
    return this.#watches.watch(request, deadlineMillis, listener);
  }

  follow(acting: Acting, listener: FollowListener): Following {
    return this.#watches.follow(acting, listener);
  }

  attach(acting: Acting, identity: Identity, deadlineMillis: number, listener: LaneListener): SessionLane {
    return this.#sessions.attach(acting, identity, deadlineMillis, listener);
  }

  cluster(): ClusterView {
    return this.#homes.view(this.#newest);
  }

  /** Refuses what comes, answers what waits, closes the gateway's session if it can, and the streams. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#becomeReady();
    this.#watches.stop();
    this.#sessions.stop();
    this.#listings.stop();
    this.#calls.stop();
    this.#touches.stop();
    await new Promise<void>((resolve) => {
      this.#lane.stop(resolve);
      this.#flush();
    });
    for (const timer of this.#timers) timer.cancel();
    this.#homes.stop();
  }

  #received(stream: ReplicaStream, message: Exclude<ToGateway, { kind: "status" | "rules" }>): void {
    switch (message.kind) {
      case "laneState":
        if (!this.#sessions.laneState(stream, message)) this.#lane.laneState(stream, message);
        return;
      case "written":
        this.#learn(message.outcome.zxid);
        if (!this.#sessions.written(stream, message)) this.#lane.written(stream, message);
        return;
      case "refused":
        if (!this.#sessions.refused(stream, message)) this.#lane.refused(stream, message);
        return;
      case "answer":
        this.#learn(message.outcome.zxid);
        if (this.#lane.opened(message.id, message.outcome)) return;
        if (this.#listings.answered(stream, message.id, message.outcome)) return;
        this.#calls.answered(stream, message.id, message.outcome, message.ageMillis);
        return;
      case "touched":
        this.#touches.touched(stream, message);
        return;
      case "feed":
        this.#learn(message.through);
        this.#watches.feed(stream, message);
        return;
      case "feedBroken":
        this.#watches.feedBroken(stream);
        return;
      default:
        message satisfies never;
    }
  }

  #learn(zxid: Zxid): void {
    if (zxid > this.#newest) this.#newest = zxid;
  }

  #lost(stream: ReplicaStream): void {
    this.#lane.lost(stream);
    this.#sessions.lost(stream);
    this.#calls.lost(stream);
    this.#listings.lost(stream);
    this.#touches.lost(stream);
    this.#watches.lost(stream);
  }

  #moved(home: ReplicaStream | undefined): void {
    this.#lane.moveTo(home);
    this.#sessions.moved(home);
    this.#calls.moved(home);
    this.#touches.moved(home);
    this.#watches.moved(home);
    this.#wake();
  }

  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#world.soon(() => {
      this.#woken = false;
      this.#pump();
    });
  }

  #pump(): void {
    this.#lane.pump();
    this.#sessions.pump();
    this.#watches.pump();
    this.#calls.pump();
    this.#touches.pump();
    this.#flush();
  }

  #flush(): void {
    for (const endpoint of this.#dirty) endpoint.flush();
    this.#dirty.clear();
  }

  #tick(): void {
    const now = this.#world.now();
    this.#lane.tick(now);
    this.#sessions.tick(now);
    this.#calls.tick(now);
    this.#touches.tick(now);
  }

  #check(): void {
    const now = this.#world.now();
    this.#homes.check(now);
    this.#touches.check(now, this.#lane.session);
    this.#watches.check(now);
    this.#sessions.check(now);
  }
}
