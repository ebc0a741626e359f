/** What README.md says is what the program has: limits, settings, error codes, commands. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { errors, httpErrors, limits } from "@quorate/api";
import { parse } from "yaml";
import { globalOptions } from "../../services/quorate/src/cli/command.ts";
import { findCommand } from "../../services/quorate/src/cli/find.ts";
import { commands } from "../../services/quorate/src/cli/table.ts";
import { gatewaySettings, recoverSettings, serveSettings } from "../../services/quorate/src/options.ts";
import { root } from "./sources.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const allSettings = [...serveSettings, ...gatewaySettings, ...recoverSettings];
const settings = allSettings.map(({ name }) => name);

function section(title: string): string {
  const [, rest = ""] = readme.split(`\n## ${title}\n`);
  return rest.split("\n## ")[0] ?? "";
}

test("the table of limits is that of api", () => {
  const rows = [...section("Limits").matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)];
  const told = Object.fromEntries(rows.map(([, name = "", value = ""]) => [name, Number(value.replaceAll(",", ""))]));
  assert.deepEqual(told, limits);
});

test("the table of errors has each code that REST can answer under its status", () => {
  const rows = [...section("Errors").matchAll(/^\| ([\d, ]+) \| (.*) \|$/gm)];
  assert.ok(rows.length > 8);
  const answers = new Map<string, { readonly http: number }>(Object.entries({ ...errors, ...httpErrors }));
  for (const [row, statuses = "", codes = ""] of rows) {
    for (const [word] of codes.matchAll(/\b[a-z]+[A-Z]\w+|\b(timeout|internal|throttled|behind|fenced)\b/g)) {
      const found = answers.get(word);
      if (found === undefined) continue;
      const { http } = found;
      const excused = word === "nodeExists" && statuses.includes("412");
      assert.ok(excused || statuses.includes(String(http)), `${word} is ${http}: ${row}`);
    }
  }
  for (const [code, { http }] of answers) {
    if (http !== 0)
      assert.match(section("Errors"), new RegExp(`^\\| [\\d, ]*${http}.*\\b${code}\\b`, "m"), `${code} is missing`);
  }
});

test("the configuration file has only keys that exist", () => {
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  const keys = Object.keys(parse(yaml) as object);
  assert.ok(keys.length > 4);
  const known = settings.map((name) => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  for (const key of keys) assert.ok(known.includes(key), key);
});

test("its flags and commands exist", () => {
  const flags = [...readme.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([, flag]) => flag);
  const programs = ["bench", "simulation", "chaos", "fuzz"].map((name) =>
    readFileSync(join(root, `test/${name}/main.ts`), "utf8"),
  );
  const programFlags = programs.flatMap((text) => [...text.matchAll(/^ {4}(\w+): \{ type:/gm)].map(([, flag]) => flag));
  const own = [...globalOptions, ...commands.flatMap(({ options }) => options)].map(({ name }) => name);
  const others = ["config", "help", ...programFlags, ...own];
  assert.ok(flags.length > 6);
  // One that is on by itself is written with `no-`.
  const switchedOff = allSettings.filter(({ fallback }) => fallback === true).map(({ name }) => `no-${name}`);
  const known = [...settings, ...others, ...switchedOff];
  for (const flag of flags) assert.ok(flag !== undefined && known.includes(flag), `--${flag}`);
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly scripts: object };
  for (const [, script = ""] of readme.matchAll(/npm run (\w+)/g)) assert.ok(script in scripts, script);
});

test("the command line's examples name commands that exist", () => {
  const lines = [...section("From a shell").matchAll(/(?:^\$|\|) quorate (.*)$/gm)].map(([, words = ""]) => words);
  assert.ok(lines.length > 4);
  for (const line of lines) assert.ok(findCommand(commands, line.split(" ")).command !== undefined, line);
});

test("its links lead somewhere", () => {
  for (const [, target = ""] of readme.matchAll(/\]\(([^)#]+)\)/g)) readFileSync(join(root, target));
});
