/** The table through the doors over a tree in memory. The same against real processes: test/integration/conformance.test.ts. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { digestOf } from "@quorate/gateway";
import { type Doors, startDoors } from "./client-doors.ts";
import { type Door, hex } from "./doors/door.ts";
import { runDoorCase } from "./doors/door-runner.ts";
import { GrpcDoor } from "./doors/grpc-door.ts";
import { RestDoor } from "./doors/rest-door.ts";
import { casesFor, notAskable, table } from "./doors/table.ts";
import { zookeeperOtherwise } from "./doors/zookeeper-cases.ts";
import { ZookeeperDoor } from "./doors/zookeeper-door.ts";
import { MemoryBackend } from "./memory-backend.ts";

let doors: Doors;
let all: readonly Door[] = [];
const memory = new MemoryBackend();

before(async () => {
  doors = await startDoors(memory, { superUserDigest: digestOf("root", "toor") });
  const rest = new RestDoor(`http://127.0.0.1:${doors.restPort}`);
  const grpc = [new GrpcDoor(doors.grpcPort), new GrpcDoor(doors.grpcPort, true)];
  all = [rest, ...grpc, new ZookeeperDoor(doors.zookeeperPort)];
});
after(async () => {
  for (const each of all) each.close();
  await doors.stop();
  memory.watches.stop();
});

it("has at least 150 cases, each with a name of its own", () => {
  assert.ok(table.length >= 150, String(table.length));
  const names = table.map(({ name }) => name);
  assert.equal(new Set(names).size, table.length);
  for (const each of Object.values(notAskable).flatMap(Object.keys)) assert.ok(names.includes(each), each);
  for (const each of zookeeperOtherwise) assert.ok(names.includes(each), each);
});

it("what ZooKeeper's protocol has no words for is not asked", async () => {
  const door = all.at(-1) as Door;
  for (const [index, each] of table.entries()) {
    const reason = notAskable["ZooKeeper"]?.[each.name];
    if (reason === undefined) continue;
    await assert.rejects(runDoorCase(door, each, `/unasked-${index}`, "root:toor"), {
      name: "NotAskable",
      message: reason,
    });
  }
});

it("notices doors that lie", async () => {
  let zxid = 2 ** 40;
  const succeeds: Door = {
    name: "yes",
    ask: () => Promise.resolve({ ok: true, zxid: hex(--zxid), replayed: false }),
    close: () => {},
  };
  const refuses: Door = {
    name: "no",
    ask: (asked) =>
      asked.op === "create" && asked.path === "/liar"
        ? succeeds.ask(asked)
        : Promise.resolve({
            ok: false,
            code: "internal",
            certainty: "unknown",
            detail: "it always says no",
            replayed: false,
          }),
    close: () => {},
  };
  const believed: string[] = [];
  for (const each of table) {
    await assert.rejects(runDoorCase(refuses, each, "/liar", "root:toor"), each.name);
    const isBelieved = await runDoorCase(succeeds, each, "/liar", "root:toor").then(
      () => true,
      () => false,
    );
    if (isBelieved) believed.push(each.name);
  }
  // Where success is all that is asked for.
  assert.deepEqual(believed, ["sync: a zxid", "session: renewed"]);
});

for (const [at, name] of ["REST", "gRPC", "gRPC-Session", "ZooKeeper"].entries()) {
  describe(`${name} over a tree in memory`, () => {
    for (const [index, each] of casesFor(name).entries()) {
      it(each.name, async () => {
        const door = all[at];
        assert.equal(door?.name, name);
        await runDoorCase(door, each, `/${name}-${index}`, "root:toor");
      });
    }
  });
}
