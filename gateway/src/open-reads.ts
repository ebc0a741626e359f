/**
 * The reads of a session that are not answered yet, and which writes they could see. A write that one of them could see
 * waits; any other may overtake them, as nobody can tell.
 *
 * A read of a path shows that znode and its children; a plain write changes its znode and its parent. Whatever may touch
 * more, or is not known before it is done, is wide: it is apart from nothing.
 */
import { type Path, parentOf, type ReadOperation, type WriteOperation } from "@quorate/api";

export class OpenReads {
  readonly #paths = new Map<Path, number>();
  #wide = 0;
  #count = 0;

  /** How many. */
  get size(): number {
    return this.#count;
  }

  add(operation: ReadOperation): void {
    this.#count += 1;
    const path = placeOf(operation);
    if (path === undefined) this.#wide += 1;
    else this.#paths.set(path, (this.#paths.get(path) ?? 0) + 1);
  }

  /** Of one that was added. */
  remove(operation: ReadOperation): void {
    this.#count -= 1;
    const path = placeOf(operation);
    if (path === undefined) {
      this.#wide -= 1;
      return;
    }
    const left = (this.#paths.get(path) ?? 0) - 1;
    if (left > 0) this.#paths.set(path, left);
    else this.#paths.delete(path);
  }

  /** Whether one of them could see this write. */
  couldSee(operation: WriteOperation): boolean {
    if (this.#count === 0) return false;
    if (this.#wide > 0 || isWide(operation)) return true;
    const { path } = operation;
    if (this.#paths.has(path)) return true;
    const parent = parentOf(path);
    return parent !== undefined && this.#paths.has(parent);
  }
}

/** Undefined: it may show anything. */
function placeOf(operation: ReadOperation): Path | undefined {
  switch (operation.kind) {
    case "get":
    case "exists":
    case "children":
    case "getAcl":
      return operation.path;
    default:
      return undefined;
  }
}

type Plain = Extract<WriteOperation, { kind: "create" | "put" | "set" | "delete" | "setAcl" }>;

function isWide(operation: WriteOperation): operation is Exclude<WriteOperation, Plain> {
  switch (operation.kind) {
    case "create":
      return operation.parents || operation.sequential;
    case "put":
      return operation.parents;
    case "delete":
      return operation.recursive;
    case "set":
    case "setAcl":
      return false;
    default:
      return true;
  }
}
