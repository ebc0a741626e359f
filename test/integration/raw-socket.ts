/** Bytes on a socket as they stand, and what comes back: for what no proper client would send. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Exchanged {
  readonly bytes: Buffer;
  readonly text: string;
  /** The other side ended it (cleanly or not); false: it was still open after the patience. */
  readonly closed: boolean;
  readonly millis: number;
}

export interface TalkOptions {
  /** How long the other side is waited for. */
  readonly patienceMillis?: number;
  /** So long behind the last byte of an answer the connection is taken for one that stays. */
  readonly quietMillis?: number;
  /** Ends the writing side after the bytes. */
  readonly end?: boolean;
}

/** Sends `bytes` on a connection of its own and reads until the other side closes it. Never rejects for what the other side does. */
export function talk(port: number, bytes: string | Buffer, options: TalkOptions = {}): Promise<Exchanged> {
  const { patienceMillis = 30_000, quietMillis, end = false } = options;
  const began = performance.now();
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let closed = false;
    const socket = connect(port, "127.0.0.1", () => (end ? socket.end(bytes) : socket.write(bytes)));
    let timer = setTimeout(() => socket.destroy(), patienceMillis);
    // A reset is how a port that has no words for such bytes may close; it is seen as a close.
    socket.on("error", () => {
      closed = true;
    });
    socket.on("data", (part) => {
      parts.push(part);
      if (quietMillis === undefined) return;
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), quietMillis);
    });
    socket.on("end", () => {
      closed = true;
    });
    socket.on("close", () => {
      clearTimeout(timer);
      const all = Buffer.concat(parts);
      resolve({ bytes: all, text: all.toString("latin1"), closed, millis: performance.now() - began });
    });
  });
}

/** Connections that say nothing. They may be closed by the other side at any time; `closeAll` ends them. */
export class IdleCrowd {
  readonly #sockets: Socket[] = [];
  /** Those that never stood. */
  refused = 0;

  /** Opens them some at a time, so that no listener's backlog overflows. */
  async open(port: number, count: number): Promise<void> {
    const step = 200;
    for (let done = 0; done < count; done += step) {
      await Promise.all(Array.from({ length: Math.min(step, count - done) }, () => this.#one(port)));
    }
  }

  /** Still open, as this side sees it. */
  get standing(): number {
    return this.#sockets.filter((each) => each.readyState === "open").length;
  }

  async #one(port: number): Promise<void> {
    const socket = connect(port, "127.0.0.1");
    this.#sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    socket.on("end", () => socket.destroy());
    try {
      await once(socket, "connect");
    } catch {
      this.refused++;
    }
  }

  closeAll(): void {
    for (const each of this.#sockets) each.destroy();
    this.#sockets.length = 0;
  }
}

/** The status of an HTTP answer, 0 if it is none. */
export function statusOfAnswer({ text }: Exchanged): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
}

/** The problem in an HTTP answer; undefined if there is none. */
export function problemIn({
  text,
}: Exchanged): { readonly code: string; readonly status: number; readonly detail: string } | undefined {
  const body = text.slice(text.indexOf("\r\n\r\n") + 4);
  if (!/content-type: application\/problem\+json/i.test(text)) return undefined;
  try {
    return JSON.parse(/\{.*\}/s.exec(body)?.[0] ?? "") as { code: string; status: number; detail: string };
  } catch {
    return undefined;
  }
}
