/**
 * What simulated clients ask: writes and reads of all kinds, drawn, and now and then built on what a client was answered
 * before: versions, ETags, the next page of a listing.
 */
import {
  type Acl,
  type ChildrenOperation,
  type Outcome,
  openAcl,
  type Path,
  parsePath,
  permissions,
  persistentShape,
  type ReadOperation,
  type Result,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import type { SeededRandom } from "./random.ts";

const text = new TextEncoder();
const registers = 5;

function path(name: string): Path {
  return parsePath(name) as Path;
}

/** Both let everybody do everything: what is tried is the table that keeps them. */
const lists: readonly Acl[] = [
  openAcl,
  [...openAcl, { scheme: "digest", id: "somebody:else", perms: permissions.read }],
];

/** What has to be there before clients ask. */
export const places: readonly Path[] = ["/r", "/q", "/e", "/p", "/t", "/d", "/c", "/w"].map(path);

export class Questions {
  readonly #random: SeededRandom;
  readonly #versions = new Map<Path, number>();
  /** The newest mzxid that it was told of. */
  readonly #tags = new Map<Path, Zxid>();
  /** The next page of the listing that it is in the midst of. */
  #page: ChildrenOperation | undefined;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  learn(outcome: Outcome): void {
    if (outcome.ok) this.#learnResult(outcome.result);
    // The listing is too old, or what it lists is gone.
    else if (outcome.code === "pageTooOld" || outcome.code === "noNode") this.#page = undefined;
  }

  #learnResult(result: Result): void {
    if (result.kind === "node" || result.kind === "data") {
      this.#versions.set(result.path, result.stat.version);
      this.#tags.set(result.path, result.stat.mzxid);
    } else if (result.kind === "deleted") {
      this.#versions.delete(result.path);
      this.#tags.delete(result.path);
    } else if (result.kind === "children") {
      const last = result.children.at(-1);
      if (!result.more || last === undefined) this.#page = undefined;
      else {
        const { path, at } = result;
        const withData = this.#page?.withData ?? false;
        this.#page = { kind: "children", path, limit: this.#random.between(1, 6), withData, at, after: last.name };
      }
    }
  }

  write(request: number): WriteOperation {
    const random = this.#random;
    const data = text.encode(`${request}`);
    const register = path(`/r/${random.below(registers)}`);
    const version = this.#versions.get(register);
    const kind = random.below(18);
    const plain = { kind: "put", path: register, data, parents: false, condition: {} } as const;
    if (kind <= 3) return plain;
    if (kind <= 5 && version !== undefined) return { ...plain, condition: { version } };
    if (kind === 6) return { ...plain, condition: { exists: false } };
    if (kind === 7) return { kind: "delete", path: register, condition: {}, recursive: false };
    if (kind === 8) return this.#txn(plain);
    if (kind === 12) {
      const shape = { kind: "ttl", ttlMillis: random.between(100, 1500) } as const;
      return { kind: "create", path: path("/t/n-"), data, shape, sequential: true, parents: false };
    }
    if (kind === 13) return { kind: "setAcl", path: path("/p/a"), acl: random.pick(lists), aversion: -1 };
    if (kind === 14) return this.#tagged(plain);
    if (kind === 15) return this.#deep(data);
    if (kind === 16) return this.#boxed(data);
    return { kind: "create", path: path("/q/n-"), data, shape: persistentShape, sequential: true, parents: false };
  }

  /** Two znodes that are always written together. */
  #txn(put: Extract<WriteOperation, { kind: "put" }>): WriteOperation {
    return {
      kind: "txn",
      check: [{ path: put.path, exists: true }],
      then: [
        { ...put, path: path("/p/a") },
        { ...put, path: path("/p/b") },
      ],
      ...(this.#random.chance(0.5) ? { else: [put] } : {}),
    };
  }

  /** Under the condition of an ETag, which may be an old one. */
  #tagged(put: Extract<WriteOperation, { kind: "put" }>): WriteOperation {
    const tag = this.#tags.get(put.path);
    if (tag === undefined) return put;
    const condition = { mzxids: [tag] };
    return this.#random.chance(0.7)
      ? { ...put, condition }
      : { kind: "delete", path: put.path, condition, recursive: false };
  }

  /** A few levels at once, and away with all of it. */
  #deep(data: Uint8Array): WriteOperation {
    const top = `/d/${this.#random.below(3)}`;
    if (this.#random.chance(0.2)) return { kind: "delete", path: path(top), condition: {}, recursive: true };
    const place = path(`${top}/${this.#random.below(3)}/${this.#random.below(4)}`);
    return { kind: "put", path: place, data, parents: true, condition: {} };
  }

  /** Containers: they go when they have been filled and emptied. */
  #boxed(data: Uint8Array): WriteOperation {
    const box = `/c/${this.#random.below(3)}`;
    const chosen = this.#random.below(4);
    if (chosen === 0) {
      const shape = { kind: "container", ttlMillis: 0 } as const;
      return { kind: "create", path: path(box), data, shape, sequential: false, parents: false };
    }
    const thing = path(`${box}/thing`);
    if (chosen <= 2) return { kind: "put", path: thing, data, parents: false, condition: {} };
    return { kind: "delete", path: thing, condition: {}, recursive: false };
  }

  ephemeral(request: number): WriteOperation {
    const place = path(`/e/lock-${this.#random.below(3)}`);
    if (this.#random.chance(0.25)) return { kind: "delete", path: place, condition: {}, recursive: false };
    const shape = { kind: "ephemeral", ttlMillis: 0 } as const;
    return { kind: "create", path: place, data: text.encode(`${request}`), shape, sequential: false, parents: false };
  }

  read(): ReadOperation {
    const random = this.#random;
    const kind = random.below(15);
    if (kind <= 5) return { kind: "get", path: path(`/r/${random.below(registers)}`) };
    if (kind === 6) return { kind: "get", path: path(random.chance(0.5) ? "/p/a" : "/p/b") };
    if (kind === 7) return { kind: "exists", path: path(`/e/lock-${random.below(3)}`) };
    if (kind === 10) return this.#nextPage();
    if (kind === 11) return { kind: "getAcl", path: path("/p/a") };
    if (kind === 12) return this.#together();
    if (kind === 13) return { kind: "get", path: path(`/d/${random.below(3)}/${random.below(3)}`) };
    if (kind === 14) {
      const listed = random.pick(["/r", "/p", "/e", "/c", "/d/1"]);
      return { kind: "children", path: path(listed), limit: 10_000, withData: true };
    }
    return { kind: "children", path: path(kind === 8 ? "/q" : "/e"), limit: 10_000, withData: false };
  }

  /** Of the listing that it is in the midst of, else a first one. */
  #nextPage(): ReadOperation {
    const random = this.#random;
    this.#page ??= {
      kind: "children",
      path: path(random.pick(["/q", "/t", "/d", "/d/0", "/e"])),
      limit: random.between(1, 4),
      withData: random.chance(0.5),
    };
    return this.#page;
  }

  /** At one zxid: the two that are always written together, and others. */
  #together(): ReadOperation {
    return {
      kind: "txn",
      check: [{ path: path("/p/a"), exists: true }],
      then: [
        { kind: "get", path: path("/p/a") },
        { kind: "get", path: path("/p/b") },
        { kind: "children", path: path("/e"), limit: 10, withData: true },
      ],
      else: [{ kind: "exists", path: path(`/r/${this.#random.below(registers)}`) }],
    };
  }
}
