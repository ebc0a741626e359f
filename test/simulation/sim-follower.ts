/**
 * A simulated client whose session follows paths at some gateway, as a connection of ZooKeeper's does: it adds some and reads
 * behind that on the session's own lane, removes some, writes, and asks for what it missed; and goes to another gateway, with
 * the session, when the first one is dead or silent, or as it likes.
 */
import {
  type Acting,
  anyone,
  type Outcome,
  type Path,
  type ReadOperation,
  type WatchScope,
  type WatchScopes,
  type Zxid,
} from "@quorate/api";
import type { Following, SessionLane, WatchEnd, WriteRequest } from "@quorate/gateway";
import { type Follow, type FollowSeen, identityOf } from "./observation.ts";
import type { SeededRandom } from "./random.ts";
import type { Town } from "./sim-client.ts";
import type { SimGateway } from "./sim-gateway.ts";
import { meadowWrite, someScopes } from "./sim-meadow.ts";
import { SimSession } from "./sim-session.ts";

export interface FollowHabits {
  /** Between one handful of requests and the next, ms. */
  readonly thinkMillis: number;
  /** At each look: that it goes elsewhere. */
  readonly restless: number;
  /** It closes its session, or lets it expire, now and then. */
  readonly careless: boolean;
  /** The most that it follows. */
  readonly most: number;
}

export interface FollowPorts {
  readonly town: Town;
  nextFollow(): number;
  /** May be called from within a gateway, which must not see what it throws. */
  tell(seen: FollowSeen): void;
}

/** What it has at one gateway's process. */
class Connection {
  readonly gateway: SimGateway;
  readonly life: number;
  readonly acting: Acting;
  lane: SessionLane | undefined;
  laneOpen = false;
  following: Following | undefined;
  follow: Follow | undefined;
  readonly followed = new Map<string, readonly [WatchScope, Path]>();
  /** Of the lane: the last number that was decided, and whether the next one is under way. */
  sequence = 0;
  writing = false;
  requests = 0;
  /** Nothing more comes of it. */
  over = false;

  constructor(gateway: SimGateway, acting: Acting) {
    this.gateway = gateway;
    this.life = gateway.machine.life;
    this.acting = acting;
  }

  /** The gateway's process is the one that it was opened at. */
  get lives(): boolean {
    return this.gateway.machine.alive && this.gateway.machine.life === this.life;
  }
}

export class SimFollower {
  readonly #ports: FollowPorts;
  readonly #town: Town;
  readonly #number: number;
  readonly #random: SeededRandom;
  readonly #habits: FollowHabits;
  readonly #session: SimSession;
  #connection: Connection | undefined;
  /** With a following that nobody has closed yet, as far as is known. */
  readonly #connections = new Set<Connection>();
  /** The newest that it was told of or shown. */
  #seen = 0 as Zxid;
  #pauseUntil = 0;
  told = 0;

  constructor(ports: FollowPorts, number: number, random: SeededRandom, habits: FollowHabits) {
    this.#ports = ports;
    this.#town = ports.town;
    this.#number = number;
    this.#random = random;
    this.#habits = habits;
    this.#session = new SimSession(ports.town, number, random, habits.careless, (zxid) => this.#learn(zxid));
  }

  start(): void {
    this.#town.time.after(this.#random.below(100), () => this.#turn());
  }

  #turn(): void {
    const { time, open } = this.#town;
    const { thinkMillis, restless } = this.#habits;
    const random = this.#random;
    time.after(random.below(thinkMillis * 2) + 1, () => this.#turn());
    this.#session.keep();
    const connection = this.#connection;
    const { acting } = this.#session;
    if (connection && (!connection.lives || connection.over || random.chance(restless))) this.#leave(connection);
    if (!open) return;
    if (!this.#connection && acting && time.now >= this.#pauseUntil) this.#connect(acting);
    else if (connection) this.#toGateway(connection, () => this.#handful(connection));
  }

  #learn(zxid: Zxid): void {
    if (zxid > this.#seen) this.#seen = zxid;
  }

  #toGateway({ gateway }: Connection, run: () => void): void {
    const { machine } = gateway;
    const arrived = machine.mine(() => machine.arrive(run));
    this.#town.time.after(0.05 + this.#random.below(50) / 100, arrived);
  }

  #tell(follow: Follow, seen: DistributiveOmit<FollowSeen, "at" | "follow">): void {
    this.#ports.tell({ at: this.#town.time.now, follow, ...seen });
  }

  // ---------------------------------------------------------------------------------------------------- its connection

  #connect(acting: Acting): void {
    const gateway = this.#random.pick(this.#town.gateways);
    if (!gateway.backend) return;
    const connection = new Connection(gateway, acting);
    this.#connection = connection;
    this.#toGateway(connection, () => {
      if (!connection.lives || connection.over) return;
      connection.lane = gateway.backend?.attach(acting, anyone, 2000, {
        opened: ({ lastSequence }) => {
          connection.sequence = lastSequence;
          connection.laneOpen = true;
        },
        ended: ({ code }) => {
          connection.over = true;
          if (code === "sessionExpired") this.#session.over(acting.session);
        },
        drained: () => {},
      });
    });
  }

  /** A gateway that is dead tells nothing more; a live one hears of it soon, or never. */
  #leave(connection: Connection): void {
    connection.over = true;
    if (this.#connection === connection) this.#connection = undefined;
    this.#bury();
    if (!this.#random.chance(0.8)) return;
    this.#toGateway(connection, () => {
      connection.lane?.close();
      connection.following?.close();
      this.#ended(connection, undefined);
    });
  }

  /** What dead gateways had. */
  #bury(): void {
    for (const each of this.#connections) if (!each.lives) this.#ended(each, undefined);
  }

  #ended(connection: Connection, end: WatchEnd | undefined): void {
    const { follow } = connection;
    connection.over = true;
    if (!this.#connections.delete(connection) || !follow) return;
    connection.following = undefined;
    this.#tell(follow, { kind: "ended", end });
  }

  /** All is over; those of dead gateways, too. */
  look(): void {
    this.#bury();
  }

  #begin(connection: Connection): void {
    const { gateway, acting } = connection;
    const follow = { id: this.#ports.nextFollow(), client: this.#number, gateway: gateway.number };
    connection.follow = follow;
    this.#connections.add(connection);
    connection.following = gateway.backend?.follow(acting, {
      changes: (changes, acls) => {
        this.told += changes.length;
        this.#tell(follow, { kind: "told", changes, acls });
        this.#learn(changes.at(-1)?.zxid ?? (0 as Zxid));
        // Listeners may do so.
        if (this.#random.chance(0.2)) this.#remove(connection);
        if (this.#random.chance(0.1)) this.#add(connection);
        if (this.#random.chance(0.1)) this.#read(connection);
      },
      ended: (end) => {
        this.#ended(connection, end);
        if (end.code === "sessionExpired") this.#session.over(acting.session);
        this.#pauseUntil = this.#town.time.now + this.#random.below(100);
      },
    });
  }

  // ---------------------------------------------------------------------------------------------------- what it asks

  #handful(connection: Connection): void {
    if (!connection.laneOpen || connection.over) return;
    const random = this.#random;
    if (!connection.following) {
      this.#begin(connection);
      if (this.#seen > 0 && random.chance(0.5)) this.#askMissed(connection, someScopes(random), this.#seen);
    }
    for (let each = random.below(5); each > 0; each -= 1) {
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2:
          this.#add(connection);
          if (random.chance(0.8)) this.#read(connection);
          break;
        case 3:
        case 4:
          this.#remove(connection);
          break;
        case 5:
          this.#write(connection);
          break;
        default:
          this.#read(connection);
      }
    }
  }

  #add({ following, follow, followed }: Connection): void {
    if (!following || !follow || followed.size >= this.#habits.most) return;
    const scopes = someScopes(this.#random);
    for (const scope of ["node", "children", "subtree"] as const) {
      for (const path of scopes[scope]) {
        if (followed.has(`${scope} ${path}`)) continue;
        followed.set(`${scope} ${path}`, [scope, path]);
        this.#tell(follow, { kind: "added", scope, path });
        following.add(scope, path);
      }
    }
  }

  #remove({ following, follow, followed }: Connection): void {
    if (!following || !follow || followed.size === 0) return;
    const [name, [scope, path]] = this.#random.pick([...followed]);
    followed.delete(name);
    this.#tell(follow, { kind: "removed", scope, path });
    following.remove(scope, path);
  }

  /** It is given where events are told: it stands in one order with them. */
  #ask(connection: Connection, operation: ReadOperation, answered: (outcome: Outcome) => void): void {
    const { lane, follow } = connection;
    if (!follow || connection.over) return;
    const consistency = this.#random.chance(0.8) ? "session" : "linearizable";
    const read = { identity: anyone, operation, consistency, minZxid: 0 as Zxid, maxStaleMillis: 0 } as const;
    const request = ++connection.requests;
    this.#tell(follow, { kind: "given", request });
    lane?.read(read, 2000, (answer) => {
      if (answer.kind !== "outcome" || !this.#connections.has(connection)) return;
      const { outcome } = answer;
      this.#learn(outcome.zxid);
      this.#tell(follow, { kind: "answered", request, what: "read", zxid: outcome.zxid });
      answered(outcome);
    });
  }

  #read(connection: Connection): void {
    const path = this.#random.pick(["/r/0", "/w/0", "/w/1/1"]) as Path;
    this.#ask(connection, { kind: "get", path }, () => {});
  }

  #askMissed(connection: Connection, scopes: WatchScopes, after: Zxid): void {
    this.#ask(connection, { kind: "watch", scopes, after, raw: true }, (outcome) => {
      const { follow } = connection;
      if (!follow || !outcome.ok || outcome.result.kind !== "watched") return;
      const { through, more, changes = [], acls = [] } = outcome.result;
      this.#tell(follow, { kind: "missed", scopes, after, through, changes, acls });
      if (more) this.#askMissed(connection, scopes, through);
    });
  }

  #write(connection: Connection): void {
    const { follow, acting, lane, gateway } = connection;
    if (!follow || connection.writing || connection.over) return;
    const request = this.#town.nextRequest();
    const write: WriteRequest = {
      identity: identityOf(request),
      acting,
      operation: meadowWrite(this.#random, request),
    };
    const asked = this.#town.asking(gateway, { request, client: this.#number, kind: "write", write });
    const sequence = connection.sequence + 1;
    const { identity, operation } = write;
    connection.writing = true;
    lane?.write({ sequence, answeredUpTo: sequence - 1, identity, operation }, ({ answer, decided }) => {
      connection.writing = false;
      if (decided) connection.sequence = sequence;
      if (answer.kind === "outcome" && this.#connections.has(connection)) {
        this.#tell(follow, { kind: "answered", request: 0, what: "write", zxid: answer.outcome.zxid });
      }
      this.#toClient(() => this.#town.telling(asked, answer));
    });
  }

  #toClient(run: () => void): void {
    this.#town.time.after(0.05 + this.#random.below(50) / 100, run);
  }
}

type DistributiveOmit<T, K extends keyof T> = T extends unknown ? Omit<T, K> : never;
