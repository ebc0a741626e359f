/** What a command is: the one description that parsing, help, completion and documentation are made from. */
import type { Context } from "./context.ts";

export type Completes = "path" | "file";

export interface Option {
  /** As the flag has it: `if-match`. */
  readonly name: string;
  readonly short?: string;
  readonly kind: "flag" | "text" | "number" | "duration";
  /** What stands for its value in help. */
  readonly value?: string;
  readonly help: string;
  readonly choices?: readonly string[];
  /** May be given more than once. */
  readonly many?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly completes?: Completes;
  /** An environment variable that stands in for it. */
  readonly variable?: string;
}

export interface Argument {
  readonly name: string;
  readonly help: string;
  readonly optional?: boolean;
  readonly many?: boolean;
  readonly completes?: Completes;
}

export interface Example {
  readonly line: string;
  readonly about: string;
}

export const groups = {
  server: "Run it",
  data: "Znodes",
  coordination: "Locks, elections, sessions",
  operation: "The ensemble",
  shell: "The shell",
} as const;

export interface Command {
  /** `["cluster", "status"]`. */
  readonly words: readonly string[];
  readonly group: keyof typeof groups;
  readonly about: string;
  readonly args: readonly Argument[];
  readonly options: readonly Option[];
  /** Whether it runs a program, which stands behind `--`. */
  readonly program?: "required" | "optional";
  /** Paragraphs. */
  readonly notes?: readonly string[];
  readonly examples: readonly Example[];
  /** It changes nothing: when it fails, nothing can have been done. */
  readonly reads?: true;
  /** It fails without a word: whoever asks is no person. */
  readonly silent?: boolean;
  /** Answers its exit code; 0 without one. */
  readonly run: (context: Context) => Promise<void> | Promise<number | undefined>;
}

/** Those of every command that asks a gateway. */
export const globalOptions: readonly Option[] = [
  {
    name: "endpoint",
    kind: "text",
    value: "URL",
    many: true,
    help: "a gateway, such as http://10.0.0.1:8080; several with commas, or given more than once",
    variable: "QUORATE_ENDPOINT",
  },
  {
    name: "user",
    kind: "text",
    value: "NAME",
    help: "who asks; the password is asked for, or NAME:PASSWORD in the variable",
    variable: "QUORATE_USER",
  },
  {
    name: "user-file",
    kind: "text",
    value: "FILE",
    help: "a file whose first line is NAME:PASSWORD",
    completes: "file",
    variable: "QUORATE_USER_FILE",
  },
  { name: "timeout", kind: "duration", value: "TIME", help: "how long each call may take (10s)", min: 1, max: 60_000 },
  { name: "json", kind: "flag", help: "JSON as REST has it; of what streams, a line for each" },
  { name: "quiet", short: "q", kind: "flag", help: "nothing but what was asked for" },
  { name: "no-color", kind: "flag", help: "no colours", variable: "NO_COLOR" },
  { name: "help", short: "h", kind: "flag", help: "what the command does" },
];

export function nameOf({ words }: Command): string {
  return words.join(" ");
}

export function usageOf(command: Command): string {
  const args = command.args.map(({ name, optional, many }) => {
    const text = many ? `${name}…` : name;
    return optional ? `[${text}]` : text;
  });
  const program = { required: ["-- COMMAND…"], optional: ["[-- COMMAND…]"], none: [] }[command.program ?? "none"];
  const options = command.options.length === 0 ? [] : ["[OPTION…]"];
  return ["quorate", ...command.words, ...options, ...args, ...program].join(" ");
}
