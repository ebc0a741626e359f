/**
 * One connection, without its socket: bytes in, bytes out. Its first frame opens or takes over a session; then requests go
 * to the session's lane as fast as there is room, and what is not taken yet is left with the client.
 *
 * Two ends are told apart. `close` is at once: the client finds a broken connection, and knows that what it has no answer
 * to may have been done or not. `finish` begins nothing more, and closes once everything that was begun is answered.
 */
import { noSession, zeroZxid } from "@quorate/api";
import type { WatchEnd } from "../backend.ts";
import { Credentials } from "./credentials.ts";
import { decodeConnect, decodeRequest } from "./decode.ts";
import type { Peer, ZookeeperDoor } from "./door.ts";
import { DoorSource } from "./door-source.ts";
import { encodeConnectResponse } from "./encode.ts";
import { answerWord, wordOf } from "./four-letter.ts";
import type { ConnectionReport } from "./four-letter-source.ts";
import { FrameCutter } from "./frames.ts";
import type { Attached } from "./handshake.ts";
import { JuteWriter } from "./jute.ts";
import { type ConnectRequest, codes, type Request } from "./messages.ts";
import { Opening } from "./opening.ts";
import type { Place } from "./outbox.ts";
import { nameOfSession } from "./read-only.ts";
import { openSession, reportOf, type Session } from "./session.ts";
import { Statistics } from "./statistics.ts";
import { strangerOf } from "./strangers.ts";

/** The socket, as a connection needs it. */
export interface Transport {
  /** The other end: `127.0.0.1:50614`. */
  readonly name: string;
  write(bytes: Uint8Array): void;
  /** Written, and not sent. */
  readonly queuedBytes: number;
  /** Nothing is to be received for a while. */
  pause(): void;
  resume(): void;
  /** Closes behind what was written. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

type Phase = "silent" | "opening" | "open" | "finishing" | "over";

const refusal = { timeoutMillis: 0, session: noSession, password: new Uint8Array(16) };

export class Connection implements Peer {
  readonly statistics: Statistics = new Statistics();
  readonly #door: ZookeeperDoor;
  readonly #transport: Transport;
  readonly #credentials: Credentials;
  readonly #cutter: FrameCutter;
  readonly #beganAt: number;
  #phase: Phase = "silent";
  #opening: Opening | undefined;
  #session: Session | undefined;
  /** Nothing behind it is begun before it is put out. */
  #holding: Place | undefined;
  #paused = false;
  #pumping = false;
  #now: number;
  /** Of the transport, as the door counts them; and of what has come. */
  #queuedBytes = 0;
  #unbegunBytes = 0;

  constructor(door: ZookeeperDoor, transport: Transport, address: string) {
    const { options, limits } = door;
    this.#door = door;
    this.#transport = transport;
    this.#cutter = new FrameCutter(limits.connectBytes);
    this.#credentials = new Credentials({
      address,
      superUserDigest: options.superUserDigest,
      most: limits.identities,
    });
    this.#now = options.world.now();
    this.#beganAt = this.#now;
    door.connections.add(this);
  }

  get isOver(): boolean {
    return this.#phase === "over";
  }

  received(chunk: Uint8Array): void {
    if (this.#phase === "over" || this.#phase === "finishing") return;
    this.#cutter.push(chunk);
    this.#guarded(() => this.#pump());
  }

  /** Something that was written has been sent. */
  drained(): void {
    this.#account();
    this.#guarded(() => this.#session?.outbox.drained());
    this.#resume();
  }

  tick(now: number): void {
    const { handshakeMillis } = this.#door.limits;
    this.#opening?.tick();
    const session = this.#session;
    if (session?.context.readOnly && this.#door.look() === "serving") {
      this.close("there is a leader again, and it only read");
    } else if (session) {
      // What it says meanwhile, its pings too, waits behind what it is owed; but it is for the client to read what is there.
      const { outstanding, hasRoom } = session.outbox;
      if (this.#paused && outstanding > 0 && hasRoom) session.keepAlive.heard(now);
      session.keepAlive.tick(now);
    } else if (now - this.#beganAt >= handshakeMillis) {
      this.close(`no session was attached within ${handshakeMillis} ms`);
    }
  }

  /** No fault of a request's, or of ours, ends more than its connection. */
  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#door.note("fault", `a connection is closed for a fault of this gateway: ${what}`);
      this.destroy();
    }
  }

  /** Takes what has come, as far as there is room. */
  #pump(): void {
    // An answer that is there at once comes back here.
    if (this.#pumping) return;
    this.#pumping = true;
    let first: number | undefined;
    this.#now = this.#door.options.world.now();
    this.#session?.keepAlive.heard(this.#now);
    try {
      const cutter = this.#cutter;
      first = this.#phase === "silent" ? cutter.first : undefined;
      if (this.#isWord(first)) return;
      while (this.#isReady() && cutter.next()) {
        this.statistics.received += 1;
        this.#door.statistics.received += 1;
        this.#take(cutter.bytes, cutter.from, cutter.to);
      }
    } finally {
      this.#pumping = false;
    }
    const { fault } = this.#cutter;
    if (fault !== undefined) {
      const { clientPort, options } = this.#door;
      return this.close(strangerOf(first, clientPort, options.otherPorts) ?? fault);
    }
    this.#flow();
    this.#keep();
  }

  /** Frames that are never whole must not fill the memory, however many send them. */
  #keep(): void {
    const { waiting } = this.#cutter;
    if (this.#phase === "over" || waiting === this.#unbegunBytes) return;
    this.#door.unbegunBytes += waiting - this.#unbegunBytes;
    this.#unbegunBytes = waiting;
    const { unbegunBytes, allUnbegunBytes } = this.#door.limits;
    if (waiting <= unbegunBytes || this.#door.unbegunBytes <= allUnbegunBytes) return;
    this.close(
      `requests that are not whole take ${this.#door.unbegunBytes} bytes, ${waiting} of them are its client's`,
    );
  }

  /** In place of a first frame. */
  #isWord(first: number | undefined): boolean {
    const word = first === undefined ? undefined : wordOf(first);
    if (word === undefined) return false;
    this.#door.statistics.received += 1;
    // Nothing is read any more.
    this.#phase = "finishing";
    void this.#answerWord(word);
    return true;
  }

  async #answerWord(word: string): Promise<void> {
    try {
      const text = await answerWord(word, this.#door.commands, new DoorSource(this.#door));
      if (this.isOver) return;
      this.#write(new TextEncoder().encode(text));
      this.#end();
    } catch (error) {
      // Nobody waits for it: the folder could not be read, perhaps.
      this.close(`${word} is not answered: ${error}`);
    }
  }

  /** Nothing more is read from the client while something that it sent waits for room. */
  #flow(): void {
    const wanted = this.#cutter.waiting > 0 && !this.#isReady();
    if (wanted === this.#paused || this.#phase === "over") return;
    this.#paused = wanted;
    if (wanted) this.#transport.pause();
    else this.#transport.resume();
  }

  #isReady(): boolean {
    if (this.#phase === "silent") return true;
    const session = this.#session;
    if (this.#phase !== "open" || session === undefined) return false;
    if (this.#holding !== undefined && !this.#holding.left) return false;
    const { outbox, keepAlive, context } = session;
    return outbox.admits(keepAlive.pings) && context.lane.writable && outbox.hasRoom;
  }

  /** There may be room again. */
  #resume(): void {
    if (this.#paused && this.#isReady()) this.#guarded(() => this.#pump());
  }

  #take(bytes: Uint8Array, from: number, to: number): void {
    const session = this.#session;
    if (session === undefined) {
      const request = decodeConnect(bytes, from, to);
      this.#cutter.limitBytes = this.#door.limits.frameBytes;
      if (request === undefined) this.close("its first frame is no ConnectRequest");
      else this.#connect(request);
      return;
    }
    const request = decodeRequest(bytes, from, to);
    if (request === undefined) this.close(`a frame of ${to - from} bytes has no header`);
    else this.#begin(request, session);
  }

  #connect(request: ConnectRequest): void {
    this.#phase = "opening";
    const lane = {
      ended: (end: WatchEnd) => this.#laneEnded(end),
      drained: () => this.#resume(),
    };
    this.#opening = new Opening(this.#door, this.#credentials, request, lane, {
      attached: (attached) => this.#guarded(() => this.#open(attached, request)),
      refused: () => this.#refuse(request.readOnly === undefined ? undefined : false),
      failed: (why) => this.close(why),
    });
    this.#opening.begin();
  }

  #respond(response: Parameters<typeof encodeConnectResponse>[1]): void {
    const writer = new JuteWriter(this.#door.slabs);
    encodeConnectResponse(writer, response);
    this.#write(writer.take());
  }

  #refuse(readOnly: boolean | undefined): void {
    if (this.#phase === "over") return;
    this.#respond({ ...refusal, readOnly });
    this.#end();
  }

  #open(attached: Attached, request: ConnectRequest): void {
    const { acting, opening, password } = attached;
    const readOnly = request.readOnly === undefined ? undefined : attached.readOnly;
    this.#session = openSession(this.#door, this.#credentials, attached, request, {
      statistics: this.statistics,
      write: (bytes) => this.#flushed(bytes),
      unsent: () => this.#transport.queuedBytes,
      finish: () => this.#finish(),
      close: (why) => this.close(why),
      isOver: () => this.isOver,
    });
    this.#phase = "open";
    this.#opening = undefined;
    this.#respond({ timeoutMillis: opening.timeoutMillis, session: acting.session, password, readOnly });
    this.#pump();
  }

  #begin(request: Request, session: Session): void {
    const { body, xid } = request;
    switch (body.op) {
      case "ping":
        return session.keepAlive.ping(this.#now);
      case "auth":
        return this.#authenticate(body.scheme, body.auth, xid, session);
      case "sasl":
        return this.#refuseAuth("SASL", xid, session);
      default: {
        const place = session.outbox.place(xid, this.#door.counts.of(body.op), this.#now);
        session.operations.begin(request, place);
        if (place.holds && !place.left) this.#holding = place;
      }
    }
  }

  /** Counts for what is begun from here on. */
  #authenticate(scheme: string, auth: Uint8Array, xid: number, session: Session): void {
    if (this.#credentials.prove(scheme, auth)) session.outbox.direct(xid, codes.ok, zeroZxid);
    else this.#refuseAuth(scheme, xid, session);
  }

  #refuseAuth(scheme: string, xid: number, session: Session): void {
    this.#door.failedAuths += 1;
    this.#door.note("auth", this.#credentials.refusal(scheme));
    session.outbox.direct(xid, codes.authFailed, zeroZxid);
    this.#finish();
  }

  report(): ConnectionReport {
    const session = this.#session;
    return {
      address: this.#transport.name,
      paused: this.#paused,
      unsent: this.#transport.queuedBytes > 0,
      outstanding: session?.outbox.outstanding ?? 0,
      received: this.statistics.received,
      sent: this.statistics.sent,
      session: session === undefined ? undefined : reportOf(session, this.#door, this.statistics),
    };
  }

  /** The outbox's turn is over. */
  #flushed(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#write(bytes);
    if (this.#phase === "finishing" && this.#session?.outbox.outstanding === 0) this.#end();
    else this.#resume();
  }

  #write(bytes: Uint8Array): void {
    if (this.#phase === "over") return;
    // A piece that lies here for long would keep the whole slab that it is of, which others have filled.
    const lies = this.#transport.queuedBytes > 0 && bytes.length * 2 < bytes.buffer.byteLength;
    this.#transport.write(lies ? bytes.slice() : bytes);
    this.#account();
    const { queuedBytes, allQueuedBytes, pausedBytes } = this.#door.limits;
    const queued = this.#queuedBytes;
    if (queued > queuedBytes || (queued > pausedBytes && this.#door.queuedBytes > allQueuedBytes)) {
      this.close(`its client reads too slowly: ${queued} bytes are unsent`);
    }
  }

  #account(): void {
    const queued = this.#phase === "over" ? 0 : this.#transport.queuedBytes;
    this.#door.queuedBytes += queued - this.#queuedBytes;
    this.#queuedBytes = queued;
  }

  #laneEnded({ code, detail }: WatchEnd): void {
    if (this.#phase === "finishing") this.#session?.outbox.flush();
    // A session's end, or its move, is nothing for the log: its client comes back, or has gone elsewhere.
    if (this.#phase === "finishing" || code === "sessionMoved" || code === "sessionExpired") this.destroy();
    else this.close(`its lane ended (${code}: ${detail})`);
  }

  stop(): void {
    if (this.#phase === "open") this.#finish();
    else if (this.#phase !== "finishing") this.destroy();
  }

  #finish(): void {
    if (this.#phase !== "open") return;
    this.#phase = "finishing";
    // It may be that nothing is to be answered.
    this.#door.options.world.soon(() => this.#session?.outbox.flush());
  }

  #end(): void {
    this.#leave();
    this.#transport.end();
  }

  /** At once, with a line in the log. */
  close(why: string): void {
    if (this.#phase === "over") return;
    const session = this.#session?.context.acting.session;
    const whose = session === undefined ? "" : `, of ${nameOfSession(session)},`;
    this.#door.note("closed", `the connection of ${this.#credentials.address}${whose} is closed: ${why}`);
    this.destroy();
  }

  destroy(): void {
    if (this.#phase === "over") return;
    this.#leave();
    this.#transport.destroy();
  }

  /** The socket is gone. */
  gone(): void {
    this.#leave();
  }

  #leave(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#account();
    this.#door.unbegunBytes -= this.#unbegunBytes;
    this.#door.connections.delete(this);
    this.#opening?.close();
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    session.keepAlive.close();
    session.watches.close();
    session.outbox.close();
    session.context.lane.close();
  }
}
