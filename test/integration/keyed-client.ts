/** A client that sends an `Idempotency-Key` with each write, and the same again until it knows. */
import type { Agent } from "node:http";
import { sleep } from "./ensemble.ts";
import { exchange, type Reply } from "./http-client.ts";

export interface KeyedRequest {
  readonly key: string;
  readonly method: "PUT" | "POST" | "DELETE";
  readonly target: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class KeyedClient {
  readonly #doors: readonly string[];
  readonly #agent: Agent;

  constructor(doors: readonly string[], agent: Agent) {
    this.#doors = doors;
    this.#agent = agent;
  }

  /** `door`: any number; the doors are taken in turn. */
  send(door: number, { key, method, target, body, headers }: KeyedRequest): Promise<Reply> {
    const all = { ...headers, "Idempotency-Key": key };
    const base = this.#doors[door % this.#doors.length] as string;
    return exchange(this.#agent, base, target, {
      method,
      headers: all,
      ...(body === undefined ? undefined : { body }),
    });
  }

  /** What a client does that must know: the same again, door after door, until somebody can tell. */
  async insist(request: KeyedRequest, from: number): Promise<{ reply: Reply; tries: number }> {
    for (let tries = 1; ; tries++) {
      try {
        const reply = await this.send(from + tries - 1, request);
        if (reply.status < 500) return { reply, tries };
      } catch {
        await sleep(10);
      }
      if (tries > 1000) throw new Error(`no answer to ${JSON.stringify(request)}`);
    }
  }
}

export function isReplay(reply: Reply): boolean {
  return reply.headers["quorate-replayed"] === "true";
}

/** All that an answer says of the write itself, a failure's problem included; not who said it. */
export function gist({ status, body, headers }: Reply): unknown {
  return { status, body, etag: headers.etag, location: headers.location, zxid: headers["quorate-zxid"] };
}

/** Not the same request, but under the same key. */
export function anotherOf(request: KeyedRequest): KeyedRequest {
  if (request.body === undefined) return { ...request, target: `${request.target}x` };
  return { ...request, body: `${request.body} ` };
}

export function codeIn({ body }: Reply): string {
  return (JSON.parse(body) as { code: string }).code;
}
