import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Batch, Zxid } from "@quorate/api";
import { replicaLimits } from "./replica-limits.ts";
import type { Storage } from "./storage.ts";
import { CorruptionError } from "./storage-error.ts";
import { Transfers } from "./transfers.ts";
import type { Clock } from "./world.ts";

/** Runs what was put off when the test says so. */
class ManualTimers {
  readonly #waiting = new Set<() => void>();
  readonly clock = {
    after: (_millis: number, run: () => void) => {
      this.#waiting.add(run);
      return { cancel: () => void this.#waiting.delete(run) };
    },
  } as unknown as Clock;

  fire(): void {
    for (const run of this.#waiting) run();
  }
}

const z = (value: number): Zxid => value as Zxid;

/** Transfers over links that the test opens and closes; every position is a batch. */
function transfers(): { made: Transfers; writable: Set<number>; sent: string[]; told: string[]; pinned: () => number } {
  const writable = new Set<number>();
  const sent: string[] = [];
  const told: string[] = [];
  let pinned = 0;
  const sendHistory = async function* (after: Zxid, through: Zxid): AsyncGenerator<readonly Batch[]> {
    pinned++;
    try {
      for (let at = after + 1; at <= through; at++) {
        if (at === 13) throw new Error("unreadable");
        if (at === 23) throw new CorruptionError("log", "is not what was written");
        yield [{ last: z(at), payload: new Uint8Array(0) } as Partial<Batch> as Batch];
      }
    } finally {
      pinned--;
    }
  };
  const made = new Transfers({
    storage: { sendHistory } as unknown as Storage,
    send: (link, message) =>
      void sent.push(`${link}:${message.kind === "propose" ? message.batch.last : message.kind}`),
    writable: (link) => writable.has(link),
    clock: new ManualTimers().clock,
    askStored: () => undefined,
    done: (ticket, at) => void told.push(`${ticket} done at ${at}`),
    corrupt: (why) => void told.push(`corrupt: ${why}`),
    failed: (link, why) => void told.push(`${link} ${why}`),
  });
  return { made, writable, sent, told, pinned: () => pinned };
}

test("history goes out at the pace of its link", async () => {
  const { made, writable, sent, told } = transfers();
  made.start({ kind: "sendHistory", ticket: 1, link: 7, after: z(0), through: z(3) });
  await setImmediate();
  assert.deepEqual(sent, []);
  writable.add(7);
  made.drained(7);
  await setImmediate();
  assert.deepEqual([sent, told, made.running], [["7:1", "7:2", "7:3"], ["1 done at 3"], 0]);
});

test("a follower that begins again on the same link gets the new transfer only", async () => {
  const { made, writable, sent, told, pinned } = transfers();
  made.start({ kind: "sendHistory", ticket: 1, link: 7, after: z(0), through: z(5) });
  await setImmediate();
  made.start({ kind: "sendHistory", ticket: 2, link: 7, after: z(8), through: z(10) });
  writable.add(7);
  made.drained(7);
  await setImmediate();
  await setImmediate();
  assert.deepEqual([sent, told], [["7:9", "7:10"], ["2 done at 10"]]);
  assert.deepEqual([made.running, pinned()], [0, 0], "the former one holds nothing");
});

test("a transfer whose link is gone ends without a word; one that fails costs its link", async () => {
  const { made, writable, told, pinned } = transfers();
  made.start({ kind: "sendHistory", ticket: 1, link: 7, after: z(0), through: z(5) });
  await setImmediate();
  made.linkDown(7);
  await setImmediate();
  assert.deepEqual([told, made.running, pinned()], [[], 0, 0]);
  writable.add(8);
  made.start({ kind: "sendHistory", ticket: 2, link: 8, after: z(12), through: z(14) });
  await setImmediate();
  assert.deepEqual(told, ["8 unreadable"]);
});

test("a log that is not what was written ends the sender: every try would fail, with whomever", async () => {
  const { made, writable, told } = transfers();
  writable.add(7);
  made.start({ kind: "sendHistory", ticket: 1, link: 7, after: z(21), through: z(24) });
  await setImmediate();
  await setImmediate();
  assert.deepEqual(told, ["corrupt: log: is not what was written"]);
});

test("a snapshot that was begun for a former try is not ended behind the next one", async () => {
  const sent: string[] = [];
  const pieces: (() => void)[] = [];
  let released = 0;
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1);
    await new Promise<void>((resolve) => pieces.push(resolve));
  };
  const sendSnapshot = () => ({ at: z(9), checksum: 1, chunks: chunks(), release: () => void released++ });
  const made = new Transfers({
    storage: { sendSnapshot } as unknown as Storage,
    send: (_link, message) => void sent.push(message.kind === "snapshot" ? `${message.offset} ${message.done}` : "?"),
    writable: () => true,
    clock: new ManualTimers().clock,
    askStored: () => undefined,
    done: (ticket) => void sent.push(`done ${ticket}`),
    corrupt: (why) => assert.fail(why),
    failed: (_link, why) => void sent.push(why),
  });
  made.start({ kind: "sendSnapshot", ticket: 1, link: 7 });
  await setImmediate();
  made.start({ kind: "sendSnapshot", ticket: 2, link: 7 });
  await setImmediate();
  for (const go of pieces) go();
  await setImmediate();
  assert.deepEqual([sent, released], [["0 true", "done 2"], 2]);
});

/** A transfer of a snapshot in pieces of one step each, over a link that is always writable. */
function stepped(pieces: number): {
  made: Transfers;
  sent: number[];
  asked: number[];
  told: string[];
  timers: ManualTimers;
} {
  const [sent, asked, told]: [number[], number[], string[]] = [[], [], []];
  const timers = new ManualTimers();
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < pieces; i++) yield new Uint8Array(replicaLimits.transferStepBytes);
  };
  const sendSnapshot = () => ({ at: z(9), checksum: 1, chunks: chunks(), release: () => told.push("released") });
  const made = new Transfers({
    storage: { sendSnapshot } as unknown as Storage,
    clock: timers.clock,
    send: (_link, message) => void sent.push(message.kind === "snapshot" ? message.offset : -1),
    writable: () => true,
    askStored: (_link, id) => void asked.push(id),
    done: (ticket) => void told.push(`done ${ticket}`),
    corrupt: (why) => assert.fail(why),
    failed: (link, why) => void told.push(`${link} ${why}`),
  });
  return { made, sent, asked, told, timers };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

test("a transfer is at most some steps ahead of the disk that it is for", async () => {
  const { made, sent, asked, told } = stepped(6);
  const steps = replicaLimits.transferSteps;
  made.start({ kind: "sendSnapshot", ticket: 1, link: 7 });
  for (let written = 0; written < 6 - steps; written++) {
    await turns();
    assert.deepEqual([sent.length, asked.length, told], [written + steps, written + steps, []]);
    // Of another link, and one that was answered before.
    made.stored(8, asked.at(-1) ?? 0);
    made.stored(7, asked[written - 1] ?? 0);
    await turns();
    assert.equal(sent.length, written + steps);
    made.stored(7, asked[written] ?? 0);
  }
  await turns();
  assert.deepEqual([sent.length, told, made.running], [6, ["released", "done 1"], 0]);
});

test("what a former transfer was answered makes no room for the next one on its link", async () => {
  const { made, sent, asked } = stepped(6);
  made.start({ kind: "sendSnapshot", ticket: 1, link: 7 });
  await turns();
  const former = asked.at(-1) ?? 0;
  made.start({ kind: "sendSnapshot", ticket: 2, link: 7 });
  await turns();
  const { length } = sent;
  assert.equal(length, 2 * replicaLimits.transferSteps);
  made.stored(7, former);
  await turns();
  assert.equal(sent.length, length);
});

test("a disk that takes nothing for long costs the link, so that the log is held no longer", async () => {
  const { made, told, asked, timers } = stepped(6);
  made.start({ kind: "sendSnapshot", ticket: 1, link: 7 });
  await turns();
  made.stored(7, asked[0] ?? 0);
  await turns();
  assert.deepEqual(told, []);
  timers.fire();
  await turns();
  assert.deepEqual([told, made.running], [["released", "7 its disk has written nothing for 30 s"], 0]);
});
