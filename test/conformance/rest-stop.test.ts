/** A REST door that stops waits for what is under way, and for nobody who has asked nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { it } from "node:test";
import { MemoryBackend } from "./memory-backend.ts";
import { restDoor } from "./rest-door.ts";

it("a connection on which nothing was ever asked does not keep the door", async () => {
  const door = restDoor(new MemoryBackend(), {
    log: (line) => assert.fail(line),
    // Never, as far as this test goes.
    limits: { graceMillis: 0, drainMillis: 3_600_000, headersMillis: 3_600_000, requestMillis: 3_600_000 },
  });
  await door.listen();
  const taken = once(door.server, "connection");
  const silent = connect(door.port, "127.0.0.1");
  await taken;
  const closed = once(silent, "close");
  await door.stop();
  await closed;
});
