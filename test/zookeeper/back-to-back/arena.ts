/** The two that are compared, started: a real ZooKeeper, and beside it Quorate or, to prove the player itself, another real one. */
import { Ensemble } from "../../integration/ensemble.ts";
import { RealZooKeeper } from "../real-server.ts";
import type { WireClient } from "../wire-client.ts";
import { witnessAll } from "./missed.ts";
import { Side } from "./side.ts";
import { empty, walk } from "./tree-walk.ts";

export interface ArenaOptions {
  readonly against: "quorate" | "zookeeper";
  /** Clients of each side. */
  readonly clients: number;
  /** They sit at three different servers, instead of at one. */
  readonly spread: boolean;
}

export interface Arena {
  a: Side;
  b: Side;
  /** Where the second side remembers what its clients missed. */
  readonly witness: WireClient | undefined;
  readonly name: string;
  /** New clients, and nothing in the trees: after a play that was broken off where the servers were equal. */
  renew(): Promise<void>;
  /** What the servers printed last. */
  output(): string;
  stop(): Promise<void>;
}

export async function openArena(options: ArenaOptions): Promise<Arena | { readonly skip: string }> {
  const { spread, clients } = options;
  const real = await startReal(spread);
  if ("skip" in real) return real;
  try {
    const other = options.against === "quorate" ? await startQuorate(spread) : await startOther(spread);
    const a = new Side(`ZooKeeper ${real.version}`, real.ports, clients);
    const b = new Side(other.name, other.ports, clients);
    const witness = options.against === "quorate" ? await b.admin() : undefined;
    if (witness) await witnessAll(witness);
    const arena: Arena = {
      a,
      b,
      witness,
      name: `${a.name} and ${b.name}${spread ? ", three servers each" : ""}`,
      output: () => `${real.servers.map((each) => each.output.slice(-3_000)).join("\n")}\n${other.output()}`,
      renew: async () => {
        await Promise.all([arena.a.stop(), arena.b.stop()]);
        arena.a = new Side(a.name, real.ports, clients);
        arena.b = new Side(b.name, other.ports, clients);
        for (const side of [arena.a, arena.b]) {
          const admin = await side.admin();
          await empty(admin, await walk(admin));
        }
      },
      stop: async () => {
        await Promise.all([arena.a.stop(), arena.b.stop()]);
        await Promise.all([real.stop(), other.stop()]);
      },
    };
    return arena;
  } catch (error) {
    await real.stop();
    throw error;
  }
}

interface Other {
  readonly name: string;
  readonly ports: readonly number[];
  output(): string;
  stop(): Promise<void>;
}

/** Containers are looked for as often as Quorate does; what is written need not survive. */
function startReal(spread: boolean): Promise<RealZooKeeper | { readonly skip: string }> {
  const javaFlags = ["-Dznode.container.checkIntervalMs=100"];
  return RealZooKeeper.start({ servers: spread ? 3 : 1, force: false, javaFlags });
}

async function startOther(spread: boolean): Promise<Other> {
  const real = await startReal(spread);
  if ("skip" in real) throw new Error(real.skip);
  const output = (): string => real.servers.map((each) => each.output.slice(-3_000)).join("\n");
  return { name: `another ZooKeeper ${real.version}`, ports: real.ports, output, stop: () => real.stop() };
}

/** Together at the gateway, or one at each replica's own door. */
async function startQuorate(spread: boolean): Promise<Other> {
  const ensemble = await Ensemble.start(spread ? { gateways: 0 } : {});
  const doors = spread ? ensemble.replicas : ensemble.gateways;
  return {
    name: "Quorate",
    ports: doors.map((each) => each.zookeeperPort),
    output: () => ensemble.output(),
    stop: () => ensemble.stop(),
  };
}
