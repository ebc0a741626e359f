/** Writes the tree out, exact at one zxid, in slices while batches go on being applied; then the log before it goes. */
import { formatZxid, type Zxid } from "@quorate/api";
import type { Tree } from "@quorate/tree";
import { replicaLimits } from "./replica-limits.ts";
import type { SnapshotFile } from "./snapshots.ts";
import { Spread } from "./spread.ts";
import type { Storage } from "./storage.ts";
import type { Clock } from "./world.ts";

export interface SnapshotPorts {
  readonly clock: Clock;
  readonly storage: Storage;
  tree(): Tree;
  /** Running checksum of the log at the tree's `applied`. */
  checksum(): number;
  log(text: string): void;
  /** The files begin here now. */
  pruned(base: Zxid): void;
  /** The records do not add up to the digest that was kept: this memory is not to be believed. */
  corrupt(why: string): void;
}

/** Between a snapshot that failed and the next try. */
const retryMillis = 10_000;

export class Snapshotter {
  readonly #ports: SnapshotPorts;
  readonly #logBytes: number;
  #running = false;
  #cancelled = false;
  /** After a failure (a full disk, say): not again before. */
  #notBefore = 0;
  #last: Zxid;
  /** Milliseconds that each took, from its beginning until it was named. */
  readonly times: Spread = new Spread();

  constructor(ports: SnapshotPorts, options: { readonly logBytes: number; readonly last: Zxid }) {
    this.#ports = ports;
    this.#logBytes = options.logBytes;
    this.#last = options.last;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Called now and then: takes one when the log behind the newest has grown long. */
  consider(): void {
    const { storage, clock } = this.#ports;
    if (this.#running || clock.now() < this.#notBefore) return;
    if (storage.logBytesAfter(this.#last) < this.#logBytes) return;
    if (this.#ports.tree().applied <= this.#last) return;
    this.#running = true;
    const ended = (): void => {
      this.#running = false;
      this.#cancelled = false;
    };
    this.#take().then(ended, (error: unknown) => {
      ended();
      this.#notBefore = clock.now() + retryMillis;
      this.#ports.log(`snapshot failed: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  /** The tree is replaced (a SNAP was installed): what runs is of the old one. */
  replaced(at: Zxid): void {
    this.#last = at;
    this.#cancelled = this.#running;
  }

  async #take(): Promise<void> {
    const { clock, storage } = this.#ports;
    const cursor = this.#ports.tree().snapshot();
    const started = clock.now();
    let file: SnapshotFile | undefined;
    try {
      file = await storage.beginSnapshot(cursor.zxid, this.#ports.checksum());
      for (;;) {
        if (this.#cancelled) throw new Error("a snapshot from the leader replaced the tree");
        const until = clock.now() + replicaLimits.sliceMillis;
        let chunk: Uint8Array | undefined;
        do {
          chunk = cursor.next(64 * 1024);
          if (chunk) await file.write(chunk);
        } while (chunk && clock.now() < until);
        if (!chunk) break;
        await new Promise<void>((resolve) => clock.soon(resolve));
      }
      if (!cursor.digestMatches) {
        this.#ports.corrupt(`the records at ${formatZxid(cursor.zxid)} do not add up to the digest kept of them`);
        throw new Error("the digest differs");
      }
      if (!(await file.commit())) throw new Error("a snapshot from the leader replaced the tree");
    } catch (error) {
      cursor.cancel();
      await file?.abort();
      throw error;
    }
    const former = this.#last;
    this.#last = cursor.zxid;
    this.times.observe(clock.now() - started);
    this.#ports.log(`snapshot at ${formatZxid(cursor.zxid)} in ${Math.round(this.times.last)} ms`);
    this.#ports.pruned(await storage.prune(former));
  }
}
