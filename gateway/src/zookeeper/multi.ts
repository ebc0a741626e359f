/** multi and multiRead: many operations in one request, each with a result of its own. */
import {
  type ChildrenOperation,
  type Failure,
  isBadPath,
  limits,
  type Outcome,
  type Path,
  parsePath,
  type ReadOperation,
  type Result,
  rootPath,
  type TxnOperation,
  type TxnOperationSet,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { ConnectionContext, Replies, Slot } from "./context.ts";
import { replyLimitBytes } from "./encode.ts";
import type { LaneCalls } from "./lane-calls.ts";
import { codes, type MultiOperation, type MultiReadOperation, type MultiResult } from "./messages.ts";
import type { ReplyBody } from "./reply.ts";
import { codeOf, namesOf } from "./results.ts";
import { checkOf, createOf, deleteOf, setOf } from "./writes.ts";

/** All or nothing, at one zxid. */
export function writeMany(
  { replies }: ConnectionContext,
  calls: LaneCalls,
  operations: readonly MultiOperation[],
  slot: Slot,
): void {
  if (operations.length > limits.multiOperations) return replies.fill(slot, zeroZxid, codes.badArguments);
  const read = operations.map(asInMulti);
  if (!read.every((each) => each !== undefined)) return replies.fill(slot, zeroZxid, codes.marshallingError);
  const multi = multiOf(read);
  calls.submit(multi.txn, slot, (outcome) => {
    const results = multiResultsOf(read, multi, outcome);
    if (results === undefined) calls.fail(slot, outcome as Failure);
    else if (typeof results === "number") replies.fill(slot, outcome.zxid, results);
    else replies.fill(slot, outcome.zxid, codes.ok, { kind: "multi", results });
  });
}

const container = { type: 19, flags: 4 } as const;
const ttlType = 21;
const ttlFlags: readonly number[] = [5, 6];
const mostFlags = 6;

/**
 * Op.create: in a multi it is not the opcode alone that says what a create is. The container's flag makes one of any opcode, and
 * createTTL without a TTL's flags is a plain create. Undefined: flags that ZooKeeper does not read, so that the whole request fails.
 */
function asInMulti(operation: MultiOperation): MultiOperation | undefined {
  if (operation.op !== "create") return operation;
  const { type, flags } = operation;
  const isTimed = ttlFlags.includes(flags);
  if (type === ttlType)
    return isTimed ? operation : { ...operation, type: flags === container.flags ? container.type : 1 };
  if (isTimed || flags < 0 || flags > mostFlags) return undefined;
  return flags === container.flags ? { ...operation, type: container.type } : operation;
}

/** `fault`: the operation at this place is refused by the door, unless one before it fails. */
interface Multi {
  readonly txn: TxnOperationSet;
  readonly fault: { readonly index: number; readonly code: number } | undefined;
}

function multiOf(operations: readonly MultiOperation[]): Multi {
  const then: TxnOperation[] = [];
  for (const [index, each] of operations.entries()) {
    const operation = operationOf(each);
    if (typeof operation === "number") {
      // Whether those before it hold is the tree's to say: here it meets a check that cannot hold.
      then.push({ kind: "check", path: rootPath, exists: false });
      return { txn: { kind: "txn", check: [], then }, fault: { index, code: operation } };
    }
    then.push(operation);
  }
  return { txn: { kind: "txn", check: [], then }, fault: undefined };
}

function operationOf(operation: MultiOperation): TxnOperation | number {
  switch (operation.op) {
    case "create":
      return createOf(operation);
    case "delete":
      return deleteOf(operation);
    case "setData":
      return setOf(operation);
    case "check":
      return checkOf(operation);
  }
}

/** A code: the request as a whole is answered so. Undefined: the connection is closed. */
function multiResultsOf(
  operations: readonly MultiOperation[],
  { fault }: Multi,
  outcome: Outcome,
): readonly MultiResult[] | number | undefined {
  if (outcome.ok) {
    const { result } = outcome;
    if (result.kind !== "txn") return codes.systemError;
    return operations.map((each, index) => resultOf(each, result.results[index] as Result));
  }
  const code = fault !== undefined && fault.index === placeOf(outcome) ? fault.code : codeOf(outcome.code);
  const place = placeOf(outcome);
  if (code === undefined || place === undefined) return code;
  return operations.map((_, index) => ({
    op: "error",
    code: index < place ? codes.ok : index === place ? code : codes.runtimeInconsistency,
  }));
}

function placeOf({ op }: Failure): number | undefined {
  return op?.in === "then" ? op.index : undefined;
}

function resultOf(operation: MultiOperation, result: Result): MultiResult {
  switch (operation.op) {
    case "create":
      if (result.kind !== "node") break;
      if (operation.type === 1) return { op: "create", path: result.path };
      return { op: "create2", path: result.path, stat: result.stat };
    case "setData":
      if (result.kind !== "node") break;
      return { op: "setData", stat: result.stat };
    case "delete":
    case "check":
      return { op: operation.op };
  }
  throw new Error(`the ${operation.op} of a txn was answered ${result.kind}`);
}

/**
 * Reads at one zxid, each with a result or an error of its own. A transaction of reads fails as a whole: then each is read by
 * itself, some at a time. What is more than clients read is an error, and no more of it is read than shows that.
 */
export function readMany(
  { replies }: ConnectionContext,
  calls: LaneCalls,
  operations: readonly MultiReadOperation[],
  slot: Slot,
): void {
  if (operations.length > limits.txnOperations) return replies.fill(slot, zeroZxid, codes.badArguments);
  slot.holds = true;
  const reads = operations.map(readOf);
  const each = (): void => new Readings(replies, calls, reads, slot).goOn();
  const then = reads.filter((read) => read !== undefined);
  if (then.length < reads.length) return each();
  calls.ask({ kind: "txn", check: [], then }, slot, (outcome) => {
    const { zxid } = outcome;
    // It is far beyond what a reply may have.
    if (!outcome.ok) return outcome.code === "tooLarge" ? replies.fill(slot, zxid, codes.ok, tooLarge) : each();
    const { result } = outcome;
    if (result.kind !== "txn") throw new Error(`a txn was answered ${result.kind}`);
    const results = result.results.map(readResult);
    const whole = results.every((found) => found !== undefined);
    replies.fill(slot, zxid, codes.ok, whole ? { kind: "multi", results } : tooLarge);
  });
}

type MultiRead = Extract<ReadOperation, { kind: "get" | "children" }>;

const tooLarge = { kind: "tooLarge" } as const;
/** Asked together: each may answer as much as a reply has room for. */
const readsAtOnce = 16;

/** Reads of one request, one by one. */
class Readings {
  readonly #replies: Replies;
  readonly #calls: LaneCalls;
  readonly #reads: readonly (MultiRead | undefined)[];
  readonly #slot: Slot;
  readonly #results: MultiResult[];
  #next = 0;
  #open = 0;
  #zxid: Zxid = zeroZxid;
  /** Of what was read. */
  #bytes = 0;
  #asking = false;
  #over = false;

  constructor(replies: Replies, calls: LaneCalls, reads: readonly (MultiRead | undefined)[], slot: Slot) {
    this.#replies = replies;
    this.#calls = calls;
    this.#reads = reads;
    this.#slot = slot;
    this.#results = reads.map(() => ({ op: "error", code: codes.noNode }));
  }

  goOn(): void {
    // What is answered at once comes back here.
    if (this.#asking || this.#over) return;
    this.#asking = true;
    while (this.#open < readsAtOnce && this.#next < this.#reads.length && !this.#over) {
      const index = this.#next++;
      const read = this.#reads[index];
      if (read === undefined) continue;
      this.#open += 1;
      this.#calls.ask(read, this.#slot, (outcome) => {
        this.#open -= 1;
        this.#take(index, outcome);
        this.goOn();
      });
    }
    this.#asking = false;
    if (this.#open === 0 && !this.#over) this.#end({ kind: "multi", results: this.#results });
  }

  #take(index: number, outcome: Outcome): void {
    if (this.#over) return;
    this.#zxid = outcome.zxid;
    const code = outcome.ok ? codes.ok : codeOf(outcome.code);
    if (code === undefined) {
      this.#over = true;
      return this.#calls.fail(this.#slot, outcome as Failure);
    }
    const result: MultiResult | undefined = outcome.ok ? readResult(outcome.result) : { op: "error", code };
    if (result !== undefined) this.#results[index] = result;
    this.#bytes += result === undefined ? replyLimitBytes + 1 : bytesOf(result);
    if (this.#bytes > replyLimitBytes) this.#end(tooLarge);
  }

  #end(body: ReplyBody): void {
    this.#over = true;
    this.#replies.fill(this.#slot, this.#zxid, codes.ok, body);
  }
}

/** Not more than on the wire. */
function bytesOf(result: MultiResult): number {
  if (result.op === "getData") return result.data?.length ?? 0;
  return result.op === "getChildren" ? result.children.reduce((sum, name) => sum + 4 + name.length, 0) : 0;
}

/** Undefined: a bad path, which names no znode. */
function readOf({ op, path: text }: MultiReadOperation): MultiRead | undefined {
  const path = parsePath(text);
  if (isBadPath(path)) return undefined;
  if (op === "getData") return { kind: "get", path };
  return allChildrenOf(path);
}

/** One reply has all names. */
export function allChildrenOf(path: Path): ChildrenOperation {
  return { kind: "children", path, limit: limits.listedNames, withData: false };
}

/** Undefined: it is larger than any reply. */
function readResult(result: Result): MultiResult | undefined {
  switch (result.kind) {
    case "data":
      return { op: "getData", data: result.nullData === true ? undefined : result.data, stat: result.stat };
    case "children": {
      const children = namesOf(result);
      return children && { op: "getChildren", children };
    }
    default:
      throw new Error(`a read of a multi was answered ${result.kind}`);
  }
}
