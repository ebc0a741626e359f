/**
 * Sessions attached to lanes of their own, over a tree in this process: a turn after they were given, requests are done and
 * answered one by one, each behind the events of what it can show.
 */
import {
  type Acting,
  type Command,
  type ErrorCode,
  type Identity,
  limits,
  type Outcome,
  type SessionId,
} from "@quorate/api";
import type {
  Answer,
  GatewayWorld,
  LaneAnswer,
  LaneListener,
  LaneOpening,
  LaneWrite,
  ReadRequest,
  SessionLane,
} from "@quorate/gateway";
import type { LaneView } from "@quorate/tree";

export interface MemoryLanePorts {
  readonly world: GatewayWorld;
  commit(command: Command): Outcome;
  read(request: ReadRequest): Answer;
  lane(session: SessionId): LaneView | undefined;
  /** Tells watchers and followers of all that is committed. */
  settle(): void;
}

export class MemoryLanes {
  readonly #ports: MemoryLanePorts;
  readonly #open = new Map<SessionId, MemoryLane>();

  constructor(ports: MemoryLanePorts) {
    this.#ports = ports;
  }

  attach(acting: Acting, identity: Identity, listener: LaneListener): SessionLane {
    const { session } = acting;
    const lane = new MemoryLane(acting, this.#ports, listener);
    this.#ports.world.soon(() => {
      if (lane.over) return;
      const outcome = this.#ports.commit({ identity, acting, operation: { kind: "attach", session } });
      if (!outcome.ok) return lane.end(outcome.code, outcome.detail);
      if (outcome.result.kind !== "session") throw new Error("an attachment was answered otherwise");
      this.#open.get(session)?.end("sessionMoved", "the session was attached elsewhere");
      this.#open.set(session, lane);
      const { attachment, lastSequence, timeoutMillis } = outcome.result;
      lane.opened({ attachment, lastSequence, timeoutMillis, servedBy: 1, zxid: outcome.zxid });
    });
    return lane;
  }

  /** The session was closed, or has expired. */
  ended(session: SessionId): void {
    const lane = this.#open.get(session);
    this.#open.delete(session);
    // The answer that says so comes first.
    if (lane) this.#ports.world.soon(() => lane.end("sessionExpired", "the session is over"));
  }
}

class MemoryLane implements SessionLane {
  over = false;
  readonly #acting: Acting;
  readonly #ports: MemoryLanePorts;
  readonly #listener: LaneListener;
  #attachment = 0;
  /** Each is done; what it answers is called when that may be told. */
  #requests: (() => () => void)[] = [];

  constructor(acting: Acting, ports: MemoryLanePorts, listener: LaneListener) {
    this.#acting = acting;
    this.#ports = ports;
    this.#listener = listener;
  }

  get writable(): boolean {
    return this.#requests.length < limits.laneWindow;
  }

  opened(opening: LaneOpening): void {
    this.#attachment = opening.attachment;
    this.#listener.opened(opening);
  }

  end(code: ErrorCode, detail: string): void {
    if (this.over) return;
    this.over = true;
    this.#listener.ended({ code, detail, retryAfterMillis: 0 });
  }

  close(): void {
    this.over = true;
  }

  write(write: LaneWrite, done: (answer: LaneAnswer) => void): void {
    const full = !this.writable;
    this.#give(() => {
      const answer = this.#write(write, full);
      return () => done(answer);
    });
  }

  #write({ sequence, answeredUpTo, identity, key, operation }: LaneWrite, full: boolean): LaneAnswer {
    const { session } = this.#acting;
    const next = (this.#ports.lane(session)?.lastSequence ?? 0) + 1;
    if (sequence > next || this.#attachment === 0 || full) {
      const gap = `write ${sequence} came before write ${next} of the session`;
      const code = full ? "throttled" : "badArguments";
      const detail = full ? "too many requests of this session are not answered" : gap;
      const answer: Answer = { kind: "unavailable", code, detail, certainty: "noEffect", retryAfterMillis: 0 };
      return { answer, decided: false };
    }
    const lane = {
      session,
      attachment: this.#attachment,
      sequence,
      answeredUpTo: Math.min(answeredUpTo, sequence - 1),
    };
    const acting = this.#acting;
    const command: Command = { lane, identity, acting, ...(key === undefined ? {} : { key }), operation };
    const outcome = this.#ports.commit(command);
    return { answer: { kind: "outcome", outcome, servedBy: 1, ageMillis: 0 }, decided: true };
  }

  read(request: ReadRequest, _deadlineMillis: number, done: (answer: Answer) => void): void {
    this.#give(() => {
      const answer = this.#ports.read(request);
      return () => done(answer);
    });
  }

  #give(request: () => () => void): void {
    if (this.over) return;
    this.#requests.push(request);
    if (this.#requests.length === 1) this.#ports.world.soon(() => this.#run());
  }

  #run(): void {
    const wasFull = !this.writable;
    const requests = this.#requests;
    this.#requests = [];
    for (const request of requests) {
      this.#ports.settle();
      // A session that is over, or attached elsewhere, gets no answers: its end is on its way.
      const attachment = this.#ports.lane(this.#acting.session)?.attachment;
      if (this.over || (this.#attachment > 0 && attachment !== this.#attachment)) return;
      const tell = request();
      this.#ports.settle();
      if (this.over) return;
      tell();
    }
    if (wasFull && !this.over) this.#listener.drained();
  }
}
