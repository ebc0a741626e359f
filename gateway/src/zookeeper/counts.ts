/** What a door was asked and what it answered, by operation and code, for /metrics: a few additions for each request. */
import { Tally } from "./statistics.ts";

export interface OperationCount {
  /** Of ZooKeeper's codes. */
  readonly code: number;
  count: number;
  /** Until the answer was put out, all together. */
  millis: number;
}

/** What is answered with as much as a reply may have, however small the request is. */
const largeReplies: ReadonlySet<string> = new Set([
  ...["getData", "getChildren", "getChildren2"],
  ...["multiRead", "getEphemerals", "getAcl"],
]);

/** What ends as a transaction; ZooKeeper counts all else among the reads. */
const updates: ReadonlySet<string> = new Set([
  ...["create", "delete", "setData", "setAcl", "multi", "reconfig", "closeSession"],
]);

export class OperationCounts {
  readonly op: string;
  /** Its reply may be as large as any. */
  readonly large: boolean;
  readonly #ok: OperationCount = { code: 0, count: 0, millis: 0 };
  readonly #failures: OperationCount[] = [];
  /** Of all operations of its kind. */
  readonly #latencies: Tally;

  constructor(op: string, latencies: Tally) {
    this.op = op;
    this.large = largeReplies.has(op);
    this.#latencies = latencies;
  }

  observe(code: number, millis: number): void {
    this.#latencies.observe(millis);
    let entry: OperationCount | undefined = this.#ok;
    if (code !== 0) {
      entry = this.#failures.find((each) => each.code === code);
      if (entry === undefined) {
        entry = { code, count: 0, millis: 0 };
        this.#failures.push(entry);
      }
    }
    entry.count += 1;
    entry.millis += millis;
  }

  get all(): readonly OperationCount[] {
    return this.#ok.count === 0 ? this.#failures : [this.#ok, ...this.#failures];
  }
}

export class Counts {
  /** Since the start, or `srst`. */
  readonly reads: Tally = new Tally();
  readonly updates: Tally = new Tally();
  readonly #operations = new Map<string, OperationCounts>();

  /** `op`: of a request's body, so that there are few. */
  of(op: string): OperationCounts {
    let found = this.#operations.get(op);
    if (found === undefined) {
      found = new OperationCounts(op, updates.has(op) ? this.updates : this.reads);
      this.#operations.set(op, found);
    }
    return found;
  }

  get all(): Iterable<OperationCounts> {
    return this.#operations.values();
  }
}
