/** The replicated state of the model ensemble: lanes by the rules of the tree, and what was executed, for the checks. */
import assert from "node:assert/strict";
import {
  asZxid,
  type Command,
  composeZxid,
  decodeCommand,
  type Lane,
  type Outcome,
  type Path,
  type SessionId,
  sessionIdOf,
  type Zxid,
} from "@quorate/api";

interface LaneRecord {
  attachment: number;
  last: number;
  answered: number;
  readonly remembered: Map<number, Outcome>;
}

export type Verdict = { readonly lane: Lane | undefined; readonly outcome: Outcome | "gap" | "noSession" };

export class ModelState {
  readonly lanes = new Map<SessionId, LaneRecord>();
  /** Paths in the order of execution. */
  readonly executed: Path[] = [];
  readonly times = new Map<Path, number>();
  /** Every lane number under which a command was executed. */
  readonly #numbers = new Map<string, Path>();
  epoch = 1;
  #counter = 0;

  get zxid(): Zxid {
    return composeZxid(this.epoch, this.#counter);
  }

  nextEpoch(): void {
    this.epoch += 1;
    this.#counter = 0;
  }

  /** For a transaction that did not come through a gateway. */
  nextZxid(): Zxid {
    this.#counter += 1;
    return this.zxid;
  }

  apply(bytes: Uint8Array): Verdict {
    const command = decodeCommand(bytes);
    assert(command, "what the gateway sends decodes");
    this.#counter += 1;
    const { lane } = command;
    if (!lane) return { lane, outcome: this.#createSession(command) };
    const record = this.lanes.get(lane.session);
    if (!record) return { lane, outcome: "noSession" };
    if (record.attachment !== lane.attachment) {
      assert(lane.attachment < record.attachment, "nobody attaches but by an attach");
      return { lane, outcome: { ok: false, zxid: this.zxid, code: "sessionMoved", detail: "" } };
    }
    record.answered = Math.max(record.answered, Math.min(lane.answeredUpTo, record.last));
    for (const each of record.remembered.keys()) if (each <= record.answered) record.remembered.delete(each);
    if (lane.sequence > record.last + 1) return { lane, outcome: "gap" };
    if (lane.sequence <= record.last) {
      const lost = { ok: false, zxid: this.zxid, code: "connectionLoss", detail: "acknowledged and gone" } as const;
      return { lane, outcome: record.remembered.get(lane.sequence) ?? lost };
    }
    record.last = lane.sequence;
    const outcome = this.#execute(command, lane);
    record.remembered.set(lane.sequence, outcome);
    assert(record.remembered.size <= 1024, "the lane keeps its window");
    return { lane, outcome };
  }

  #createSession(command: Command): Outcome {
    assert.equal(command.operation.kind, "createSession", "only this comes without a lane");
    const session = sessionIdOf(this.zxid);
    this.lanes.set(session, { attachment: 1, last: 0, answered: 0, remembered: new Map() });
    return this.#session(session, 1, 0);
  }

  #session(session: SessionId, attachment: number, lastSequence: number): Outcome {
    const result = { kind: "session", session, timeoutMillis: 30_000, attachment, lastSequence } as const;
    return { ok: true, zxid: this.zxid, result };
  }

  #attach(session: SessionId): Outcome {
    const record = this.lanes.get(session);
    if (!record) return { ok: false, zxid: this.zxid, code: "sessionExpired", detail: "" };
    record.attachment += 1;
    return this.#session(session, record.attachment, record.last);
  }

  #execute(command: Command, lane: Lane): Outcome {
    const { zxid } = this;
    const { operation } = command;
    if (operation.kind === "createSession") return this.#createSession(command);
    if (operation.kind === "attach") return this.#attach(operation.session);
    if (operation.kind === "closeSession") {
      this.lanes.delete(operation.session);
      return { ok: true, zxid, result: { kind: "done", count: 0 } };
    }
    assert(operation.kind === "create");
    const { path } = operation;
    this.executed.push(path);
    this.times.set(path, (this.times.get(path) ?? 0) + 1);
    const number = `${lane.session}/${lane.sequence}`;
    assert(!this.#numbers.has(number), `number ${number} was executed twice`);
    this.#numbers.set(number, path);
    const stat = {
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: 0,
      mtime: 0,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: asZxid(0) as number as SessionId,
      dataLength: 0,
      numChildren: 0,
      kind: "persistent",
      ttlMillis: 0,
    } as const;
    return { ok: true, zxid, result: { kind: "node", path, created: true, stat } };
  }
}
