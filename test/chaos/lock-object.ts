/** One ephemeral znode as a lock: who makes it holds it while its session lives; its czxid is the token. */
import { formatZxid, parseZxid, type Zxid } from "@quorate/api";
import type { LockCall, LockResult, Millis, Operation, ZxidNumber } from "../linearizability/index.ts";
import { type Hands, pause, type Request, type Said } from "./hand.ts";
import { LockSession } from "./lock-session.ts";
import { answerOf, type Numbers, type SharedObject, timesOf } from "./shared-object.ts";

/** How the names of locks, and so of their sessions, begin. */
export const lockPrefix = "l";

/** What one client has. */
interface Client {
  session: LockSession | undefined;
  /** Of its own holding, as it knows. */
  token: ZxidNumber | undefined;
}

export class LockObject implements SharedObject {
  readonly name: string;
  readonly #hands: Hands;
  readonly #numbers: Numbers;
  readonly #lingerMillis: Millis;
  readonly #operations: Operation[] = [];
  readonly #clients = new Map<number, Client>();
  /** All that were ever opened for it, the unanswered ones too. */
  #sessions = 0;
  #isThere = false;

  /** `lingerMillis`: behind the longest timeout, how long the znode of a session that is left alone is looked for. */
  constructor(name: string, hands: Hands, numbers: Numbers, lingerMillis: Millis) {
    this.name = name;
    this.#hands = hands;
    this.#numbers = numbers;
    this.#lingerMillis = lingerMillis;
  }

  async open(): Promise<void> {}

  async step(process: number): Promise<void> {
    const { random } = this.#hands;
    const client = this.#client(process);
    if (!client.session || client.session.isOver) {
      client.token = undefined;
      client.session = await this.#newSession(process);
      return;
    }
    if (random.chance(0.01)) {
      // Its owner dies, or goes in peace.
      const { session } = client;
      client.session = undefined;
      await (random.chance(0.5) ? session.leave() : session.close());
    } else if (client.token !== undefined && random.chance(0.15)) await this.#release(process, client, client.session);
    else if (client.token === undefined && random.chance(0.35)) await this.#acquire(process, client, client.session);
    else await this.#observe(process, client);
  }

  /** Every session ends; then the lock is looked at until nobody can hold it any more. */
  async close(): Promise<Operation[]> {
    const sessions = [...this.#clients.values()].flatMap((each) => (each.session ? [each.session] : []));
    this.#clients.clear();
    await Promise.all(sessions.map((each) => (this.#hands.random.chance(0.5) ? each.leave() : each.close())));
    const longest = Math.max(0, ...sessions.map((each) => each.timeoutMillis));
    const end = performance.now() + longest + this.#lingerMillis;
    let absent = 0;
    while (performance.now() < end && absent < 3) {
      const known = await this.#observe(0, undefined);
      absent = known && !this.#isThere ? absent + 1 : 0;
      await pause(150);
    }
    return this.#operations;
  }

  /** Its session's end removes it. */
  async clear(): Promise<void> {}

  #client(process: number): Client {
    const known = this.#clients.get(process);
    if (known) return known;
    const client = { session: undefined, token: undefined };
    this.#clients.set(process, client);
    return client;
  }

  async #newSession(process: number): Promise<LockSession | undefined> {
    const name = `${this.name.slice(1)}-${process}-${this.#sessions++}`;
    const record = (operation: Operation): void => void this.#operations.push(operation);
    const session = new LockSession(name, process, this.#hands, this.#numbers, record);
    return (await session.open()) ? session : undefined;
  }

  async #acquire(process: number, client: Client, session: LockSession): Promise<void> {
    const call: LockCall = { kind: "acquire", session: session.name };
    const headers = { "If-None-Match": "*", "Quorate-Session": session.header };
    const target = `/v1/znodes${this.name}?ephemeral=true`;
    await this.#do(process, call, { method: "PUT", target, headers, body: session.name }, ({ json }) => {
      client.token = parseZxid(json.stat.czxid) ?? 0;
      return { kind: "acquire", token: client.token };
    });
  }

  /** Only with the token: what it names is this holding and no other. */
  async #release(process: number, client: Client, session: LockSession): Promise<void> {
    const token = client.token ?? 0;
    const call: LockCall = { kind: "release", session: session.name, token };
    client.token = undefined;
    const target = `/v1/znodes${this.name}`;
    const czxid = formatZxid(token as Zxid);
    const txn = { check: [{ path: this.name, czxid }], then: [{ op: "delete", path: this.name }] };
    const json = { "Content-Type": "application/json" };
    const request: Request = this.#hands.random.chance(0.5)
      ? { method: "DELETE", target, headers: { "If-Match": `"${czxid}"` } }
      : { method: "POST", target: "/v1/txn", headers: json, body: JSON.stringify(txn) };
    await this.#do(process, call, request, ({ json }) => {
      const at = parseZxid(json.zxid);
      return { kind: "release", ...(at === undefined ? {} : { at }) };
    });
  }

  /** Answers whether it was answered. */
  async #observe(process: number, client: Client | undefined): Promise<boolean> {
    const target = `/v1/znodes${this.name}?format=json`;
    const request: Request = { method: "GET", target, isRead: true };
    return this.#do(process, { kind: "observe" }, request, ({ json }) => {
      this.#isThere = json !== null;
      if (json === null) return { kind: "observe", holder: null };
      const owner = parseZxid(json.stat.ephemeralOwner) ?? 0;
      const token = parseZxid(json.stat.czxid) ?? 0;
      // An acquisition that was not answered may have been done.
      if (client?.session?.id === owner) client.token = token;
      return { kind: "observe", holder: { owner, token } };
    });
  }

  async #do(process: number, call: LockCall, request: Request, result: (said: Said) => LockResult): Promise<boolean> {
    const id = this.#numbers.next();
    const said = await this.#hands.send(request);
    const answer = answerOf(said, result);
    this.#operations.push({ id, process, model: "lock", object: this.name, ...timesOf(said), call, answer });
    return said.verdict === "ok";
  }
}
