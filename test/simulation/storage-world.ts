/** What the tests of storage share: a clock by hand, batches that follow each other, and snapshots as a leader sends them. */
import { type Batch, composeZxid, type Zxid, zeroZxid } from "@quorate/api";
import { runningChecksum } from "../../services/replica/src/record.ts";
import { encodeSnapshotHeader, SnapshotTally } from "../../services/replica/src/snapshot-format.ts";
import type { Clock } from "../../services/replica/src/world.ts";

export interface ManualClock extends Clock {
  advance(millis: number): void;
}

/** Moves only when told; runs no timers. */
export function manualClock(): ManualClock {
  let now = 1000;
  const timer = { cancel: (): void => {} };
  return {
    now: () => now,
    wall: () => now,
    after: () => timer,
    every: () => timer,
    soon: (run) => void setImmediate(run),
    advance: (millis) => {
      now += millis;
    },
  };
}

/** Everything that is under way has got as far as it can. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Makes batches that follow each other, from any position on. */
export class BatchChain {
  last: Zxid = zeroZxid;
  checksum = 0;
  #stamp = 1_700_000_000_000;

  next(epoch: number, count: number, payloadBytes: number, commit: Zxid = zeroZxid): Batch {
    const counter = Math.floor(this.last / 2 ** 32) === epoch ? (this.last % 2 ** 32) + 1 : 1;
    const first = composeZxid(epoch, counter);
    const last = composeZxid(epoch, counter + count - 1);
    this.#stamp += 1;
    const payload = new Uint8Array(payloadBytes).map((_, index) => (index * 31 + counter + epoch) & 255);
    const fields = { first, last, previous: this.last, stamp: this.#stamp, rules: 1, payload };
    this.checksum = runningChecksum(this.checksum, fields);
    this.last = last;
    return { ...fields, commit, checksum: this.checksum };
  }

  /** Goes on behind another batch, or another position. */
  rewind(last: Zxid, checksum: number): void {
    this.last = last;
    this.checksum = checksum;
  }
}

/** A snapshot file's bytes. */
export function snapshotBytes(at: Zxid, checksum: number, pieces: readonly Uint8Array[]): Uint8Array {
  const tally = new SnapshotTally();
  const parts = [encodeSnapshotHeader({ at, checksum })];
  for (const piece of pieces) parts.push(tally.piece(piece), piece);
  parts.push(tally.end());
  return new Uint8Array(Buffer.concat(parts));
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
