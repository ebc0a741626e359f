/** One HTTP exchange over kept-alive connections, cheap enough that a load of them leaves the machine to the servers. */
import { type Agent, type IncomingHttpHeaders, request } from "node:http";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Exchange {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** So long after the start without a whole answer, the connection is cut; the caller must choose more than the server's limit. */
  readonly patienceMillis?: number;
}

/** Rejects when no whole answer came; the error's `code` is Node's, `EPATIENCE` for one that was waited for too long. */
export function exchange(agent: Agent, base: string, path: string, options: Exchange = {}): Promise<Reply> {
  const { method = "GET", headers = {}, body, patienceMillis = 75_000 } = options;
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const length = body === undefined ? undefined : { "Content-Length": Buffer.byteLength(body) };
    const outgoing = request(
      { agent, hostname, port, path, method, headers: { ...headers, ...length } },
      (incoming) => {
        const parts: Buffer[] = [];
        incoming.on("data", (part: Buffer) => parts.push(part));
        incoming.on("error", fail);
        incoming.on("end", () => {
          clearTimeout(timer);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(parts).toString("utf8"),
          });
        });
      },
    );
    const timer = setTimeout(() => {
      outgoing.destroy(Object.assign(new Error(`no answer within ${patienceMillis} ms`), { code: "EPATIENCE" }));
    }, patienceMillis);
    function fail(error: Error): void {
      clearTimeout(timer);
      reject(error);
    }
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}

/** Node's name for what went wrong. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
