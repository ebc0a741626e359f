import assert from "node:assert/strict";
import { it } from "node:test";
import { LaneRoom } from "./lane-room.ts";

it("whoever is told that there is no room is told when there is again, though others had taken it", () => {
  let others = 0;
  let own = 0;
  const room = new LaneRoom((bytes) => {
    own += bytes;
    return own + others < 1000;
  });
  for (let i = 0; i < 4; i++) room.enter(10);
  assert.ok(room.writable && !room.relieved());
  others = 990;
  room.leave(10);
  assert.ok(!room.writable);
  assert.ok(!room.relieved(), "not yet");
  others = 0;
  room.leave(10);
  assert.ok(room.writable);
  assert.deepEqual([room.relieved(), room.relieved()], [true, false]);
});
