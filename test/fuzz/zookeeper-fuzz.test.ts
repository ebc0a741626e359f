/** The fuzz itself finds a server that leaves its clients waiting, answers in disorder, or takes nobody. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { framed } from "../zookeeper/wire-client.ts";
import { JuteWriter } from "../zookeeper/wire-jute.ts";
import { fuzzZookeeper } from "./zookeeper-fuzz.ts";

/** All that is found of a server that treats each connection so. */
async function findsOf(serve: (socket: Socket) => void): Promise<string[]> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  try {
    const tally = await fuzzZookeeper({ port, frames: 600, seed: 1, crowd: 4, patienceMillis: 200 });
    return tally.finds.map(({ what }) => what);
  } finally {
    for (const each of sockets) each.destroy();
    server.close();
  }
}

const answer = (xid: number): Buffer => framed(new JuteWriter().int(xid).long(1n).int(0).done());

test("a server that says nothing", async () => {
  const finds = await findsOf((socket) => socket.resume());
  assert.ok(
    finds.some((what) => what.startsWith("it is not closed within")),
    finds.join("; "),
  );
  assert.ok(
    finds.some((what) => what.startsWith("it is neither answered nor closed within")),
    finds.join("; "),
  );
});

test("a server that answers what nobody asked", async () => {
  const finds = await findsOf((socket) => {
    socket.once("data", () => socket.end(Buffer.concat([framed(Buffer.alloc(37)), answer(777_777)])));
  });
  assert.ok(
    finds.some((what) => what.startsWith("777777 is answered where")),
    finds.join("; "),
  );
});

test("a server that closes every connection is no find: its clients know where they stand", async () => {
  assert.deepEqual(await findsOf((socket) => socket.destroy()), []);
});
