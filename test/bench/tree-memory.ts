/** Live heap of a znode of 100 bytes, after a full collection: `node --expose-gc test/bench/tree-memory.ts`. */
import { assert } from "@quorate/api";
import { Tree } from "@quorate/tree";
import { createOf, Load } from "./tree-load.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const { gc } = globalThis;
assert(gc !== undefined, "run it with --expose-gc");

function live(): number {
  gc?.();
  gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const ringBytes = Number(process.argv[3] ?? 0);
const before = live();
const load = new Load();
const tree = new Tree({ ringBytes });
tree.apply(load.open());
for (let at = 0; at < count; at += 100)
  tree.apply(load.writes(Array.from({ length: 100 }, (_, i) => createOf(at + i))));
const after = live();
process.stdout.write(
  `${tree.znodeCount} znodes: ${((after - before) / 1e6).toFixed(1)} MB, ${((after - before) / tree.znodeCount).toFixed(0)} bytes each (ring ${ringBytes})\n`,
);

const chunks: Uint8Array[] = [];
const cursor = tree.snapshot();
for (let chunk = cursor.next(1 << 20); chunk !== undefined; chunk = cursor.next(1 << 20)) chunks.push(chunk);
const held = live();
const loader = Tree.loader({ ringBytes });
for (const chunk of chunks) loader.push(chunk);
const loaded = loader.finish();
assert(loaded instanceof Tree, "the snapshot loads");
process.stdout.write(`loaded: ${((live() - held) / loaded.znodeCount).toFixed(0)} bytes each\n`);
