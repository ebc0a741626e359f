/**
 * Whatever a client says: no fault of this process, nothing left behind, and each request is answered or the connection closed.
 * Frames are right, changed a little, or not frames at all, in chunks of any size; `QUORATE_FUZZ_FRAMES` and `_SEED` say
 * how many, and where to begin.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { framed } from "../../../test/zookeeper/wire-client.ts";
import { encodeRequest } from "../../../test/zookeeper/wire-codec.ts";
import type { WireMultiOperation, WireRequest } from "../../../test/zookeeper/wire-records.ts";
import { VirtualWorld } from "../virtual-world.test-support.ts";
import { type Client, ConnectionScene } from "./connection-scene.test-support.ts";

const frames = Number(process.env["QUORATE_FUZZ_FRAMES"] ?? 6000);
const firstSeed = Number(process.env["QUORATE_FUZZ_SEED"] ?? 1);
const framesOfAScene = 300;

class Sayings {
  readonly chance: VirtualWorld;

  constructor(seed: number) {
    this.chance = new VirtualWorld(seed);
  }

  one<Value>(values: readonly Value[]): Value {
    return values[this.chance.below(values.length)] as Value;
  }

  path(): string | null {
    if (this.chance.below(12) === 0)
      return this.one([null, "", "a", "/a/", "//", "/a\0", "/\ufffd", "/.", `/${"l".repeat(5000)}`]);
    return this.one(["/", "/a", "/a/b", "/a/b/c", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/d-", "/e"]);
  }

  bytes(): Buffer | null {
    const size = this.one([0, 1, 7, 100, 3000]);
    return this.chance.below(8) === 0 ? null : Buffer.from(this.chance.randomBytes(size));
  }

  int(): number {
    return this.one([0, 1, 2, 3, 4, 5, 6, -1, 7, 255, -2147483648, 2147483647]);
  }

  acl(): { permissions: number; scheme: string | null; id: string | null }[] {
    return Array.from({ length: this.one([0, 1, 1, 1, 1, 2, 150]) }, () => ({
      permissions: this.one([31, 31, 31, 0, 1, -1, 32]),
      scheme: this.one(["world", "world", "world", "auth", "digest", "ip", "x509", "", null]),
      id: this.one(["anyone", "anyone", "anyone", "a:b", "10.0.0.0/8", "", null]),
    }));
  }

  operation(): WireMultiOperation {
    const path = this.path();
    const data = this.bytes();
    switch (this.chance.below(7)) {
      case 0:
        return { op: "delete", path, version: this.int() };
      case 1:
        return { op: "setData", path, data, version: this.one([-1, -1, 0, 5]) };
      case 2:
        return { op: "check", path, version: this.int() };
      case 3:
        return {
          op: this.one(["getData", "getChildren", "getChildren2", "exists"]),
          path,
          watch: this.one([true, false]),
        };
      case 4:
        return {
          op: "createTtl",
          path,
          data,
          acl: this.acl(),
          flags: this.int(),
          ttl: this.one([0n, 1000n, -1n, 1n << 62n]),
        };
      default: {
        const op = this.one(["create", "create2", "createContainer"] as const);
        return { op, path, data, acl: this.acl(), flags: this.int() };
      }
    }
  }

  request(): WireRequest {
    const path = this.path();
    const paths = Array.from({ length: this.one([0, 1, 3, 300]) }, () => this.path() ?? "");
    const operations = Array.from({ length: this.one([0, 1, 3, 10]) }, () => this.operation());
    switch (this.chance.below(16)) {
      case 0:
        return { op: this.one(["multi", "multiRead"]), operations };
      case 1:
        return { op: this.one(["getAcl", "sync", "getAllChildrenNumber"]), path };
      case 2:
        return { op: "setAcl", path, acl: this.acl(), version: this.int() };
      case 3:
        return { op: this.one(["checkWatches", "removeWatches"]), path, type: this.int() };
      case 4:
        return { op: "addWatch", path, mode: this.int() };
      case 5: {
        const [data, exist, child] = [paths, paths, paths];
        const relativeZxid = this.one([0n, 1n, 0x1_0000_0005n, -1n, 1n << 62n]);
        return { op: "setWatches2", relativeZxid, data, exist, child, persistent: paths, persistentRecursive: paths };
      }
      case 6:
        return { op: "auth", scheme: this.one(["digest", "digest", "ip", "x", null]), auth: this.bytes() };
      case 7:
        return { op: "getEphemerals", prefix: path };
      case 8:
        return { op: this.one(["ping", "ping", "whoAmI", "whoAmI", "closeSession"]) };
      case 9:
        return {
          op: "raw",
          type: this.one([0, 4, 5, 14, 16, 20, 22, 102, 105, 999, -1]),
          body: this.bytes() ?? Buffer.alloc(0),
        };
      default:
        return this.operation();
    }
  }

  /** A frame with its length, perhaps spoilt; `torn`: what comes behind it is read at another place. */
  frame(xid: number): { readonly bytes: Buffer; readonly torn: boolean } {
    const request = this.request();
    const unordered = request.op === "ping" || request.op === "auth" || (request.op === "raw" && request.type === 102);
    const whole = framed(encodeRequest(unordered ? -4 : xid, request));
    switch (this.chance.below(30)) {
      case 0:
        return { bytes: whole.subarray(0, this.chance.below(whole.length)), torn: true };
      case 1:
        return { bytes: Buffer.from(this.chance.randomBytes(this.one([1, 4, 30, 300]))), torn: true };
      case 2:
      case 3:
      case 4:
      case 5:
        // Its length stays; it may become an auth packet, whose answer has no place in the order.
        whole.writeInt32BE(-9, 4);
        for (let i = 0; i < 3; i++) whole[8 + this.chance.below(whole.length - 8)] = this.one([0, 1, 127, 128, 255]);
        return { bytes: whole, torn: false };
      default:
        return { bytes: whole, torn: false };
    }
  }
}

interface Speaker {
  readonly client: Client;
  /** The last that was answered: numbers rise, and where bytes of a frame were changed they are any. */
  last: number;
  torn: boolean;
}

async function play(seed: number): Promise<number> {
  const scene = new ConnectionScene(undefined, { noteMillis: 0 }, { commands: [] });
  const sayings = new Sayings(seed);
  const speakers: Speaker[] = [];
  let closed = 0;
  for (let said = 0; said < framesOfAScene; said++) {
    if (speakers.length < 3) speakers.push({ client: await scene.connect(), last: 0, torn: false });
    const speaker = sayings.one(speakers);
    const { client } = speaker;
    const { bytes, torn } = sayings.frame(said + 1);
    if (torn) speaker.torn = true;
    const cut = sayings.chance.below(bytes.length + 1);
    client.connection.received(bytes.subarray(0, cut));
    client.connection.received(bytes.subarray(cut));
    if (sayings.chance.below(4) === 0) await scene.settle();
    for (const [at, each] of [...speakers.entries()].reverse()) {
      judge(each, said + 1, seed);
      if (!each.client.closed) continue;
      closed++;
      speakers.splice(at, 1);
    }
  }
  await scene.wait(500);
  for (const each of speakers) {
    judge(each, framesOfAScene, seed);
    if (each.client.closed) continue;
    assert.equal(each.client.connection.report().outstanding, 0, `seed ${seed}: all is answered`);
    each.client.connection.gone();
  }
  assert.equal(scene.door.connections.size, 0, `seed ${seed}: no connection is left`);
  assert.equal(scene.door.queuedBytes, 0);
  assert.equal(scene.memory.watches.size, 0, `seed ${seed}: nobody watches`);
  const faults = scene.logged.filter((line) => /fault|internal/.test(line));
  assert.deepEqual(faults, [], `seed ${seed}`);
  return closed;
}

/** Replies come in the order of the requests, none twice. */
function judge(speaker: Speaker, said: number, seed: number): void {
  for (const { xid } of speaker.client.told.splice(0)) {
    if (xid <= 0 || xid > said || speaker.torn) continue;
    assert.ok(xid > speaker.last, `seed ${seed}: ${xid} was answered behind ${speaker.last}`);
    speaker.last = xid;
  }
}

it(`${frames} frames, right and wrong`, async () => {
  let closed = 0;
  for (let scene = 0; scene * framesOfAScene < frames; scene++) closed += await play(firstSeed + scene);
  assert.ok(closed > 0, "some were so wrong that their connection was closed");
});
