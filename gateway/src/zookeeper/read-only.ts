/**
 * Connections that only read, for clients that ask for them (`readOnly` in their ConnectRequest) while there is no leader: the
 * last state that a replica has, and a session that only this door knows, which owns nothing and ends with its connection.
 * Everything else of a connection is as always, since what is behind it has the same face: a `Backend` whose lane reads what
 * there is, whose session is renewed by nobody's leave, and whose watches hear nothing, as nothing changes. When
 * there is a leader again the connection is closed, and the client comes back, sets its watches again and is told what it
 * missed.
 */
import {
  type Acting,
  formatZxid,
  type Identity,
  type ReplicaId,
  type SessionId,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type {
  Answer,
  Backend,
  ClusterView,
  Following,
  LaneAnswer,
  LaneListener,
  LaneWrite,
  ReadRequest,
  RenewAnswer,
  SessionLane,
  TreePages,
  TreeRequest,
  Watching,
} from "../backend.ts";
import type { GatewayWorld } from "../ports.ts";
import type { ServiceState } from "./four-letter-source.ts";
import type { RequestBody } from "./messages.ts";

/** However old: without a leader nobody knows of newer. */
const anyAge = Number.MAX_SAFE_INTEGER;

/** Whether there is a leader, and for how long there has been none. */
export class Availability {
  readonly #readOnlyMillis: number;
  #leaderlessSince: number | undefined;

  /** `readOnlyMillis`: without a leader for so long, those are served that only read. */
  constructor(readOnlyMillis: number) {
    this.#readOnlyMillis = readOnlyMillis;
  }

  /** Now and then. */
  look({ leader }: ClusterView, now: number): ServiceState {
    if (leader !== 0) {
      this.#leaderlessSince = undefined;
      return "serving";
    }
    this.#leaderlessSince ??= now;
    return now - this.#leaderlessSince >= this.#readOnlyMillis ? "readOnly" : "interrupted";
  }
}

const refused: ReadonlySet<RequestBody["op"]> = new Set<RequestBody["op"]>([
  ...(["create", "delete", "setData", "setAcl", "multi", "reconfig"] as const),
  // It would promise what there is no leader to promise.
  "sync",
]);

/** What is answered -119 there, as ZooKeeper's ReadOnlyRequestProcessor does. */
export function changesSomething(op: RequestBody["op"]): boolean {
  return refused.has(op);
}

/** A number that no session of ours has, so that every other door says of it that it is over. */
export function drawSession(world: Pick<GatewayWorld, "randomBytes">): SessionId {
  const drawn = world.randomBytes(6).reduce((sum, byte) => sum * 256 + byte, 0);
  return -(drawn + 1) as SessionId;
}

/** For the log. */
export function nameOfSession(session: SessionId): string {
  return session < 0 ? "a session that only reads" : `session ${formatZxid(session)}`;
}

const noReplica: ReplicaId = 0;

function outcomeOf(zxid: Zxid, result: { readonly kind: "done"; readonly count: 0 }): Answer {
  return { kind: "outcome", outcome: { ok: true, zxid, result }, servedBy: noReplica, ageMillis: 0 };
}

function refusal(zxid: Zxid, code: "unimplemented" | "cursorTooOld", detail: string): Answer {
  return { kind: "outcome", outcome: { ok: false, zxid, code, detail }, servedBy: noReplica, ageMillis: 0 };
}

const noLeader: Answer = {
  kind: "unavailable",
  code: "noLeader",
  detail: "this connection only reads: there is no leader",
  certainty: "noEffect",
  retryAfterMillis: 1000,
};

/** `attach` opens the lane once a replica has answered a read, and thus shows what there is. */
export class ReadOnlyBackend implements Backend {
  readonly #real: Backend;
  readonly #timeoutMillis: number;
  readonly #minZxid: Zxid;

  /** `minZxid`: what the client has seen; older states are not shown to it. */
  constructor(real: Backend, timeoutMillis: number, minZxid: Zxid) {
    this.#real = real;
    this.#timeoutMillis = timeoutMillis;
    this.#minZxid = minZxid;
  }

  write(): Promise<Answer> {
    return Promise.resolve(noLeader);
  }

  handOver(): Promise<Answer> {
    return Promise.resolve(noLeader);
  }

  read(request: ReadRequest, deadlineMillis: number): Promise<Answer> {
    const { identity, operation, minZxid } = request;
    // Who acts is known to nobody but this door.
    return this.#real.read(
      { identity, operation, minZxid, consistency: "stale", maxStaleMillis: anyAge },
      deadlineMillis,
    );
  }

  renew(): Promise<RenewAnswer> {
    return Promise.resolve({ kind: "renewed", zxid: zeroZxid, servedBy: noReplica });
  }

  listTree(request: TreeRequest): TreePages {
    return this.#real.listTree({ ...request, consistency: "stale", maxStaleMillis: anyAge });
  }

  watch(): Watching {
    return { cursor: { zxid: this.#minZxid }, close: () => undefined };
  }

  follow(): Following {
    return { cursor: zeroZxid, add: () => undefined, remove: () => undefined, close: () => undefined };
  }

  attach(_acting: Acting, identity: Identity, deadlineMillis: number, listener: LaneListener): SessionLane {
    const lane = new ReadOnlyLane(this);
    const request = { identity, operation: { kind: "sync" }, consistency: "stale", maxStaleMillis: anyAge } as const;
    lane.read({ ...request, minZxid: this.#minZxid }, deadlineMillis, (answer) => {
      if (answer.kind === "unavailable") return listener.ended(answer);
      const { outcome, servedBy } = answer;
      if (!outcome.ok) return listener.ended({ ...outcome, retryAfterMillis: 0 });
      const numbers = { attachment: 0, lastSequence: 0, timeoutMillis: this.#timeoutMillis };
      listener.opened({ ...numbers, servedBy, zxid: outcome.zxid });
    });
    return lane;
  }

  cluster(): ClusterView {
    return this.#real.cluster();
  }
}

/** A read under way, or answered and waiting for those before it. */
interface Asked {
  readonly request: ReadRequest;
  readonly deadlineMillis: number;
  readonly done: (answer: Answer) => void;
  answer: Answer | undefined;
}

/** Reads whatever there is, in order, none older than the one before it, whichever replica answers. */
class ReadOnlyLane implements SessionLane {
  readonly writable = true;
  readonly #backend: ReadOnlyBackend;
  readonly #asked: Asked[] = [];
  #zxid: Zxid = zeroZxid;
  #closed = false;

  constructor(backend: ReadOnlyBackend) {
    this.#backend = backend;
  }

  /** Of a session that owns nothing, only the end is done. */
  write({ operation }: LaneWrite, done: (answer: LaneAnswer) => void): void {
    const closes = operation.kind === "closeSession";
    const answer = closes
      ? outcomeOf(this.#zxid, { kind: "done", count: 0 })
      : refusal(this.#zxid, "unimplemented", "this connection only reads");
    done({ answer, decided: true });
  }

  read(request: ReadRequest, deadlineMillis: number, done: (answer: Answer) => void): void {
    const asked: Asked = { request, deadlineMillis, done, answer: undefined };
    this.#asked.push(asked);
    if (request.operation.kind !== "watch") return this.#ask(asked);
    asked.answer = noLeader;
    this.#settle();
  }

  #ask(asked: Asked): void {
    const minZxid = Math.max(asked.request.minZxid, this.#zxid) as Zxid;
    void this.#backend.read({ ...asked.request, minZxid }, asked.deadlineMillis).then((answer) => {
      asked.answer = answer;
      this.#settle();
    });
  }

  #settle(): void {
    for (let first = this.#asked[0]; first?.answer !== undefined && !this.#closed; first = this.#asked[0]) {
      const { answer, request } = first;
      const zxid = answer.kind === "outcome" ? answer.outcome.zxid : this.#zxid;
      if (zxid < this.#zxid) {
        // Another replica, which has less than the one that answered before.
        first.answer = undefined;
        return this.#ask(first);
      }
      this.#zxid = zxid;
      this.#asked.shift();
      // Nobody keeps a place in the changes for it: the znodes themselves say what is new.
      const told = request.operation.kind !== "watch";
      first.done(told ? answer : refusal(zxid, "cursorTooOld", "without a leader no changes are told"));
    }
  }

  close(): void {
    this.#closed = true;
  }
}
