/** Who holds what, looked up in queues of each kind, and in one that no page holds. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { anyone, isBadPath, type Path, parsePath, persistentShape, type TxnOperation } from "@quorate/api";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import { readHolders } from "./fence-holders.ts";
import { encodeMark } from "./mark.ts";

function path(text: string): Path {
  const parsed = parsePath(text);
  if (isBadPath(parsed)) throw new Error(parsed.bad);
  return parsed;
}

const queue = path("/q");
const empty = new Uint8Array(0);

/** Names sort otherwise than those who came. */
function contender(index: number, infix: string): TxnOperation {
  const begin = createHash("sha256").update(String(index)).digest("hex").slice(0, 12);
  const at = path(`/q/_c_${begin}-${infix}`);
  return { kind: "create", path: at, data: empty, shape: persistentShape, sequential: true, parents: false };
}

/** Paths of those who came, in their order. */
async function queueOf(data: Uint8Array, infixes: readonly string[]): Promise<[MemoryBackend, readonly Path[]]> {
  const memory = new MemoryBackend();
  const put = { kind: "put", path: queue, data, parents: false, condition: {} } as const;
  await memory.write({ identity: anyone, operation: put });
  const came: Path[] = [];
  for (let from = 0; from < infixes.length; from += 1000) {
    const then = infixes.slice(from, from + 1000).map((each, i) => contender(from + i, each));
    const answer = await memory.write({ identity: anyone, operation: { kind: "txn", check: [], then } });
    assert.ok(answer.kind === "outcome" && answer.outcome.ok && answer.outcome.result.kind === "txn");
    for (const each of answer.outcome.result.results) if (each.kind === "node") came.push(each.path);
  }
  return [memory, came];
}

const semaphore = (permits: number): Uint8Array =>
  encodeMark({ recipe: "lock", layout: "curator", kind: "semaphore", permits });
const curator = { recipe: "lock", layout: "curator" } as const;

describe("who holds", () => {
  const cases: readonly (readonly [string, Uint8Array, readonly string[], number])[] = [
    ["a mutex", encodeMark({ ...curator, kind: "mutex" }), ["lock-", "lock-"], 1],
    ["a mutex of another client", empty, ["lock-", "lock-"], 1],
    ["an election", encodeMark({ recipe: "election", layout: "curator", kind: "mutex" }), ["latch-", "latch-"], 1],
    ["an election of another client", empty, ["latch-", "latch-"], 1],
    ["a semaphore", semaphore(2), ["lock-", "lock-", "lock-"], 2],
    ["readers", encodeMark({ ...curator, kind: "readWrite" }), ["__READ__", "__READ__", "__WRIT__", "__READ__"], 2],
    ["a writer", encodeMark({ ...curator, kind: "readWrite" }), ["__WRIT__", "__READ__"], 1],
    ["nobody", encodeMark({ ...curator, kind: "mutex" }), [], 0],
    ["those who are no contenders", encodeMark({ ...curator, kind: "mutex" }), ["other-"], 0],
  ];
  for (const [what, data, infixes, count] of cases) {
    it(what, async () => {
      const [memory, came] = await queueOf(data, infixes);
      const holders = await readHolders(memory, queue, anyone, 1000);
      assert.ok(holders.kind === "done");
      assert.deepEqual(
        holders.value.map(({ znode }) => znode),
        came.slice(0, count),
      );
    });
  }

  it("in a queue of more names than a page has", async () => {
    const [memory, came] = await queueOf(semaphore(70), Array<string>(10_500).fill("lock-"));
    const holders = await readHolders(memory, queue, anyone, 1000);
    assert.ok(holders.kind === "done");
    assert.deepEqual(
      holders.value.map(({ znode }) => znode),
      came.slice(0, 70),
    );
    assert.ok(holders.value.every(({ token }) => token > 0));
  });

  it("is not asked of what is no lock, or is not there", async () => {
    const [memory] = await queueOf(new TextEncoder().encode("data"), []);
    const other = await readHolders(memory, queue, anyone, 1000);
    assert.ok(other.kind === "failed" && other.failure.code === "nodeExists");
    const none = await readHolders(memory, path("/none"), anyone, 1000);
    assert.ok(none.kind === "failed" && none.failure.code === "noNode");
  });
});
