/** What the tree does on one core: creations and sets through apply, a snapshot while it is written, its load. */
import { assert } from "@quorate/api";
import { Tree } from "@quorate/tree";
import { createOf, Load, setOf } from "./tree-load.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const perBatch = 100;

function measure(name: string, operations: number, run: () => void): void {
  const start = performance.now();
  run();
  const millis = performance.now() - start;
  const rate = Math.round((operations / millis) * 1000);
  process.stdout.write(
    `${name.padEnd(36)} ${millis.toFixed(0).padStart(7)} ms ${rate.toLocaleString().padStart(12)} /s\n`,
  );
}

const load = new Load();
const tree = new Tree();
tree.apply(load.open());
let spent = 0;
for (let at = 0; at < count; at += perBatch) {
  const batch = load.writes(Array.from({ length: perBatch }, (_, i) => createOf(at + i)));
  const start = performance.now();
  const applied = tree.apply(batch);
  spent += performance.now() - start;
  const last = applied.at(-1)?.outcome;
  assert(last !== undefined && last !== "gap" && last.ok, "every creation succeeds");
}
process.stdout.write(
  `create through apply                 ${spent.toFixed(0).padStart(7)} ms ${Math.round((count / spent) * 1000)
    .toLocaleString()
    .padStart(12)} /s\n`,
);
spent = 0;
const sets = Math.min(count, 500_000);
for (let at = 0; at < sets; at += perBatch) {
  const batch = load.writes(Array.from({ length: perBatch }, (_, i) => setOf(((at + i) * 7919) % count)));
  const start = performance.now();
  const applied = tree.apply(batch);
  spent += performance.now() - start;
  const last = applied.at(-1)?.outcome;
  assert(last !== undefined && last !== "gap" && last.ok, "every set succeeds");
}
process.stdout.write(
  `set through apply                    ${spent.toFixed(0).padStart(7)} ms ${Math.round((sets / spent) * 1000)
    .toLocaleString()
    .padStart(12)} /s\n`,
);

const chunks: Uint8Array[] = [];
let slowest = 0;
const digest = tree.digest();
measure("snapshot written, records", count, () => {
  const cursor = tree.snapshot();
  for (;;) {
    const start = performance.now();
    const chunk = cursor.next(131_072);
    slowest = Math.max(slowest, performance.now() - start);
    if (chunk === undefined) break;
    chunks.push(chunk);
  }
  assert(cursor.digestMatches, "the digest recomputed is the digest kept");
});
const bytes = chunks.reduce((sum, each) => sum + each.length, 0);
process.stdout.write(`snapshot ${(bytes / 1e6).toFixed(0)} MB; slowest slice of 128 KiB ${slowest.toFixed(1)} ms\n`);
measure("snapshot loaded, records", count, () => {
  const loader = Tree.loader();
  for (const chunk of chunks) loader.push(chunk);
  const loaded = loader.finish();
  assert(loaded instanceof Tree && loaded.digest() === digest, "what is loaded is what was written");
});
