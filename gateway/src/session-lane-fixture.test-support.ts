/** Client sessions' lanes against a scripted stream: what the tests of them share. */
import assert from "node:assert/strict";
import {
  anyone,
  composeZxid,
  decodeCommand,
  type ErrorCode,
  newestForms,
  type Outcome,
  type Path,
  type SessionId,
  sessionIdOf,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import type { FromGateway } from "@quorate/proto";
import type { Answer, LaneListener, ReadRequest, SessionLane } from "./backend.ts";
import type { OrderedRead } from "./calls.ts";
import { SessionLanes } from "./session-lanes.ts";
import type { ReplicaStream } from "./stream.ts";
import { VirtualWorld } from "./virtual-world.test-support.ts";

export const session: SessionId = sessionIdOf(composeZxid(1, 5));
export const acting = { session, secretHash: new Uint8Array(32) };

export function zxid(counter: number): Zxid {
  return composeZxid(1, counter);
}

export function done(at: number): Outcome {
  return { ok: true, zxid: zxid(at), result: { kind: "done", count: 0 } };
}

/** A stream that notes what is sent, as words. */
export class ScriptedStream implements ReplicaStream {
  readonly replica: number;
  readonly address = "r";
  writable = true;
  rules: number = newestForms;
  #sent: string[] = [];

  constructor(replica: number) {
    this.replica = replica;
  }

  send(message: FromGateway): void {
    if (message.kind === "lane") this.#sent.push(`lane ${message.attachment} fence ${message.fence}`);
    else if (message.kind === "write") {
      const command = decodeCommand(message.command);
      const operation = command?.operation;
      assert.equal(command?.lane?.sequence, message.sequence);
      const what = operation && "path" in operation ? operation.path : operation?.kind;
      this.#sent.push(`${message.sequence} ${what}`);
    } else this.#sent.push(message.kind);
  }

  /** What was sent since the last look. */
  take(): string[] {
    return this.#sent.splice(0);
  }
}

interface Asked {
  readonly request: OrderedRead;
  readonly answer: (answer: Answer) => void;
  givenUp: boolean;
}

export interface Fixture {
  readonly world: VirtualWorld;
  readonly lanes: SessionLanes;
  readonly home: ScriptedStream;
  /** Attachments that wait for their outcome. */
  readonly attaching: ((answer: Answer) => void)[];
  /** Reads in the order of asking. */
  readonly reads: Asked[];
  /** Reads are answered before asking has returned. */
  readonly atOnce: { answer: Answer | undefined };
  /** How far the session's watches have told their events, and what its reads have to show. */
  readonly events: { through: number; floor: number };
  /** What clients were told, as words. */
  readonly told: string[];
  attach(id?: SessionId): SessionLane;
  /** Attaches, and the lane flows. */
  open(lastSequence?: number, attachment?: number): SessionLane;
  write(lane: SessionLane, sequence: number, place?: string, operation?: WriteOperation): void;
  read(lane: SessionLane, place?: string): void;
  state(lastSequence: number, fence: number, attachment?: number, exists?: boolean): void;
  written(sequence: number, at?: number): void;
  refuse(sequence: number, code: ErrorCode): void;
}

export function set(place: string): WriteOperation {
  return { kind: "set", path: place as Path, data: new Uint8Array(3), condition: {} };
}

export function get(place: string): ReadRequest {
  const operation = { kind: "get", path: place as Path } as const;
  return { identity: anyone, operation, consistency: "session", minZxid: 0 as Zxid, maxStaleMillis: 0 };
}

export function attached(attachment: number, lastSequence: number, id = session): Answer {
  const result = { kind: "session", session: id, timeoutMillis: 9000, attachment, lastSequence } as const;
  return { kind: "outcome", outcome: { ok: true, zxid: zxid(6), result }, servedBy: 1, ageMillis: 0 };
}

export function brief(answer: Answer): string {
  if (answer.kind === "unavailable") return `${answer.code} ${answer.certainty}`;
  return answer.outcome.ok ? `ok ${answer.outcome.zxid - zxid(0)}` : answer.outcome.code;
}

export function start(): Fixture {
  const world = new VirtualWorld(3);
  const home = new ScriptedStream(1);
  const attaching: Fixture["attaching"] = [];
  const [reads, told]: [Asked[], string[]] = [[], []];
  const atOnce: Fixture["atOnce"] = { answer: undefined };
  const events = { through: 2 ** 32 - 1, floor: 0 };
  const lanes = new SessionLanes({
    world,
    home: () => home,
    write: (_, __, answer) => void attaching.push(answer),
    read: (request, _, answer) => {
      const asked: Asked = { request, answer: (each) => answer(each, home), givenUp: false };
      reads.push(asked);
      if (atOnce.answer) answer(atOnce.answer, home);
      return () => {
        asked.givenUp = true;
      };
    },
    told: (_, at) => at <= zxid(events.through),
    floor: () => zxid(events.floor),
    wake: () => {},
    log: () => {},
  });
  const attach = (id = session): SessionLane =>
    lanes.attach({ session: id, secretHash: new Uint8Array(32) }, anyone, 1000, listenerTo(told));
  const state: Fixture["state"] = (lastSequence, fence, attachment = 1, exists = true) =>
    void lanes.laneState(home, { kind: "laneState", session, exists, attachment, lastSequence, fence });
  return {
    world,
    lanes,
    home,
    attaching,
    reads,
    atOnce,
    events,
    told,
    attach,
    state,
    open: (lastSequence = 0, attachment = 1) => {
      const lane = attach();
      attaching.shift()?.(attached(attachment, lastSequence));
      const [line = ""] = home.take();
      state(lastSequence, Number(line.split(" ").at(-1)), attachment);
      told.splice(0);
      return lane;
    },
    write: (lane, sequence, place = `/w/${sequence}`, operation = set(place)) => {
      const answeredUpTo = Math.max(0, sequence - 1000);
      lane.write({ sequence, answeredUpTo, identity: anyone, operation }, ({ answer, decided }) => {
        told.push(`${sequence} ${brief(answer)}${decided ? "" : " undecided"}`);
      });
    },
    read: (lane, place = "/r") => lane.read(get(place), 1000, (answer) => told.push(`read ${place} ${brief(answer)}`)),
    written: (sequence, at = 100 + sequence) =>
      void lanes.written(home, { kind: "written", session, sequence, outcome: done(at) }),
    refuse: (sequence, code) =>
      void lanes.refused(home, { kind: "refused", session, sequence, code, detail: "", retryAfterMillis: 10 }),
  };
}

function listenerTo(told: string[]): LaneListener {
  return {
    opened: ({ lastSequence }) => void told.push(`opened at ${lastSequence}`),
    ended: ({ code }) => void told.push(`ended ${code}`),
    drained: () => void told.push("drained"),
  };
}

/** The answer of a replica to a read. */
export function shown(at: number): Answer {
  return { kind: "outcome", outcome: done(at), servedBy: 1, ageMillis: 0 };
}

/** The pause before the next try is over. */
export async function fenced({ lanes, world }: Fixture, millis = 30): Promise<void> {
  await world.run(millis);
  lanes.tick(world.now());
}
