/** The pure rooms are compiled without Node's and the DOM's types: shown by files that must fail to compile so. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./sources.ts";

const folder = join(import.meta.dirname, "impure");

/** What the compiler has to say of each file: that the name, or the module, does not exist. */
const expected: Readonly<Record<string, RegExp>> = {
  "buffer.ts": /Cannot find name 'Buffer'/,
  "clock.ts": /Cannot find name 'performance'/,
  "console.ts": /Cannot find name 'console'/,
  "disk.ts": /Cannot find (module|name) 'node:fs'/,
  "network.ts": /Cannot find name 'fetch'/,
  "page.ts": /Cannot find name 'document'/,
  "process.ts": /Cannot find name 'process'/,
  "text.ts": /Cannot find name 'TextEncoder'/,
  "timer.ts": /Cannot find name 'setTimeout'/,
};

test("in a pure room there is no clock, timer, process, console, disk, network or page", () => {
  const { stdout, status } = spawnSync("tsc", ["-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
  assert.notEqual(status, 0);
  const errors = stdout.split("\n").filter((line) => line.includes(": error TS"));
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && name !== "pure.ts");
  assert.deepEqual(files.sort(), Object.keys(expected).sort());
  for (const [file, what] of Object.entries(expected)) {
    const own = errors.filter((line) => line.startsWith(`${file}(`));
    assert.ok(
      own.some((line) => what.test(line)),
      `${file} compiles, or fails otherwise: ${own.join("\n")}`,
    );
  }
  assert.deepEqual(
    errors.filter((line) => line.startsWith("pure.ts(")),
    [],
  );
});

test("api, zab and tree are compiled as these files are, all but their tests", () => {
  for (const room of ["api", "services/zab", "services/tree"]) {
    const config = JSON.parse(readFileSync(join(root, room, "tsconfig.json"), "utf8")) as Record<string, unknown>;
    const up = room
      .split("/")
      .map(() => "..")
      .join("/");
    assert.equal(config["extends"], `${up}/tsconfig.pure.json`, room);
    assert.deepEqual(config["include"], ["src"], room);
    assert.equal(config["compilerOptions"], undefined, `${room} changes the compiler's options`);
    for (const each of (config["exclude"] ?? []) as string[]) assert.match(each, /\.(test|test-support)\.ts$/, room);
  }
});
