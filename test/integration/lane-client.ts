/**
 * A client of the gRPC `Session` stream that does as the contract bids: every write has its number, and those without a reply are
 * sent again with theirs on the next stream, at another door. Now and then it breaks its own stream off.
 */
import type { v1 } from "@quorate/proto";
import { CallError, Caller, type Inbox } from "../conformance/grpc-client.ts";
import { sleep } from "./ensemble.ts";

interface Pending {
  readonly operation: v1.SessionOperation;
  readonly resolve: (reply: v1.SessionReply) => void;
}

/** Codes of a stream that broke, of a door without a leader, or that stops. */
const passing = [2, 4, 14];

export class LaneClient {
  /** Streams that were opened after the first. */
  reopened = 0;
  /** Writes that had been done when they were sent again. */
  repeated = 0;
  readonly #ports: readonly number[];
  readonly #session: { readonly sessionId: number; readonly secret: string };
  readonly #pending = new Map<number, Pending>();
  #turn: number;
  #next = 1;
  #stopped = false;
  #inbox: Inbox<v1.SessionResponse> | undefined;
  readonly #running: Promise<void>;

  private constructor(ports: readonly number[], turn: number, session: v1.CreateSessionResponse) {
    this.#ports = ports;
    this.#turn = turn;
    this.#session = { sessionId: session.sessionId ?? 0, secret: session.secret ?? "" };
    this.#running = this.#run();
    this.#running.catch(() => {});
  }

  /** `ports`: of gRPC, in turn, the `turn`th first. */
  static async open(ports: readonly number[], turn: number): Promise<LaneClient> {
    const caller = new Caller(ports[turn % ports.length] as number);
    const session = await caller.call("CreateSession", { timeout: { seconds: 60 }, name: `lane ${turn}` });
    caller.close();
    return new LaneClient(ports, turn, session);
  }

  /** Its one reply, however often it takes. */
  write(operation: v1.SessionOperation): Promise<v1.SessionReply> {
    const sequence = this.#next++;
    const numbered = { ...operation, requestId: sequence, sequence };
    const reply = new Promise<v1.SessionReply>((resolve) => {
      this.#pending.set(sequence, { operation: numbered, resolve });
    });
    this.#inbox?.send({ operations: [numbered], answeredUpTo: this.#answeredUpTo });
    // Whoever waits for a reply learns when there can be none.
    return Promise.race([reply, this.#running.then(() => reply)]);
  }

  breakOff(): void {
    this.#inbox?.cancel();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.breakOff();
    await this.#running;
  }

  get #answeredUpTo(): number {
    const [first = this.#next] = this.#pending.keys();
    return first - 1;
  }

  async #run(): Promise<void> {
    for (; !this.#stopped; this.reopened++) {
      const caller = new Caller(this.#ports[this.#turn++ % this.#ports.length] as number);
      const beat = setInterval(() => this.#inbox?.send({ heartbeat: { id: 1 } }), 5000);
      try {
        await this.#serve(caller.session());
      } catch (error) {
        if (!this.#stopped && !(error instanceof CallError && (passing.includes(error.code) || error.code === 1)))
          throw error;
      } finally {
        this.#inbox = undefined;
        clearInterval(beat);
        caller.close();
      }
      await sleep(20);
    }
  }

  async #serve(inbox: Inbox<v1.SessionResponse>): Promise<void> {
    inbox.send({ open: { ...this.#session, answeredUpTo: this.#answeredUpTo } });
    const { opened } = await inbox.next();
    const last = opened?.lastSequence ?? 0;
    const again = [...this.#pending.values()].map(({ operation }) => operation);
    this.repeated += again.filter(({ sequence = 0 }) => sequence <= last).length;
    if (again.length > 0) inbox.send({ operations: again });
    // From here on writes go out at once; those of before stand in front of them.
    this.#inbox = inbox;
    for (;;) {
      for (const reply of (await inbox.next()).replies ?? []) {
        // Its number is not used: it and all behind it are sent again on another stream.
        if (reply.decided !== true) return inbox.cancel();
        const sequence = reply.sequence ?? 0;
        this.#pending.get(sequence)?.resolve(reply);
        this.#pending.delete(sequence);
      }
    }
  }
}
