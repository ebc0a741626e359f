/**
 * The order of everything that touches the log or the state file: first in, first out, one at a time. Appends that
 * wait together become one write and one fsync. The first failure is the last thing that happens here.
 */
import { assert, type Batch } from "@quorate/api";
import type { WriteTicket } from "@quorate/zab";
import type { StorageLimits } from "./limits.ts";
import { recordHeaderBytes } from "./record.ts";
import { asStorageError, StorageError } from "./storage-error.ts";
import type { Clock } from "./world.ts";

interface AppendJob {
  readonly kind: "append";
  readonly ticket: WriteTicket;
  readonly since: number;
  readonly batches: readonly Batch[];
  readonly bytes: number;
  readonly staged: boolean;
}

interface WorkJob {
  readonly kind: "work";
  readonly ticket: WriteTicket | undefined;
  readonly since: number;
  readonly bytes: number;
  readonly work: () => Promise<void>;
  readonly settled: ((failure: Error | undefined) => void) | undefined;
}

type Job = AppendJob | WorkJob;

export interface WriteQueuePorts {
  readonly clock: Clock;
  readonly limits: StorageLimits;
  readonly append: (batches: readonly Batch[], staged: boolean) => Promise<void>;
  readonly onWritten: (ticket: WriteTicket) => void;
  /** Once; nothing is done after it. */
  readonly onFatal: (error: Error) => void;
}

export class WriteQueue {
  readonly #ports: WriteQueuePorts;
  #jobs: Job[] = [];
  /** Jobs before it are done: an array is shifted seldom. */
  #head = 0;
  #bytes = 0;
  #running = false;
  #failure: Error | undefined;

  constructor(ports: WriteQueuePorts) {
    this.#ports = ports;
  }

  get waiting(): number {
    return this.#jobs.length - this.#head;
  }

  get waitingBytes(): number {
    return this.#bytes;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Age of the oldest write that is not durable; 0 when none waits. */
  oldestMillis(): number {
    const job = this.#jobs[this.#head];
    return job === undefined ? 0 : this.#ports.clock.now() - job.since;
  }

  append(ticket: WriteTicket, batches: readonly Batch[], staged: boolean): void {
    let bytes = 0;
    for (const batch of batches) bytes += recordHeaderBytes + batch.payload.length;
    this.#push({ kind: "append", ticket, since: this.#ports.clock.now(), batches, bytes, staged });
  }

  /** An effect of the core; `bytes`: what it holds in memory. */
  work(ticket: WriteTicket, bytes: number, work: () => Promise<void>): void {
    this.#push({ kind: "work", ticket, since: this.#ports.clock.now(), bytes, work, settled: undefined });
  }

  /** The shell's own work, in its turn. What it fails with is fatal and rejects. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: T;
      const job = async (): Promise<void> => {
        result = await work();
      };
      const settled = (failure: Error | undefined): void => (failure ? reject(failure) : resolve(result));
      if (this.#failure) reject(this.#failure);
      else
        this.#push({ kind: "work", ticket: undefined, since: this.#ports.clock.now(), bytes: 0, work: job, settled });
    });
  }

  /** Everything that was asked for before is done. */
  barrier(): Promise<void> {
    if (this.waiting === 0 && !this.#failure) return Promise.resolve();
    return this.run(() => Promise.resolve());
  }

  /** Stops as after a failure, without a word to anybody but those who wait. */
  stop(reason: Error): void {
    if (!this.#failure) this.#end(reason);
  }

  #push(job: Job): void {
    if (this.#failure) return;
    const { limits } = this.#ports;
    this.#jobs.push(job);
    this.#bytes += job.bytes;
    if (this.#bytes > limits.queueHardBytes || this.waiting > limits.queueJobs) {
      this.#fail(new StorageError("log", `the disk is ${this.#bytes} bytes in ${this.waiting} writes behind`));
      return;
    }
    if (this.#running) return;
    this.#running = true;
    // Not at once: what the same turn of the loop appends belongs into the same write.
    queueMicrotask(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    try {
      while (this.waiting > 0 && !this.#failure) {
        const count = await this.#perform(this.#jobs[this.#head] as Job);
        if (this.#failure) return;
        this.#finish(count);
      }
      this.#running = false;
    } catch (error) {
      this.#fail(asStorageError(error));
    }
  }

  /** Does the oldest job and those that can be done with it; how many they were. */
  async #perform(job: Job): Promise<number> {
    if (job.kind === "work") {
      await job.work();
      return 1;
    }
    const group = this.#gather(job);
    const batches = group === 1 ? job.batches : this.#batchesOf(group);
    await this.#ports.append(batches, job.staged);
    return group;
  }

  #gather(first: AppendJob): number {
    const { limits } = this.#ports;
    let { bytes } = first;
    let batches = first.batches.length;
    let count = 1;
    for (; count < this.waiting; count++) {
      const next = this.#jobs[this.#head + count] as Job;
      if (next.kind !== "append" || next.staged !== first.staged) break;
      bytes += next.bytes;
      batches += next.batches.length;
      if (bytes > limits.groupBytes || batches > limits.groupBatches) break;
    }
    return count;
  }

  #batchesOf(count: number): Batch[] {
    const batches: Batch[] = [];
    for (let index = 0; index < count; index++) {
      const job = this.#jobs[this.#head + index] as AppendJob;
      for (const batch of job.batches) batches.push(batch);
    }
    return batches;
  }

  #finish(count: number): void {
    const done = this.#jobs.slice(this.#head, this.#head + count);
    this.#head += count;
    if (this.#head === this.#jobs.length || this.#head > 4096) {
      this.#jobs = this.#jobs.slice(this.#head);
      this.#head = 0;
    }
    for (const job of done) {
      this.#bytes -= job.bytes;
      assert(this.#bytes >= 0, "the queue's bytes are counted");
    }
    for (const job of done) {
      if (job.ticket !== undefined) this.#ports.onWritten(job.ticket);
      if (job.kind === "work") job.settled?.(undefined);
    }
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#end(error);
    this.#ports.onFatal(error);
  }

  #end(error: Error): void {
    this.#failure = error;
    const left = this.#jobs.slice(this.#head);
    this.#jobs = [];
    this.#head = 0;
    this.#bytes = 0;
    for (const job of left) if (job.kind === "work") job.settled?.(error);
  }
}
