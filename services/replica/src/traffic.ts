/**
 * What travels on the links beside the protocol: forwards of writes to the leader, confirmations and renewals asked of
 * it, and what members say of themselves.
 */
import type { ReplicaId, SessionId, Zxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";
import type { LinkId, PeerMessage } from "@quorate/zab";
import type { Confirmations } from "./confirmations.ts";
import type { Home } from "./home.ts";
import type { Members } from "./members.ts";
import type { PeerRequestId, PeerWire, ShellMessage } from "./peer-messages.ts";
import type { Submissions } from "./submissions.ts";
import type { Touches } from "./touches.ts";

export interface TrafficPorts {
  readonly submissions: Submissions;
  readonly confirmations: Confirmations;
  readonly touches: Touches;
  readonly home: Home;
  readonly members: Members;
  leads(): boolean;
  now(): number;
  /** The link to the leader that is followed; undefined: none. */
  leaderLink(): LinkId | undefined;
  send(link: LinkId, wire: PeerWire): void;
  core(link: LinkId, message: PeerMessage): void;
  compareDigest(from: ReplicaId, at: Zxid, digest: string): void;
  handOver(target: ReplicaId): string | undefined;
  handOverReplied(id: number, ok: boolean, detail: string): void;
  /** Once everything that was to be written until now is. */
  whenStored(done: () => void): void;
  /** A follower has written what a transfer had sent it before this request. */
  stored(link: LinkId, id: PeerRequestId): void;
}

export class Traffic {
  readonly #ports: TrafficPorts;
  readonly #peerOf = new Map<LinkId, ReplicaId>();

  constructor(ports: TrafficPorts) {
    this.#ports = ports;
  }

  linkUp(link: LinkId, peer: ReplicaId, self: MemberStatus): void {
    this.#peerOf.set(link, peer);
    this.#ports.send(link, { kind: "status", self });
  }

  /** Unproposed forwards of a link that is gone are forgotten: their home sends them again. */
  linkDown(link: LinkId): void {
    const peer = this.#peerOf.get(link);
    if (peer !== undefined) this.#ports.members.left(peer);
    this.#peerOf.delete(link);
    this.#ports.submissions.dropLink(link);
  }

  toLeader(message: ShellMessage): boolean {
    const link = this.#ports.leaderLink();
    if (link === undefined) return false;
    this.#ports.send(link, message);
    return true;
  }

  /** Where nothing is written, the statuses are what the digests are compared by. */
  tellStatus(self: MemberStatus): void {
    this.toAll({ kind: "status", self });
    this.#ports.compareDigest(self.id, self.applied, self.digest);
  }

  toAll(message: ShellMessage): void {
    for (const link of this.#peerOf.keys()) this.#ports.send(link, message);
  }

  received(link: LinkId, wires: readonly PeerWire[]): void {
    for (const wire of wires) {
      if (wire.kind !== "zab") this.#shell(link, wire);
      else {
        // Before a follower is synchronized again, its former forwards that are not proposed are dropped.
        if (wire.message.kind === "followerInfo") this.#ports.submissions.dropLink(link);
        this.#ports.core(link, wire.message);
      }
    }
  }

  #shell(link: LinkId, message: ShellMessage): void {
    const ports = this.#ports;
    switch (message.kind) {
      case "forward":
      case "forwardOpen":
      case "confirmRequest":
      case "touchForward":
      case "handOver":
        return this.#asLeader(link, message);
      case "forwardRefused":
        return ports.home.refused(message.session, message.sequence, message.fence, message);
      case "openRefused":
        return ports.home.openRefused(message.id, message.code, message.detail);
      case "confirmReply":
        return ports.confirmations.settle(message.id, message.index);
      case "confirmRefused":
        return ports.confirmations.settle(message.id, undefined);
      case "touchReply":
        return ports.touches.replied(message.id, message.results);
      case "status":
        ports.members.heard(message.self, ports.now());
        return ports.compareDigest(message.self.id, message.self.applied, message.self.digest);
      case "digest":
        return ports.compareDigest(this.#peerOf.get(link) ?? 0, message.at, message.digest);
      case "handOverReply":
        return ports.handOverReplied(message.id, message.ok, message.detail);
      case "storedRequest":
        return ports.whenStored(() => ports.send(link, { kind: "storedReply", id: message.id }));
      case "storedReply":
        return ports.stored(link, message.id);
      default:
        message satisfies never;
    }
  }

  /** Requests of followers that are somebody's home. */
  #asLeader(
    link: LinkId,
    message: Extract<
      ShellMessage,
      { kind: "forward" | "forwardOpen" | "confirmRequest" | "touchForward" | "handOver" }
    >,
  ): void {
    const { submissions, confirmations, touches } = this.#ports;
    const reply = (wire: ShellMessage): void => this.#ports.send(link, wire);
    switch (message.kind) {
      case "forward": {
        const { session, sequence, fence, command } = message;
        const refusal = submissions.accept(link, session, sequence, fence, command);
        if (refusal) reply({ kind: "forwardRefused", session, sequence, fence, ...refusal });
        return;
      }
      case "forwardOpen": {
        const refusal = submissions.accept(link, 0 as SessionId, 0, 0, message.command);
        if (refusal) reply({ kind: "openRefused", id: message.id, code: refusal.code, detail: refusal.detail });
        return;
      }
      case "confirmRequest":
        if (!this.#ports.leads())
          return reply({ kind: "confirmRefused", id: message.id, detail: "this replica does not lead" });
        return confirmations.request((index) => {
          if (index === undefined) reply({ kind: "confirmRefused", id: message.id, detail: "not confirmed" });
          else reply({ kind: "confirmReply", id: message.id, index });
        });
      case "touchForward":
        return touches.forwarded(link, message.id, message.sessions);
      case "handOver": {
        const detail = this.#ports.handOver(message.target);
        return reply({ kind: "handOverReply", id: message.id, ok: detail === undefined, detail: detail ?? "" });
      }
      default:
        message satisfies never;
    }
  }
}
