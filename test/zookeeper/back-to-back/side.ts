/**
 * One of the two that are compared: its doors, its clients, and what each of them was told, in order. A client's stream goes on
 * through connections and sessions; pings are not in it, since their answers have no place in the order.
 */
import { superUser, until } from "../../integration/ensemble.ts";
import { type Arrival, WireClient, WireClosed, type WireConnectOptions } from "../wire-client.ts";
import type { WireRequest } from "../wire-records.ts";
import { hex } from "./correspondence.ts";
import { HeldWatches } from "./held-watches.ts";
import { type Step, show } from "./step.ts";

export type Entry =
  | Arrival
  | { readonly kind: "opened"; readonly session: bigint; readonly timeoutMillis: number; readonly readOnly: boolean }
  /** Instead of an answer to the connect request. */
  | { readonly kind: "refused" }
  | { readonly kind: "closed" };

/** How long anything that must come is waited for. */
const patienceMillis = 20_000;

export class Slot {
  client: WireClient | undefined;
  session = 0n;
  timeoutMillis = 0;
  password: Buffer = Buffer.alloc(16);
  lastZxid = 0n;
  watches = new HeldWatches();
  /** Schemes and credentials shown and accepted, shown again by whoever comes back. */
  auths: { readonly scheme: string; readonly auth: Uint8Array }[] = [];
  readonly stream: Entry[] = [];
  /** The highest zxid of a reply on this connection. */
  shownZxid = 0n;

  get isOpen(): boolean {
    return this.client?.open === true;
  }
}

export class Side {
  readonly name: string;
  readonly slots: readonly Slot[];
  /** What broke a promise that each side keeps by itself, whatever the other does. */
  fault: string | undefined;
  /** Makes something else of what is told: to see that it is found. */
  tamper: ((arrival: Arrival) => readonly Arrival[]) | undefined;
  readonly #ports: readonly number[];
  #admin: WireClient | undefined;
  #stopped = false;

  /** Client `i` goes to the port `i` modulo their number. */
  constructor(name: string, ports: readonly number[], slots: number) {
    this.name = name;
    this.#ports = ports;
    this.slots = Array.from({ length: slots }, () => new Slot());
  }

  /** Of the first client. */
  get port(): number {
    return this.#ports[0] ?? 0;
  }

  slot(at: number): Slot {
    const slot = this.slots[at];
    if (!slot) throw new Error(`there is no client ${at}`);
    return slot;
  }

  /** Resolves once everything that the step awaits has come, or its connection has ended. */
  async play(step: Step): Promise<void> {
    const slot = this.slot(step.slot);
    switch (step.kind) {
      case "send":
        return this.#send(slot, step.requests);
      case "open":
        return this.#open(step.slot, { timeoutMillis: step.timeoutMillis });
      case "close":
        return this.#close(slot);
      case "cut":
        slot.client?.cut();
        return;
      case "return":
        return this.#return(step.slot, step.wrongPassword);
      case "expire":
        return this.#expire(slot, step.path);
    }
  }

  /** A round trip through the leader for everyone: all that was committed before has been told. */
  async barrier(): Promise<void> {
    const open = this.slots.filter((each) => each.isOpen);
    await Promise.all(open.map((each) => this.#send(each, [{ op: "sync", path: "/" }])));
  }

  /** A client with all rights, whose stream nobody compares. */
  async admin(): Promise<WireClient> {
    if (!this.#admin?.open) {
      this.#admin = await WireClient.connect(this.#ports[0] ?? 0, { timeoutMillis: 40_000 });
      const auth = Buffer.from(`${superUser.user}:${superUser.password}`);
      const { error } = await this.#admin.send({ op: "auth", scheme: "digest", auth });
      if (error !== 0) throw new Error(`${this.name} does not know the superuser: ${error}`);
    }
    return this.#admin;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.slots.map((each) => each.client?.close()), this.#admin?.close()]);
  }

  async #send(slot: Slot, requests: readonly WireRequest[]): Promise<void> {
    const { client } = slot;
    if (!client) return;
    const replies = requests.map((each) => client.send(each));
    const ended = await within(Promise.allSettled(replies), () => `${this.name} answers ${requests[0]?.op}`);
    for (const each of ended) {
      if (each.status === "rejected" && !(each.reason instanceof WireClosed)) throw each.reason;
    }
  }

  async #open(at: number, options: WireConnectOptions): Promise<void> {
    const slot = this.slot(at);
    const port = this.#ports[at % this.#ports.length] ?? 0;
    try {
      const client = await WireClient.connect(port, { ...options, patienceMillis });
      slot.client = client;
      slot.shownZxid = 0n;
      const { session, timeoutMillis } = client;
      slot.stream.push({ kind: "opened", session, timeoutMillis, readOnly: client.readOnly === true });
      client.onArrival = (arrival) => this.#take(slot, client, arrival);
      void client.closed.then(() => {
        if (!this.#stopped) slot.stream.push({ kind: "closed" });
      });
      if (client.accepted && options.session === undefined) {
        slot.session = session;
        slot.timeoutMillis = timeoutMillis;
        slot.password = client.password;
        slot.watches = new HeldWatches();
        slot.auths = [];
      }
    } catch (error) {
      if (!(error instanceof WireClosed)) throw error;
      slot.stream.push({ kind: "refused" });
    }
  }

  #take(slot: Slot, client: WireClient, arrival: Arrival): void {
    slot.lastZxid = client.lastZxid;
    this.#judgeOrder(slot, arrival);
    if (arrival.kind === "event") slot.watches.told(arrival.event);
    else {
      const { request, reply } = arrival;
      if (request.op === "ping") return;
      slot.watches.answered(request, reply);
      if (request.op === "auth" && reply.error === 0 && request.scheme !== null && request.auth !== null) {
        slot.auths.push({ scheme: request.scheme, auth: request.auth });
      }
    }
    slot.stream.push(...(this.tamper?.(arrival) ?? [arrival]));
  }

  /** Replies show what is never older than before, and a change is told before anything that shows it or what came behind it. */
  #judgeOrder(slot: Slot, arrival: Arrival): void {
    const { zxid } = arrival.kind === "reply" ? arrival.reply : arrival.event;
    if (zxid <= 0n) return;
    if (arrival.kind === "event" && zxid <= slot.shownZxid) {
      this.fault ??= `${this.name} tells ${show(arrival.event)} behind a reply at ${hex(slot.shownZxid)}`;
    }
    if (arrival.kind !== "reply" || arrival.request.op === "ping") return;
    if (zxid < slot.shownZxid) {
      this.fault ??= `${this.name} answers ${arrival.request.op} at ${hex(zxid)} behind a reply at ${hex(slot.shownZxid)}`;
    }
    slot.shownZxid = zxid;
  }

  async #close(slot: Slot): Promise<void> {
    await this.#send(slot, [{ op: "closeSession" }]);
    await within(slot.client?.closed ?? Promise.resolve(""), () => `${this.name} closes behind a closed session`);
    slot.session = 0n;
  }

  async #return(at: number, wrongPassword: boolean): Promise<void> {
    const slot = this.slot(at);
    const { session, lastZxid, auths } = slot;
    const password = wrongPassword ? Buffer.alloc(16, 7) : slot.password;
    await this.#open(at, { timeoutMillis: slot.timeoutMillis, session, password, lastZxidSeen: lastZxid });
    if (!slot.isOpen || slot.client?.accepted !== true) return;
    slot.auths = [];
    for (const { scheme, auth } of auths) await this.#send(slot, [{ op: "auth", scheme, auth }]);
    if (!slot.watches.isEmpty) await this.#send(slot, [slot.watches.request(lastZxid)]);
  }

  /** Its session is over when its ephemeral znode is gone. */
  async #expire(slot: Slot, path: string): Promise<void> {
    const admin = await this.admin();
    slot.client?.cut();
    const isGone = async (): Promise<boolean> => {
      const others = this.slots.filter((each) => each.isOpen);
      await Promise.all(others.map((each) => this.#send(each, [{ op: "ping" }])));
      return (await admin.send({ op: "exists", path, watch: false })).error === noNode;
    };
    await until(isGone, expiryMillis, `${this.name} expires a session`);
    slot.session = 0n;
  }
}

/** As many milliseconds as the longest session lives, and some. */
const expiryMillis = 90_000;
const noNode = -101;

async function within<T>(promise: Promise<T>, what: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const fail = (): void => late.reject(new Error(`not within ${patienceMillis} ms: ${what()}`));
  const timer = setTimeout(fail, patienceMillis);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
