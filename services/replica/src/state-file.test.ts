import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { composeZxid } from "@quorate/api";
import fc from "fast-check";
import { logName, parseLogName, parseSnapshotName, snapshotName } from "./file-names.ts";
import { decodeState, encodeState, freshState, type StoredState } from "./state-file.ts";
import { CorruptionError, StorageError } from "./storage-error.ts";

const at = composeZxid(2 ** 21 - 1, 2 ** 32 - 1);
const state: StoredState = {
  ...freshState(7, "joining", logName({ base: composeZxid(1, 2), lineage: 3 })),
  historyId: "c".repeat(32),
  generation: 2,
  snapshot: at,
  snapshotFiles: [snapshotName({ at, lineage: 3 })],
};

function forge(change: (content: Record<string, unknown>) => void): Uint8Array {
  const parsed = JSON.parse(Buffer.from(encodeState(state)).toString()) as { state: Record<string, unknown> };
  change(parsed.state);
  const crc = crc32(JSON.stringify(parsed.state)).toString(16).padStart(8, "0");
  return Buffer.from(JSON.stringify({ crc32: crc, state: parsed.state }));
}

test("a state comes back as it was; names too", () => {
  assert.deepEqual(decodeState("state", encodeState(state)), state);
  assert.deepEqual(parseSnapshotName(snapshotName({ at, lineage: 12 })), { at, lineage: 12 });
  assert.deepEqual(parseLogName(logName({ base: at, lineage: 1 })), { base: at, lineage: 1 });
  for (const name of ["log.1.1", "log.000000000000000g.1", "snapshot.0000000000000001.0", `log.${"f".repeat(16)}.1`]) {
    assert.equal(parseLogName(name), undefined);
    assert.equal(parseSnapshotName(name), undefined);
  }
});

test("any change of a byte that matters is found; arbitrary bytes are corruption", () => {
  const bytes = encodeState(state);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(7), (index, bit) => {
      const changed = bytes.slice();
      changed[index] = (changed[index] as number) ^ (1 << bit);
      try {
        assert.deepEqual(decodeState("state", changed), state, "only white space between the words may differ");
      } catch (error) {
        assert.ok(error instanceof CorruptionError);
      }
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (any) => assert.throws(() => decodeState("state", any), CorruptionError)));
});

test("a format of the future is refused by name; a field out of range is corruption that names it", () => {
  const future = forge((content) => {
    content["format"] = 2;
  });
  assert.throws(
    () => decodeState("state", future),
    (error) => error instanceof StorageError && !(error instanceof CorruptionError),
  );
  const cases: readonly [string, unknown][] = [
    ["replicaId", 0],
    ["historyId", "xyz"],
    ["generation", -1],
    ["announcedRules", 0.5],
    ["snapshot", "12"],
    ["snapshotFiles", []],
    ["snapshotFiles", ["../../etc/passwd"]],
    ["firstSegment", "../log"],
    ["protocol", { ...state.protocol, standing: "king" }],
    ["protocol", { ...state.protocol, acceptedEpoch: 2 ** 21 }],
  ];
  for (const [field, value] of cases) {
    const bytes = forge((content) => {
      content[field] = value;
    });
    assert.throws(() => decodeState("state", bytes), new RegExp(field), field);
  }
});
