/**
 * The table of access control lists: each distinct list once, under a number that znodes refer to. Numbers rise and are
 * never used again, so that what a change in the ring refers to cannot become another list. A list goes when the last
 * znode that refers to it has gone, at the end of that command. Number 0 is the open list, which is always there.
 */
import { type Acl, assert, openAcl } from "@quorate/api";
import { flatten } from "./compact-data.ts";
import type { Hasher } from "./digest.ts";
import { type Home, type Store, type Stored, Table } from "./store.ts";

export const openAclReference = 0;

export class AclRecord implements Stored {
  mark = 0;
  readonly reference: number;
  readonly acl: Acl;
  readonly text: string;

  constructor(reference: number, acl: Acl) {
    this.reference = reference;
    this.acl = acl;
    this.text = canonical(acl);
  }
}

/** Schemes have no colon and no line break among those we know; ids are quoted. */
function canonical(acl: Acl): string {
  return acl.map((each) => `${each.scheme}:${each.perms}:${JSON.stringify(each.id)}`).join("\n");
}

export const openAclText = canonical(openAcl);

function hashAcl(record: AclRecord, hasher: Hasher, fresh: boolean): void {
  hasher.int(record.reference);
  hasher.text(fresh ? canonical(record.acl) : record.text);
}

export class Acls implements Home<AclRecord> {
  readonly table: Table<AclRecord>;
  /** The next number to give; part of the replicated state. */
  next = 1;
  readonly #byReference = new Map<number, AclRecord>();
  readonly #byText = new Map<string, AclRecord>();
  /** Znodes that refer to each; derived. */
  readonly #uses = new Map<number, number>();
  /** Those whose uses have come to none during this command. */
  readonly #idle = new Set<number>();

  constructor(store: Store) {
    this.table = new Table(store, 6, this, hashAcl);
  }

  /** Beside the open list. */
  get size(): number {
    return this.#byReference.size;
  }

  get(reference: number): Acl | undefined {
    return reference === openAclReference ? openAcl : this.#byReference.get(reference)?.acl;
  }

  /** The number of a list that is valid. */
  intern(acl: Acl): number {
    if (acl === openAcl) return openAclReference;
    const text = canonical(acl);
    if (text === openAclText) return openAclReference;
    const known = this.#byText.get(text);
    if (known !== undefined) return known.reference;
    const copy = acl.map(({ scheme, id, perms }) => ({ scheme: flatten(scheme), id: flatten(id), perms }));
    const record = new AclRecord(this.next++, copy);
    this.table.replace(undefined, record);
    return record.reference;
  }

  retain(reference: number): void {
    if (reference === openAclReference) return;
    this.#uses.set(reference, (this.#uses.get(reference) ?? 0) + 1);
  }

  release(reference: number): void {
    if (reference === openAclReference) return;
    const uses = (this.#uses.get(reference) ?? 0) - 1;
    assert(uses >= 0, "an ACL is released as often as it was retained");
    this.#uses.set(reference, uses);
    if (uses === 0) this.#idle.add(reference);
  }

  get unsettled(): boolean {
    return this.#idle.size > 0;
  }

  /** At a command's end: what nobody refers to goes; `retired` is told of it. */
  settle(retired: (reference: number, acl: Acl) => void): void {
    for (const reference of this.#idle) {
      const record = this.#byReference.get(reference);
      if (this.#uses.get(reference) === 0) {
        this.#uses.delete(reference);
        if (record !== undefined) {
          retired(reference, record.acl);
          this.table.replace(record, undefined);
        }
      }
    }
    this.#idle.clear();
  }

  /** After a load: what is wrong with the uses, if anything. */
  loaded(): string | undefined {
    this.#idle.clear();
    for (const [reference, uses] of this.#uses) {
      if (uses === 0) return `nothing refers to the ACL ${reference}`;
      if (!this.#byReference.has(reference)) return `there is no ACL ${reference}, but a znode refers to it`;
    }
    return undefined;
  }

  put(record: AclRecord): void {
    this.#byReference.set(record.reference, record);
    this.#byText.set(record.text, record);
    if (!this.#uses.has(record.reference)) {
      this.#uses.set(record.reference, 0);
      this.#idle.add(record.reference);
    }
  }

  remove(record: AclRecord): void {
    this.#byReference.delete(record.reference);
    this.#byText.delete(record.text);
  }

  values(): IterableIterator<AclRecord> {
    return this.#byReference.values();
  }
}
