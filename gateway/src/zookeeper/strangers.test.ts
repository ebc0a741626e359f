import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectionScene } from "./connection-scene.test-support.ts";

const otherPorts = { rest: "10.0.0.1:8080", grpc: "10.0.0.1:9090" };

function sceneAt(port: number): ConnectionScene {
  const scene = new ConnectionScene(() => ({}), {}, { otherPorts });
  scene.door.clientPort = port;
  return scene;
}

const hello = Buffer.from("160301020001000001fc0303", "hex");
const came = "the connection of 127.0.0.1 is closed:";
const cases: readonly (readonly [Buffer, string])[] = [
  [Buffer.from("GET / HTTP/1.1\r\n\r\n"), "an HTTP request came to the ZooKeeper port 2181; REST is at 10.0.0.1:8080"],
  [
    Buffer.from("DELETE /v1 HTTP/1.1\r\n\r\n"),
    "an HTTP request came to the ZooKeeper port 2181; REST is at 10.0.0.1:8080",
  ],
  [
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "an HTTP/2 connection came to the ZooKeeper port 2181; gRPC is at 10.0.0.1:9090",
  ],
  [hello, "a TLS handshake came to the ZooKeeper port 2181, which does not speak TLS"],
  [Buffer.from("FETCH me\r\n"), `the length ${0x46455443} of a frame is outside 0 to 1024`],
  [Buffer.from("16020301", "hex"), `the length ${0x16020301} of a frame is outside 0 to 1024`],
];

describe("other protocols at the port", () => {
  it("are named in the log, with where they belong, and their connection is closed", () => {
    for (const [bytes, why] of cases) {
      const scene = sceneAt(2181);
      const client = scene.bare();
      client.connection.received(bytes);
      assert.ok(client.destroyed);
      assert.deepEqual(scene.logged, [`zookeeper: ${came} ${why}`]);
    }
  });

  it("come in pieces too", () => {
    const scene = sceneAt(2182);
    const client = scene.bare();
    for (const byte of hello.subarray(0, 4)) {
      assert.ok(!client.closed);
      client.connection.received(Buffer.of(byte));
    }
    assert.ok(client.destroyed);
    assert.match(scene.logged.join(), /a TLS handshake came to the ZooKeeper port 2182/);
  });

  it("a client's later frame is none of them, whatever its length looks like", async () => {
    const scene = sceneAt(2181);
    const client = await scene.connect();
    client.connection.received(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    assert.match(scene.logged.join(), /the length 1195725856 of a frame is outside/);
  });
});

describe("proofs that are refused", () => {
  it("leave a line in the log, one of a kind in a second", async () => {
    const scene = new ConnectionScene();
    for (const scheme of ["x509", "kerberos\n"]) {
      const client = await scene.connect();
      client.ask({ op: "auth", scheme, auth: Buffer.from("x") });
      await scene.settle();
      assert.deepEqual(client.take(), ["-4: -115"]);
    }
    const why = (shown: string): string =>
      `zookeeper: ${came} it would prove itself by ${shown}, and digest and ip are all that there is`;
    assert.deepEqual(scene.logged, [why('"x509"')]);
    await scene.world.run(scene.door.limits.noteMillis);
    const client = await scene.connect();
    client.ask({ op: "sasl", token: Buffer.from("token") });
    await scene.settle();
    assert.deepEqual(client.take(), ["1: -115"]);
    assert.equal(scene.logged[1], `${why('"SASL"')} (and 1 more like it)`);
  });

  it("the seventeenth identity is one", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    for (let at = 0; at < 16; at++) client.ask({ op: "auth", scheme: "digest", auth: Buffer.from(`a${at}:b`) });
    await scene.settle();
    assert.match(scene.logged.join("\n"), /^zookeeper: [^\n]*it has proven 15 identities, which is the most[^\n]*$/);
  });
});
