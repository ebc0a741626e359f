/** Words become values by a command's description, and what does not fit is said by its name. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "./command.ts";
import { durationMillis, durationText, roughDuration } from "./durations.ts";
import { UsageError } from "./failures.ts";
import { findCommand } from "./find.ts";
import { nearest, parseCommand } from "./parse.ts";
import { commands } from "./table.ts";

const command: Command = {
  words: ["do"],
  group: "data",
  about: "something",
  args: [
    { name: "ONE", help: "" },
    { name: "TWO", help: "", optional: true },
  ],
  options: [
    { name: "force", short: "f", kind: "flag", help: "" },
    { name: "count", short: "n", kind: "number", help: "", min: 1, max: 5 },
    { name: "wait", kind: "duration", help: "" },
    { name: "mode", kind: "text", help: "", choices: ["read", "write"] },
    { name: "acl", kind: "text", help: "", many: true },
  ],
  program: "optional",
  examples: [],
  run: async () => undefined,
};

function fault(...args: string[]): string {
  try {
    parseCommand(command, args);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return `${error.message} | ${error.hint ?? ""}`;
  }
  return assert.fail(`${args.join(" ")} was taken`);
}

test("options may stand anywhere, in both forms, before the program", () => {
  const values = parseCommand(command, [
    "-f",
    "a",
    "--count=3",
    "b",
    "--wait",
    "90s",
    "--acl",
    "x",
    "--acl=y",
    "--",
    "ls",
    "-l",
  ]);
  assert.deepEqual(values.args, ["a", "b"]);
  assert.deepEqual(values.program, ["ls", "-l"]);
  assert.equal(values.flag("force"), true);
  assert.equal(values.flag("json"), false);
  assert.equal(values.number("count"), 3);
  assert.equal(values.millis("wait"), 90_000);
  assert.deepEqual(values.list("acl"), ["x", "y"]);
});

test("without a program, what stands behind -- is an argument that may begin with a dash", () => {
  const { program: _, ...plain } = command;
  assert.deepEqual(parseCommand(plain, ["a", "--", "-5"]).args, ["a", "-5"]);
  assert.deepEqual(parseCommand(plain, ["a", "-"]).args, ["a", "-"]);
});

test("what does not fit is told with a way out", () => {
  assert.match(fault("a", "--forse"), /no option --forse.*did you mean --force/);
  assert.match(fault("a", "--unlike-anything"), /no option --unlike-anything.*quorate do --help/);
  assert.match(fault(), /ONE is missing \| quorate do/);
  assert.match(fault("a", "b", "c"), /"c" is too much/);
  assert.match(fault("a", "--count", "9"), /--count "9" is no whole number from 1 to 5/);
  assert.match(fault("a", "--count", "x"), /--count "x" is no whole number/);
  assert.match(fault("a", "--wait", "30"), /--wait "30" is no duration: write 500ms/);
  assert.match(fault("a", "--mode", "reed"), /"reed" is none of read, write/);
  assert.match(fault("a", "--mode"), /--mode needs a value/);
  assert.match(fault("a", "--mode", "--force"), /--mode needs a value/);
  assert.match(fault("a", "--force=yes"), /--force takes no value/);
  assert.match(fault("a", "--count", "1", "-n", "2"), /-n is given twice/);
  assert.match(fault("-5"), /no option -5; a value that begins with a dash stands behind --/);
});

test("whoever asks for help need not know the arguments", () => {
  assert.equal(parseCommand(command, ["--help"]).flag("help"), true);
});

test("a command is found by its longest name, with options of every command before it", () => {
  const found = (...words: string[]) => {
    const { command: one, name, args } = findCommand(commands, words);
    return [one?.words.join(" "), name, ...args];
  };
  assert.deepEqual(found("ls", "/a"), ["ls", "ls", "/a"]);
  assert.deepEqual(found("--endpoint", "http://h:1", "--json", "acl", "get", "/a"), [
    "acl get",
    "acl get",
    "--endpoint",
    "http://h:1",
    "--json",
    "/a",
  ]);
  assert.deepEqual(found("acl"), [undefined, "acl"]);
  assert.deepEqual(found("session", "opne").slice(0, 2), [undefined, "session opne"]);
  assert.deepEqual(found(), [undefined, ""]);
});

test("a word near to one that is known is known", () => {
  const known = ["tree", "watch", "session open", "cluster status"];
  assert.equal(nearest("tere", known), "tree");
  assert.equal(nearest("wach", known), "watch");
  assert.equal(nearest("clust", known), "cluster status");
  assert.equal(nearest("frobnicate", known), undefined);
});

test("durations are read, written and rounded", () => {
  assert.deepEqual(
    ["0", "500ms", "30s", "5m", "2h", "1d"].map(durationMillis),
    [0, 500, 30_000, 300_000, 7_200_000, 86_400_000],
  );
  for (const bad of ["", "30", "s", "-1s", "1.5s", "1 s", "1S"]) assert.equal(durationMillis(bad), undefined, bad);
  assert.deepEqual([0, 500, 90_000, 7_200_000].map(durationText), ["0ms", "500ms", "90s", "2h"]);
  assert.deepEqual([400, 12_300, 200_000, 7_500_000, 273_600_000].map(roughDuration), [
    "400ms",
    "12s",
    "3m20s",
    "2h05m",
    "3d04h",
  ]);
});
