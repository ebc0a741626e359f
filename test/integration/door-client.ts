/** Requests to a REST door as a client's own clock sees them, and a client's session. Nothing here rejects. */
import { sleep } from "./ensemble.ts";

export interface Reply {
  /** 0: the connection broke, or could not be made. */
  readonly status: number;
  readonly text: string;
  /** Of a problem+json; else empty. */
  readonly code: string;
  readonly certainty: string;
  readonly zxid: string;
  readonly etag: string;
  readonly headers: Headers;
  /** Monotonic ms of this process. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export async function ask(base: string, method: string, path: string, asked: Asked = {}): Promise<Reply> {
  const sentAt = performance.now();
  try {
    const { headers = {}, body } = asked;
    const response = await fetch(`${base}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    return reply(response, text, sentAt);
  } catch {
    const receivedAt = performance.now();
    return {
      status: 0,
      text: "",
      code: "",
      certainty: "",
      zxid: "",
      etag: "",
      headers: new Headers(),
      sentAt,
      receivedAt,
    };
  }
}

function reply(response: Response, text: string, sentAt: number): Reply {
  const { headers, status } = response;
  const problem = headers.get("content-type") === "application/problem+json" && text !== "" ? JSON.parse(text) : {};
  const { code = "", certainty = "" } = problem as { code?: string; certainty?: string };
  const zxid = headers.get("quorate-zxid") ?? "";
  return {
    status,
    text,
    code,
    certainty,
    zxid,
    etag: headers.get("etag") ?? "",
    headers,
    sentAt,
    receivedAt: performance.now(),
  };
}

/** For the message of an assertion. */
export function show({ status, code, text }: Reply): string {
  return code === "" ? `${status} ${text.slice(0, 200)}` : `${status} ${code}: ${text.slice(0, 300)}`;
}

export class ClientSession {
  readonly id: string;
  readonly header: string;
  readonly timeoutMillis: number;
  /** When the last renewal that was answered had been sent (the opening counts). */
  heldSince: number;
  /** The longest time between the sendings of two answered renewals. */
  longestGap = 0;

  private constructor(id: string, secret: string, timeoutMillis: number, heldSince: number) {
    this.id = id;
    this.header = `${id}:${secret}`;
    this.timeoutMillis = timeoutMillis;
    this.heldSince = heldSince;
  }

  static async open(base: string, timeoutMillis: number): Promise<ClientSession> {
    const body = JSON.stringify({ timeout: `${timeoutMillis}ms`, name: "test" });
    const opened = await ask(base, "POST", "/v1/sessions", { headers: { "content-type": "application/json" }, body });
    if (opened.status !== 201) throw new Error(`no session: ${show(opened)}`);
    const { id, secret } = JSON.parse(opened.text) as { id: string; secret: string };
    return new ClientSession(id, secret, timeoutMillis, opened.sentAt);
  }

  /** The client may rely on the session until then. */
  get heldUntil(): number {
    return this.heldSince + this.timeoutMillis;
  }

  async renew(base: string, limit = "2s"): Promise<Reply> {
    const headers = { "quorate-session": this.header, "quorate-timeout": limit };
    const renewed = await ask(base, "POST", `/v1/sessions/${this.id}/renew`, { headers });
    if (renewed.status === 200 && renewed.sentAt > this.heldSince) {
      this.longestGap = Math.max(this.longestGap, renewed.sentAt - this.heldSince);
      this.heldSince = renewed.sentAt;
    }
    return renewed;
  }

  put(base: string, path: string, query = "?ephemeral=true"): Promise<Reply> {
    return ask(base, "PUT", `/v1/znodes${path}${query}`, { headers: { "quorate-session": this.header }, body: "x" });
  }
}

export interface Disappearance {
  /** Sending of the last read that saw it, sending and answer of the first that did not. */
  readonly lastSeenAt: number;
  readonly firstGoneSentAt: number;
  readonly firstGoneAt: number;
}

/**
 * Reads a znode until it is gone. The reads are local to whoever answers, not older than `minZxid`: they must not help
 * the leader to be confirmed more often than it would be by itself.
 */
export async function watchGone(
  bases: readonly string[],
  path: string,
  minZxid: string,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<Disappearance> {
  const headers = { "quorate-consistency": "session", "quorate-min-zxid": minZxid, "quorate-timeout": "500ms" };
  let lastSeenAt = 0;
  for (let turn = 0; performance.now() < until; turn++) {
    const read = await ask(bases[turn % bases.length] ?? "", "HEAD", `/v1/znodes${path}`, { headers });
    if (read.status === 200) lastSeenAt = read.sentAt;
    if (read.status === 404) return { lastSeenAt, firstGoneSentAt: read.sentAt, firstGoneAt: read.receivedAt };
    await sleep(performance.now() < from ? 60 : 8);
  }
  throw new Error(`${path} is still there, ${Math.round(until - from)} ms after it was looked at closely`);
}

/** `min 3, median 50, max 90` of some milliseconds. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b).map((each) => Math.round(each));
  return `min ${sorted[0]}, median ${sorted[sorted.length >> 1]}, max ${sorted.at(-1)} ms (${sorted.length})`;
}
