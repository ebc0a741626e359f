/**
 * The commands: `quorate dev | serve | gateway | recover`, and the command line for all others. Either is loaded only where it is
 * meant: a shell that completes a word does not wait for the server's parts.
 */
import { clientVariables, runCommandLine, type ServerCommand } from "./cli/cli.ts";

const servers: readonly ServerCommand[] = [
  { name: "dev", about: "three replicas and a gateway on this machine" },
  { name: "serve", about: "one replica, with a gateway embedded" },
  { name: "gateway", about: "a stateless gateway" },
  { name: "recover", about: "a new ensemble from one surviving disk, offline" },
];

export async function main(): Promise<void> {
  const [first = "", ...args] = process.argv.slice(2);
  const helped = first === "help" ? args[0] : undefined;
  const server = servers.find(({ name }) => name === (helped ?? first));
  if (server !== undefined) {
    const { runServer } = await import("./server-commands.ts");
    await runServer(server, helped === undefined ? args : ["--help"], clientVariables);
  } else if (first === "--version") {
    const { version } = await import("./options.ts");
    console.log(version);
  } else {
    await runCommandLine(process.argv.slice(2), process.env, servers);
  }
}
