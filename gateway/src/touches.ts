/**
 * Renewals of sessions, gathered: all of one turn leave in one message, and a session stands in a message once. Each is
 * repeated until a leader has confirmed it or its time is over. The gateway's own session is among them.
 */
import type { SessionId, Zxid } from "@quorate/api";
import type { RequestId, ToGateway, TouchResult } from "@quorate/proto";
import type { RenewAnswer } from "./backend.ts";
import { Deadlines, type Timed } from "./deadlines.ts";
import { linkLimits } from "./limits.ts";
import type { GatewayTimer, GatewayWorld } from "./ports.ts";
import { type ReplicaStream, unavailable } from "./stream.ts";

export interface TouchPorts {
  readonly world: GatewayWorld;
  nextId(): RequestId;
  home(): ReplicaStream | undefined;
  /** The newest zxid known to be committed: what a renewal sent now is confirmed at, at least. */
  newest(): Zxid;
  /** The gateway's own session is over. */
  ownExpired(session: SessionId): void;
  wake(): void;
  log(text: string): void;
}

class Renewal implements Timed {
  readonly session: SessionId;
  readonly secretHash: Uint8Array;
  readonly deadline: number;
  /** Undefined once answered. */
  resolve: ((answer: RenewAnswer) => void) | undefined;
  wheelSlot: number = -1;
  wheelPlace: number = 0;

  constructor(session: SessionId, hash: Uint8Array, deadline: number, resolve: (answer: RenewAnswer) => void) {
    this.session = session;
    this.secretHash = hash;
    this.deadline = deadline;
    this.resolve = resolve;
  }
}

interface Message {
  readonly stream: ReplicaStream;
  readonly sentAt: number;
  readonly zxid: Zxid;
  /** By session; all of one session show the same secret. */
  readonly groups: Map<SessionId, Renewal[]>;
}

type Touched = Extract<ToGateway, { kind: "touched" }>;

const ownHash: Uint8Array = new Uint8Array(0);

export class Touches {
  readonly #ports: TouchPorts;
  readonly #fresh = new Set<Renewal>();
  readonly #retrying = new Set<Renewal>();
  readonly #sent = new Map<RequestId, Message>();
  readonly #deadlines: Deadlines<Renewal>;
  #own: Renewal | undefined;
  #ownAt = 0;
  #timer: GatewayTimer | undefined;
  #stopped = false;

  constructor(ports: TouchPorts) {
    this.#ports = ports;
    this.#deadlines = new Deadlines(ports.world.now(), (renewal) => this.#expire(renewal));
  }

  renew(session: SessionId, hash: Uint8Array, deadline: number, resolve: (answer: RenewAnswer) => void): void {
    if (this.#stopped) {
      resolve(unavailable("behind", "noEffect", "this gateway is stopping"));
      return;
    }
    if (this.#deadlines.size >= linkLimits.renewals) {
      resolve(unavailable("throttled", "noEffect", "too many renewals wait in this gateway; try again later"));
      return;
    }
    const renewal = new Renewal(session, hash, deadline, resolve);
    this.#deadlines.add(renewal);
    this.#fresh.add(renewal);
    this.#ports.wake();
  }

  /** Sees to the gateway's own session, and to messages that nobody answers. */
  check(now: number, own: SessionId | undefined): void {
    if (own !== undefined && now - this.#ownAt >= linkLimits.touchMillis) {
      this.#ownAt = now;
      this.#drop(this.#own);
      const renewal = new Renewal(own, ownHash, now + linkLimits.touchMillis, (answer) => {
        if (answer.kind === "expired") this.#ports.ownExpired(own);
        if (answer.kind === "badSecret") this.#ports.log("the gateway's own session was not recognised as its own");
      });
      this.#own = renewal;
      this.#fresh.add(renewal);
      this.#ports.wake();
    }
    for (const [id, message] of this.#sent) {
      if (now - message.sentAt >= linkLimits.touchAnswerMillis) this.#again(id, message);
    }
  }

  #drop(renewal: Renewal | undefined): void {
    if (!renewal) return;
    renewal.resolve = undefined;
    this.#deadlines.remove(renewal);
    this.#fresh.delete(renewal);
    this.#retrying.delete(renewal);
  }

  pump(): void {
    const home = this.#ports.home();
    while (this.#fresh.size > 0 && home?.writable) {
      const groups = new Map<SessionId, Renewal[]>();
      for (const renewal of this.#fresh) {
        const group = groups.get(renewal.session);
        if (!group) {
          if (groups.size >= linkLimits.renewalsPerMessage) break;
          groups.set(renewal.session, [renewal]);
        } else if (sameBytes((group[0] as Renewal).secretHash, renewal.secretHash)) group.push(renewal);
        // Another secret for the same session: the next message asks for it.
        else continue;
        this.#fresh.delete(renewal);
      }
      this.#send(home, groups);
    }
  }

  #send(stream: ReplicaStream, groups: Map<SessionId, Renewal[]>): void {
    const id = this.#ports.nextId();
    const sessions: { session: SessionId; secretHash: Uint8Array }[] = [];
    for (const [session, [renewal]] of groups) {
      sessions.push({ session, secretHash: (renewal as Renewal).secretHash });
    }
    this.#sent.set(id, { stream, sentAt: this.#ports.world.now(), zxid: this.#ports.newest(), groups });
    stream.send({ kind: "touch", id, sessions });
  }

  touched(stream: ReplicaStream, { id, results }: Touched): void {
    const message = this.#sent.get(id);
    if (!message) return;
    this.#sent.delete(id);
    for (const { session, result } of results) {
      for (const renewal of message.groups.get(session) ?? []) this.#judge(renewal, result, stream, message);
      message.groups.delete(session);
    }
    for (const group of message.groups.values()) for (const renewal of group) this.#retry(renewal);
  }

  #judge(renewal: Renewal, result: TouchResult, stream: ReplicaStream, message: Message): void {
    if (result === "behind" || result === "closing") {
      this.#retry(renewal);
      return;
    }
    if (result !== "renewed") {
      this.#settle(renewal, { kind: result });
      return;
    }
    const zxid = Math.max(message.zxid, renewal.session) as Zxid;
    this.#settle(renewal, { kind: "renewed", zxid, servedBy: stream.replica });
  }

  #retry(renewal: Renewal): void {
    if (!renewal.resolve) return;
    this.#retrying.add(renewal);
    this.#timer ??= this.#ports.world.after(linkLimits.retryMillis, () => {
      this.#timer = undefined;
      for (const each of this.#retrying) this.#fresh.add(each);
      this.#retrying.clear();
      this.#ports.wake();
    });
  }

  #again(id: RequestId, message: Message): void {
    this.#sent.delete(id);
    for (const group of message.groups.values()) {
      for (const renewal of group) if (renewal.resolve) this.#fresh.add(renewal);
    }
    this.#ports.wake();
  }

  lost(stream: ReplicaStream): void {
    for (const [id, message] of this.#sent) if (message.stream === stream) this.#again(id, message);
  }

  moved(home: ReplicaStream | undefined): void {
    if (!home) return;
    for (const [id, message] of this.#sent) if (message.stream !== home) this.#again(id, message);
  }

  tick(now: number): void {
    this.#deadlines.tick(now);
  }

  #expire(renewal: Renewal): void {
    this.#settle(renewal, unavailable("behind", "noEffect", "no leader confirmed the renewal within the time limit"));
  }

  #settle(renewal: Renewal, answer: RenewAnswer): void {
    const { resolve } = renewal;
    this.#drop(renewal);
    resolve?.(answer);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    const left = new Set([...this.#fresh, ...this.#retrying]);
    for (const { groups } of this.#sent.values())
      for (const group of groups.values()) for (const each of group) left.add(each);
    for (const each of left) this.#settle(each, unavailable("behind", "noEffect", "this gateway is stopping"));
    this.#sent.clear();
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
