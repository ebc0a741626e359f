/**
 * The servers that clients in other languages are tried against: three Quorate replicas, each a process with its own ZooKeeper
 * port; or, with QUORATE_TEST_SERVERS=zookeeper, three real ZooKeepers, to see what a scenario says of them.
 */
import { Ensemble, freePorts, type Process, sleep } from "../integration/ensemble.ts";
import { type RealServer, RealZooKeeper } from "./real-server.ts";

export interface ForeignServers {
  /** `127.0.0.1:2181`, by place. */
  readonly hosts: readonly string[];
  /** Does to the server at a place what a scenario asks for: `kill 1`, `start 1`, `stop 1`, `continue 1`. */
  command(text: string): Promise<void>;
  /** What they printed. */
  output(): string;
  stop(): Promise<void>;
}

export const againstReal: boolean = process.env["QUORATE_TEST_SERVERS"] === "zookeeper";

export async function startForeignServers(): Promise<ForeignServers | { readonly skip: string }> {
  return againstReal ? await startReal() : await startQuorate();
}

async function startQuorate(): Promise<ForeignServers> {
  const ports = await freePorts(3);
  const portOf = (name: string): number | undefined => ports[Number(name.split(" ")[1]) - 1];
  const ensemble = await Ensemble.start({
    gateways: 0,
    environmentOf: (name) => ({ QUORATE_ZOOKEEPER_PORT: String(portOf(name)) }),
  });
  return {
    hosts: ports.map((port) => `127.0.0.1:${port}`),
    command: (text) => obey(text, ensemble.replicas, (server, signal) => server.signal(signal)),
    output: () => ensemble.output(),
    stop: () => ensemble.stop(),
  };
}

async function startReal(): Promise<ForeignServers | { readonly skip: string }> {
  const javaFlags = ["-Dznode.container.checkIntervalMs=400"];
  const settings = ["reconfigEnabled=false"];
  const ensemble = await RealZooKeeper.start({ servers: 3, force: false, javaFlags, settings });
  if ("skip" in ensemble) return ensemble;
  return {
    hosts: ensemble.ports.map((port) => `127.0.0.1:${port}`),
    command: (text) => obey(text, ensemble.servers, (server, signal) => process.kill(server.pid, signal)),
    output: () => ensemble.servers.map(({ output }) => output.slice(-4_000)).join("\n"),
    stop: () => ensemble.stop(),
  };
}

async function obey<Server extends Process | RealServer>(
  text: string,
  servers: readonly Server[],
  signal: (server: Server, name: NodeJS.Signals) => void,
): Promise<void> {
  const [, verb, place] = /^(kill|start|stop|continue) (\d)$/.exec(text) ?? [];
  const server = servers[Number(place)];
  if (server === undefined) throw new Error(`nobody understands ${JSON.stringify(text)}`);
  if (verb === "kill") await server.kill();
  else if (verb === "start") server.start();
  else signal(server, verb === "stop" ? "SIGSTOP" : "SIGCONT");
  // So that what a signal does has begun.
  await sleep(10);
}
