/**
 * Settings: each is a flag, an environment variable and a key of the YAML file, in this order of precedence. An unknown
 * one is refused by its name; what is in force is printed at start, secrets masked.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parse as parseYaml } from "yaml";

export interface Setting {
  /** As the flag has it: `rest-port`; QUORATE_REST_PORT and `restPort` follow from it. */
  readonly name: string;
  readonly kind: "text" | "number" | "flag";
  /** Of a flag that is on by itself: what it is without. */
  readonly help: string;
  readonly fallback?: string | number | boolean;
  readonly secret?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** What is wrong with a text, if anything is; of a secret it must not repeat it. */
  readonly fault?: (text: string) => string | undefined;
}

export type Values = Readonly<Record<string, string | number | boolean | undefined>>;

/** A fault of the caller's: its text says which setting, what is wrong and what to do. */
export class SettingsError extends Error {
  override readonly name: string = "SettingsError";
}

const variablePrefix = "QUORATE_";

function keyOf(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function variableOf(name: string): string {
  return `${variablePrefix}${name.replaceAll("-", "_").toUpperCase()}`;
}

/** Kubernetes sets these in every container beside a service called `quorate`. */
const serviceVariable = /_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP|SCTP)/;

/** A variable of ours that no command knows is a mistyped one. `settings`: those of all commands, which may share them. */
export function refuseUnknownVariables(
  settings: readonly Setting[],
  env: Readonly<Record<string, string | undefined>>,
): void {
  const known = new Set(["config", ...settings.map(({ name }) => name)].map(variableOf));
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(variablePrefix) || known.has(name) || serviceVariable.test(name)) continue;
    if (/^(tcp|udp|sctp):\/\//.test(value ?? "")) continue;
    throw new SettingsError(`the environment has an unknown variable ${name}. Known: ${[...known].sort().join(" ")}`);
  }
}

/** The settings in force, from `args` (flags), `env` and the file that `--config` names. */
export function readSettings(
  settings: readonly Setting[],
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Values {
  const flags = readFlags(settings, args);
  const file = readFile(settings, flags["config"] ?? env["QUORATE_CONFIG"]);
  const values: Record<string, string | number | boolean | undefined> = {};
  for (const setting of settings) {
    const flag = flags[setting.name];
    const variable = env[variableOf(setting.name)];
    const entry = file[keyOf(setting.name)];
    if (flag !== undefined) values[setting.name] = convert(setting, flag, `--${setting.name}`);
    else if (variable !== undefined) values[setting.name] = convert(setting, variable, variableOf(setting.name));
    else if (entry !== undefined) values[setting.name] = convert(setting, entry, `${keyOf(setting.name)} in the file`);
    else values[setting.name] = setting.fallback;
  }
  return values;
}

function readFlags(
  settings: readonly Setting[],
  args: readonly string[],
): Record<string, string | boolean | undefined> {
  const options: Record<string, { type: "string" | "boolean" }> = { config: { type: "string" } };
  for (const { name, kind } of settings) options[name] = { type: kind === "flag" ? "boolean" : "string" };
  for (const setting of settings) refuseValue(setting, args);
  try {
    const parsed = parseArgs({ args: [...args], options, strict: true, allowPositionals: false, allowNegative: true });
    return parsed.values as Record<string, string | boolean>;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`${text.replace(/\.$/, "")}. Known flags: ${describe(settings)} --config`);
  }
}

/** A flag is there or not; whoever gives it a value is told how to write what he means. */
function refuseValue({ name, kind }: Setting, args: readonly string[]): void {
  if (kind !== "flag") return;
  const flag = args.findIndex((each) => [`--${name}`, `--no-${name}`].includes(each.replace(/=.*/s, "")));
  const [written = "", own] = args[flag]?.split(/=(.*)/s) ?? [];
  const next = args[flag + 1];
  const value = own ?? (next?.startsWith("-") === false ? next : undefined);
  if (flag < 0 || value === undefined) return;
  const ways = `write --${name} or --no-${name}; ${variableOf(name)} and ${keyOf(name)} in the file are true or false`;
  throw new SettingsError(`${written} takes no value, and has ${JSON.stringify(value)}: ${ways}`);
}

/** As it is written by who wants something else than is so by itself. */
function flagOf({ name, kind, fallback }: Setting): string {
  return kind === "flag" && fallback === true ? `--no-${name}` : `--${name}`;
}

function describe(settings: readonly Setting[]): string {
  return settings.map(flagOf).join(" ");
}

function readFile(settings: readonly Setting[], path: string | boolean | undefined): Record<string, unknown> {
  if (typeof path !== "string") return {};
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, "utf8")) ?? {};
  } catch (error) {
    throw new SettingsError(
      `the configuration file ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new SettingsError(`the configuration file ${path} must hold keys and values`);
  }
  const known = new Set(settings.map(({ name }) => keyOf(name)));
  for (const key of Object.keys(content)) {
    if (known.has(key)) continue;
    const keys = [...known].join(" ");
    throw new SettingsError(`the configuration file ${path} has an unknown key ${JSON.stringify(key)}. Known: ${keys}`);
  }
  return content as Record<string, unknown>;
}

function convert(setting: Setting, value: unknown, where: string): string | number | boolean {
  if (setting.kind === "flag") {
    if (value === true || value === "true" || value === "1") return true;
    if (value === false || value === "false" || value === "0") return false;
    throw new SettingsError(`${where} is ${JSON.stringify(value)}: say true or false`);
  }
  if (setting.kind === "text") return convertText(setting, value, where);
  const number = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = setting;
  if (!Number.isInteger(number) || number < min || number > max || value === "") {
    throw new SettingsError(`${where} is ${JSON.stringify(value)}: it must be a whole number from ${min} to ${max}`);
  }
  return number;
}

/** In the file a text may also be a list, which is joined with commas. */
function convertText(setting: Setting, value: unknown, where: string): string {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  if (!parts.every((each) => typeof each === "string" || typeof each === "number")) {
    throw new SettingsError(`${where} must be a text${setting.secret ? "" : `, it is ${JSON.stringify(value)}`}`);
  }
  const text = parts.join(",");
  const fault = text === "" ? undefined : setting.fault?.(text);
  if (fault !== undefined) throw new SettingsError(`${where} ${fault}`);
  return text;
}

/** One line for each setting that has a value; secrets are masked. */
export function formatSettings(settings: readonly Setting[], values: Values): string {
  const lines = settings
    .filter(({ name }) => values[name] !== undefined)
    .map(({ name, secret }) => `  ${name}: ${secret ? "******" : values[name]}`);
  return lines.join("\n");
}

export function formatHelp(command: string, about: string, settings: readonly Setting[]): string {
  const rows = settings.map((setting) => {
    const { kind, help, fallback } = setting;
    const flag = `${flagOf(setting)}${kind === "flag" ? "" : ` ${kind === "number" ? "N" : "TEXT"}`}`;
    const preset = fallback === undefined || kind === "flag" ? "" : ` (${fallback})`;
    return `  ${flag.padEnd(30)} ${help}${preset}`;
  });
  rows.push(`  ${"--config FILE".padEnd(30)} a YAML file with the same names in camelCase`);
  const first = settings.find(({ name }) => name.includes("-"))?.name ?? settings[0]?.name ?? "config";
  const ways = `Each is also an environment variable (${variableOf(first)}) and a key of the file (${keyOf(first)});`;
  return `quorate ${command}: ${about}\n\n${rows.join("\n")}\n\n${ways}\na flag comes before the variable, and that before the file.`;
}

export function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  return value === undefined || value === "" ? undefined : String(value);
}

export function numberOf(values: Values, name: string): number {
  const value = values[name];
  if (typeof value !== "number") throw new SettingsError(missing(name));
  return value;
}

export function required(values: Values, name: string): string {
  const value = textOf(values, name);
  if (value === undefined) throw new SettingsError(missing(name));
  return value;
}

function missing(name: string): string {
  return `--${name} is missing: give the flag, ${variableOf(name)} in the environment, or ${keyOf(name)} in the --config file`;
}
