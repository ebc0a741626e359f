/** The table through the doors over a tree in memory. The same against real processes: test/integration/conformance-doors.test.ts. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { digestOf } from "@quorate/gateway";
import { type Doors, startDoors } from "./client-doors.ts";
import type { Door } from "./doors/door.ts";
import { runDoorCase } from "./doors/door-runner.ts";
import { GrpcDoor } from "./doors/grpc-door.ts";
import { RestDoor } from "./doors/rest-door.ts";
import { table } from "./doors/table.ts";
import { MemoryBackend } from "./memory-backend.ts";

let doors: Doors;
let rest: Door;
let grpc: Door;
const memory = new MemoryBackend();

before(async () => {
  doors = await startDoors(memory, { superUserDigest: digestOf("root", "toor") });
  rest = new RestDoor(`http://127.0.0.1:${doors.restPort}`);
  grpc = new GrpcDoor(doors.grpcPort);
});
after(async () => {
  rest.close();
  grpc.close();
  await doors.stop();
  memory.watches.stop();
});

it("has at least 150 cases, each with a name of its own", () => {
  assert.ok(table.length >= 150, String(table.length));
  assert.equal(new Set(table.map(({ name }) => name)).size, table.length);
});

for (const name of ["REST", "gRPC"]) {
  describe(`${name} over a tree in memory`, () => {
    for (const [index, each] of table.entries()) {
      it(each.name, async () => {
        await runDoorCase(name === "REST" ? rest : grpc, each, `/${name}-${index}`, "root:toor");
      });
    }
  });
}
