/** A program: reads archived segments, follows the committed history back from its end, and applies it to a tree. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Batch, formatZxid, type Zxid, zeroZxid } from "@quorate/api";
import { nodeWorld } from "@quorate/replica";
import { readRecords, segmentHeaderBytes } from "../../services/replica/src/segment.ts";
import { applyBatches, openStopped } from "../integration/committed.ts";
import type { ReadAnswer, ReadOrder } from "./log-archive.ts";

const pageBytes = 1_048_576;

/** By position. What was never committed may be among them; that no committed one leads to it. */
async function readAll(folder: string): Promise<Map<Zxid, Batch>> {
  const batches = new Map<Zxid, Batch>();
  for (const name of readdirSync(folder)) {
    const file = await nodeWorld.disk.open(join(folder, name), "read");
    for await (const { records } of readRecords(file, segmentHeaderBytes, await file.size(), pageBytes)) {
      for (const { batch } of records) batches.set(batch.last, batch);
    }
    await file.close();
  }
  return batches;
}

async function read({ folder, head }: ReadOrder): Promise<ReadAnswer> {
  const { storage, through } = await openStopped(head);
  await storage.close();
  const batches = await readAll(folder);
  const chain: Batch[] = [];
  for (let at = through; at !== zeroZxid; ) {
    const batch = batches.get(at);
    if (!batch) return { fault: `the archive has no batch that ends at ${formatZxid(at)}` };
    chain.push(batch);
    at = batch.previous;
  }
  return { changes: applyBatches(chain.reverse()) };
}

process.once("message", (order: ReadOrder) => {
  read(order).then(
    (answer) => process.send?.(answer),
    (error: Error) => process.send?.({ fault: error.stack ?? String(error) } satisfies ReadAnswer),
  );
});
