/** docs/command-line.md and help say what the commands' descriptions say. QUORATE_REWRITE=1 writes the file anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { clientVariables } from "./cli.ts";
import { globalOptions, nameOf } from "./command.ts";
import { commandLineDocument } from "./document.ts";
import { exitCodes } from "./exit-codes.ts";
import { commandHelp, exitCodeHelp, overview } from "./help.ts";
import { commands } from "./table.ts";
import { widthOf } from "./width.ts";

const file = join(import.meta.dirname, "../../../../docs/command-line.md");

test("docs/command-line.md is what the commands say", () => {
  const made = commandLineDocument(commands);
  if (process.env["QUORATE_REWRITE"] === "1") writeFileSync(file, made);
  assert.equal(
    readFileSync(file, "utf8"),
    made,
    "QUORATE_REWRITE=1 node --test services/quorate/src/cli/document.test.ts",
  );
});

test("each command's help names its arguments, options and examples, and fits the terminal", () => {
  for (const command of commands) {
    for (const width of [60, 80, 200]) {
      const help = commandHelp(command, width);
      for (const { name } of [...command.options, ...globalOptions]) assert.ok(help.includes(`--${name}`), name);
      for (const { name } of command.args) assert.ok(help.includes(name), name);
      const [told = ""] = help.split("\nExamples:");
      // A usage line and an option's own line stay whole.
      for (const line of told.split("\n").slice(1))
        assert.ok(widthOf(line) <= width || /^ {2}\S/.test(line), `${nameOf(command)} at ${width}: ${line}`);
    }
    assert.ok(command.examples.length > 0, nameOf(command));
  }
});

test("the overview names every command, and the exit codes are all told", () => {
  const text = overview(commands, [{ name: "serve", about: "one replica" }], 80);
  for (const command of commands) assert.match(text, new RegExp(`^  ${nameOf(command)} +\\S`, "m"));
  assert.match(text, /^ {2}serve +one replica$/m);
  const codes = exitCodeHelp(80);
  for (const { code } of Object.values(exitCodes)) assert.match(codes, new RegExp(`^  ${code} `, "m"));
});

test("no two options of a command have one name or letter", () => {
  for (const command of commands) {
    const all = [...command.options, ...globalOptions];
    const names = all.flatMap(({ name, short }) => (short === undefined ? [name] : [name, `-${short}`]));
    assert.deepEqual(names, [...new Set(names)], nameOf(command));
  }
});

test("every variable of an option may stand in the environment", () => {
  for (const { variable } of globalOptions) if (variable !== undefined) assert.ok(clientVariables.includes(variable));
  assert.ok(clientVariables.includes("QUORATE_SESSION"));
});
