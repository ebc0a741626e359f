/** Connections without sockets over a tree in this process, in virtual time: what clients say and what they are told, as values. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { Acting } from "@quorate/api";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import { connectRequest, framed, type WireConnectOptions } from "../../../test/zookeeper/wire-client.ts";
import { decodeResult, encodeRequest } from "../../../test/zookeeper/wire-codec.ts";
import { JuteReader } from "../../../test/zookeeper/wire-jute.ts";
import type { WireRequest } from "../../../test/zookeeper/wire-records.ts";
import type { Backend, RenewAnswer } from "../backend.ts";
import { VirtualWorld } from "../virtual-world.test-support.ts";
import { Connection, type Transport } from "./connection.ts";
import { ZookeeperDoor, type ZookeeperOptions } from "./door.ts";
import type { ZookeeperLimits } from "./limits.ts";

export interface Told {
  readonly xid: number;
  readonly zxid: number;
  readonly code: number;
  /** Of an event: its type and path. Of a reply: the record, where its request is known and its code is 0. */
  readonly body: unknown;
}

export interface Welcome {
  readonly timeoutMillis: number;
  readonly session: bigint;
  readonly password: Buffer;
  readonly readOnly: boolean | undefined;
}

export class ConnectionScene {
  readonly world: VirtualWorld;
  readonly memory: MemoryBackend;
  readonly door: ZookeeperDoor;
  readonly logged: string[] = [];

  constructor(
    parts: (memory: MemoryBackend) => Partial<Backend> = () => ({}),
    limits: Partial<ZookeeperLimits> = {},
    options: Partial<ZookeeperOptions> = {},
  ) {
    const world = new VirtualWorld(7);
    const memory = new MemoryBackend(() => 1_700_000_000_000 + world.now(), world);
    this.world = world;
    this.memory = memory;
    const backend: Backend = {
      write: (request) => memory.write(request),
      read: (request) => memory.read(request),
      renew: (session, secretHash) => memory.renew(session, secretHash),
      handOver: (target) => memory.handOver(target),
      listTree: (request) => memory.listTree(request),
      watch: (request, millis, listener) => memory.watch(request, millis, listener),
      follow: (acting, listener) => memory.follow(acting, listener),
      attach: (acting, identity, millis, listener) => memory.attach(acting, identity, millis, listener),
      cluster: () => memory.cluster(),
      ...parts(memory),
    };
    const facts = { wallMillis: () => 1_700_000_000_000 + world.now() };
    const log = (line: string): void => void this.logged.push(line);
    this.door = new ZookeeperDoor({ backend, world, version: "test", facts, log, limits, ...options });
  }

  /** With nothing said yet. */
  bare(): Client {
    return new Client(this);
  }

  /** A client whose session is attached. */
  async connect(options: WireConnectOptions = {}): Promise<Client> {
    const client = this.bare();
    client.say(connectRequest(options));
    await this.settle();
    assert.ok(client.welcome, `the handshake is answered: ${this.logged.join(" | ")}`);
    return client;
  }

  /** What is there to be done at this moment. */
  async settle(): Promise<void> {
    await this.world.run(1);
    // What promises have to say beside it.
    await new Promise(setImmediate);
    await this.world.run(0);
  }

  /** In which connections are looked at as often as their server does it. */
  async wait(millis: number): Promise<void> {
    const { tickMillis } = this.door.limits;
    for (let left = millis; left > 0; left -= tickMillis) {
      await this.world.run(Math.min(left, tickMillis));
      for (const each of [...this.door.connections]) each.tick(this.world.now());
    }
    await this.settle();
  }
}

/** The client's end, which is its connection's transport too. */
export class Client implements Transport {
  readonly name = "127.0.0.1:50614";
  readonly connection: Connection;
  readonly told: Told[] = [];
  welcome: Welcome | undefined;
  /** In one write. */
  readonly writes: number[] = [];
  paused = false;
  ended = false;
  destroyed = false;
  /** Of what was written, so much it has not read. */
  queuedBytes = 0;
  /** It reads nothing. */
  deaf = false;
  readonly #requests = new Map<number, WireRequest>();
  #xid = 0;

  constructor(scene: ConnectionScene) {
    this.connection = new Connection(scene.door, this, "::ffff:127.0.0.1");
  }

  get closed(): boolean {
    return this.ended || this.destroyed;
  }

  /** A frame with this payload. */
  say(payload: Uint8Array): void {
    this.connection.received(framed(payload));
  }

  /** Each in a frame of its own, all in one chunk. Answers their xids. */
  ask(...requests: readonly WireRequest[]): number[] {
    const xids = requests.map((request) => this.#xidOf(request));
    const frames = requests.map((request, at) => framed(encodeRequest(xids[at] as number, request)));
    for (const [at, request] of requests.entries()) this.#requests.set(xids[at] as number, request);
    this.connection.received(Buffer.concat(frames));
    return xids;
  }

  #xidOf(request: WireRequest): number {
    if (request.op === "ping") return -2;
    if (request.op === "auth") return -4;
    this.#xid += 1;
    return this.#xid;
  }

  /** What was told since the last time, a line each. */
  take(): string[] {
    return this.told.splice(0).map(({ xid, code, body }) => {
      if (xid !== -1 || body === undefined) return code === 0 ? `${xid}` : `${xid}: ${code}`;
      const { type, path } = body as { type: number; path: string };
      return `event ${type} ${path}`;
    });
  }

  /** The record of a reply that was told since `take`. */
  bodyOf<Body = Record<string, unknown>>(xid: number): Body {
    const found = this.told.find((each) => each.xid === xid);
    assert.ok(found?.body, `${xid} was answered with a record: ${inspect(found)}`);
    return found.body as Body;
  }

  write(bytes: Uint8Array): void {
    assert.ok(!this.closed, "nothing is written behind the end");
    this.writes.push(bytes.length);
    if (this.deaf) this.queuedBytes += bytes.length;
    const all = Buffer.from(bytes);
    if (this.queuedBytes > 0 && this.welcome === undefined) return;
    let at = 0;
    while (at < all.length) {
      if (all.readInt32BE(at) < 0 || all.readInt32BE(at) > all.length - at - 4) return;
      const end = at + 4 + all.readInt32BE(at);
      this.#take(all.subarray(at + 4, end));
      at = end;
    }
  }

  #take(frame: Buffer): void {
    const from = new JuteReader(frame);
    if (this.welcome === undefined) {
      from.int();
      const timeoutMillis = from.int();
      const session = from.long();
      const password = from.buffer() ?? Buffer.alloc(0);
      this.welcome = { timeoutMillis, session, password, readOnly: from.left > 0 ? from.bool() : undefined };
      return;
    }
    const xid = from.int();
    const zxid = Number(from.long());
    const code = from.int();
    let body: unknown;
    // A client that is fuzzed may have asked under this number.
    if (xid === -1 && code === 0 && from.left > 0) {
      const type = from.int();
      from.int();
      body = { type, path: from.string() };
    } else if (code === 0) {
      const request = this.#requests.get(xid);
      body = request === undefined ? undefined : decodeResult(request.op, from.rest());
    }
    this.told.push({ xid, zxid, code, body });
  }

  /** It has read everything. */
  read(): void {
    this.queuedBytes = 0;
    this.connection.drained();
  }

  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }

  /** For a client that comes back. */
  get again(): WireConnectOptions {
    const { session, password } = this.welcome as Welcome;
    return { session, password };
  }
}

/** Renewals that the test answers. */
export class ScriptedRenewals {
  readonly asked: { readonly acting: Acting["session"]; answer(answer: RenewAnswer): void }[] = [];

  readonly renew: Backend["renew"] = (session) => {
    const { promise, resolve } = Promise.withResolvers<RenewAnswer>();
    this.asked.push({ acting: session, answer: resolve });
    return promise;
  };
}

export const unavailable: RenewAnswer = {
  kind: "unavailable",
  code: "noLeader",
  detail: "as the test says",
  certainty: "noEffect",
  retryAfterMillis: 0,
};
