#!/usr/bin/env node
/** The executable: `quorate dev | serve | gateway | recover`. */
import { dev } from "./dev.ts";
import { gateway } from "./gateway.ts";
import { devSettings, gatewaySettings, recoverSettings, serveSettings } from "./options.ts";
import { recover } from "./recover.ts";
import { serve } from "./serve.ts";
import { formatHelp, type Setting } from "./settings.ts";

interface Command {
  readonly about: string;
  readonly settings: readonly Setting[];
  readonly run: (args: readonly string[]) => Promise<void>;
}

const commands: Readonly<Record<string, Command>> = {
  dev: { about: "three replicas and a gateway on this machine", settings: devSettings, run: dev },
  serve: { about: "one replica, with a gateway embedded", settings: serveSettings, run: serve },
  gateway: { about: "a stateless gateway", settings: gatewaySettings, run: gateway },
  recover: { about: "a new ensemble from one surviving disk, offline", settings: recoverSettings, run: recover },
};

async function main(): Promise<void> {
  const [name = "", ...args] = process.argv.slice(2);
  const command = commands[name];
  if (!command || args.includes("--help")) {
    const overview = Object.entries(commands).map(([each, { about }]) => `  quorate ${each.padEnd(10)} ${about}`);
    console.log(command ? formatHelp(name, command.about, command.settings) : `usage:\n${overview.join("\n")}`);
    process.exitCode = command || name === "--help" || name === "" ? 0 : 2;
    return;
  }
  await command.run(args);
}

process.on("uncaughtException", (error) => {
  console.error(`stops: ${error instanceof Error ? error.stack : String(error)}`);
  process.exit(1);
});
main().catch((error: unknown) => {
  console.error(`quorate: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
});
