/** The whole replicated state: the tables of one store, and the counters beside them. */
import { type Path, type SessionId, type Zxid, zeroZxid } from "@quorate/api";
import { Acls } from "./acls.ts";
import { ChangeRing } from "./change-ring.ts";
import { flatten } from "./compact-data.ts";
import { type DigestSum, formatDigest, Hasher } from "./digest.ts";
import { begin } from "./genesis.ts";
import { Keys } from "./keys.ts";
import { Lanes } from "./lanes.ts";
import { Quotas } from "./quotas.ts";
import { Sessions } from "./sessions.ts";
import { Store } from "./store.ts";
import { Znodes } from "./znodes.ts";

export class State {
  readonly store: Store = new Store();
  readonly acls: Acls;
  readonly quotas: Quotas = new Quotas(() => this.znodes);
  readonly znodes: Znodes;
  readonly sessions: Sessions;
  readonly lanes: Lanes;
  readonly keys: Keys;
  readonly ring: ChangeRing;
  /** The last batch's position. */
  applied: Zxid = zeroZxid;
  /** The highest stamp of all batches. */
  stamp = 0;
  /** The rules version of the last batch, which decides what the commands in it do. It never falls. */
  rules = 1;

  /** `applied`: of the snapshot that a loader is about to fill in; then there is no root yet. */
  constructor(ringBytes: number, applied?: Zxid) {
    this.acls = new Acls(this.store);
    this.znodes = new Znodes(this.store, this.acls, this.quotas, applied === undefined);
    this.sessions = new Sessions(this.store);
    this.lanes = new Lanes(this.store);
    this.keys = new Keys(this.store);
    this.applied = applied ?? zeroZxid;
    this.ring = new ChangeRing(ringBytes, this.applied);
    if (applied === undefined) begin(this);
  }

  /** At a command's end: what follows from it for records that it did not name; mostly nothing. */
  settle(zxid: Zxid): void {
    if (this.acls.unsettled) this.acls.settle((reference, acl) => this.ring.retire(reference, acl, zxid));
    if (this.quotas.unsettled) this.quotas.settle(this.#tell);
  }

  readonly #tell = (path: Path, text: string): void => {
    const node = this.znodes.get(path);
    if (node !== undefined && node.data !== text) this.znodes.table.replace(node, node.withText(flatten(text)));
  };

  digest(): string {
    return digestOf(this.store.sum, this.applied, this.stamp, this.rules, this.acls.next);
  }

  /** Ends the session with its lane's memory; its ephemerals are the caller's to delete. */
  dropSession(id: SessionId): void {
    const session = this.sessions.get(id);
    const lane = this.lanes.get(id);
    if (lane !== undefined) this.lanes.close(lane);
    if (session !== undefined) this.sessions.table.replace(session, undefined);
  }
}

/** The sum over the records with the counters that are no records. */
export function digestOf(sum: DigestSum, applied: Zxid, stamp: number, rules: number, nextAcl: number): string {
  const hasher = new Hasher();
  hasher.begin(0);
  hasher.int(sum.a);
  hasher.int(sum.b);
  hasher.long(applied);
  hasher.long(stamp);
  hasher.int(rules);
  hasher.int(nextAcl);
  hasher.end();
  return formatDigest(hasher.a, hasher.b);
}
