/** docs/command-line.md, made from the commands' descriptions, so that it cannot tell anything else than help does. */
import { type Command, globalOptions, groups, nameOf, type Option, usageOf } from "./command.ts";
import { exitCodes, signalExit } from "./exit-codes.ts";

const intro = `# The command line

Made from the commands' own descriptions (\`services/quorate/src/cli/\`); a test keeps it so.

\`quorate\` asks any gateway or replica over REST. Inside the repository it is \`node_modules/.bin/quorate\`, or \`npm run quorate --\`.

- **On a terminal** it prints tables that fit its width; **in a pipe** bare values, with tabs between the fields and no heading; with **\`--json\`**
  what REST answers: one document, or a line for each item of what streams.
- What it asks for stands on standard output, what it says beside that on standard error. \`--quiet\` leaves that away.
- An error is one line, \`quorate: get /x: no such znode (noNode)\`, and its exit code says what to make of it.
- Ctrl-C ends what is under way, in order: a place in a queue is given up, a lock released, a session of its own closed.`;

const secrets = `## Who asks

\`QUORATE_USER=name:password\`, or \`--user-file FILE\` (\`QUORATE_USER_FILE\`), whose first line is that. \`--user name\` asks for the password and
does not show it. \`--user name:password\` works too, but the shell keeps it in its history; the process list does not show it.
A session's secret goes in \`QUORATE_SESSION\`, or \`--session @FILE\`.`;

export function commandLineDocument(commands: readonly Command[]): string {
  const parts = [
    intro,
    secrets,
    optionTable("## Options of every command", globalOptions),
    exitTable(),
    completionText,
  ];
  for (const [group, title] of Object.entries(groups)) {
    const own = commands.filter((each) => each.group === group);
    if (own.length === 0) continue;
    parts.push(`## ${title}`, ...own.map(commandText));
  }
  return `${parts.join("\n\n")}\n`;
}

const completionText = `## Completion

\`\`\`sh
source <(quorate completion bash)     # in ~/.bashrc
source <(quorate completion zsh)      # in ~/.zshrc, behind compinit
\`\`\`

Commands, options, their values, and znodes: for these a gateway is asked, for a second at most.`;

function commandText(command: Command): string {
  const parts = [`### quorate ${nameOf(command)}`, `${capital(command.about)}.`, `\`\`\`\n${usageOf(command)}\n\`\`\``];
  if (command.args.length > 0)
    parts.push(command.args.map(({ name, help }) => `- \`${name}\`: ${escaped(help)}`).join("\n"));
  if (command.options.length > 0) parts.push(optionTable("", command.options));
  parts.push(...(command.notes ?? []));
  const examples = command.examples.map(({ line, about }) => `# ${about}\n${line}`);
  if (examples.length > 0) parts.push(`\`\`\`sh\n${examples.join("\n")}\n\`\`\``);
  return parts.join("\n\n");
}

function optionTable(title: string, options: readonly Option[]): string {
  const rows = options.map(({ name, short, kind, value, help, choices, variable }) => {
    const flag = `\`${short === undefined ? "" : `-${short}, `}--${name}${kind === "flag" ? "" : ` ${value ?? "TEXT"}`}\``;
    const more = [...(choices ? [choices.join(", ")] : []), ...(variable ? [`\`${variable}\``] : [])];
    return `| ${flag} | ${escaped(help)}${more.length === 0 ? "" : ` (${more.join("; ")})`} |`;
  });
  return `${title === "" ? "" : `${title}\n\n`}| option | what it does |\n| --- | --- |\n${rows.join("\n")}`;
}

function exitTable(): string {
  const rows = Object.values(exitCodes).map(({ code, about }) => `| ${code} | ${escaped(about)} |`);
  const [first = "", rest = ""] = signalExit.split(": ", 2);
  rows.push(`| ${first} | ${escaped(signalExit.slice(first.length + 2) || rest)} |`);
  const own = "`lock` and `elect` end with COMMAND's own exit code, once it was started and nothing was lost.";
  return `## Exit codes\n\n| code | says |\n| --- | --- |\n${rows.join("\n")}\n\n${own}`;
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
