import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { composeZxid, type Zxid, zeroZxid } from "@quorate/api";
import { LogScan } from "./log-scan.ts";
import { type Decoded, runningChecksum } from "./record.ts";

class Log {
  last: Zxid;
  checksum: number;

  constructor(last: Zxid, checksum: number) {
    this.last = last;
    this.checksum = checksum;
  }

  next(epoch: number, counter: number, count: number, commit: Zxid = zeroZxid): Decoded {
    const first = composeZxid(epoch, counter);
    const last = composeZxid(epoch, counter + count - 1);
    const fields = { first, last, previous: this.last, stamp: 5, rules: 1, payload: Uint8Array.of(counter) };
    this.checksum = runningChecksum(this.checksum, fields);
    this.last = last;
    const batch = { ...fields, commit, checksum: this.checksum };
    return { batch, next: 0, fence: 0, payloadCrc: crc32(batch.payload) };
  }
}

const base = composeZxid(2, 10);

test("applied: the snapshot, and what a commit index covers, rounded down to a batch's end", () => {
  const log = new Log(base, 99);
  const scan = new LogScan(base, 99, composeZxid(2, 12));
  const records = [
    log.next(2, 11, 2),
    log.next(2, 13, 2),
    log.next(2, 15, 2),
    log.next(3, 1, 1, composeZxid(2, 15)),
    log.next(3, 2, 1, composeZxid(2, 13)),
  ];
  for (const record of records) assert.equal(scan.add(record), undefined);
  const history = scan.history();
  assert.equal(history.applied, composeZxid(2, 14));
  assert.equal(history.appliedChecksum, records[1]?.batch.checksum);
  assert.deepEqual(
    history.tail.map((batch) => batch.last),
    [composeZxid(2, 16), composeZxid(3, 1), composeZxid(3, 2)],
  );
  assert.deepEqual(history.epochs, [
    { epoch: 2, last: composeZxid(2, 16) },
    { epoch: 3, last: composeZxid(3, 2) },
  ]);
  assert.equal(scan.snapshotChecksum, records[0]?.batch.checksum);
});

test("a batch that does not follow, or of another history, is refused with its reason", () => {
  const gap = new Log(base, 99);
  gap.next(2, 11, 1);
  assert.match(new LogScan(base, 99, base).add(gap.next(2, 12, 1)) ?? "", /the log ends at/);
  const other = new Log(base, 98);
  assert.match(new LogScan(base, 99, base).add(other.next(2, 11, 1)) ?? "", /running checksum/);
});

test("a log that steps over its snapshot's zxid has no checksum for it", () => {
  const scan = new LogScan(base, 99, composeZxid(2, 11));
  assert.equal(scan.add(new Log(base, 99).next(2, 11, 2)), undefined);
  assert.equal(scan.snapshotChecksum, undefined);
});
