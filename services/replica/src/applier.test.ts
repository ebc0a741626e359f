import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Zxid } from "@quorate/api";
import { rulesVersion, Tree } from "@quorate/tree";
import { Applier, type ApplierPorts } from "./applier.ts";
import type { Storage } from "./storage.ts";
import type { Clock } from "./world.ts";

/** A snapshot's content for a state that has applied `batches` batches of one malformed command. */
function snapshotOf(batches: number): { at: Zxid; content: Uint8Array } {
  const tree = new Tree();
  for (let n = 1; n <= batches; n++) {
    const zxid = (2 ** 32 + n) as Zxid;
    const previous = (n === 1 ? 0 : zxid - 1) as Zxid;
    const payload = Uint8Array.of(1, 0, 0, 0, 9);
    tree.apply({ first: zxid, last: zxid, previous, commit: previous, stamp: n, rules: 1, checksum: n, payload });
  }
  const cursor = tree.snapshot();
  const parts: Uint8Array[] = [];
  for (let part = cursor.next(65_536); part; part = cursor.next(65_536)) parts.push(part);
  return { at: tree.applied, content: Buffer.concat(parts) };
}

test("of two snapshots that are installed one behind the other, the later one's tree stays", async () => {
  const [older, newer] = [snapshotOf(2), snapshotOf(3)];
  const gates = new Map<Zxid, () => void>();
  const storage = {
    newestSnapshot: () => ({ checksum: 3 }),
    readSnapshot: async function* (at: Zxid): AsyncGenerator<Uint8Array> {
      await new Promise<void>((resolve) => gates.set(at, resolve));
      yield at === older.at ? older.content : newer.content;
    },
  };
  const fatal: string[] = [];
  const applier = new Applier(new Tree(), 0, {
    storage: storage as unknown as Storage,
    clock: { now: () => 0, soon: (run: () => void) => run() } as unknown as Clock,
    treeOptions: {},
    applied: () => undefined,
    loaded: () => undefined,
    comparable: () => undefined,
    advanced: () => undefined,
    push: (work) => work(),
    log: () => undefined,
    fatal: (why) => void fatal.push(why),
  });
  applier.install(older.at);
  applier.install(newer.at);
  await setImmediate();
  gates.get(older.at)?.();
  await setImmediate();
  assert.equal(applier.restoring, true, "the former one is not what the state file names");
  gates.get(newer.at)?.();
  await setImmediate();
  assert.deepEqual([applier.restoring, applier.tree.applied, fatal], [false, newer.at, []]);
});

test("a batch of rules that are not known, or older than the last, stops the process and is not applied", () => {
  for (const rules of [0, rulesVersion + 1]) {
    const fatal: string[] = [];
    const tree = new Tree();
    const applier = new Applier(tree, 0, {
      clock: { now: () => 0 } as unknown as Clock,
      fatal: (why: string) => void fatal.push(why),
    } as unknown as ApplierPorts);
    const [first, previous] = [2 ** 32 + 1, 0] as Zxid[] as [Zxid, Zxid];
    const payload = Uint8Array.of(1, 0, 0, 0, 9);
    applier.deliver([{ first, last: first, previous, commit: previous, stamp: 1, rules, checksum: 1, payload }]);
    applier.slice(0);
    assert.equal(fatal.length, 1);
    assert.match(fatal[0] as string, /^the batch at 0x0000000100000001 is made by rules version/);
    assert.equal(tree.applied, 0);
  }
});
