/** The gateways' side of a replica: attaches streams, and sends each of their messages to who deals with it. */
import type { Outcome, ReplicaId, SessionId, Zxid } from "@quorate/api";
import type { FromGateway, MemberStatus, RequestId } from "@quorate/proto";
import { encodeToGateway } from "@quorate/proto";
import type { Feeds } from "./feeds.ts";
import type { Attachment, AttachPoint, GatewayConnection } from "./gateways.ts";
import { answer, failure, type Home } from "./home.ts";
import type { ShellMessage } from "./peer-messages.ts";
import type { Reads } from "./reads.ts";
import type { Touches } from "./touches.ts";

export interface DeskPorts {
  readonly home: Home;
  readonly feeds: Feeds;
  readonly reads: Reads;
  readonly touches: Touches;
  leads(): boolean;
  applied(): Zxid;
  push(work: () => void): void;
  toLeader(message: ShellMessage): boolean;
  /** Starts a hand-over here; why not, or undefined. */
  handOver(target: ReplicaId): string | undefined;
  /** By which all is applied here. */
  rules(): number;
  status(): { readonly self: MemberStatus; readonly others: readonly MemberStatus[] };
}

export class Desk implements AttachPoint {
  readonly #ports: DeskPorts;
  readonly #connections = new Set<GatewayConnection>();
  readonly #handOvers = new Map<number, { connection: GatewayConnection; id: RequestId }>();
  #nextId = 1;
  /** What all gateways were told. */
  #rules = 0;

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#connections.size;
  }

  attach(connection: GatewayConnection): Attachment {
    const { push } = this.#ports;
    push(() => {
      this.#connections.add(connection);
      connection.send(encodeToGateway({ kind: "status", ...this.#ports.status() }));
      this.#tellRules(connection);
    });
    return {
      received: (messages) => push(() => this.#received(connection, messages)),
      readNow: (read) => (this.#connections.has(connection) ? this.#ports.reads.now(read) : undefined),
      closed: () => push(() => this.#closed(connection)),
    };
  }

  flush(): void {
    for (const connection of this.#connections) connection.flush();
  }

  stop(): void {
    for (const connection of [...this.#connections]) connection.close("the replica stops");
  }

  tellStatus(): void {
    if (this.#connections.size === 0) return;
    const message = encodeToGateway({ kind: "status", ...this.#ports.status() });
    for (const connection of this.#connections) connection.send(message);
  }

  /** Something was applied: gateways hear at once of rules that hold from now on. */
  advanced(): void {
    if (this.#ports.rules() === this.#rules) return;
    this.#rules = this.#ports.rules();
    for (const connection of this.#connections) this.#tellRules(connection);
  }

  #tellRules(connection: GatewayConnection): void {
    if (connection.rules > 0) connection.send(encodeToGateway({ kind: "rules", rules: this.#ports.rules() }));
  }

  #closed(connection: GatewayConnection): void {
    this.#connections.delete(connection);
    this.#ports.home.closed(connection);
    this.#ports.feeds.end(connection);
    this.#ports.reads.closed(connection);
    this.#ports.touches.closed(connection);
    for (const [number, each] of this.#handOvers) if (each.connection === connection) this.#handOvers.delete(number);
  }

  #received(connection: GatewayConnection, messages: Iterable<FromGateway>): void {
    if (!this.#connections.has(connection)) return;
    const { home, feeds, reads, touches } = this.#ports;
    for (const message of messages) {
      switch (message.kind) {
        case "lane":
          home.lane(connection, message);
          break;
        case "open":
          home.open(connection, message.id, message.command);
          break;
        case "write":
          home.write(connection, message);
          break;
        case "read":
          reads.read(connection, message);
          break;
        case "unwatch":
          feeds.end(connection);
          break;
        case "touch":
          touches.touch(connection, message);
          break;
        case "handOver":
          this.#handOver(connection, message.id, message.target);
          break;
        default:
          message satisfies never;
      }
    }
  }

  #handOver(connection: GatewayConnection, id: RequestId, target: ReplicaId): void {
    if (this.#ports.leads()) {
      this.#answerHandOver(connection, id, this.#ports.handOver(target));
      return;
    }
    const number = this.#nextId++;
    if (!this.#ports.toLeader({ kind: "handOver", id: number, target })) {
      answer(connection, id, failure("noLeader", "there is no leader that could hand over"));
      return;
    }
    this.#handOvers.set(number, { connection, id });
    if (this.#handOvers.size > 100) this.#handOvers.delete(this.#handOvers.keys().next().value ?? 0);
  }

  handOverReplied(number: number, ok: boolean, detail: string): void {
    const asked = this.#handOvers.get(number);
    this.#handOvers.delete(number);
    if (asked) this.#answerHandOver(asked.connection, asked.id, ok ? undefined : detail);
  }

  #answerHandOver(connection: GatewayConnection, id: RequestId, fault: string | undefined): void {
    const done: Outcome = { ok: true, zxid: this.#ports.applied(), result: { kind: "done", count: 0 } };
    answer(connection, id, fault === undefined ? done : failure("badArguments", fault));
  }
}

/** The leader knows how long sessions have been idle: it adds that to what it shows of them. */
export function withIdle(outcome: Outcome, idle: (session: SessionId) => number | undefined): Outcome {
  if (!outcome.ok) return outcome;
  const { result } = outcome;
  if (result.kind === "sessionInfo") {
    const idleMillis = idle(result.info.session);
    return idleMillis === undefined
      ? outcome
      : { ...outcome, result: { ...result, info: { ...result.info, idleMillis } } };
  }
  if (result.kind !== "sessionList") return outcome;
  const sessions = result.sessions.map((info) => {
    const idleMillis = idle(info.session);
    return idleMillis === undefined ? info : { ...info, idleMillis };
  });
  return { ...outcome, result: { ...result, sessions } };
}
