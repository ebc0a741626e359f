/** The commands that serve: `dev`, `serve`, `gateway`, `recover`. */
import { dev } from "./dev.ts";
import { gateway } from "./gateway.ts";
import { devSettings, gatewaySettings, recoverSettings, serveSettings } from "./options.ts";
import { recover } from "./recover.ts";
import { serve } from "./serve.ts";
import { formatHelp, refuseUnknownVariables, type Setting } from "./settings.ts";

interface ServerCommand {
  readonly settings: readonly Setting[];
  readonly run: (args: readonly string[]) => Promise<void>;
}

const commands: Readonly<Record<string, ServerCommand>> = {
  dev: { settings: devSettings, run: dev },
  serve: { settings: serveSettings, run: serve },
  gateway: { settings: gatewaySettings, run: gateway },
  recover: { settings: recoverSettings, run: recover },
};

/** `foreign`: variables of the command line, which may stand in the same environment. */
export async function runServer(
  { name, about }: { readonly name: string; readonly about: string },
  args: readonly string[],
  foreign: readonly string[],
): Promise<void> {
  const command = commands[name];
  if (command === undefined) throw new Error(`there is no command ${name}`);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(formatHelp(name, about, command.settings));
    return;
  }
  const all = Object.values(commands).flatMap(({ settings }) => settings);
  const env = Object.fromEntries(Object.entries(process.env).filter(([variable]) => !foreign.includes(variable)));
  refuseUnknownVariables(all, env);
  await command.run(args);
}
