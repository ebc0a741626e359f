/** Fills a tree from a snapshot and the log behind it, in slices, so that the loop stays alive meanwhile. */
import { assert, formatZxid, type Zxid } from "@quorate/api";
import { Tree, type TreeOptions } from "@quorate/tree";
import { replicaLimits } from "./replica-limits.ts";
import { checkRules } from "./rules-check.ts";
import type { Storage } from "./storage.ts";
import type { Clock } from "./world.ts";

/** The tree at `applied`: the snapshot at `snapshot` (0: none), then the batches in (snapshot, applied]. */
export async function restoreTree(
  storage: Storage,
  clock: Clock,
  snapshot: Zxid,
  applied: Zxid,
  options: TreeOptions,
): Promise<Tree> {
  let sliceEnd = clock.now() + replicaLimits.sliceMillis;
  const breathe = async (): Promise<void> => {
    if (clock.now() < sliceEnd) return;
    await new Promise<void>((resolve) => clock.soon(resolve));
    sliceEnd = clock.now() + replicaLimits.sliceMillis;
  };
  let tree = new Tree(options);
  if (snapshot > 0) {
    const loader = Tree.loader(options);
    for await (const chunk of storage.readSnapshot(snapshot)) {
      for (let at = 0; at < chunk.length; at += replicaLimits.transferBytes) {
        loader.push(chunk.subarray(at, at + replicaLimits.transferBytes));
        await breathe();
      }
    }
    const loaded = loader.finish();
    if ("bad" in loaded) throw new Error(`the snapshot at ${formatZxid(snapshot)} cannot be used: ${loaded.bad}`);
    tree = loaded;
    assert(tree.applied === snapshot, "a snapshot holds the state of its zxid");
  }
  if (applied > snapshot) {
    for await (const batches of storage.replay(snapshot, applied)) {
      checkRules(batches, tree.rules);
      for (const batch of batches) {
        tree.apply(batch);
        await breathe();
      }
    }
  }
  assert(tree.applied === applied, "the log reaches to what is known as committed");
  return tree;
}
