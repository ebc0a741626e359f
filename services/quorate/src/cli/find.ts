/** Which command the words mean; options of every command may stand before it. */
import { parseArgs } from "node:util";
import { type Command, globalOptions, nameOf } from "./command.ts";

export interface Found {
  readonly command: Command | undefined;
  /** The words that name the command, or do not. */
  readonly name: string;
  /** All else, in order. */
  readonly args: readonly string[];
}

export function findCommand(commands: readonly Command[], argv: readonly string[]): Found {
  const at = leading(argv);
  const before = argv.slice(0, at);
  const words = argv.slice(at);
  const longest = commands
    .filter((each) => each.words.every((word, index) => words[index] === word))
    .sort((a, b) => b.words.length - a.words.length)[0];
  if (longest === undefined) {
    const group = commands.some((each) => each.words.length > 1 && each.words[0] === words[0]);
    const name = words.slice(0, group ? 2 : 1).join(" ");
    return { command: undefined, name, args: [...before, ...words.slice(1)] };
  }
  return { command: longest, name: nameOf(longest), args: [...before, ...words.slice(longest.words.length)] };
}

/** How many words stand before the command: options of every command, and their values. */
function leading(argv: readonly string[]): number {
  const options = Object.fromEntries(
    globalOptions.map(({ name, kind }) => [
      name,
      { type: kind === "flag" ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const first = tokens.find(({ kind }) => kind !== "option");
  return first?.index ?? argv.length;
}
