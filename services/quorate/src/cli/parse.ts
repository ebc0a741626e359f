/** A command's words as values, by its description; whatever does not fit is said by its name. */
import { parseArgs } from "node:util";
import { type Command, globalOptions, nameOf, type Option, usageOf } from "./command.ts";
import { durationMillis, durationText } from "./durations.ts";
import { UsageError } from "./failures.ts";

export class Values {
  readonly #given: ReadonlyMap<string, readonly string[]>;
  /** What is no option, in order. */
  readonly args: readonly string[];
  /** What stands behind `--`, of commands that run a program. */
  readonly program: readonly string[];

  constructor(given: ReadonlyMap<string, readonly string[]>, args: readonly string[], program: readonly string[]) {
    this.#given = given;
    this.args = args;
    this.program = program;
  }

  flag(name: string): boolean {
    return this.#given.has(name);
  }

  text(name: string): string | undefined {
    return this.#given.get(name)?.at(-1);
  }

  list(name: string): readonly string[] {
    return this.#given.get(name) ?? [];
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : Number(text);
  }

  millis(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : durationMillis(text);
  }

  /** The argument at that place, which parsing has made sure of. */
  arg(at: number): string {
    return this.args[at] ?? "";
  }
}

export function parseCommand(command: Command, args: readonly string[]): Values {
  const options = [...command.options, ...globalOptions];
  const config = Object.fromEntries(
    options.map(({ name, kind, short, many }) => [
      name,
      { type: kind === "flag" ? ("boolean" as const) : ("string" as const), multiple: many === true, ...of(short) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const words: string[] = [];
  const program: string[] = [];
  let behind = false;
  for (const token of tokens) {
    if (token.kind === "option-terminator") behind = true;
    else if (token.kind === "positional") (behind && command.program ? program : words).push(token.value);
    else {
      const option = options.find(({ name }) => name === token.name);
      if (option === undefined) throw unknownOption(token.rawName, command, options);
      const value = optionValue(option, token.rawName, token.value, token.inlineValue);
      const former = given.get(option.name) ?? [];
      if (former.length > 0 && option.many !== true && option.kind !== "flag")
        throw new UsageError(`${token.rawName} is given twice`);
      given.set(option.name, [...former, value]);
    }
  }
  // Whoever asks for help need not know the arguments.
  if (!given.has("help")) checkArguments(command, words, program, behind);
  return new Values(given, words, program);
}

function of(short: string | undefined): { short?: string } {
  return short === undefined ? {} : { short };
}

function optionValue(option: Option, raw: string, value: string | undefined, inline: boolean | undefined): string {
  if (option.kind === "flag") {
    if (value !== undefined) throw new UsageError(`${raw} takes no value`);
    return "true";
  }
  if (value === undefined || (inline !== true && value.length > 1 && value.startsWith("-"))) {
    const shown = option.value ?? "VALUE";
    throw new UsageError(`${raw} needs a value`, `${raw} ${shown}; for one that begins with a dash: ${raw}=${shown}`);
  }
  const fault = faultOf(option, value);
  if (fault !== undefined) throw new UsageError(`${raw} ${JSON.stringify(value)} ${fault}`);
  return value;
}

/** What is wrong with an option's value, if anything is. */
export function faultOf({ kind, choices, min = 0, max }: Option, value: string): string | undefined {
  if (choices !== undefined && !choices.includes(value)) return `is none of ${choices.join(", ")}`;
  if (kind === "number") {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < min || number > (max ?? Number.MAX_SAFE_INTEGER))
      return `is no whole number from ${min}${max === undefined ? "" : ` to ${max}`}`;
  }
  if (kind === "duration") {
    const millis = durationMillis(value);
    if (millis === undefined) return "is no duration: write 500ms, 30s, 5m or 2h";
    if (millis < min) return `is too short: at least ${durationText(min)}`;
    if (max !== undefined && millis > max) return `is too long: at most ${durationText(max)}`;
  }
  return undefined;
}

function unknownOption(raw: string, command: Command, options: readonly Option[]): UsageError {
  const near = nearest(
    raw.replace(/^-+/, ""),
    options.map(({ name }) => name),
  );
  const negative = /^-\d/.test(raw) ? "; a value that begins with a dash stands behind --" : "";
  const hint = near === undefined ? `quorate ${nameOf(command)} --help` : `did you mean --${near}?`;
  return new UsageError(`there is no option ${raw}${negative}`, hint);
}

function checkArguments(command: Command, words: readonly string[], program: readonly string[], behind: boolean): void {
  const usage = usageOf(command);
  const least = command.args.filter(({ optional }) => optional !== true).length;
  const missing = command.args[words.length];
  if (words.length < least && missing) throw new UsageError(`${missing.name} is missing`, usage);
  const most = command.args.some(({ many }) => many === true) ? Infinity : command.args.length;
  if (words.length > most) {
    const hint = command.program === undefined || program.length > 0 ? usage : `COMMAND stands behind --: ${usage}`;
    throw new UsageError(`${JSON.stringify(words[most])} is too much`, hint);
  }
  if (command.program === "required" && program.length === 0)
    throw new UsageError(behind ? "no COMMAND stands behind --" : "-- COMMAND is missing", usage);
}

/** The one of `known` that `word` is most likely to mean; undefined if none is alike. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const longer = known.filter((each) => each.startsWith(word));
  if (word.length >= 2 && longer.length === 1) return longer[0];
  const scored = known.map((each) => [distance(word, each), each] as const).sort(([a], [b]) => a - b);
  const [best] = scored;
  return best !== undefined && best[0] <= Math.max(1, Math.floor(word.length / 3)) ? best[1] : undefined;
}

/** How many letters differ, as Levenshtein counts; two exchanged ones are one. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
