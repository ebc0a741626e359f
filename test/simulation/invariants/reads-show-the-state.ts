/**
 * DESIGN 6: a read is answered from the state at one zxid, which it bears; API.md: a later page of children has the
 * names of the first page's zxid; ZooKeeper's guarantees, "atomicity: no partial results".
 *
 * Checked: every answered read stands at the end of a batch of the order, and what it shows (data, stat, children, reads
 * of a txn, "there is no such znode") is what the first replica that applied that batch had there: get, exists, children
 * (first and later pages), getAcl, txns of reads. Reads of sessions are not judged.
 */
import {
  type ChildrenOperation,
  type ChildrenResult,
  formatZxid,
  type Path,
  type ReadOperation,
  type Result,
  type TxnOperation,
  type Zxid,
} from "@quorate/api";
import { type Answered, type AppliedBatch, Invariant } from "../observation.ts";
import type { Order } from "./order.ts";
import { type NodeState, PathHistories } from "./path-histories.ts";
import { sameValue } from "./same-value.ts";

export class ReadsShowTheState extends Invariant {
  readonly name = "reads-show-the-state";
  readonly #order: Order;
  readonly #histories = new PathHistories();
  /** Histories are whole up to here. */
  #through: Zxid = 0 as Zxid;

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override applied(seen: AppliedBatch): void {
    const { entry, fresh } = this.#order.note(seen);
    // A batch that nobody was seen to apply, or one too large for the ring, ends what can be told.
    if (!fresh || entry.changes === undefined || entry.batch.previous !== this.#through) return;
    this.#histories.add(entry, seen.tree);
    this.#through = entry.batch.last;
  }

  override answered({ at, asked, answer }: Answered): void {
    if (asked.kind !== "read" || answer.kind !== "outcome") return;
    if (this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
    const { outcome } = answer;
    const { operation } = asked.read;
    const { zxid } = outcome;
    // Refused at the door: of nothing.
    if (zxid === 0 && !outcome.ok && outcome.code === "badArguments") return;
    if (!this.#order.isEnd(zxid) && zxid < this.#order.end) {
      this.broken(`read ${asked.id} is answered at ${formatZxid(zxid)}, which is no position of the order`);
    }
    if (zxid > this.#through) return;
    const what = `read ${asked.id} (${operation.kind}) of replica ${answer.servedBy} at ${formatZxid(zxid)}`;
    if (outcome.ok) this.#shows(what, operation, outcome.result, zxid);
    else if (outcome.code === "noNode") this.#showsNone(what, operation, outcome.path, zxid);
  }

  #showsNone(what: string, operation: ReadOperation, path: Path | undefined, zxid: Zxid): void {
    const asked = "path" in operation ? operation.path : path;
    if (asked !== undefined && this.#histories.at(asked, zxid) !== undefined) {
      this.broken(`${what} finds no ${asked}, which was there`);
    }
  }

  #shows(what: string, operation: ReadOperation | TxnOperation, result: Result, zxid: Zxid): void {
    switch (result.kind) {
      case "data": {
        const { data, stat, path } = result;
        const state = this.#named(what, operation, path, zxid);
        return this.#alike(what, path, { data, stat }, { data: state.data, stat: state.stat });
      }
      case "acl": {
        const { acl, stat } = this.#named(what, operation, result.path, zxid);
        return this.#alike(what, result.path, { acl: result.acl, stat: result.stat }, { acl, stat });
      }
      case "stat": {
        const { stat } = this.#named(what, operation, result.path, zxid);
        return this.#alike(what, result.path, result.stat, stat);
      }
      case "children":
        return this.#showsChildren(what, operation as ChildrenOperation, result, zxid);
      case "txn": {
        if (operation.kind !== "txn") return;
        const operations = (result.branch === "then" ? operation.then : operation.else) ?? [];
        if (operations.length !== result.results.length) this.broken(`${what} answers for other operations`);
        for (const [index, each] of result.results.entries()) {
          this.#shows(what, operations[index] as TxnOperation, each, zxid);
        }
        return;
      }
      default:
    }
  }

  #named(what: string, operation: ReadOperation | TxnOperation, path: Path, zxid: Zxid): NodeState {
    if (!("path" in operation) || operation.path !== path)
      this.broken(`${what} shows ${path}, which was not asked for`);
    const state = this.#histories.at(path, zxid);
    if (state === undefined) this.broken(`${what} shows ${path}, which was not there`);
    return state;
  }

  #alike(what: string, path: Path, shown: unknown, was: unknown): void {
    if (sameValue(shown, was)) return;
    this.broken(`${what} shows ${path} as ${JSON.stringify(shown)}; it was ${JSON.stringify(was)}`);
  }

  #showsChildren(what: string, operation: ChildrenOperation, result: ChildrenResult, zxid: Zxid): void {
    const { path, stat, children, more, at } = result;
    this.#alike(what, path, stat, this.#named(what, operation, path, zxid).stat);
    if (at !== (operation.at ?? zxid)) this.broken(`${what} is a page of ${formatZxid(at)}`);
    const after = operation.after;
    const names = this.#histories.namesAt(path, at).filter((each) => after === undefined || each > after);
    const shown = children.map((each) => each.name);
    this.#alike(what, path, shown, names.slice(0, shown.length));
    if (more !== shown.length < names.length) this.broken(`${what}: ${shown.length} of ${names.length}, more: ${more}`);
    if (shown.length > operation.limit) this.broken(`${what} has ${shown.length} names`);
    if (more && shown.length === 0) this.broken(`${what} is empty, but not the last one`);
    for (const { name, stat, data } of children) {
      const child = (path === "/" ? `/${name}` : `${path}/${name}`) as Path;
      const state = operation.withData ? this.#histories.at(child, zxid) : undefined;
      this.#alike(what, child, { stat, data }, { stat: state?.stat, data: state?.data });
    }
  }
}
