/** The link over real sockets and real time: a replica that answers, is killed, and comes back on its port. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  acceptHandshake,
  decodeFromGateway,
  encodeToGateway,
  type FromGateway,
  StreamServer,
  type ToGateway,
} from "@quorate/proto";
import { createDial } from "./dial.ts";
import { brief, create, read } from "./link-fixture.test-support.ts";
import { ModelEnsemble } from "./model-ensemble.test-support.ts";
import { ReplicaLink } from "./replica-link.ts";
import { VirtualWorld } from "./virtual-world.test-support.ts";
import { createNodeWorld } from "./world-node.ts";

const world = createNodeWorld();

/** A leader with the model's state machine, without its misfortunes. */
async function serve(ensemble: ModelEnsemble, address: string): Promise<{ port: number; server: StreamServer }> {
  const server = new StreamServer({ address, keyed: false, timers: world, log: () => {} });
  server.handle("attach", (stream) => {
    const hello = { protocol: 1, kind: "peer", id: 1, name: "r1", ensembleId: "e", historyId: "h" } as const;
    const options = { hello: { ...hello, version: "0", rules: 1, address }, expect: "gateway", timers: world } as const;
    acceptHandshake(stream, { ...options, randomBytes: (count) => world.randomBytes(count) }, (result) => {
      if ("refused" in result) return;
      const say = (message: ToGateway): void => void stream.send(encodeToGateway(message));
      stream.listen({
        received: (messages) => {
          for (const bytes of messages) answer(ensemble, decodeFromGateway(bytes) as FromGateway, say);
        },
        drained: () => {},
        closed: () => {},
      });
      const [self] = ensemble.replicas;
      if (self) say({ kind: "status", self: self.status(), others: [] });
    });
  });
  return { port: await server.listen(), server };
}

function answer({ state }: ModelEnsemble, message: FromGateway, say: (message: ToGateway) => void): void {
  if (message.kind === "lane") {
    const { session, fence } = message;
    const record = state.lanes.get(session);
    const lastSequence = record?.last ?? 0;
    say({ kind: "laneState", session, exists: record !== undefined, attachment: 1, lastSequence, fence });
    return;
  }
  if (message.kind === "open" || message.kind === "write") {
    const { lane, outcome } = state.apply(message.command);
    assert.ok(typeof outcome !== "string", outcome as string);
    if (message.kind === "open") {
      say({ kind: "answer", id: message.id, outcome, ageMillis: 0 });
      return;
    }
    say({ kind: "written", session: message.session, sequence: lane?.sequence ?? 0, outcome });
    return;
  }
  if (message.kind === "read") {
    const outcome = { ok: true, zxid: state.zxid, result: { kind: "done", count: 0 } } as const;
    say({ kind: "answer", id: message.id, outcome, ageMillis: 0 });
  }
}

it("works over sockets, and goes on when the replica is back", { timeout: 120_000 }, async () => {
  const ensemble = new ModelEnsemble(new VirtualWorld(1));
  ensemble.elect(1);
  let { port, server } = await serve(ensemble, "127.0.0.1:0");
  const replica = `127.0.0.1:${port}`;
  const dial = createDial({ world, name: "g1", version: "0" });
  const link = new ReplicaLink({ replicas: [replica], dial, world, name: "g1", log: () => {} });
  try {
    await link.ready();
    const first = await Promise.all(Array.from({ length: 2000 }, () => link.write(create(100), 60_000)));
    assert.ok(first.every((each) => brief(each) === "ok"));
    assert.equal(brief(await link.read(read("linearizable"), 60_000)), "ok");
    await server.stop();
    await sleep(50);
    assert.equal(link.status.lane, false);
    const waiting = Array.from({ length: 100 }, () => link.write(create(100), 60_000));
    const lost = await link.write(create(), 100);
    assert.equal(brief(lost), "noLeader noEffect");
    ({ port, server } = await serve(ensemble, replica));
    assert.ok((await Promise.all(waiting)).every((each) => brief(each) === "ok"));
    assert.equal(ensemble.state.executed.length, 2100);
  } finally {
    await link.stop();
    await server.stop();
  }
  assert.equal(ensemble.state.lanes.size, 0, "the session was closed");
});
