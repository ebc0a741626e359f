/**
 * The command line's face: finds the command, runs it, and ends as its exit code says. It knows no more of the service than
 * any client: what a gateway answers over REST.
 */
import { type Command, globalOptions, nameOf } from "./command.ts";
import { Context, type Variables } from "./context.ts";
import { eventVariables } from "./event-program.ts";
import { exitCodes } from "./exit-codes.ts";
import { tell, UsageError } from "./failures.ts";
import { findCommand } from "./find.ts";
import { commandHelp, exitCodeHelp, groupHelp, overview, type ServerCommand } from "./help.ts";
import { nearest, parseCommand } from "./parse.ts";
import { Signals } from "./signals.ts";
import { commands, hidden } from "./table.ts";

export type { ServerCommand } from "./help.ts";

/** Variables that may stand in the environment: those of options, and what COMMAND of a lock, an election or a watch finds there. */
export const clientVariables: readonly string[] = [
  ...[...globalOptions, ...commands.flatMap(({ options }) => options)].flatMap(({ variable }) => variable ?? []),
  "QUORATE_LOCK",
  "QUORATE_ELECTION",
  "QUORATE_FENCING_TOKEN",
  ...eventVariables,
];

export async function runCommandLine(
  argv: readonly string[],
  env: Variables,
  server: readonly ServerCommand[],
): Promise<void> {
  leaveQuietly();
  const { command, name, args } = findCommand([...commands, ...hidden], argv);
  if (command === undefined) {
    process.exitCode = help(name, args, server);
    return;
  }
  const exit = await run(command, args, env);
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  // Connections that are kept for later, and a standard input that nobody ended, are of no more use.
  process.exit(exit);
}

/** Whoever read the output has gone, as `head` does: no more words. */
function leaveQuietly(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(128 + 13);
    });
  }
}

async function run(command: Command, args: readonly string[], env: Variables): Promise<number> {
  const name = nameOf(command);
  let what = name;
  let context: Context | undefined;
  const signals = new Signals();
  try {
    const values = parseCommand(command, args);
    refuseMistyped(env);
    if (values.flag("help")) {
      process.stdout.write(`${commandHelp(command, process.stdout.columns || 100)}\n`);
      return exitCodes.ok.code;
    }
    // What was given as an option must not be seen by all who list processes.
    if (values.flag("user") || values.flag("session")) process.title = `quorate ${name}`;
    if (command.args[0]?.completes === "path" && values.arg(0).startsWith("/")) what = `${name} ${values.arg(0)}`;
    context = new Context(values, env, signals);
    return (await command.run(context)) ?? exitCodes.ok.code;
  } catch (error) {
    const { exit, line, hint } = tell(ended(error, signals), what, command.reads);
    if (line !== undefined && !command.silent)
      process.stderr.write(`quorate: ${line}\n${hint === undefined ? "" : `  ${hint}\n`}`);
    return exit;
  } finally {
    await context?.close();
  }
}

/** What a signal broke off says so in many ways. */
function ended(error: unknown, { signal }: Signals): unknown {
  return signal.aborted && error instanceof Error && error.name === "AbortError" ? signal.reason : error;
}

/** What looks like one of our variables and is none; others belong to servers on this machine, or to whoever made them. */
function refuseMistyped(env: Variables): void {
  const prefix = "QUORATE_";
  const known = clientVariables.flatMap((each) => (each.startsWith(prefix) ? each.slice(prefix.length) : []));
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || clientVariables.includes(name)) continue;
    const near = nearest(name.slice(prefix.length), known);
    if (near !== undefined)
      throw new UsageError(`the environment has an unknown variable ${name}`, `did you mean ${prefix}${near}?`);
  }
}

function help(name: string, args: readonly string[], server: readonly ServerCommand[]): number {
  const width = process.stdout.columns || 100;
  const wished = name === "help" ? args.filter((each) => !each.startsWith("-")).join(" ") : "";
  const about = commands.find((each) => nameOf(each) === wished);
  const strange = name === "" ? args.find(isStrange) : undefined;
  const group = groupOf(name, wished, args);
  if (strange !== undefined) return unknownOption(strange);
  if (group.length > 0) process.stdout.write(`${groupHelp(group[0]?.words[0] ?? "", group, width)}\n`);
  else if (about !== undefined) process.stdout.write(`${commandHelp(about, width)}\n`);
  else if (wished === "exit-codes") process.stdout.write(`${exitCodeHelp(width)}\n`);
  else if (wished === "" && (name === "" || name === "help"))
    process.stdout.write(`${overview(commands, server, width)}\n`);
  else return unknown(wished || name, server);
  return exitCodes.ok.code;
}

/** The commands of `session --help` or `help session`. */
function groupOf(name: string, wished: string, args: readonly string[]): readonly Command[] {
  const [first, second] = name.split(" ");
  const asks = name === "help" || [second, ...args].some((each) => each === "--help" || each === "-h");
  const word = name === "help" ? wished : first;
  return asks ? commands.filter(({ words }) => words.length > 1 && words[0] === word) : [];
}

function isStrange(word: string): boolean {
  const [flag = ""] = word.split("=");
  return flag.startsWith("-") && !globalOptions.some(({ name, short }) => flag === `--${name}` || flag === `-${short}`);
}

function unknownOption(flag: string): number {
  const known = [...globalOptions.map(({ name }) => `--${name}`), "--version"];
  const near = nearest(flag, known);
  const hint = near === undefined ? "quorate help tells what there is" : `did you mean ${near}?`;
  const { exit, line } = tell(new UsageError(`there is no option ${flag}`), "quorate");
  process.stderr.write(`${line}\n  ${hint}\n`);
  return exit;
}

function unknown(name: string, server: readonly ServerCommand[]): number {
  const known = [...commands.map(nameOf), ...server.map((each) => each.name)];
  const group = commands.filter(({ words }) => words.length > 1 && words[0] === name.split(" ")[0]).map(nameOf);
  const near = nearest(name, known);
  const hint =
    near !== undefined ? `did you mean ${near}?` : group.length > 0 ? group.join(", ") : "quorate help lists them";
  const { exit, line } = tell(new UsageError(`there is no command ${JSON.stringify(name)}`), "quorate");
  process.stderr.write(`${line}\n  ${hint}\n`);
  return exit;
}
