/**
 * The recent changes, bounded by bytes: what a watch resumes from and what a later page of children undoes. One
 * replica's memory and no replicated state: nothing that apply decides may depend on it.
 */
import { type Acl, assert, type Change, type Zxid } from "@quorate/api";
import { bytesOfAcl } from "./outcome-memory.ts";

/** Rough bytes of a change in memory beside its path. */
const fixedBytes = 160;

export class ChangeRing {
  readonly #limitBytes: number;
  /** From `#first` on; ascending by zxid. */
  #changes: Change[] = [];
  #first = 0;
  #bytes = 0;
  /** Everything after this zxid is here. */
  #floor: Zxid;
  /** ACLs that have gone from the table while changes here still refer to them. */
  readonly #retired = new Map<number, { readonly acl: Acl; readonly zxid: Zxid }>();

  constructor(limitBytes: number, floor: Zxid) {
    this.#limitBytes = limitBytes;
    this.#floor = floor;
  }

  /** The ring answers for every zxid from here on. */
  get floor(): Zxid {
    return this.#floor;
  }

  get size(): number {
    return this.#changes.length - this.#first;
  }

  push(change: Change): void {
    this.#changes.push(change);
    this.#bytes += fixedBytes + change.path.length;
    this.#trim();
    if (this.#first < 1024 || this.#first * 2 < this.#changes.length) return;
    this.#changes = this.#changes.slice(this.#first);
    this.#first = 0;
  }

  #trim(): void {
    while (this.#bytes > this.#limitBytes && this.size > 0) this.#drop();
  }

  #drop(): void {
    const oldest = this.#changes[this.#first] as Change;
    // The slot is emptied, so that the change can be collected before the array is cut.
    (this.#changes as (Change | undefined)[])[this.#first++] = undefined;
    this.#bytes -= fixedBytes + oldest.path.length;
    assert(oldest.zxid >= this.#floor, "changes are in the order of their zxids");
    this.#floor = oldest.zxid;
    for (const [reference, { acl, zxid }] of this.#retired) {
      if (zxid > this.#floor) break;
      this.#retired.delete(reference);
      this.#bytes -= fixedBytes + bytesOfAcl(acl);
    }
  }

  /** All changes behind `zxid`, in order, each transaction whole; not to be held across applies. */
  after(zxid: Zxid): Iterable<Change> | "tooOld" {
    if (zxid < this.#floor) return "tooOld";
    return this.#from(this.#position(zxid));
  }

  /** As `after`, the newest first. */
  backTo(zxid: Zxid): Iterable<Change> | "tooOld" {
    if (zxid < this.#floor) return "tooOld";
    return this.#backTo(this.#position(zxid));
  }

  *#from(start: number): Generator<Change, undefined, undefined> {
    for (let i = start; i < this.#changes.length; i++) yield this.#changes[i] as Change;
  }

  *#backTo(start: number): Generator<Change, undefined, undefined> {
    for (let i = this.#changes.length - 1; i >= start; i--) yield this.#changes[i] as Change;
  }

  /** Where the first change behind `zxid` is. */
  #position(zxid: Zxid): number {
    let low = this.#first;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle] as Change).zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Called behind the change of `zxid` by which the last reference to the list went. */
  retire(reference: number, acl: Acl, zxid: Zxid): void {
    if (zxid <= this.#floor) return;
    this.#retired.set(reference, { acl, zxid });
    this.#bytes += fixedBytes + bytesOfAcl(acl);
    this.#trim();
  }

  retired(reference: number): Acl | undefined {
    return this.#retired.get(reference)?.acl;
  }
}
