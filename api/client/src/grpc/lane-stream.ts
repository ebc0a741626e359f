/** One stream of a session: opened, beaten, watched for silence, ended once. */
import type { v1 } from "@quorate/proto";
import type { SessionFacts } from "../client.ts";
import { QuorateError } from "../quorate-error.ts";
import type { Connection, OpenStream } from "./connection.ts";
import { zxidOf } from "./values.ts";

export interface LaneStreamEvents {
  opened(): void;
  received(message: v1.SessionResponse): void;
  drained(): void;
  /** Whether an answer is missing, so that silence means something. */
  waiting(): boolean;
  ended(error: QuorateError): void;
}

const silenceMillis = { least: 1000, most: 4000 } as const;

export class LaneStream {
  readonly #events: LaneStreamEvents;
  readonly #stream: OpenStream;
  readonly #beats = new Map<number, () => void>();
  readonly #silenceMillis: number;
  #opened = false;
  #full = false;
  #over = false;
  #lastBeat = 0;
  #silence: NodeJS.Timeout | undefined;

  constructor(connection: Connection, facts: SessionFacts, answeredUpTo: number, events: LaneStreamEvents) {
    const { token, timeoutMillis } = facts;
    this.#events = events;
    this.#silenceMillis = Math.max(silenceMillis.least, Math.min(silenceMillis.most, timeoutMillis / 3));
    this.#stream = connection.session(token.secret, {
      received: (message) => this.#received(message),
      drained: () => {
        this.#full = false;
        events.drained();
      },
      ended: (error) => {
        const gone = new QuorateError("connectionLoss", `${connection.address}: the stream has ended`);
        this.#end(error instanceof QuorateError ? error : gone);
      },
    });
    this.#stream.send({ open: { sessionId: zxidOf(token.id, "id"), answeredUpTo } });
    this.#listen();
  }

  /** It was opened, and answered. */
  get standing(): boolean {
    return this.#opened;
  }

  get writable(): boolean {
    return this.#opened && !this.#full && !this.#over;
  }

  send(message: v1.SessionRequest): void {
    if (this.#over) return;
    if (!this.#stream.send(message)) this.#full = true;
    this.#listen();
  }

  /** `done` when it is answered, unless the stream ends before. */
  beat(answeredUpTo: number, done: () => void): void {
    if (!this.#opened || this.#over) return;
    const id = ++this.#lastBeat;
    this.#beats.set(id, done);
    this.send({ heartbeat: { id }, answeredUpTo });
  }

  cancel(): void {
    this.#over = true;
    clearTimeout(this.#silence);
    this.#stream.cancel();
  }

  #received(message: v1.SessionResponse): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    if (message.opened && !this.#opened) {
      this.#opened = true;
      this.#events.opened();
    }
    this.#events.received(message);
    const { id } = message.heartbeat ?? {};
    if (id !== undefined) {
      // Those before it were sent before it, too.
      for (const [each, done] of this.#beats) {
        if (each > id) break;
        this.#beats.delete(each);
        done();
      }
    }
    if (this.#beats.size > 0 || this.#events.waiting()) this.#listen();
  }

  /** Something has to come. */
  #listen(): void {
    if (this.#over) return;
    this.#silence ??= setTimeout(() => {
      this.#end(new QuorateError("timeout", `the session's stream was silent for ${this.#silenceMillis} ms`));
    }, this.#silenceMillis);
  }

  #end(error: QuorateError): void {
    if (this.#over) return;
    this.cancel();
    this.#events.ended(error);
  }
}
