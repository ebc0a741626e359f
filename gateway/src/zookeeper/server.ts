/** The ZooKeeper door as a server, and the one file of it that knows sockets. */
import { createServer, type Server, type Socket } from "node:net";
import { plainAddress } from "../identity.ts";
import { Connection, type Transport } from "./connection.ts";
import type { OperationCounts } from "./counts.ts";
import { ZookeeperDoor, type ZookeeperFigures, type ZookeeperOptions } from "./door.ts";

export interface ZookeeperServer {
  /** Resolves to the port; 0 is any free one. Rejects with the address and the reason. */
  listen(host: string, port: number): Promise<number>;
  /** Looks at each connection. */
  figures(): ZookeeperFigures;
  /** What was answered, by operation. */
  readonly counts: Iterable<OperationCounts>;
  /**
   * Takes no more connections; closes each that is open once what it had begun is answered, so that its client goes elsewhere.
   * Their sessions live on. May be called again.
   */
  stop(): Promise<void>;
}

/** What was written is read in this time, or given up. */
const lastWordsMillis = 2000;

export function createZookeeperServer(options: ZookeeperOptions): ZookeeperServer {
  return new DoorServer(options);
}

class DoorServer implements ZookeeperServer {
  readonly #door: ZookeeperDoor;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #byAddress = new Map<string, number>();
  #ticking: { cancel(): void } | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ZookeeperOptions) {
    this.#door = new ZookeeperDoor(options);
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
  }

  figures(): ZookeeperFigures {
    return this.#door.figures();
  }

  get counts(): Iterable<OperationCounts> {
    return this.#door.counts.all;
  }

  listen(host: string, port: number): Promise<number> {
    const { world, log } = this.#door.options;
    const server = this.#server;
    this.#ticking = world.every(this.#door.limits.tickMillis, () => this.#tick());
    return new Promise((resolve, reject) => {
      server.once("error", (error) => reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`)));
      server.listen({ host, port }, () => {
        const bound = server.address();
        server.on("error", (error) => log(`zookeeper: the port: ${error.message}`));
        this.#door.clientPort = typeof bound === "object" && bound !== null ? bound.port : port;
        resolve(this.#door.clientPort);
      });
    });
  }

  #tick(): void {
    const now = this.#door.options.world.now();
    this.#door.look();
    for (const each of this.#door.connections) each.tick(now);
  }

  #accept(socket: Socket): void {
    socket.on("error", () => undefined);
    const address = plainAddress(socket.remoteAddress ?? "");
    const { connections, connectionsPerAddress } = this.#door.limits;
    const ofAddress = this.#byAddress.get(address) ?? 0;
    const tooMany = ofAddress >= connectionsPerAddress;
    if (this.#stopped !== undefined || address === "" || tooMany || !this.#door.sockets.take("zookeeper")) {
      socket.destroy();
      this.#door.rejectedConnections += 1;
      const full = this.#sockets.size >= connections;
      const what = full ? `${connections} connections` : `${connectionsPerAddress} connections from ${address}`;
      // The budget tells by itself what it refuses for others' sake.
      if (this.#stopped === undefined && (full || tooMany))
        this.#door.note("full", `there are ${what}, which is the most: one more is closed`);
      return;
    }
    this.#sockets.add(socket);
    this.#byAddress.set(address, ofAddress + 1);
    const connection = new Connection(this.#door, this.#transportOf(socket), address);
    socket.on("data", (chunk: Buffer) => connection.received(chunk));
    socket.on("drain", () => connection.drained());
    socket.once("close", () => {
      connection.gone();
      this.#sockets.delete(socket);
      this.#door.sockets.give("zookeeper");
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(address, left);
      else this.#byAddress.delete(address);
    });
  }

  #transportOf(socket: Socket): Transport {
    const { world } = this.#door.options;
    return {
      name: `${socket.remoteAddress}:${socket.remotePort}`,
      get queuedBytes(): number {
        return socket.writableLength;
      },
      write: (bytes) => void socket.write(bytes),
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      end: () => {
        // Unread bytes would make the kernel reset the connection before the last answer is read.
        socket.resume();
        socket.end();
        const timer = world.after(lastWordsMillis, () => socket.destroy());
        socket.once("close", () => timer.cancel());
      },
      destroy: () => void socket.destroy(),
    };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { world } = this.#door.options;
    const { graceMillis, drainMillis } = this.#door.limits;
    if (graceMillis > 0) await new Promise<void>((resolve) => void world.after(graceMillis, resolve));
    const closed = new Promise<void>((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else resolve();
    });
    for (const each of [...this.#door.connections]) each.stop();
    const timer = world.after(drainMillis, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    timer.cancel();
    this.#ticking?.cancel();
  }
}
