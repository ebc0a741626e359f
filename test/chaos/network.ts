/**
 * All links of an ensemble: a proxy for each who dials and each replica that is dialled. What is wrong with the network is a
 * set of troubles; each is in force from when it is added until it is lifted, alone or together with others.
 */
import { TestProxy } from "../integration/test-proxy.ts";

/** `replica 1`, `gateway 2`: the names of the processes. */
export type Node = string;

/** What is asked of every way from one process to another. */
export interface Trouble {
  /** Nothing passes this way; what was sent arrives when the trouble is lifted. */
  readonly silent?: (from: Node, to: Node) => boolean;
  /** The connection between these two breaks and none is made, whoever dials. */
  readonly broken?: (one: Node, other: Node) => boolean;
  /** So much later everything between these two arrives. */
  readonly delayMillis?: (one: Node, other: Node) => number;
}

interface Link {
  readonly dialler: Node;
  readonly target: Node;
  readonly proxy: TestProxy;
  isCut: boolean;
}

export class Network {
  readonly #links: readonly Link[];
  readonly #troubles = new Set<Trouble>();

  private constructor(links: readonly Link[]) {
    this.#links = links;
  }

  static async open(peerPorts: readonly number[], gateways: number): Promise<Network> {
    const replicas = peerPorts.map((_, at) => replicaName(at + 1));
    const doors = Array.from({ length: gateways }, (_, at) => `gateway ${at + 1}`);
    const links: Link[] = [];
    for (const dialler of [...replicas, ...doors]) {
      for (const [at, target] of replicas.entries()) {
        if (dialler === target) continue;
        links.push({ dialler, target, proxy: await TestProxy.start(peerPorts[at] ?? 0), isCut: false });
      }
    }
    return new Network(links);
  }

  /** Where `from` reaches the peer port of replica `to`. */
  addressOf(from: Node, to: number): string | undefined {
    return this.#links.find((each) => each.dialler === from && each.target === replicaName(to))?.proxy.address;
  }

  /** Answers how to lift it. */
  add(trouble: Trouble): () => void {
    this.#troubles.add(trouble);
    this.#apply();
    return () => {
      if (this.#troubles.delete(trouble)) this.#apply();
    };
  }

  /** Breaks the connections between these two once; they may dial again. */
  break(chosen: (one: Node, other: Node) => boolean): void {
    for (const { dialler, target, proxy } of this.#links) {
      if (chosen(dialler, target) || chosen(target, dialler)) proxy.break();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((each) => each.proxy.stop()));
  }

  #apply(): void {
    const troubles = [...this.#troubles];
    for (const link of this.#links) {
      const { dialler, target, proxy } = link;
      const either = (of: (one: Node, other: Node) => boolean): boolean => of(dialler, target) || of(target, dialler);
      const cut = troubles.some((each) => each.broken && either(each.broken));
      // What has been cut stays cut: healing it would let bytes pass in between.
      if (cut && link.isCut) continue;
      link.isCut = cut;
      proxy.heal();
      if (cut) {
        proxy.cut();
        continue;
      }
      const there = troubles.some((each) => each.silent?.(dialler, target));
      const back = troubles.some((each) => each.silent?.(target, dialler));
      if (there || back) proxy.freeze(there && back ? "both" : there ? "there" : "back");
      const millis = (one: Node, other: Node): number =>
        Math.max(0, ...troubles.map((each) => each.delayMillis?.(one, other) ?? 0));
      proxy.delay(Math.max(millis(dialler, target), millis(target, dialler)));
    }
  }
}

export function replicaName(id: number): Node {
  return `replica ${id}`;
}
