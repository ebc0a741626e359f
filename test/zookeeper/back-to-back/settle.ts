/** Containers go by themselves once they are empty, each server in its own time: nothing is played until both are rid of them. */
import { until } from "../../integration/ensemble.ts";
import type { WireStat } from "../wire-records.ts";
import type { Knowledge } from "./knowledge.ts";
import type { Side } from "./side.ts";

const noNode = -101;
/** The real server looks each 100 ms, as it is started for comparison. */
const patienceMillis = 10_000;

export async function settleContainers(a: Side, b: Side, knowledge: Knowledge): Promise<void> {
  // The parent of one that has gone may be empty by that: as long as anything goes.
  for (let goes = true; goes; ) {
    goes = false;
    for (const path of knowledge.containers) {
      const stats = await Promise.all([statOf(a, path), statOf(b, path)]);
      if (stats.every((stat) => stat !== undefined && !isSpent(stat))) continue;
      await until(
        async () => (await Promise.all([statOf(a, path), statOf(b, path)])).every((stat) => stat === undefined),
        patienceMillis,
        `the container ${path} is deleted on both sides`,
      );
      knowledge.gone(path);
      goes = true;
    }
  }
}

async function statOf(side: Side, path: string): Promise<WireStat | undefined> {
  const admin = await side.admin();
  const { error, result } = await admin.send({ op: "exists", path, watch: false });
  if (error !== 0 && error !== noNode) throw new Error(`${side.name} answers ${error} to the superuser`);
  return result?.stat;
}

function isSpent({ numChildren, cversion }: WireStat): boolean {
  return numChildren === 0 && cversion > 0;
}
