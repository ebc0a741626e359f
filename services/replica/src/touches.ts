/**
 * Renewals of sessions. The home checks the secret against its own state; only the leader renews, and only with a
 * confirmation begun after the renewal arrived (ARCHITECTURE.md, "Sessions").
 */
import type { SessionId, Zxid } from "@quorate/api";
import type { FromGateway, TouchResult } from "@quorate/proto";
import type { Tree } from "@quorate/tree";
import type { LinkId } from "@quorate/zab";
import type { Expiry } from "./expiry.ts";
import type { GatewayConnection } from "./gateways.ts";
import { send } from "./home.ts";
import type { PeerRequestId, ShellMessage } from "./peer-messages.ts";

type TouchMessage = Extract<FromGateway, { kind: "touch" }>;
type Results = readonly {
  readonly session: SessionId;
  readonly result: TouchResult;
}[];

interface Asked {
  readonly connection: GatewayConnection;
  readonly id: number;
  readonly judged: Results;
}

export interface TouchPorts {
  tree(): Tree;
  expiry: Expiry;
  /** Leading and established. */
  leads(): boolean;
  confirm(done: (index: Zxid | undefined) => void): void;
  toLeader(message: ShellMessage): boolean;
  toPeer(link: LinkId, message: ShellMessage): void;
}

/** Touches that wait for the leader's word; beyond it the oldest is answered `behind`. */
const waitingLimit = 10_000;

export class Touches {
  readonly #ports: TouchPorts;
  readonly #asked = new Map<PeerRequestId, Asked>();
  #next: PeerRequestId = 1;

  constructor(ports: TouchPorts) {
    this.#ports = ports;
  }

  touch(connection: GatewayConnection, message: TouchMessage): void {
    const tree = this.#ports.tree();
    const judged: { session: SessionId; result: TouchResult }[] = [];
    const wanted: SessionId[] = [];
    for (const { session, secretHash } of message.sessions) {
      if (!tree.lane(session)) {
        judged.push({
          session,
          result: (session as number) > tree.applied ? "behind" : "expired",
        });
      } else if (secretHash.length > 0 && !tree.secretMatches(session, secretHash)) {
        judged.push({ session, result: "badSecret" });
      } else wanted.push(session);
    }
    const reply = (results: Results): void => {
      send(connection, {
        kind: "touched",
        id: message.id,
        results: [...judged, ...results],
      });
    };
    if (wanted.length === 0) reply([]);
    else if (this.#ports.leads()) this.#renew(wanted, reply);
    else this.#askLeader(connection, message.id, judged, wanted);
  }

  /** From another home, at the leader. */
  forwarded(link: LinkId, id: PeerRequestId, sessions: readonly SessionId[]): void {
    const reply = (results: Results): void => this.#ports.toPeer(link, { kind: "touchReply", id, results });
    if (this.#ports.leads()) this.#renew(sessions, reply);
    else reply(sessions.map((session) => ({ session, result: "behind" })));
  }

  #renew(sessions: readonly SessionId[], reply: (results: Results) => void): void {
    this.#ports.confirm((index) => {
      const tree = this.#ports.tree();
      const results = sessions.map((session) => {
        // Its end may be committed and not applied here yet.
        if (index === undefined || tree.applied < index) return { session, result: "behind" as const };
        const lives = tree.lane(session) !== undefined;
        const over = !lives && (session as number) <= tree.applied;
        if (over) return { session, result: "expired" as const };
        // A new leader judges nobody before it has applied its initial history: until then it knows no deadlines.
        const verdict = this.#ports.expiry.renew(session);
        return { session, result: verdict === "unknown" ? ("behind" as const) : verdict };
      });
      reply(results);
    });
  }

  #askLeader(connection: GatewayConnection, id: number, judged: Results, wanted: readonly SessionId[]): void {
    const number = this.#next++;
    this.#asked.set(number, {
      connection,
      id,
      judged: [...judged, ...behind(wanted)],
    });
    if (
      !this.#ports.toLeader({
        kind: "touchForward",
        id: number,
        sessions: wanted,
      })
    )
      this.#giveUp(number);
    if (this.#asked.size > waitingLimit) this.#giveUp(this.#asked.keys().next().value ?? 0);
  }

  /** The leader's word; what it does not name stays `behind`. */
  replied(id: PeerRequestId, results: Results): void {
    const asked = this.#asked.get(id);
    if (!asked) return;
    this.#asked.delete(id);
    const named = new Set(results.map((each) => each.session));
    const rest = asked.judged.filter((each) => !named.has(each.session));
    send(asked.connection, {
      kind: "touched",
      id: asked.id,
      results: [...rest, ...results],
    });
  }

  #giveUp(id: PeerRequestId): void {
    this.replied(id, []);
  }

  /** The leader is another one now. */
  leaderLost(): void {
    for (const id of [...this.#asked.keys()]) this.#giveUp(id);
  }

  closed(connection: GatewayConnection): void {
    for (const [id, asked] of this.#asked) if (asked.connection === connection) this.#asked.delete(id);
  }
}

function behind(sessions: readonly SessionId[]): Results {
  return sessions.map((session) => ({ session, result: "behind" }));
}
