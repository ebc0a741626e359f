/** An HTTP server that answers by a script, and remembers what it was asked. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface Request {
  readonly method: string;
  /** With its query. */
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly at: number;
}

export type Turn = (response: ServerResponse, request: Request) => void | Promise<void>;

export const someStat = {
  czxid: "0x0000000100000002",
  mzxid: "0x0000000100000002",
  pzxid: "0x0000000100000002",
  ctime: "2026-11-22T23:06:00.123Z",
  mtime: "2026-11-22T23:06:00.123Z",
  version: 0,
  cversion: 0,
  aversion: 0,
  dataLength: 2,
  numChildren: 0,
  kind: "persistent",
} as const;

export class ScriptedGateway {
  readonly base: string;
  readonly requests: Request[] = [];
  readonly #server: Server;

  private constructor(server: Server, base: string) {
    this.#server = server;
    this.base = base;
  }

  /** `turns` are taken one after the other, the last for all that follow. */
  static async start(...turns: readonly Turn[]): Promise<ScriptedGateway> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || !address) throw new Error("no address");
    const gateway = new ScriptedGateway(server, `http://127.0.0.1:${address.port}`);
    server.on("request", (incoming: IncomingMessage, response: ServerResponse) => {
      const at = performance.now();
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.on("end", () => {
        const { method = "", url = "", headers } = incoming;
        const request = { method, target: url, headers, body: Buffer.concat(parts).toString(), at };
        const turn = turns[Math.min(gateway.requests.push(request) - 1, turns.length - 1)];
        void turn?.(response, request);
      });
      incoming.on("error", () => undefined);
    });
    return gateway;
  }

  get keys(): unknown[] {
    return this.requests.map(({ headers }) => headers["idempotency-key"]);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export function answer(status: number, body: string | object, headers: Readonly<Record<string, string>> = {}): Turn {
  return (response) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "Quorate-Zxid": "0x0000000100000005", "Quorate-Served-By": "1", ...headers });
    response.end(text);
  };
}

export function problem(
  status: number,
  code: string,
  more: object = {},
  headers: Readonly<Record<string, string>> = {},
): Turn {
  const certainty = [500, 502, 504].includes(status) ? "unknown" : "noEffect";
  const body = {
    type: `/docs/errors#${code}`,
    title: code,
    status,
    detail: "it is so",
    code,
    certainty,
    zxid: "0x0",
    ...more,
  };
  return answer(status, body, { "Content-Type": "application/problem+json", ...headers });
}

export const written: Turn = answer(200, { path: "/a", zxid: "0x0000000100000005", stat: someStat });
export const found: Turn = answer(200, "hi", { "Quorate-Stat": JSON.stringify(someStat) });

/** The connection goes without an answer. */
export const cut: Turn = (response) => {
  response.destroy();
};

/** Nothing comes, and nothing breaks. */
export const silent: Turn = () => undefined;
