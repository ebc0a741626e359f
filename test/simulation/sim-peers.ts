/** The links between simulated replicas: what `Peers` is over gRPC, over the simulated network. The smaller id dials. */
import type { ReplicaId } from "@quorate/api";
import type { PeersEvents, PeersPort } from "@quorate/replica";
import type { LinkId } from "@quorate/zab";
import { decodePeerWire, PeerEncoder } from "../../services/replica/src/peer-codec.ts";
import type { PeerWire } from "../../services/replica/src/peer-messages.ts";
import type { Machine } from "./machine.ts";
import type { End, Network, Wire } from "./network.ts";

interface Link {
  readonly id: LinkId;
  readonly peer: ReplicaId;
  readonly wire: Wire;
  out: Uint8Array[];
  closed: boolean;
}

export interface PeerDirectory {
  readonly members: readonly ReplicaId[];
  /** Of the process that lives there and listens. */
  peersOf(id: ReplicaId): SimPeers | undefined;
}

const hello = new Uint8Array(0);
/** What may be under way on a link; beyond it the link is dropped. */
const queueBytes = 4 * 1024 * 1024;
const handshakeMillis = 1000;

export class SimPeers implements PeersPort {
  readonly id: ReplicaId;
  readonly machine: Machine;
  readonly #network: Network;
  readonly #directory: PeerDirectory;
  readonly #events: PeersEvents;
  readonly #encoder = new PeerEncoder();
  readonly #links = new Map<LinkId, Link>();
  readonly #byPeer = new Map<ReplicaId, Link>();
  #last: LinkId = 0;

  constructor(id: ReplicaId, machine: Machine, network: Network, directory: PeerDirectory, events: PeersEvents) {
    this.id = id;
    this.machine = machine;
    this.#network = network;
    this.#directory = directory;
    this.#events = events;
  }

  /** Begins to dial. */
  start(): void {
    for (const peer of this.#directory.members) if (peer > this.id) this.#dial(peer);
  }

  #later(peer: ReplicaId): void {
    this.machine.clock.after(this.machine.random.between(20, 250), () => this.#dial(peer));
  }

  #dial(peer: ReplicaId): void {
    const target = this.#directory.peersOf(peer);
    const reachable = target && this.#network.reaches(this.machine, target.machine);
    if (!target || !reachable || !this.#network.reaches(target.machine, this.machine)) {
      this.#later(peer);
      return;
    }
    let link: Link | undefined;
    let over = false;
    const ended = (): void => {
      if (over) return;
      over = true;
      this.#later(peer);
    };
    const wire = this.#network.connect(
      this.machine,
      (near) => ({
        received: (messages) => {
          let rest = messages;
          if (!link && !over) {
            rest = messages.slice(1);
            link = this.#open(peer, near, ended);
          }
          if (link) this.#receive(link, rest);
        },
        down: (why) => {
          if (link) this.#close(link, why);
          ended();
        },
        drained: () => link && this.#events.drained(link.id),
      }),
      target.machine,
      (far) => target.accept(this.id, far),
    );
    wire.send([hello]);
    this.machine.clock.after(handshakeMillis, () => {
      if (link || over) return;
      wire.close();
      ended();
    });
  }

  /** The far end of somebody's dialling; the link is up with the first word. */
  accept(peer: ReplicaId, wire: Wire): End {
    let link: Link | undefined;
    return {
      received: (messages) => {
        let rest = messages;
        if (!link) {
          rest = messages.slice(1);
          wire.send([hello]);
          link = this.#open(peer, wire, () => {});
        }
        this.#receive(link, rest);
      },
      down: (why) => link && this.#close(link, why),
      drained: () => link && this.#events.drained(link.id),
    };
  }

  readonly #ended = new Map<LinkId, () => void>();

  #open(peer: ReplicaId, wire: Wire, ended: () => void): Link {
    const former = this.#byPeer.get(peer);
    if (former) this.#drop(former, "replaced by a newer connection of the same replica");
    const link: Link = { id: ++this.#last, peer, wire, out: [], closed: false };
    this.#links.set(link.id, link);
    this.#byPeer.set(peer, link);
    this.#ended.set(link.id, ended);
    this.#events.linkUp(link.id, peer, undefined as never);
    return link;
  }

  #receive(link: Link, messages: readonly Uint8Array[]): void {
    if (link.closed || messages.length === 0) return;
    const wires: PeerWire[] = [];
    for (const bytes of messages) {
      const wire = decodePeerWire(bytes);
      if (wire === undefined) {
        this.#drop(link, `a message of ${bytes.length} bytes from replica ${link.peer} does not decode`);
        return;
      }
      wires.push(wire);
    }
    this.#events.received(link.id, wires);
  }

  #close(link: Link, why: string): void {
    if (link.closed) return;
    link.closed = true;
    this.#links.delete(link.id);
    if (this.#byPeer.get(link.peer) === link) this.#byPeer.delete(link.peer);
    this.#events.linkDown(link.id, why);
    this.#ended.get(link.id)?.();
    this.#ended.delete(link.id);
  }

  #drop(link: Link, why: string): void {
    link.wire.close();
    this.#close(link, why);
  }

  send(id: LinkId, wire: PeerWire): void {
    const link = this.#links.get(id);
    if (!link) return;
    const { head, body } = this.#encoder.encode(wire);
    link.out.push(new Uint8Array(Buffer.concat(body === undefined ? [head] : [head, body])));
  }

  flush(): void {
    for (const link of [...this.#links.values()]) {
      if (link.out.length === 0) continue;
      const { out } = link;
      link.out = [];
      link.wire.send(out);
      if (link.wire.queuedBytes > queueBytes) this.#drop(link, "too much is under way");
    }
  }

  writable(id: LinkId): boolean {
    return this.#links.get(id)?.wire.writable ?? false;
  }

  drop(id: LinkId, why: string): void {
    const link = this.#links.get(id);
    if (link) this.#drop(link, why);
  }
}
