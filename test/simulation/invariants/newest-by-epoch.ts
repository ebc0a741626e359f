/**
 * The newest position of each epoch. What a leader has to have is that of the epochs before its own: it may learn of its
 * establishment late, when a later one has led already.
 */
import { type Epoch, epochOf, type Zxid } from "@quorate/api";

export class NewestByEpoch {
  readonly #newest = new Map<Epoch, Zxid>();

  add(zxid: Zxid): void {
    const epoch = epochOf(zxid);
    if (zxid > (this.#newest.get(epoch) ?? 0)) this.#newest.set(epoch, zxid);
  }

  /** Of all epochs below this one. */
  before(epoch: Epoch): Zxid {
    let newest = 0 as Zxid;
    for (const [each, zxid] of this.#newest) if (each < epoch && zxid > newest) newest = zxid;
    return newest;
  }
}
