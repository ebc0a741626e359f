/** A client of `/v1/watch` that reads as the bytes come: server-sent events or lines of JSON, and plain polls. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";

/** One event of a stream: its id (a cursor) where it has one, its name, its JSON. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sent.
  readonly data: any;
}

export type StreamType = "text/event-stream" | "application/x-ndjson";

export interface Opened {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of an answer that is no stream. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sent.
  readonly body: any;
}

export class WatchStream {
  readonly opened: Promise<Opened>;
  readonly events: StreamEvent[] = [];
  /** The connection is over. */
  closed = false;
  readonly #type: StreamType;
  readonly #outgoing: ReturnType<typeof request>;
  #incoming: IncomingMessage | undefined;
  #text = "";
  #looked = 0;
  #changed: () => void = () => {};

  /** `query`: of a watch; or another stream's path. */
  constructor(base: string, query: string, type: StreamType, headers: Readonly<Record<string, string>> = {}) {
    this.#type = type;
    const { hostname, port } = new URL(base);
    const path = query.startsWith("/") ? query : `/v1/watch?${query}`;
    this.#outgoing = request({ hostname, port, path, agent: false, headers: { ...headers, accept: type } });
    this.opened = new Promise((resolve, reject) => {
      this.#outgoing.on("error", (error) => {
        this.#close();
        reject(error);
      });
      this.#outgoing.on("response", (incoming) => this.#begin(incoming, resolve));
    });
    this.opened.catch(() => {});
    this.#outgoing.end();
  }

  /** The cursor of the last event that had one. */
  get cursor(): string {
    return this.events.findLast((each) => each.id !== undefined)?.id ?? "";
  }

  /** The next event that `fits`, behind the one found last; those between are skipped. */
  async next(fits: (event: StreamEvent) => boolean = isChange, millis = 60_000): Promise<StreamEvent> {
    const end = performance.now() + millis;
    for (;;) {
      while (this.#looked < this.events.length) {
        const event = this.events[this.#looked++];
        if (event !== undefined && fits(event)) return event;
      }
      if (this.closed || performance.now() > end) {
        const seen = this.events.map(({ name, data }) => `${name} ${JSON.stringify(data)}`).join("\n");
        throw new Error(
          `no such event (${this.closed ? "the stream is closed" : `within ${millis} ms`}); seen:\n${seen}`,
        );
      }
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#changed = resolve;
        }),
        new Promise((resolve) => setTimeout(resolve, Math.max(1, end - performance.now())).unref()),
      ]);
    }
  }

  /** Reads nothing more, so that the sender's buffers fill. */
  pause(): void {
    this.#incoming?.pause();
  }

  resume(): void {
    this.#incoming?.resume();
  }

  close(): void {
    this.#outgoing.destroy();
    this.#close();
  }

  #begin(incoming: IncomingMessage, resolve: (opened: Opened) => void): void {
    this.#incoming = incoming;
    const { statusCode: status = 0, headers } = incoming;
    const streams = headers["content-type"] === this.#type;
    if (streams) resolve({ status, headers, body: undefined });
    incoming.setEncoding("utf8");
    incoming.on("data", (text: string) => {
      this.#text += text;
      if (streams) this.#read();
    });
    incoming.on("error", () => this.#close());
    incoming.on("close", () => this.#close());
    incoming.on("end", () => {
      if (!streams) resolve({ status, headers, body: JSON.parse(this.#text) });
      this.#close();
    });
  }

  #read(): void {
    const mark = this.#type === "text/event-stream" ? "\n\n" : "\n";
    for (let end = this.#text.indexOf(mark); end >= 0; end = this.#text.indexOf(mark)) {
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + mark.length);
      this.events.push(this.#type === "text/event-stream" ? serverSent(block) : line(block));
    }
    this.#changed();
  }

  #close(): void {
    this.closed = true;
    this.#changed();
  }
}

export function isChange({ name }: StreamEvent): boolean {
  return name === "created" || name === "changed" || name === "deleted";
}

export function named(name: string): (event: StreamEvent) => boolean {
  return (event) => event.name === name;
}

function serverSent(block: string): StreamEvent {
  const fields = new Map(
    block.split("\n").map((each) => [each.slice(0, each.indexOf(":")), each.slice(each.indexOf(":") + 2)] as const),
  );
  return { id: fields.get("id"), name: fields.get("event") ?? "", data: JSON.parse(fields.get("data") ?? "") };
}

function line(block: string): StreamEvent {
  const data = JSON.parse(block);
  return { id: data.cursor, name: data.type, data };
}

export interface Polled {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server sent.
  readonly body: any;
  readonly millis: number;
}

/** One connection at a time is enough for a client without threads. */
export class Poller {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(base: string, headers: Readonly<Record<string, string>> = {}) {
    this.#base = base;
    this.#headers = headers;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Polled> {
    return this.send("GET", path, headers);
  }

  send(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<Polled> {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.#base);
      const all = { ...this.#headers, ...headers };
      const outgoing = request({ hostname, port, path, method, agent: this.#agent, headers: all }, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (part: string) => {
          text += part;
        });
        incoming.on("error", reject);
        incoming.on("end", () => {
          const { statusCode: status = 0, headers: got } = incoming;
          const json = (got["content-type"] ?? "").includes("json") && text !== "";
          const millis = performance.now() - began;
          resolve({ status, headers: got, text, body: json ? JSON.parse(text) : undefined, millis });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  /** Cuts what is under way. */
  close(): void {
    this.#agent.destroy();
  }
}
