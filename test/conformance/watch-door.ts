/** A REST door over a tree in memory, for tests of what waits there. */
import type { AddressInfo } from "node:net";
import {
  type Backend,
  createNodeWorld,
  createRecipes,
  createRestServer,
  digestOf,
  type Recipes,
  type RestLimits,
} from "@quorate/gateway";
import { MemoryBackend } from "./memory-backend.ts";
import { Poller, type StreamType, WatchStream } from "./watch-client.ts";

export class WatchDoor {
  readonly memory = new MemoryBackend();
  readonly logged: string[] = [];
  readonly observed: string[] = [];
  readonly #server: ReturnType<typeof createRestServer>;
  readonly #recipes: Recipes;
  readonly #streams: WatchStream[] = [];
  readonly #pollers: Poller[] = [];

  constructor(limits: Partial<RestLimits> = {}, wrap: (memory: MemoryBackend) => Backend = (memory) => memory) {
    const backend = wrap(this.memory);
    const world = createNodeWorld();
    this.#recipes = createRecipes({ backend, world });
    this.#server = createRestServer({
      backend,
      recipes: this.#recipes,
      world,
      superUserDigest: digestOf("root", "toor"),
      version: "test",
      readiness: () => ({ ready: true, leader: 1, checks: [] }),
      metrics: () => "",
      log: (text) => this.logged.push(text),
      observe: (operation, status) => this.observed.push(`${operation} ${status}`),
      limits,
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.server.listen(0, "127.0.0.1", resolve));
  }

  get base(): string {
    return `http://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`;
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
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

  async stopServer(): Promise<void> {
    await this.#server.stop();
    this.#recipes.close();
  }
}
