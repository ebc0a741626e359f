/**
 * The tree of a replica: what is committed is applied to it in slices, and a leader's snapshot replaces it. Nothing is
 * applied while a snapshot is being loaded.
 */
import { type Batch, formatZxid, type Zxid } from "@quorate/api";
import type { Applied, Tree, TreeOptions } from "@quorate/tree";
import { replicaLimits } from "./replica-limits.ts";
import { restoreTree } from "./restore.ts";
import { rulesFault } from "./rules-check.ts";
import type { Storage } from "./storage.ts";
import type { Clock } from "./world.ts";

export interface ApplierPorts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly treeOptions: TreeOptions;
  /** A batch was applied. */
  applied(batch: Batch, results: readonly Applied[], tree: Tree): void;
  /** The stamp passed a whole second at this position: every replica compares its digest there. */
  comparable(at: Zxid, digest: string): void;
  /** A leader's snapshot has replaced the tree. */
  loaded(tree: Tree): void;
  /** A slice has ended, or a snapshot is loaded: what waited for a zxid may go on. */
  advanced(): void;
  push(work: () => void): void;
  log(text: string): void;
  fatal(why: string): void;
}

export class Applier {
  readonly #ports: ApplierPorts;
  readonly #waiting: Batch[] = [];
  #tree: Tree;
  #checksum: number;
  #restoring = false;
  /** Of the snapshot that is loaded last: an earlier one that is still being read is void. */
  #installs = 0;
  /** Commands since the start. */
  commands = 0;

  constructor(tree: Tree, checksum: number, ports: ApplierPorts) {
    this.#tree = tree;
    this.#checksum = checksum;
    this.#ports = ports;
  }

  get tree(): Tree {
    return this.#tree;
  }
  /** Running checksum of the log at the tree's `applied`. */
  get checksum(): number {
    return this.#checksum;
  }
  get restoring(): boolean {
    return this.#restoring;
  }
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Committed and durable here: to be applied behind what waits already. */
  deliver(batches: readonly Batch[]): void {
    this.#waiting.push(...batches);
  }

  /** Applies for as long as a slice lasts; the rest in the next turn. */
  slice(started: number): void {
    if (this.#restoring || this.#waiting.length === 0) return;
    const until = started + replicaLimits.sliceMillis;
    let done = 0;
    for (const batch of this.#waiting) {
      this.#apply(batch);
      if (this.#tree.applied < batch.last) return;
      done++;
      if (this.#ports.clock.now() >= until) break;
    }
    this.#waiting.splice(0, done);
    this.#ports.advanced();
    if (this.#waiting.length > 0) this.#ports.push(() => {});
  }

  #apply(batch: Batch): void {
    const { rules, stamp: before } = this.#tree;
    if (batch.rules !== rules) {
      const fault = rulesFault(batch, rules);
      if (fault !== undefined) return this.#ports.fatal(fault);
      this.#ports.log(`from ${formatZxid(batch.first)} on rules version ${batch.rules} holds: every member knows it`);
    }
    const results = this.#tree.apply(batch);
    this.#checksum = batch.checksum;
    this.commands += results.length;
    this.#ports.applied(batch, results, this.#tree);
    if (Math.floor(before / 1000) !== Math.floor(batch.stamp / 1000)) {
      this.#ports.comparable(batch.last, this.#tree.digest());
    }
  }

  /** The state file names a leader's snapshot now: the tree is loaded from it before anything more is applied. */
  install(at: Zxid): void {
    const { storage, clock, treeOptions, push, fatal } = this.#ports;
    this.#waiting.length = 0;
    this.#restoring = true;
    const checksum = storage.newestSnapshot()?.checksum ?? 0;
    const install = ++this.#installs;
    const present = (): boolean => install === this.#installs;
    restoreTree(storage, clock, at, at, treeOptions).then(
      (tree) => push(() => present() && this.#restored(tree, checksum)),
      (error: unknown) => present() && fatal(error instanceof Error ? error.message : String(error)),
    );
  }

  #restored(tree: Tree, checksum: number): void {
    this.#tree = tree;
    this.#checksum = checksum;
    this.#restoring = false;
    this.#ports.loaded(tree);
    this.#ports.log(`loaded the leader's snapshot at ${formatZxid(tree.applied)}`);
    this.#ports.advanced();
  }
}
