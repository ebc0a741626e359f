/** A REST door over a tree in memory, for tests of what waits there. */
import { type Backend, digestOf, type RestLimits } from "@quorate/gateway";
import { MemoryBackend } from "./memory-backend.ts";
import { type RestDoor, restDoor } from "./rest-door.ts";
import { Poller, type StreamType, WatchStream } from "./watch-client.ts";

export class WatchDoor {
  readonly memory = new MemoryBackend();
  readonly logged: string[] = [];
  readonly observed: string[] = [];
  readonly #door: RestDoor;
  readonly #streams: WatchStream[] = [];
  readonly #pollers: Poller[] = [];

  constructor(limits: Partial<RestLimits> = {}, wrap: (memory: MemoryBackend) => Backend = (memory) => memory) {
    this.#door = restDoor(wrap(this.memory), {
      superUserDigest: digestOf("root", "toor"),
      log: (text) => this.logged.push(text),
      observe: (operation, status) => this.observed.push(`${operation} ${status}`),
      limits,
    });
  }

  listen(): Promise<void> {
    return this.#door.listen();
  }

  get base(): string {
    return this.#door.base;
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#door.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  poller(headers: Readonly<Record<string, string>> = {}): Poller {
    const poller = new Poller(this.base, headers);
    this.#pollers.push(poller);
    return poller;
  }

  stream(
    query: string,
    type: StreamType = "text/event-stream",
    headers: Readonly<Record<string, string>> = {},
  ): WatchStream {
    const stream = new WatchStream(this.base, query, type, headers);
    this.#streams.push(stream);
    return stream;
  }

  /** Closes the clients first. */
  async stop(): Promise<void> {
    for (const each of this.#streams) each.close();
    for (const each of this.#pollers) each.close();
    await this.stopServer();
  }

  stopServer(): Promise<void> {
    return this.#door.stop();
  }
}
