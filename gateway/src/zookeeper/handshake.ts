/**
 * From a ConnectRequest to a session that is attached: a new one is opened first, one that is shown is taken over, from
 * whichever connection of whichever gateway has it. A shown one is renewed too: that it was attached does not say that
 * it lives on, its end may be proposed already. A new one that nobody gets is closed, or it would stay for its timeout.
 */
import { createHash } from "node:crypto";
import { type Acting, formatZxid, noSession } from "@quorate/api";
import type { Backend, LaneListener, LaneOpening, SessionLane, WatchEnd } from "../backend.ts";
import type { Credentials } from "./credentials.ts";
import type { ZookeeperDoor } from "./door.ts";
import type { ZookeeperLimits } from "./limits.ts";
import type { ConnectRequest } from "./messages.ts";

export interface Attached {
  readonly acting: Acting;
  readonly lane: SessionLane;
  readonly opening: LaneOpening;
  readonly password: Uint8Array;
  /** What its requests go to. */
  readonly backend: Backend;
  readonly readOnly: boolean;
}

export interface HandshakeListener {
  attached(attached: Attached): void;
  /** The session that was shown is over, or is not this client's. */
  refused(): void;
  /** Nothing can be said of the session: the client tries elsewhere. */
  failed(why: string): void;
}

export const passwordBytes = 16;

/** What the client asked for, brought into bounds. */
export function timeoutOf({ timeoutMillis }: ConnectRequest, limits: ZookeeperLimits): number {
  return Math.max(limits.minSessionTimeoutMillis, Math.min(timeoutMillis, limits.maxSessionTimeoutMillis));
}

/**
 * How long the replicas may take: the client has other servers to try while its session lives, and one that cannot be served
 * here must not wait for the connection's own end. Clients of several servers think alike, and leave by themselves.
 */
function patienceOf(request: ConnectRequest, limits: ZookeeperLimits): number {
  return Math.min(limits.handshakeMillis, Math.max(limits.leastPatienceMillis, timeoutOf(request, limits) / 3));
}

export class Handshake {
  readonly #door: ZookeeperDoor;
  readonly #patienceMillis: number;
  readonly #credentials: Credentials;
  readonly #request: ConnectRequest;
  readonly #lanes: Omit<LaneListener, "opened">;
  readonly #listener: HandshakeListener;
  #lane: SessionLane | undefined;
  /** The new session, of which its client knows nothing before it is attached. */
  #created: Acting | undefined;
  #opening: LaneOpening | undefined;
  #renewed = false;
  #over = false;

  /** `lanes`: what the lane says once it is attached. */
  constructor(
    door: ZookeeperDoor,
    credentials: Credentials,
    request: ConnectRequest,
    lanes: Omit<LaneListener, "opened">,
    listener: HandshakeListener,
  ) {
    this.#door = door;
    this.#patienceMillis = patienceOf(request, door.limits);
    this.#credentials = credentials;
    this.#request = request;
    this.#lanes = lanes;
    this.#listener = listener;
  }

  begin(): void {
    const { session, password } = this.#request;
    if (session === undefined) return this.#refuse();
    if (session === noSession) return void this.#create();
    const acting = { session, secretHash: hashOf(password) };
    this.#attach(acting, password);
    void this.#renew(acting);
  }

  /** Nothing is told any more. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#lane?.close();
    this.#abandon();
  }

  #abandon(): void {
    const acting = this.#created;
    if (acting === undefined) return;
    const { backend } = this.#door.options;
    const operation = { kind: "closeSession", session: acting.session } as const;
    // If it cannot be closed it expires.
    void backend.write({ identity: this.#credentials.identity, acting, operation }, this.#patienceMillis);
  }

  async #create(): Promise<void> {
    const { backend, world } = this.#door.options;
    const timeoutMillis = timeoutOf(this.#request, this.#door.limits);
    const password = world.randomBytes(passwordBytes);
    const secretHash = hashOf(password);
    const { identity, address } = this.#credentials;
    const operation = { kind: "createSession", role: "client", timeoutMillis, secretHash, name: "", address } as const;
    const answer = await backend.write({ identity, operation }, this.#patienceMillis);
    if (answer.kind === "unavailable") return this.#fail(`no session could be opened: ${answer.detail}`);
    const { outcome } = answer;
    if (!outcome.ok) return this.#fail(`no session could be opened: ${outcome.detail}`);
    if (outcome.result.kind !== "session") return this.#fail(`a new session was answered ${outcome.result.kind}`);
    const acting = { session: outcome.result.session, secretHash };
    this.#created = acting;
    if (this.#over) return this.#abandon();
    this.#renewed = true;
    this.#attach(acting, password);
  }

  #attach(acting: Acting, password: Uint8Array): void {
    const { backend } = this.#door.options;
    const { identity } = this.#credentials;
    const lane = backend.attach(acting, identity, this.#patienceMillis, {
      opened: (opening) => {
        this.#opening = opening;
        this.#goOn(acting, lane, password);
      },
      ended: (end) => {
        if (this.#over) this.#lanes.ended(end);
        else this.#ended(end);
      },
      drained: () => this.#lanes.drained(),
    });
    this.#lane = lane;
  }

  #ended({ code, detail }: WatchEnd): void {
    switch (code) {
      case "sessionExpired":
      case "authFailed":
      case "noAuth":
      // A number that was never given here.
      case "badArguments":
        return this.#refuse();
      default:
        return this.#fail(`its session could not be attached (${code}): ${detail}`);
    }
  }

  async #renew(acting: Acting): Promise<void> {
    const { backend } = this.#door.options;
    const answer = await backend.renew(acting.session, acting.secretHash, this.#patienceMillis);
    if (this.#over) return;
    switch (answer.kind) {
      case "renewed":
        this.#renewed = true;
        if (this.#lane) this.#goOn(acting, this.#lane, this.#request.password);
        return;
      case "expired":
      case "badSecret":
        return this.#refuse();
      case "unavailable":
        return this.#fail(`its session could not be renewed: ${answer.detail}`);
    }
  }

  #goOn(acting: Acting, lane: SessionLane, password: Uint8Array): void {
    const opening = this.#opening;
    if (opening === undefined || !this.#renewed || this.#over) return;
    const { lastZxidSeen } = this.#request;
    if (lastZxidSeen > opening.zxid) {
      const seen = `it has seen ${formatZxid(lastZxidSeen)}, and this ensemble is at ${formatZxid(opening.zxid)}`;
      return this.#fail(`its client comes from another history: ${seen}`);
    }
    this.#over = true;
    const { backend } = this.#door.options;
    this.#listener.attached({ acting, lane, opening, password, backend, readOnly: false });
  }

  #refuse(): void {
    this.close();
    this.#listener.refused();
  }

  #fail(why: string): void {
    if (this.#over) return;
    this.close();
    this.#listener.failed(why);
  }
}

function hashOf(password: Uint8Array): Uint8Array {
  return createHash("sha256").update(password).digest();
}
