/** `completion`: what a shell needs to complete commands, options, their values, and znodes. */
import type { Command, Option } from "../command.ts";
import { globalOptions } from "../command.ts";
import { Context } from "../context.ts";
import { UsageError } from "../failures.ts";
import { findCommand } from "../find.ts";
import { Values } from "../parse.ts";
import { join } from "../paths.ts";

const bash = `# quorate for bash: source <(quorate completion bash)
_quorate() {
  # Not COMP_WORDS, which breaks at the colons of an address.
  local line="\${COMP_LINE:0:COMP_POINT}" current="" words
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] || { current="\${words[-1]}"; unset 'words[-1]'; }
  local IFS=$'\\n'
  local found=($(quorate __complete -- "\${words[@]:1}" "$current" 2>/dev/null))
  if [[ "\${found[0]}" == ":files" ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "\${current##*[:=]}"))
    return
  fi
  # Only what stands behind the last break is replaced.
  COMPREPLY=("\${found[@]#"\${current%"\${current##*[:=]}"}"}")
  [[ \${#found[@]} -eq 1 && "\${found[0]}" == */ ]] && compopt -o nospace
  return 0
}
complete -F _quorate quorate
`;

const zsh = `#compdef quorate
# quorate for zsh: source <(quorate completion zsh)
_quorate() {
  local -a found folders others
  found=("\${(@f)$(quorate __complete -- "\${(@)words[2,CURRENT-1]}" "\${words[CURRENT]}" 2>/dev/null)}")
  if [[ "\${found[1]}" == ":files" ]]; then
    _files
    return
  fi
  folders=("\${(@M)found:#*/}")
  others=("\${(@)found:#*/}")
  others=("\${(@)others:#}")
  (( \${#folders} )) && compadd -Q -S '' -- "\${folders[@]}"
  (( \${#others} )) && compadd -Q -- "\${others[@]}"
}
compdef _quorate quorate
`;

export const completion: Command = {
  words: ["completion"],
  group: "shell",
  about: "a script that makes a shell complete commands, options and znodes",
  args: [{ name: "SHELL", help: "bash or zsh" }],
  options: [],
  notes: ["Znodes are asked of the gateway that --endpoint or QUORATE_ENDPOINT names, for a second at most."],
  examples: [
    { line: "source <(quorate completion bash)", about: "in ~/.bashrc" },
    { line: "source <(quorate completion zsh)", about: "in ~/.zshrc, behind compinit" },
  ],
  run: async ({ out, values }) => {
    const scripts: Readonly<Record<string, string>> = { bash, zsh };
    const shell = values.arg(0);
    const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
    if (script === undefined)
      throw new UsageError(`there is no completion for ${JSON.stringify(shell)}`, "bash or zsh");
    await out.line(script.trimEnd());
  },
};

/** What the line tells that the shell sees: that file names are meant. */
const files = ":files";
const askMillis = 1000;
const mostNames = 1000;

/** `quorate __complete -- WORD… CURRENT`: what CURRENT may become, a line each. */
export const complete: Command = {
  words: ["__complete"],
  group: "shell",
  about: "what a shell asks",
  args: [{ name: "WORD", help: "of the command line", many: true, optional: true }],
  options: [],
  examples: [],
  silent: true,
  run: async (context) => {
    const { commands } = await import("../table.ts");
    const words = context.values.args;
    const before = words.slice(0, -1);
    const endpoints = typedEndpoints(before);
    const asked =
      endpoints.length === 0
        ? context
        : new Context(new Values(new Map([["endpoint", endpoints]]), [], []), context.env, context.signals);
    try {
      for (const each of await candidates(asked, commands, before, words.at(-1) ?? "")) await context.out.line(each);
    } finally {
      await asked.close();
    }
  },
};

function typedEndpoints(words: readonly string[]): readonly string[] {
  const flag = "--endpoint";
  return words.flatMap((word, at) => {
    if (word.startsWith(`${flag}=`)) return word.slice(flag.length + 1);
    return words[at - 1] === flag ? word : [];
  });
}

async function candidates(
  context: Context,
  commands: readonly Command[],
  before: readonly string[],
  current: string,
): Promise<readonly string[]> {
  const { command, args } = findCommand(commands, before);
  if (command === undefined) return nextWords(commands, before, current);
  const options = [...command.options, ...globalOptions];
  const behind = args.indexOf("--");
  if (behind >= 0 && command.program !== undefined) return [files];
  const last = args.at(-1) ?? "";
  const open = options.find((each) => isOpen(each, last));
  if (open !== undefined) return valuesOf(context, open, current);
  if (current.startsWith("-") && behind < 0)
    return options.map(({ name }) => `--${name}`).filter((each) => each.startsWith(current));
  const place = args.filter(
    (each, at) => !each.startsWith("-") && !options.some((option) => isOpen(option, args[at - 1] ?? "")),
  ).length;
  const arg = command.args[place] ?? (command.args.at(-1)?.many === true ? command.args.at(-1) : undefined);
  if (command.words[0] === "completion") return ["bash", "zsh"].filter((each) => each.startsWith(current));
  if (arg?.completes === "path") return znodes(context, current);
  if (arg?.completes === "file") return [files];
  return [];
}

function isOpen({ name, short, kind }: Option, word: string): boolean {
  return kind !== "flag" && (word === `--${name}` || word === `-${short ?? "\0"}`);
}

function nextWords(commands: readonly Command[], before: readonly string[], current: string): readonly string[] {
  const server = ["dev", "serve", "gateway", "recover", "help"];
  const words = before.filter((each) => !each.startsWith("-"));
  const next = commands
    .filter((each) => words.every((word, at) => each.words[at] === word))
    .map((each) => each.words[words.length] ?? "");
  const all = [...new Set([...next, ...(words.length === 0 ? server : [])])];
  return all.filter((each) => each !== "" && each.startsWith(current));
}

async function valuesOf(context: Context, option: Option, current: string): Promise<readonly string[]> {
  if (option.choices !== undefined) return option.choices.filter((each) => each.startsWith(current));
  if (option.completes === "path") return znodes(context, current);
  return option.completes === "file" ? [files] : [];
}

/** Children of the znode before the last slash; those that have children of their own bear a slash. */
async function znodes(context: Context, current: string): Promise<readonly string[]> {
  if (current === "") return ["/"];
  if (!current.startsWith("/")) return [];
  const at = current.lastIndexOf("/");
  const parent = current.slice(0, at) || "/";
  const beginning = current.slice(at + 1);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(askMillis)]);
  const names: string[] = [];
  // What it reads first is enough: nobody chooses from more.
  for await (const { path, stat } of (await context.client()).tree(parent, {
    depth: 1,
    signal,
    timeoutMillis: askMillis,
  })) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (path === parent || !name.startsWith(beginning)) continue;
    names.push(`${join(parent, name)}${stat.numChildren > 0 ? "/" : ""}`);
    if (names.length >= mostNames) break;
  }
  return names;
}
