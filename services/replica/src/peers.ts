/**
 * The links to the other members: exactly one live link per pair, made of one ordered stream. The member with the
 * smaller id dials, for ever; the other waits. It knows bytes and links; what the messages mean is the shell's.
 */
import type { ReplicaId } from "@quorate/api";
import {
  acceptHandshake,
  dial,
  type FrameStream,
  type HandshakeOptions,
  type Hello,
  offerHandshake,
  protocolVersion,
  type StreamServer,
} from "@quorate/proto";
import type { LinkId } from "@quorate/zab";
import { decodePeerWire, PeerEncoder } from "./peer-codec.ts";
import type { PeerWire } from "./peer-messages.ts";
import type { Clock, Random, Timer } from "./world.ts";

export const peerLimits = {
  connectMillis: 1_000,
  redialFirstMillis: 50,
  redialLastMillis: 500,
  /** A refusal for the same reason is noted once in this time: who is refused knocks again and again. */
  refusalQuietMillis: 60_000,
  /** Reasons that are remembered for it. */
  refusalReasons: 64,
  /** What may wait for one follower; beyond it the link is dropped, and it is synchronized from files. */
  queueBytes: 64 * 1_048_576,
} as const;

/** What this replica says of itself on a new link; the rest of the hello is known here. */
export type HelloFields = Omit<Hello, "protocol" | "kind" | "id">;

export interface PeersOptions {
  readonly self: ReplicaId;
  /** `host:port` of the peer port of every member, oneself included or not. */
  readonly members: ReadonlyMap<ReplicaId, string>;
  readonly key?: Uint8Array;
  /** Asked at each new link: ids may have been drawn since. */
  readonly hello: () => HelloFields;
  /** Further reasons to refuse a member: another history. */
  readonly judge?: (hello: Hello) => string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: (text: string) => void;
}

/**
 * Called from the sockets' callbacks: push into an inbox, do nothing else. The linkDown of an old link comes before the
 * linkUp of the one that replaces it, and nothing is said of a link after its linkDown.
 */
export interface PeersEvents {
  linkUp(link: LinkId, peer: ReplicaId, hello: Hello): void;
  linkDown(link: LinkId, why: string): void;
  received(link: LinkId, messages: readonly PeerWire[]): void;
  /** The link's queue is short again, after `writable` had been false. */
  drained(link: LinkId): void;
}

interface Link {
  readonly id: LinkId;
  readonly peer: ReplicaId;
  readonly stream: FrameStream;
}

/** A member that this one dials. */
interface Dialled {
  readonly peer: ReplicaId;
  readonly address: string;
  delayMillis: number;
  timer: Timer | undefined;
  /** Being dialled, or linked. */
  stream: FrameStream | undefined;
  /** Noted already: a member that is away is one line, not two a second. */
  lastFault: string;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #events: PeersEvents;
  readonly #links = new Map<LinkId, Link>();
  readonly #byPeer = new Map<ReplicaId, Link>();
  readonly #dialled = new Map<ReplicaId, Dialled>();
  readonly #encoder = new PeerEncoder();
  /** Streams in their handshake, so that `stop` ends them, too. */
  readonly #greeting = new Set<FrameStream>();
  /** Links that have something to flush. */
  readonly #touched = new Set<Link>();
  #lastLink: LinkId = 0;
  /** When a refusal for this reason was last noted. */
  readonly #refusals = new Map<string, number>();
  #stopped = false;

  constructor(options: PeersOptions, events: PeersEvents) {
    this.#options = options;
    this.#events = events;
    for (const [peer, address] of options.members) {
      if (peer <= options.self) continue;
      const delayMillis = peerLimits.redialFirstMillis;
      this.#dialled.set(peer, { peer, address, delayMillis, timer: undefined, stream: undefined, lastFault: "" });
    }
  }

  /** Serves the links that others dial; before the server listens. */
  attachTo(server: StreamServer): void {
    server.handle("link", (stream) => this.#accept(stream), peerLimits.queueBytes);
  }

  /** Begins to dial. */
  start(): void {
    for (const each of this.#dialled.values()) this.#dial(each);
  }

  /** At once, instead of at the next turn of the back-off: somebody knows that a member is there. */
  redial(peer: ReplicaId): void {
    const each = this.#dialled.get(peer);
    if (!each || each.stream || this.#stopped) return;
    each.timer?.cancel();
    each.delayMillis = peerLimits.redialFirstMillis;
    this.#dial(each);
  }

  /** The live link to a member. */
  linkTo(peer: ReplicaId): LinkId | undefined {
    return this.#byPeer.get(peer)?.id;
  }

  /** Queued; leaves with `flush`, or at the end of the turn. Nothing happens on a link that is gone. */
  send(link: LinkId, wire: PeerWire): void {
    const found = this.#links.get(link);
    if (!found) return;
    const { head, body } = this.#encoder.encode(wire);
    found.stream.send(head, body);
    this.#touched.add(found);
  }

  /** What was sent leaves now: one gRPC message per link, unless it is long or the link is busy. */
  flush(): void {
    for (const link of this.#touched) link.stream.flush();
    this.#touched.clear();
  }

  /** False: send no more history before `drained`. Other messages are taken up to the limit. */
  writable(link: LinkId): boolean {
    return this.#links.get(link)?.stream.writable ?? false;
  }

  queuedBytes(link: LinkId): number {
    return this.#links.get(link)?.stream.queuedBytes ?? 0;
  }

  /** Takes no messages from the link until `resume`: they wait at the other side. */
  pause(link: LinkId): void {
    this.#links.get(link)?.stream.pause();
  }

  resume(link: LinkId): void {
    this.#links.get(link)?.stream.resume();
  }

  /** Its linkDown comes before this returns. */
  drop(link: LinkId, why: string): void {
    this.#links.get(link)?.stream.close(why);
  }

  /** Drops all links (their linkDowns come) and dials no more. Idempotent. The server is its owner's to stop. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const each of this.#dialled.values()) each.timer?.cancel();
    for (const stream of this.#greeting) stream.close("this replica stops");
    for (const link of [...this.#links.values()]) link.stream.close("this replica stops");
  }

  #dial(each: Dialled): void {
    const { clock } = this.#options;
    const { connectMillis, queueBytes } = peerLimits;
    const stream = dial(each.address, "link", { timers: clock, connectMillis, queueBytes });
    each.timer = undefined;
    each.stream = stream;
    this.#greeting.add(stream);
    const judge = (hello: Hello): string | undefined => {
      if (hello.id === each.peer) return this.#options.judge?.(hello);
      if (hello.id === this.#options.self) return `${each.address} is this replica's own address, not ${each.peer}'s`;
      return `at ${each.address} answers replica ${hello.id}, not ${each.peer}`;
    };
    offerHandshake(stream, this.#handshake(judge), (result) => {
      this.#greeting.delete(stream);
      if ("hello" in result) {
        each.delayMillis = peerLimits.redialFirstMillis;
        each.lastFault = "";
        this.#open(stream, result.hello, () => this.#dialLater(each));
        return;
      }
      this.#noteFault(each, result.refused);
      this.#dialLater(each);
    });
  }

  #noteRefusal(remote: string, reason: string): void {
    const now = this.#options.clock.now();
    const noted = this.#refusals.get(reason);
    if (this.#stopped || (noted !== undefined && now - noted < peerLimits.refusalQuietMillis)) return;
    if (this.#refusals.size >= peerLimits.refusalReasons) this.#refusals.clear();
    this.#refusals.set(reason, now);
    this.#options.log(`refused a peer's link from ${remote}: ${reason}`);
  }

  #noteFault(each: Dialled, fault: string): void {
    if (this.#stopped || fault === each.lastFault) return;
    each.lastFault = fault;
    this.#options.log(`no link to replica ${each.peer} at ${each.address}: ${fault}`);
  }

  /** The delay has a random half, so that members that lost each other together do not knock together. */
  #dialLater(each: Dialled): void {
    each.stream = undefined;
    if (this.#stopped) return;
    const share = (this.#options.random.bytes(1)[0] ?? 0) / 255;
    const millis = each.delayMillis * (0.5 + share / 2);
    each.delayMillis = Math.min(each.delayMillis * 2, peerLimits.redialLastMillis);
    each.timer = this.#options.clock.after(millis, () => this.#dial(each));
  }

  #accept(stream: FrameStream): void {
    if (this.#stopped) {
      stream.close("this replica stops");
      return;
    }
    this.#greeting.add(stream);
    const { remote } = stream;
    acceptHandshake(
      stream,
      this.#handshake((hello) => this.#callerFault(hello)),
      (result) => {
        this.#greeting.delete(stream);
        if ("hello" in result) this.#open(stream, result.hello, () => undefined);
        else this.#noteRefusal(remote, result.refused);
      },
    );
  }

  #callerFault(hello: Hello): string | undefined {
    const { self, members, judge } = this.#options;
    if (hello.id === self) return `replica ${self} is this one: two replicas have the same id, or one dials itself`;
    if (!members.has(hello.id)) return `replica ${hello.id} is not among the members ${[...members.keys()].join(", ")}`;
    if (hello.id > self) return `replica ${hello.id} must not dial replica ${self}: the smaller id dials`;
    return judge?.(hello);
  }

  #handshake(judge: (hello: Hello) => string | undefined): HandshakeOptions {
    const { self, key, hello, clock, random } = this.#options;
    return {
      hello: { ...hello(), protocol: protocolVersion, kind: "peer", id: self },
      expect: "peer",
      timers: clock,
      randomBytes: (count) => random.bytes(count),
      judge,
      ...(key === undefined ? {} : { key }),
    };
  }

  #open(stream: FrameStream, hello: Hello, closed: () => void): void {
    this.#byPeer.get(hello.id)?.stream.close("replaced by a newer connection of the same replica");
    this.#lastLink += 1;
    const link: Link = { id: this.#lastLink, peer: hello.id, stream };
    this.#links.set(link.id, link);
    this.#byPeer.set(link.peer, link);
    stream.listen({
      received: (messages) => this.#receive(link, messages),
      drained: () => this.#events.drained(link.id),
      closed: (why) => {
        this.#forget(link);
        this.#events.linkDown(link.id, why);
        closed();
      },
    });
    this.#events.linkUp(link.id, link.peer, hello);
  }

  #forget(link: Link): void {
    this.#links.delete(link.id);
    this.#touched.delete(link);
    if (this.#byPeer.get(link.peer) === link) this.#byPeer.delete(link.peer);
  }

  #receive(link: Link, messages: readonly Uint8Array[]): void {
    const wires: PeerWire[] = [];
    for (const bytes of messages) {
      const wire = decodePeerWire(bytes);
      if (wire === undefined) {
        link.stream.close(`a message of ${bytes.length} bytes from replica ${link.peer} does not decode`);
        return;
      }
      wires.push(wire);
    }
    this.#events.received(link.id, wires);
  }
}
