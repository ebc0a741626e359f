/**
 * A client of ZooKeeper's protocol that keeps its session as ZooKeeper's own clients do: it knows several servers, pings when it has
 * sent nothing for a third of the timeout, leaves a server that is silent for two thirds of it, goes to the next one with its
 * session, its password and the newest zxid of a reply, and sets its watches again behind that. It notes all that it is told.
 */
import { type Arrival, WireClient, WireClosed, type WireReply } from "../zookeeper/wire-client.ts";
import type { WireRequest, WireResults } from "../zookeeper/wire-records.ts";
import { sleep } from "./ensemble.ts";
import { ClientWatches, type Fired } from "./zookeeper-client-watches.ts";

export interface ClientOptions {
  /** The connect string: all of them are tried in turn, also those that are gone. */
  readonly ports: readonly number[];
  /** Place in `ports` of the one that is tried first. */
  readonly first?: number;
  readonly timeoutMillis?: number;
  /** Watched with everything below from the beginning. */
  readonly recursive?: string;
}

/** One connection. */
export interface Stay {
  readonly port: number;
  readonly from: number;
  /** Why it ended; empty: it has not. */
  end: string;
}

type Reply<R extends WireRequest> = WireReply<WireResults[R["op"]]>;

export class ZookeeperClient {
  readonly stays: Stay[] = [];
  readonly watches: ClientWatches = new ClientWatches();
  /** Codes that no client of a living session should meet. */
  readonly faults: string[] = [];
  /** How often its session was found to be over. */
  expired = false;
  /** The longest time between the sendings of two answered pings (or handshakes). */
  longestGap = 0;
  /** The latest of its own timers: what it did not notice for so long is nobody else's fault. */
  longestLag = 0;
  readonly #options: ClientOptions;
  readonly #timer: NodeJS.Timeout;
  #wire: WireClient | undefined;
  #connected = Promise.withResolvers<WireClient>();
  #session = 0n;
  #password: Uint8Array = Buffer.alloc(16);
  #timeoutMillis: number;
  /** Of replies alone: events do not raise it, as in the Java client. */
  #seen = 0n;
  #next: number;
  #heardAt = 0;
  #sentAt = 0;
  /** When the last ping or handshake that was answered had been sent. */
  #heldSince = 0;
  #tickedAt = performance.now();
  #over = false;
  #running: Promise<void> | undefined;

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#next = options.first ?? 0;
    this.#timeoutMillis = options.timeoutMillis ?? 10_000;
    this.#timer = setInterval(() => this.#tick(), 50);
    this.#connected.promise.catch(() => {});
  }

  static async open(options: ClientOptions): Promise<ZookeeperClient> {
    const client = new ZookeeperClient(options);
    client.#running = client.#live();
    await client.#connected.promise;
    if (options.recursive !== undefined) {
      const { error } = await client.call({ op: "addWatch", path: options.recursive, mode: 1 });
      if (error !== 0) throw new Error(`addWatch was answered ${error}`);
    }
    return client;
  }

  get session(): bigint {
    return this.#session;
  }

  /** It was ended, or its session was. */
  get over(): boolean {
    return this.#over;
  }

  /** As REST writes it. */
  get sessionText(): string {
    return `0x${this.#session.toString(16).padStart(16, "0")}`;
  }

  /** Of the server that it is connected to; 0: to none. */
  get port(): number {
    return this.#wire?.open ? (this.stays.at(-1)?.port ?? 0) : 0;
  }

  get timeoutMillis(): number {
    return this.#timeoutMillis;
  }

  /** It may rely on its session until then, as it knows. */
  get heldUntil(): number {
    return this.#heldSince + this.#timeoutMillis;
  }

  /** When it last sent anything. */
  get sentAt(): number {
    return this.#sentAt;
  }

  /** Newest zxid of a reply. */
  get seen(): bigint {
    return this.#seen;
  }

  get fired(): readonly Fired[] {
    return this.watches.fired;
  }

  /** Waits for a connection, as a request does that is made while there is none. Rejects with `WireClosed`: ConnectionLoss. */
  async call<R extends WireRequest>(request: R): Promise<Reply<R>> {
    const wire = await this.#connected.promise;
    return await this.#send(wire, request);
  }

  /** All on one connection, back to back; an undefined reply is ConnectionLoss. `stay`: the connection's place in `stays`. */
  async pipeline<R extends WireRequest>(
    requests: readonly R[],
  ): Promise<{ readonly stay: number; readonly replies: readonly (Reply<R> | undefined)[] }> {
    const wire = await this.#connected.promise;
    const stay = this.stays.length - 1;
    const sent = requests.map((each) =>
      this.#send(wire, each).catch((error: unknown) => {
        if (error instanceof WireClosed) return undefined;
        throw error;
      }),
    );
    return { stay, replies: await Promise.all(sent) };
  }

  /** Until it is answered: for what may be done more than once. */
  async insist<R extends WireRequest>(request: R): Promise<Reply<R>> {
    for (;;) {
      try {
        return await this.call(request);
      } catch (error) {
        if (!(error instanceof WireClosed) || this.#over) throw error;
      }
    }
  }

  /** Its connection breaks; it comes back. */
  cut(): void {
    const stay = this.stays.at(-1);
    if (stay && this.port > 0) stay.end = "cut by the test";
    this.#wire?.reset();
  }

  /** The process is gone, and its socket with it. */
  kill(): void {
    this.#wire?.reset();
    this.#stop();
  }

  /** It hangs: nothing comes from it any more, and its socket stays open until `kill`. */
  hang(): void {
    this.#stop();
  }

  /** Ends its session. */
  async close(): Promise<void> {
    const wire = this.#wire;
    this.#stop();
    await wire?.close();
    await this.#running;
  }

  #stop(): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.#connected.reject(new WireClosed("the client is over"));
  }

  async #live(): Promise<void> {
    for (;;) {
      const wire = await this.#connect();
      if (wire === undefined) return;
      const why = await wire.closed;
      (this.stays.at(-1) as Stay).end ||= why;
      if (this.#over) return;
      this.#connected = Promise.withResolvers();
      this.#connected.promise.catch(() => {});
    }
  }

  /** Undefined: it is over. */
  async #connect(): Promise<WireClient | undefined> {
    const { ports } = this.#options;
    for (let tries = 1; !this.#over; tries++) {
      const port = ports[this.#next++ % ports.length] as number;
      try {
        const wire = await this.#shake(port);
        if (wire !== undefined) return wire;
        this.expired = true;
        this.#stop();
      } catch (error) {
        if (!(error instanceof WireClosed)) throw error;
        // Between two rounds, as the Java client.
        await sleep(tries % ports.length === 0 ? 200 : 20);
      }
    }
    return undefined;
  }

  /** Undefined: the session is over. */
  async #shake(port: number): Promise<WireClient | undefined> {
    const sentAt = performance.now();
    const wire = await WireClient.connect(port, {
      lastZxidSeen: this.#seen,
      timeoutMillis: this.#timeoutMillis,
      session: this.#session,
      password: this.#password,
      patienceMillis: this.#timeoutMillis / this.#options.ports.length,
    });
    if (!wire.accepted) return undefined;
    if (this.#session !== 0n && wire.session !== this.#session)
      this.faults.push(`it was given session ${wire.session}`);
    this.#session = wire.session;
    this.#password = wire.password;
    this.#timeoutMillis = wire.timeoutMillis;
    this.#held(sentAt);
    this.#heardAt = performance.now();
    this.#sentAt = sentAt;
    this.stays.push({ port, from: this.#heardAt, end: "" });
    this.#wire = wire;
    wire.onArrival = (arrival) => this.#arrived(arrival);
    this.#setWatches(wire);
    if (this.#over) wire.reset();
    this.#connected.resolve(wire);
    return wire;
  }

  #setWatches(wire: WireClient): void {
    const request = this.watches.again(this.#seen);
    if (request === undefined) return;
    this.#send(wire, request).then(
      ({ error }) => {
        if (error !== 0) this.faults.push(`setWatches was answered ${error}`);
      },
      // With the connection; the next one sets them.
      () => undefined,
    );
  }

  async #send<R extends WireRequest>(wire: WireClient, request: R): Promise<Reply<R>> {
    this.#sentAt = performance.now();
    return await wire.send(request);
  }

  #arrived(arrival: Arrival): void {
    this.#heardAt = performance.now();
    if (arrival.kind === "event") {
      this.watches.told(arrival.event, this.#seen);
      return;
    }
    const { reply, request } = arrival;
    this.watches.answered(request, reply);
    if (request.op === "ping" || request.op === "auth") return;
    if (reply.zxid < this.#seen) this.faults.push(`${request.op} was answered at ${reply.zxid}, behind ${this.#seen}`);
    else this.#seen = reply.zxid;
    // SessionMoved, SessionExpired: it did not move, and it pings.
    if (reply.error === -118 || reply.error === -112) this.faults.push(`${request.op} was answered ${reply.error}`);
  }

  #held(sentAt: number): void {
    if (this.#heldSince > 0) this.longestGap = Math.max(this.longestGap, sentAt - this.#heldSince);
    this.#heldSince = Math.max(this.#heldSince, sentAt);
  }

  #tick(): void {
    const now = performance.now();
    this.longestLag = Math.max(this.longestLag, now - this.#tickedAt);
    this.#tickedAt = now;
    const wire = this.#wire;
    if (!wire?.open) return;
    if (now - this.#heardAt > (this.#timeoutMillis * 2) / 3) {
      // What has come is looked at first.
      setImmediate(() => this.#leaveIfSilent(wire));
    } else if (now - this.#sentAt >= this.#timeoutMillis / 3) void this.#ping(wire);
  }

  #leaveIfSilent(wire: WireClient): void {
    if (wire !== this.#wire || !wire.open || this.#over) return;
    const silence = performance.now() - this.#heardAt;
    if (silence <= (this.#timeoutMillis * 2) / 3) return;
    (this.stays.at(-1) as Stay).end = `silent for ${Math.round(silence)} ms`;
    wire.cut();
  }

  async #ping(wire: WireClient): Promise<void> {
    const sentAt = performance.now();
    try {
      await this.#send(wire, { op: "ping" });
      this.#held(sentAt);
    } catch {
      // The connection is over.
    }
  }
}
