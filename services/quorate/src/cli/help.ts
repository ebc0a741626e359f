/** Help, made from the commands' descriptions. */
import { type Command, globalOptions, groups, nameOf, type Option, usageOf } from "./command.ts";
import { exitCodes, signalExit } from "./exit-codes.ts";
import { widthOf } from "./width.ts";

/** A command of the server, of which only this much is known here. */
export interface ServerCommand {
  readonly name: string;
  readonly about: string;
}

const nameWidth = 18;
const optionWidth = 26;
const mostWidth = 100;

export function overview(commands: readonly Command[], server: readonly ServerCommand[], width: number): string {
  const sections = Object.entries(groups).map(([group, title]) => {
    const own = commands.filter((each) => each.group === group).map((each) => [nameOf(each), each.about] as const);
    const rows = group === "server" ? server.map(({ name, about }) => [name, about] as const) : own;
    return `${title}:\n${rows.map(([name, about]) => entry(name, about, nameWidth, width)).join("\n")}`;
  });
  return `quorate: a coordination service, and the command line for it

usage: quorate COMMAND [OPTION…] [ARGUMENT…]

${sections.join("\n\n")}

${paragraph("quorate COMMAND --help tells more; quorate help exit-codes lists what the exit codes say.", width)}
${paragraph("A gateway is asked at http://127.0.0.1:8080, or where --endpoint or QUORATE_ENDPOINT says.", width)}`;
}

/** `quorate session`: the commands whose names begin so. */
export function groupHelp(word: string, commands: readonly Command[], width: number): string {
  const rows = commands.map((each) => entry(nameOf(each), each.about, nameWidth, width));
  return `usage: quorate ${word} COMMAND [OPTION…] [ARGUMENT…]\n\n${rows.join("\n")}`;
}

export function commandHelp(command: Command, width: number): string {
  const about = paragraph(sentence(command.about), width);
  const parts = [`${usageOf(command)}\n\n${about}`];
  if (command.args.length > 0)
    parts.push(
      titled(
        "Arguments",
        command.args.map(({ name, help }) => [name, help] as const),
        width,
      ),
    );
  if (command.options.length > 0) parts.push(titled("Options", command.options.map(optionRow), width));
  parts.push(titled("Options of every command", globalOptions.map(optionRow), width));
  for (const note of command.notes ?? []) parts.push(paragraph(note, width));
  if (command.examples.length > 0)
    parts.push(`Examples:\n${command.examples.map(({ line, about }) => `  # ${about}\n  ${line}`).join("\n")}`);
  return parts.join("\n\n");
}

export function exitCodeHelp(width: number): string {
  const rows = Object.values(exitCodes).map(({ code, about }) => [String(code), about] as const);
  const all = [...rows, ["128 + n", signalExit.replace(/^128 \+ n: /, "")] as const];
  return `Exit codes:\n${all.map(([code, about]) => entry(code, about, 9, width)).join("\n")}

${paragraph("lock and elect end with COMMAND's own exit code, once it was started and nothing was lost.", width)}`;
}

export function optionRow({
  name,
  short,
  kind,
  value,
  help,
  choices,
  variable,
  many,
}: Option): readonly [string, string] {
  const shown = kind === "flag" ? "" : ` ${value ?? "TEXT"}`;
  const more = [
    ...(choices ? [choices.join(", ")] : []),
    ...(variable ? [`$${variable}`] : []),
    ...(many && !/more than once/.test(help) ? ["may be given more than once"] : []),
  ];
  const head = `${short === undefined ? "    " : `-${short}, `}--${name}${shown}`;
  return [head, `${help}${more.length === 0 ? "" : ` [${more.join("; ")}]`}`];
}

function titled(title: string, rows: readonly (readonly [string, string])[], width: number): string {
  return `${title}:\n${rows.map(([head, help]) => entry(head, help, optionWidth, width)).join("\n")}`;
}

function entry(head: string, about: string, column: number, width: number): string {
  const indent = column + 4;
  const lines = wrap(about, indent, Math.min(width, mostWidth));
  const first = (lines[0] ?? "").trimStart();
  const rest = lines.slice(1);
  // What is too long for its column has a line of its own.
  if (widthOf(head) > column) return [`  ${head}`, `${" ".repeat(indent)}${first}`, ...rest].join("\n");
  return [`  ${head}${" ".repeat(column - widthOf(head))}  ${first}`, ...rest].join("\n");
}

function paragraph(text: string, width: number): string {
  return wrap(text, 0, Math.min(width, mostWidth)).join("\n");
}

/** Lines of at most `width`, each indented. */
export function wrap(text: string, indent: number, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > Math.max(20, width - indent)) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each) => " ".repeat(indent) + each);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
