/** Locks as any HTTP client asks for them: plain fetch, every call bounded, nothing rejects. */

export interface Answer {
  /** 0: the connection broke, could not be made, or no whole answer came in time. */
  readonly status: number;
  /** Of a problem; else empty. */
  readonly code: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was answered; each caller knows its shape.
  readonly json: any;
  readonly text: string;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Beyond it the connection is given up. */
  readonly patienceMillis?: number;
}

const patienceMillis = 20_000;

export async function call(base: string, method: string, target: string, ask: Ask = {}): Promise<Answer> {
  try {
    const response = await fetch(`${base}${target}`, {
      method,
      signal: AbortSignal.timeout(ask.patienceMillis ?? patienceMillis),
      ...(ask.headers === undefined ? {} : { headers: ask.headers }),
      ...(ask.body === undefined ? {} : { body: ask.body }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true && text !== "";
    const json = isJson ? JSON.parse(text) : {};
    return { status: response.status, code: response.ok ? "" : (json.code ?? ""), json, text };
  } catch (error) {
    return { status: 0, code: "", json: {}, text: String(error) };
  }
}

/** For the message of an assertion. */
export function show({ status, text }: Answer): string {
  return `${status} ${text.slice(0, 300)}`;
}

export type LockMode = "exclusive" | "read" | "write" | "permit";

export interface Place {
  readonly name: string;
  readonly held: boolean;
  readonly token?: string;
  readonly mode: LockMode;
  readonly layout: string;
  readonly znode: string;
  readonly ahead: number;
  readonly session: { readonly id: string; readonly secret?: string; readonly timeout: string };
  readonly zxid: string;
}

export interface AcquireOptions {
  /** As in `Quorate-Session`. Without it one is opened. */
  readonly session?: string | undefined;
  readonly mode?: LockMode;
  readonly permits?: number | undefined;
  readonly layout?: "curator" | "kazoo";
  readonly contender?: string;
  readonly waitMillis?: number;
  /** Of the session that is opened. */
  readonly timeoutMillis?: number;
  readonly token?: string | undefined;
  readonly key?: string | undefined;
  readonly patienceMillis?: number;
}

/** 200: held; 202: it has a place. */
export function acquire(base: string, name: string, options: AcquireOptions = {}): Promise<Answer> {
  const { session, mode, permits, layout, contender, waitMillis, timeoutMillis, token, key } = options;
  const query = new URLSearchParams();
  if (mode !== undefined) query.set("mode", mode);
  if (permits !== undefined) query.set("permits", String(permits));
  if (layout !== undefined) query.set("layout", layout);
  if (contender !== undefined) query.set("contender", contender);
  if (waitMillis !== undefined) query.set("wait", `${waitMillis}ms`);
  if (timeoutMillis !== undefined && session === undefined) query.set("timeout", `${timeoutMillis}ms`);
  if (token !== undefined) query.set("token", token);
  const headers: Record<string, string> = {};
  if (session !== undefined) headers["Quorate-Session"] = session;
  if (key !== undefined) headers["Idempotency-Key"] = key;
  const patience = options.patienceMillis ?? (waitMillis ?? 0) + patienceMillis;
  return call(base, "POST", `/v1/locks/${name}?${query}`, { headers, patienceMillis: patience });
}

export function release(base: string, name: string, session: string): Promise<Answer> {
  return call(base, "DELETE", `/v1/locks/${name}`, { headers: { "Quorate-Session": session } });
}

export interface QueueState {
  readonly layout: string;
  readonly kind: string;
  readonly permits?: number;
  readonly holders: readonly { readonly token: string; readonly contender: string; readonly znode: string }[];
  readonly waiters: readonly { readonly contender: string; readonly znode: string }[];
  readonly waiting: number;
}

/** Undefined: there is no znode of that name. */
export async function queueOf(base: string, name: string): Promise<QueueState | undefined> {
  const answer = await call(base, "GET", `/v1/locks/${name}?limit=10000`);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`the queue of ${name}: ${show(answer)}`);
  return answer.json as QueueState;
}

/** What it shows in `Quorate-Session`; undefined if it was not opened. */
export async function openSession(base: string, timeoutMillis: number, name: string): Promise<string | undefined> {
  const body = JSON.stringify({ timeout: `${timeoutMillis}ms`, name });
  const answer = await call(base, "POST", "/v1/sessions", { headers: { "Content-Type": "application/json" }, body });
  return answer.status === 201 ? `${answer.json.id}:${answer.json.secret}` : undefined;
}

export function closeSession(base: string, session: string): Promise<Answer> {
  const [id = ""] = session.split(":");
  return call(base, "DELETE", `/v1/sessions/${id}`, { headers: { "Quorate-Session": session } });
}

/** As in `Quorate-Fenced`. */
export function fenceOf(name: string, token: string): string {
  return `${name}=${token}`;
}
