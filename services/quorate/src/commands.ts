/** The commands: `quorate dev | serve | gateway | recover`. */
import { dev } from "./dev.ts";
import { gateway } from "./gateway.ts";
import { devSettings, gatewaySettings, recoverSettings, serveSettings, version } from "./options.ts";
import { recover } from "./recover.ts";
import { serve } from "./serve.ts";
import { formatHelp, refuseUnknownVariables, type Setting } from "./settings.ts";

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

export async function main(): Promise<void> {
  const [name = "", ...args] = process.argv.slice(2);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command && !args.includes("--help") && !args.includes("-h")) {
    const all = Object.values(commands).flatMap(({ settings }) => settings);
    refuseUnknownVariables(all, process.env);
    await command.run(args);
  } else if (command) {
    console.log(formatHelp(name, command.about, command.settings));
  } else if (name === "--version") {
    console.log(version);
  } else if (["", "--help", "-h", "help"].includes(name)) {
    console.log(overview());
  } else {
    console.error(`quorate: there is no command ${JSON.stringify(name)}\n${overview()}`);
    process.exitCode = 2;
  }
}

function overview(): string {
  const lines = Object.entries(commands).map(([each, { about }]) => `  quorate ${each.padEnd(10)} ${about}`);
  return `usage:\n${lines.join("\n")}\n  quorate COMMAND --help`;
}
