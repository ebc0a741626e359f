/** Each program of the client's README is run, and prints what the README says it prints. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { type Doors, startDoors } from "./client-doors.ts";
import { MemoryBackend } from "./memory-backend.ts";

const readme = readFileSync(new URL("../../api/client/README.md", import.meta.url), "utf8");
const programs = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, program = ""]) => program);
let doors: Doors;
before(async () => {
  doors = await startDoors(new MemoryBackend());
});
after(() => doors.stop());

/** From standard input, so that `@quorate/client` is found from this folder. */
function run(program: string): Promise<{ status: number | null; output: string; fault: string }> {
  const child = spawn(process.execPath, ["--input-type=module-typescript"], { cwd: import.meta.dirname });
  const text = { output: "", fault: "" };
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text.output += part;
  });
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    text.fault += part;
  });
  child.stdin.end(program);
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, ...text })));
}

test("its programs print what it says", async () => {
  assert.ok(programs.length >= 4);
  for (const program of programs) {
    const here = program
      .replaceAll("localhost:8080", `127.0.0.1:${doors.restPort}`)
      .replaceAll("localhost:9090", `127.0.0.1:${doors.grpcPort}`);
    assert.notEqual(here, program);
    const expected = [...program.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line);
    assert.ok(expected.length > 0);
    const { status, output, fault } = await run(here);
    assert.deepEqual([output.trimEnd().split("\n"), status], [expected, 0], fault);
  }
});
