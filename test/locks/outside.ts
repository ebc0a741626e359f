/**
 * A resource that knows nothing of Quorate: it remembers the highest tokens that wrote and read, and refuses whoever shows a lower
 * one. Tokens are all that it goes by. What it accepted is told in its own order.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { LockMode } from "./rest-locks.ts";
import type { Write } from "./section-judge.ts";

export interface OutsideOptions {
  /** Whether tokens are looked at. */
  readonly checks: boolean;
  /** `lock`: the path that was asked. */
  readonly accepted: (lock: string, write: Write) => void;
}

interface Highest {
  written: number;
  read: number;
}

export class Outside {
  readonly base: string;
  refused = 0;
  readonly #server: Server;
  readonly #options: OutsideOptions;
  readonly #highest = new Map<string, Highest>();
  #order = 0;

  private constructor(server: Server, base: string, options: OutsideOptions) {
    this.#server = server;
    this.base = base;
    this.#options = options;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  static async start(options: OutsideOptions): Promise<Outside> {
    const server = createServer({ keepAliveTimeout: 60_000 }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || !address) throw new Error("the resource has no address");
    return new Outside(server, `http://127.0.0.1:${address.port}`, options);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      let text = "";
      for await (const part of request) text += part;
      const { token, mode } = JSON.parse(text) as { token: number; mode: LockMode };
      response.writeHead(this.#take(request.url ?? "", token, mode) ? 200 : 409).end();
    } catch {
      response.destroy();
    }
  }

  /** A reader that has not been overtaken by a writer may read; a writer, if nobody behind it has read either. */
  #take(lock: string, token: number, mode: LockMode): boolean {
    const highest = this.#highest.get(lock) ?? { written: 0, read: 0 };
    this.#highest.set(lock, highest);
    const floor = mode === "read" ? highest.written : Math.max(highest.written, highest.read);
    if (this.#options.checks && token < floor) {
      this.refused += 1;
      return false;
    }
    if (mode === "read") highest.read = Math.max(highest.read, token);
    else highest.written = Math.max(highest.written, token);
    this.#options.accepted(lock, { at: ++this.#order, token, mode });
    return true;
  }
}
