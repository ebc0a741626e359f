/**
 * A simulated client that watches: it opens a watch at some gateway, is told events, and goes on from its cursor through
 * another gateway when the first one is dead or silent, or as it likes. Some keep it by a session, on whose own lane they
 * read and write meanwhile: what they are told and what they are answered come in one order. Beside that it changes what
 * is watched.
 */
import { type Acting, anyone, type Identity, type Outcome, type Path, type WatchScopes, type Zxid } from "@quorate/api";
import type { Cursor, ReadRequest, WatchEnd, Watching, WatchRequest, WriteRequest } from "@quorate/gateway";
import { identityOf, type Watch, type WatchSeen } from "./observation.ts";
import type { SeededRandom } from "./random.ts";
import type { Town } from "./sim-client.ts";
import { meadowWrite, readers, someScopes } from "./sim-meadow.ts";
import { SimSession } from "./sim-session.ts";
import { WatchConnection } from "./sim-watch-connection.ts";

export interface WatchHabits {
  /** Between one look around and the next, ms. */
  readonly thinkMillis: number;
  /** At each look: that it changes something, that it goes elsewhere. */
  readonly writes: number;
  readonly restless: number;
  /** Its watch is kept by a session, whose lane it uses. */
  readonly session: boolean;
  /** It closes its session, or lets it expire, now and then. */
  readonly careless: boolean;
}

export interface WatchPorts {
  readonly town: Town;
  nextWatch(): number;
  /** May be called from within a gateway, which must not see what it throws. */
  tell(seen: WatchSeen): void;
}

export class SimWatcher {
  readonly #ports: WatchPorts;
  readonly #town: Town;
  readonly #number: number;
  readonly #random: SeededRandom;
  readonly #habits: WatchHabits;
  #identity: Identity;
  #scopes: WatchScopes;
  readonly #session: SimSession;
  #connection: WatchConnection | undefined;
  /** With a watch that nobody has closed yet, as far as is known. */
  readonly #connections = new Set<WatchConnection>();
  #cursor: Cursor | undefined;
  #seen = 0 as Zxid;
  #pauseUntil = 0;
  told = 0;
  resumed = 0;

  constructor(ports: WatchPorts, number: number, random: SeededRandom, habits: WatchHabits) {
    this.#ports = ports;
    this.#town = ports.town;
    this.#number = number;
    this.#random = random;
    this.#habits = habits;
    this.#identity = random.pick(readers);
    this.#scopes = someScopes(random);
    this.#session = new SimSession(ports.town, number, random, habits.careless, (zxid) => this.#learn(zxid));
  }

  start(): void {
    this.#town.time.after(this.#random.below(100), () => this.#turn());
  }

  #turn(): void {
    const { time, open } = this.#town;
    const { thinkMillis, restless, writes, session } = this.#habits;
    const random = this.#random;
    time.after(random.below(thinkMillis * 2) + 1, () => this.#turn());
    if (open && random.chance(writes)) this.#write();
    if (session) this.#session.keep();
    const connection = this.#connection;
    if (connection && (!connection.lives || connection.ended || random.chance(restless))) this.#leave(connection);
    if (!this.#connection && time.now >= this.#pauseUntil && (!session || this.#session.acting)) this.#connect();
    else if (open && connection?.opened && connection.laneOpen) this.#useLane(connection);
  }

  #write(): void {
    const request = this.#town.nextRequest();
    const write: WriteRequest = {
      identity: identityOf(request),
      operation: meadowWrite(this.#random, request),
    };
    const gateway = this.#random.pick(this.#town.gateways);
    this.#town.ask(gateway, { request, client: this.#number, kind: "write", write }, 1000, (answer) => {
      if (answer.kind === "outcome") this.#learn(answer.outcome.zxid);
    });
  }

  #learn(zxid: Zxid): void {
    if (zxid > this.#seen) this.#seen = zxid;
  }

  // ---------------------------------------------------------------------------------------------------- its connection

  #latency(): number {
    return 0.05 + this.#random.below(50) / 100;
  }

  /** Reaches the client in order, unless it has left. */
  #toClient(connection: WatchConnection, run: () => void): void {
    const { time } = this.#town;
    connection.back = Math.max(connection.back, time.now + this.#latency());
    time.after(connection.back - time.now, () => {
      if (!connection.left) run();
    });
  }

  #toGateway(connection: WatchConnection, run: () => void): void {
    const { machine } = connection.gateway;
    const arrived = machine.mine(() => machine.arrive(run));
    this.#town.time.after(this.#latency(), arrived);
  }

  /** A gateway that is dead tells nothing more; a live one hears of it soon, or never. */
  #leave(connection: WatchConnection): void {
    connection.left = true;
    if (this.#connection === connection) this.#connection = undefined;
    this.#bury();
    if (this.#random.chance(0.8)) {
      this.#toGateway(connection, () => {
        connection.lane?.close();
        if (!connection.watch || connection.ended) return;
        connection.watching?.close();
        this.#ended(connection, undefined);
      });
    }
  }

  /** The watches of gateways that are dead. */
  #bury(): void {
    for (const each of this.#connections) if (!each.lives) this.#ended(each, undefined);
  }

  #ended(connection: WatchConnection, end: WatchEnd | undefined): void {
    const { watch } = connection;
    if (!this.#connections.delete(connection) || !watch) return;
    connection.ended = true;
    this.#ports.tell({ at: this.#town.time.now, kind: "ended", watch, end });
  }

  #connect(): void {
    const gateway = this.#random.pick(this.#town.gateways);
    if (!gateway.backend) return;
    const connection = new WatchConnection(gateway);
    this.#connection = connection;
    if (this.#cursor === undefined && this.#random.chance(0.3)) this.#scopes = someScopes(this.#random);
    const request = this.#request();
    const deadline = this.#random.pick([200, 1000, 4000]);
    this.#toGateway(connection, () => {
      if (!gateway.backend || !connection.lives) return;
      this.#open(connection, request, deadline);
      const { acting } = request;
      // To attach keeps a session alive.
      if (acting && this.#town.open) this.#attach(connection, acting);
    });
  }

  #request(): WatchRequest {
    const random = this.#random;
    const after = this.#cursor;
    const { acting } = this.#session;
    if (after) this.resumed += 1;
    return {
      identity: this.#identity,
      scopes: this.#scopes,
      consistency: random.pick(["linearizable", "session", "session", "stale"]),
      minZxid: random.chance(0.7) ? this.#seen : (0 as Zxid),
      maxStaleMillis: random.between(100, 2000),
      ...(after ? { after: random.chance(0.9) ? after : { zxid: after.zxid } } : {}),
      ...(acting ? { acting } : {}),
    };
  }

  #open(connection: WatchConnection, request: WatchRequest, deadline: number): void {
    const { time } = this.#town;
    const id = this.#ports.nextWatch();
    const gateway = connection.gateway.number;
    const watch: Watch = { at: time.now, id, client: this.#number, gateway, line: id, request };
    connection.watch = watch;
    this.#connections.add(connection);
    const cursor = (): Cursor => (connection.watching as Watching).cursor;
    this.#ports.tell({ at: time.now, kind: "asked", watch });
    connection.watching = connection.gateway.backend?.watch(request, deadline, {
      opened: ({ states }) => {
        connection.opened = true;
        this.#ports.tell({ at: time.now, kind: "opened", watch, cursor: cursor(), states });
        if (request.after === undefined) this.#move(connection, cursor());
      },
      events: (events, more) => {
        const last = events.at(-1);
        if (last) connection.floor = last.zxid;
        this.told += events.length;
        this.#ports.tell({ at: time.now, kind: "told", watch, cursor: cursor(), events, more });
        this.#move(connection, cursor());
      },
      ended: (end) => {
        this.#ended(connection, end);
        this.#toClient(connection, () => this.#heardEnd(end));
      },
    });
  }

  #move(connection: WatchConnection, cursor: Cursor): void {
    this.#toClient(connection, () => {
      this.#cursor = cursor;
      this.#learn(cursor.zxid);
    });
  }

  /** It was told so. */
  #heardEnd({ code }: WatchEnd): void {
    const random = this.#random;
    if (code === "sessionExpired" || code === "authFailed") this.#session.over();
    if (code === "noAuth" || code === "cursorTooOld" || code === "tooLarge") {
      this.#cursor = undefined;
      if (random.chance(0.5)) this.#identity = random.pick(readers);
    }
    this.#pauseUntil = this.#town.time.now + random.below(200);
  }

  /** Whoever looks at the cursors now: those that are open stand there, those of dead gateways are over. */
  look(): void {
    this.#bury();
    for (const { watch, watching, opened } of this.#connections) {
      if (watch && watching && opened) {
        this.#ports.tell({ at: this.#town.time.now, kind: "stands", watch, cursor: watching.cursor });
      }
    }
  }

  // ---------------------------------------------------------------------------------------------------------- its lane

  #attach(connection: WatchConnection, acting: Acting): void {
    connection.lane = connection.gateway.backend?.attach(acting, anyone, 2000, {
      opened: ({ lastSequence }) => {
        connection.sequence = lastSequence;
        connection.laneOpen = true;
      },
      ended: () => {
        connection.laneOpen = false;
      },
      drained: () => {},
    });
  }

  /** What it asks is given where events are told: it stands in one order with them. */
  #useLane(connection: WatchConnection): void {
    const random = this.#random;
    if (!random.chance(0.6)) return;
    const writes = random.chance(0.4);
    this.#toGateway(connection, () => {
      if (!connection.opened || connection.ended || !connection.laneOpen) return;
      if (!writes) this.#readOnLane(connection);
      else if (!connection.writing) this.#writeOnLane(connection);
    });
  }

  #readOnLane(connection: WatchConnection): void {
    const random = this.#random;
    const read: ReadRequest = {
      identity: anyone,
      operation: { kind: "get", path: random.pick(["/r/0", "/r/1", "/w/0"]) as Path },
      consistency: random.chance(0.8) ? "session" : "linearizable",
      minZxid: 0 as Zxid,
      maxStaleMillis: 0,
    };
    const { floor } = connection;
    connection.lane?.read(read, 2000, (answer) => {
      if (answer.kind === "outcome") this.#answered(connection, `a ${read.consistency} read`, floor, answer.outcome);
    });
  }

  #writeOnLane(connection: WatchConnection): void {
    const request = this.#town.nextRequest();
    const identity = identityOf(request);
    const operation = meadowWrite(this.#random, request);
    const acting = connection.watch?.request.acting;
    if (!acting) return;
    const write: WriteRequest = { identity, acting, operation };
    const asked = this.#town.asking(connection.gateway, { request, client: this.#number, kind: "write", write });
    const sequence = connection.sequence + 1;
    const { floor } = connection;
    connection.writing = true;
    connection.lane?.write({ sequence, answeredUpTo: sequence - 1, identity, operation }, ({ answer, decided }) => {
      connection.writing = false;
      if (decided) connection.sequence = sequence;
      if (answer.kind === "outcome") this.#answered(connection, "a write", floor, answer.outcome);
      this.#toClient(connection, () => this.#town.telling(asked, answer));
    });
  }

  #answered({ watch }: WatchConnection, what: string, floor: Zxid, { zxid }: Outcome): void {
    if (!watch || zxid === 0) return;
    this.#ports.tell({ at: this.#town.time.now, kind: "answered", line: watch.line, what, floor, zxid });
  }
}
