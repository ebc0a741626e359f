/**
 * Sessions attached to lanes of their own, over a tree in this process: each request is done as it is given, and answered in
 * order, a turn later.
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
    // What it was told before is answered first.
    if (lane) this.#ports.world.soon(() => lane.end("sessionExpired", "the session is over"));
  }
}

class MemoryLane implements SessionLane {
  over = false;
  readonly #acting: Acting;
  readonly #ports: MemoryLanePorts;
  readonly #listener: LaneListener;
  #attachment = 0;
  #answers: (() => void)[] = [];

  constructor(acting: Acting, ports: MemoryLanePorts, listener: LaneListener) {
    this.#acting = acting;
    this.#ports = ports;
    this.#listener = listener;
  }

  get writable(): boolean {
    return this.#answers.length < limits.laneWindow;
  }

  opened(opening: LaneOpening): void {
    this.#attachment = opening.attachment;
    this.#listener.opened(opening);
  }

  end(code: ErrorCode, detail: string): void {
    if (this.over) return;
    this.#tell();
    if (this.over) return;
    this.over = true;
    this.#listener.ended({ code, detail, retryAfterMillis: 0 });
  }

  close(): void {
    this.over = true;
  }

  write(write: LaneWrite, done: (answer: LaneAnswer) => void): void {
    const answer = this.#write(write);
    this.#answer(() => done(answer));
  }

  #write({ sequence, answeredUpTo, identity, key, operation }: LaneWrite): LaneAnswer {
    const { session } = this.#acting;
    const next = (this.#ports.lane(session)?.lastSequence ?? 0) + 1;
    if (sequence > next || this.#attachment === 0 || !this.writable) {
      const gap = `write ${sequence} came before write ${next} of the session`;
      const code = this.writable ? "badArguments" : "throttled";
      const detail = this.writable ? gap : "too many requests of this session are not answered";
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
    const answer = this.#ports.read(request);
    this.#answer(() => done(answer));
  }

  #answer(done: () => void): void {
    if (this.over) return;
    this.#answers.push(done);
    if (this.#answers.length === 1) this.#ports.world.soon(() => this.#tell());
  }

  #tell(): void {
    const wasFull = !this.writable;
    const answers = this.#answers;
    this.#answers = [];
    for (const done of answers) if (!this.over) done();
    if (wasFull && !this.over) this.#listener.drained();
  }
}
