/**
 * What no replica and no gateway sends, on the peer port of real replicas: closed with a reason or without, the process
 * lives, and the ensemble goes on.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect as connectHttp2 } from "node:http2";
import { after, before, describe, it } from "node:test";
import { dial, type Hello, methodPaths, protocolVersion, type StreamMethod } from "@quorate/proto";
import { Ensemble, statusOf, until } from "./ensemble.ts";
import { normalClient, servedMillis, serveMeanwhile, watchOver } from "./onlookers.ts";
import { talk } from "./raw-socket.ts";

let ensemble: Ensemble;
let assertAllLive: () => void;

before(async () => {
  ensemble = await Ensemble.start();
  assertAllLive = watchOver(ensemble);
  await normalClient(ensemble.gateway);
});
after(() => ensemble.stop());

const big = Buffer.alloc(20_000_000, 120);
function randomGarbage(): Buffer {
  const bytes = randomBytes(5000);
  // A first byte that begins no method, so that the answer is the same each time.
  bytes[0] = 0xfe;
  return bytes;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

const badStreams: readonly { readonly name: string; readonly bytes: string | Buffer; readonly end?: boolean }[] = [
  { name: "garbage", bytes: randomGarbage() },
  { name: "HTTP/1.1", bytes: "GET / HTTP/1.1\r\nHost: x\r\n\r\n" },
  { name: "a TLS hello", bytes: Buffer.from("16030100c6010000c20303", "hex") },
  { name: "half a preface", bytes: preface.subarray(0, 11) },
  { name: "half a preface, then the end", bytes: preface.subarray(0, 11), end: true },
  {
    name: "half a frame",
    bytes: Buffer.concat([preface, settings, Buffer.from([0, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 1, 2])]),
  },
  {
    name: "half a frame, then the end",
    bytes: Buffer.concat([preface, settings, Buffer.from([0, 0, 50, 1, 4])]),
    end: true,
  },
  {
    name: "headers that are none",
    bytes: Buffer.concat([preface, settings, Buffer.from([0, 0, 5, 1, 4, 0, 0, 0, 1, 255, 255, 255, 255, 255])]),
  },
  { name: "20 MB", bytes: big },
  { name: "20 MB behind a preface", bytes: Buffer.concat([preface, settings, big]) },
  { name: "a flood of settings", bytes: Buffer.concat([preface, ...Array.from({ length: 50_000 }, () => settings)]) },
  { name: "nothing but the connection", bytes: "" },
];

/** A proper HTTP/2 call whose body is whatever `body` is; resolves when the server has ended it. */
function badCall(port: number, path: string, body: Buffer, patienceMillis = 60_000): Promise<string> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const end = (how: string): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(how);
    };
    const timer = setTimeout(() => end("open"), patienceMillis);
    session.on("error", () => end("closed"));
    session.on("close", () => end("closed"));
    const call = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    let status: unknown;
    call.on("response", (headers) => {
      status = headers["grpc-status"];
    });
    call.on("trailers", (headers) => {
      status = headers["grpc-status"];
    });
    call.on("error", () => end("closed"));
    call.on("close", () => end(status === undefined ? "closed" : `status ${status}`));
    call.on("data", () => undefined);
    call.write(body);
  });
}

function grpcMessage(bytes: Uint8Array, length = bytes.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

const timers = {
  after(millis: number, run: () => void) {
    const timer = setTimeout(run, millis);
    return { cancel: () => clearTimeout(timer) };
  },
};

interface Impostor {
  readonly method: StreamMethod;
  /** Beside what is in order. */
  readonly hello?: Partial<Hello> & { readonly keyed?: boolean };
  readonly proof?: string;
  /** Sent behind the proof. */
  readonly then?: Uint8Array;
}

/** A hello and a proof without any check of the other side's; the reason for which the replica ended the stream. */
function pretend(address: string, { method, hello, proof = "", then }: Impostor): Promise<string> {
  const kind = method === "link" ? "peer" : "gateway";
  const proper = {
    protocol: protocolVersion,
    kind,
    id: 0,
    name: "impostor",
    ensembleId: "",
    historyId: "",
    version: "0",
    rules: 1,
    address: "",
  };
  const nonce = randomBytes(32).toString("hex");
  const stream = dial(address, method, { timers, connectMillis: 60_000 });
  return new Promise((resolve) => {
    const patience = setTimeout(() => stream.close("nobody ended it"), 60_000);
    let answered = false;
    stream.listen({
      received: () => {
        if (answered) return;
        answered = true;
        stream.send(Buffer.from(JSON.stringify({ proof })));
        if (then !== undefined) stream.send(then);
      },
      drained: () => undefined,
      closed: (why) => {
        clearTimeout(patience);
        resolve(why);
      },
    });
    stream.send(Buffer.from(JSON.stringify({ ...proper, keyed: false, nonce, ...hello })));
  });
}

describe("bad input on the peer port, all at once", { concurrency: true }, () => {
  it("garbage, half frames, another protocol, floods: closed, and the ensemble goes on", async (t) => {
    const leader = await ensemble.leader();
    const ports = [leader, (leader % 3) + 1].map((id) => ensemble.peerPorts[id - 1] ?? 0);
    const attacks = ports.flatMap((port) =>
      badStreams.map(async ({ name, bytes, end = false }) => {
        const seen = await talk(port, bytes, { patienceMillis: 60_000, end });
        assert.ok(seen.closed, `${name} on ${port} is still open after ${Math.round(seen.millis)} ms`);
      }),
    );
    const slowest = await serveMeanwhile([ensemble.gateway], Promise.all(attacks));
    t.diagnostic(`${attacks.length} bad connections; the slowest good answer meanwhile: ${Math.round(slowest)} ms`);
    assert.ok(slowest < servedMillis, `a good request took ${slowest} ms`);
    assertAllLive();
  });

  it("proper HTTP/2 with bad gRPC: ended", async (t) => {
    const port = ensemble.peerPorts[0] ?? 0;
    const paths = [methodPaths.attach, methodPaths.link];
    const bodies: Readonly<Record<string, Buffer>> = {
      "no message at all": Buffer.alloc(0),
      "garbage for a message's head": Buffer.alloc(64, 0xfe),
      "a message of 4 GB": grpcMessage(Buffer.alloc(10), 0xffffffff),
      "half a message": grpcMessage(Buffer.alloc(10), 100),
      "a message that is no frame": grpcMessage(Buffer.alloc(100, 0xff)),
      "a frame that is no hello": grpcMessage(Buffer.from([0x0a, 3, 1, 2, 3])),
      "a hello that is no object": grpcMessage(Buffer.concat([Buffer.from([0x0a, 4]), Buffer.from("[{}]")])),
    };
    const calls = paths.flatMap((path) =>
      Object.entries(bodies).map(async ([name, body]) => {
        const how = await badCall(port, path, body);
        assert.notEqual(how, "open", `${name} to ${path}`);
        return how;
      }),
    );
    calls.push(badCall(port, "/quorate.internal.v1.Peer/Nothing", grpcMessage(Buffer.alloc(4))));
    const slowest = await serveMeanwhile([ensemble.gateway], Promise.all(calls));
    t.diagnostic(
      `the slowest good answer meanwhile: ${Math.round(slowest)} ms; ended as ${[...new Set(await Promise.all(calls))].join(", ")}`,
    );
    assert.ok(slowest < servedMillis, `a good request took ${slowest} ms`);
    assertAllLive();
  });
});

describe("impostors at the peer port", () => {
  it("a handshake that claims what is not so is refused with the reason", async () => {
    const address = `127.0.0.1:${ensemble.peerPorts[1]}`;
    const stranger = "0123456789abcdef0123456789abcdef";
    const cases: readonly (readonly [Impostor, RegExp])[] = [
      [{ method: "link", hello: { id: 2 } }, /replica 2 is this one/],
      [{ method: "link", hello: { id: 77 } }, /replica 77 is not among the members/],
      [{ method: "link", hello: { id: 3 } }, /smaller id dials/],
      [
        { method: "link", hello: { id: 1, ensembleId: stranger } },
        /replica 1 belongs to the ensemble 0123456789abcdef/,
      ],
      [{ method: "link", hello: { kind: "gateway" } }, /expected was a peer/],
      [{ method: "link", hello: { id: 1, protocol: 9 } }, /protocol 9/],
      [{ method: "attach", hello: { kind: "peer", id: 1 } }, /expected was a gateway/],
      [{ method: "attach", hello: { ensembleId: stranger } }, /belongs to the ensemble/],
      [{ method: "attach", hello: { keyed: true } }, /has a key, this side has none/],
      [{ method: "attach", proof: "00" }, /the proof is wrong/],
      [{ method: "attach", hello: { name: "two\nlines" } }, /no proper name/],
      [{ method: "attach", then: Buffer.alloc(300, 0xff) }, /a message from the gateway does not decode/],
    ];
    await Promise.all(
      cases.map(async ([impostor, reason]) =>
        assert.match(await pretend(address, impostor), reason, JSON.stringify(impostor)),
      ),
    );
    assertAllLive();
  });

  it("without a key, who speaks as a member on this machine breaks a link, and no more", async () => {
    const low = 1;
    const { ensembleId = "", historyId } = (await statusOf(ensemble.replica(low))) as {
      ensembleId?: string;
      historyId: string;
    };
    const hello = { id: low, ensembleId, historyId };
    const address = `127.0.0.1:${ensemble.peerPorts[2]}`;
    assert.match(
      await pretend(address, { method: "link", hello, then: Buffer.alloc(50, 0xff) }),
      /does not decode|replaced by a newer/,
    );
    await until(async () => (await normalClient(ensemble.gateway)) < servedMillis, 10_000, "writes go on");
    await ensemble.settled();
    assertAllLive();
  });
});
