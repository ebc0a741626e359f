/** A leader's snapshot comes faster than the disk takes it: what waits in memory stays within a few steps. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { composeZxid } from "@quorate/api";
import { decodePeerWire, PeerEncoder } from "./peer-codec.ts";
import type { PeerWire } from "./peer-messages.ts";
import { replicaLimits } from "./replica-limits.ts";
import { encodeSnapshotHeader, SnapshotTally } from "./snapshot-format.ts";
import { Storage } from "./storage.ts";
import { Traffic, type TrafficPorts } from "./traffic.ts";
import { Transfers } from "./transfers.ts";
import type { Disk, DiskFile } from "./world.ts";
import { nodeClock, nodeDisk } from "./world-node.ts";

const [at, checksum, link] = [composeZxid(3, 1000), 77, 7];
const pieceBytes = replicaLimits.transferStepBytes;
const pieces = 24;

/** The real disk, but each write takes so long. */
function slowDisk(millis: number): Disk {
  const open = async (...what: Parameters<Disk["open"]>): Promise<DiskFile> => {
    const file = await nodeDisk.open(...what);
    return {
      path: file.path,
      write: async (parts, offset) => {
        await setTimeout(millis);
        await file.write(parts, offset);
      },
      sync: () => file.sync(),
      writeDurably: (parts, offset) => file.writeDurably(parts, offset),
      truncate: (length) => file.truncate(length),
      read: (offset, length) => file.read(offset, length),
      size: () => file.size(),
      close: () => file.close(),
    };
  };
  return { ...nodeDisk, open };
}

async function* snapshotFile(): AsyncGenerator<Uint8Array> {
  const tally = new SnapshotTally();
  yield encodeSnapshotHeader({ at, checksum });
  for (let i = 0; i < pieces; i++) {
    const piece = new Uint8Array(pieceBytes).fill(i);
    yield new Uint8Array(Buffer.concat([tally.piece(piece), piece]));
  }
  yield tally.end();
}

const encoder = new PeerEncoder();

/** As it comes out of a link. */
function carry(wire: PeerWire): PeerWire {
  const { head, body } = encoder.encode(wire);
  const decoded = decodePeerWire(new Uint8Array(Buffer.concat(body ? [head, body] : [head])));
  assert.ok(decoded);
  return decoded;
}

test("a snapshot waits for the disk at the leader's side, and the follower's memory stays small", async () => {
  const folder = await mkdtemp(join(tmpdir(), "quorate-slow-"));
  const create = { replicaId: 2, standing: "founding" } as const;
  const { storage } = await Storage.open({ folder, disk: slowDisk(10), clock: nodeClock, create });
  try {
    const written = new Map<number, () => void>();
    storage.onFatal = (error) => assert.fail(error);
    storage.onBadStage = (why) => assert.fail(why);
    storage.onWritten = (ticket) => written.get(ticket)?.();
    let [ticket, most, sent] = [0, 0, 0];
    const follower = new Traffic({
      core: (_link, message) => {
        assert.ok(message.kind === "snapshot");
        const { offset, chunk, done } = message;
        sent += chunk.length;
        storage.stage(++ticket, at, checksum, offset, chunk, done);
        most = Math.max(most, storage.stats().waitingBytes);
      },
      whenStored: (done) => void storage.barrier().then(done),
      send: (_link, wire) => leader.received(link, [carry(wire)]),
    } as Partial<TrafficPorts> as TrafficPorts);
    const leader = new Traffic({
      stored: (from, id) => transfers.stored(from, id),
    } as Partial<TrafficPorts> as TrafficPorts);
    const toFollower = (wire: PeerWire): void => follower.received(link, [carry(wire)]);
    let ended: (() => void) | undefined;
    const over = new Promise<void>((resolve) => (ended = resolve));
    const source = { at, checksum, chunks: snapshotFile(), release: () => undefined };
    const transfers = new Transfers({
      storage: { sendSnapshot: () => source } as Partial<Storage> as Storage,
      clock: nodeClock,
      send: (_link, message) => toFollower({ kind: "zab", message }),
      writable: () => true,
      askStored: (_link, id) => toFollower({ kind: "storedRequest", id }),
      done: () => ended?.(),
      corrupt: (why) => assert.fail(why),
      failed: (_link, why) => assert.fail(why),
    });
    transfers.start({ kind: "sendSnapshot", ticket: 1, link });
    await over;
    assert.ok(sent > pieces * pieceBytes);
    const allowed = (replicaLimits.transferSteps + 1) * (pieceBytes + 4096);
    assert.ok(most <= allowed, `${most} bytes waited for the disk, ${allowed} are allowed`);
    const install = ++ticket;
    const state = { standing: "member", ensembleId: "b".repeat(32), acceptedEpoch: 3, currentEpoch: 3 } as const;
    await new Promise<void>((resolve) => {
      written.set(install, resolve);
      storage.writeState(install, state, at);
    });
    assert.equal(storage.newestSnapshot()?.at, at);
  } finally {
    await storage.close();
    await rm(folder, { recursive: true });
  }
});
