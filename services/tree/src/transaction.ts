/** What the operations of one command share: its place, its time, who asks, and what it has changed so far. */
import {
  type Acting,
  type Change,
  type Failure,
  type Identity,
  limits,
  noSession,
  type Path,
  type SessionId,
  type Zxid,
} from "@quorate/api";
import { failure } from "./failure.ts";
import { highOf, type Moment, type ZNode } from "./znode.ts";

export class Transaction implements Moment {
  readonly zxid: Zxid;
  readonly stamp: number;
  readonly zxidHigh: number;
  readonly zxidLow: number;
  readonly timeHigh: number;
  readonly timeLow: number;
  readonly identity: Identity;
  /** The client's session on whose behalf it is, proven and alive; 0: none. */
  readonly session: SessionId;
  readonly changes: Change[] = [];
  /** Znodes created, written and deleted. */
  touched = 0;
  /** Znodes looked at for new quotas. */
  counted = 0;
  /** Bytes that its reads may still answer. */
  answerBytes: number = limits.answerBytes;

  constructor(zxid: Zxid, stamp: number, identity: Identity, acting: Acting | undefined) {
    this.zxid = zxid;
    this.stamp = stamp;
    this.zxidHigh = highOf(zxid);
    this.zxidLow = zxid | 0;
    this.timeHigh = highOf(stamp);
    this.timeLow = stamp | 0;
    this.identity = identity;
    this.session = acting === undefined ? noSession : acting.session;
  }

  /** Undefined if `count` znodes more may be touched. */
  room(count: number, path: Path): Failure | undefined {
    if (this.touched + count <= limits.txnZnodes) return undefined;
    const detail = `one transaction may touch at most ${limits.txnZnodes} znodes (txnZnodes); nothing was done; divide it`;
    return failure(this.zxid, "tooLarge", detail, path);
  }

  /** Undefined if `bytes` more may be answered, which then are spent. */
  spend(bytes: number, path: Path): Failure | undefined {
    this.answerBytes -= bytes;
    if (this.answerBytes >= 0) return undefined;
    const detail =
      "the answers of the transaction's reads together are too large (answerBytes); nothing was done; read less";
    return failure(this.zxid, "tooLarge", detail, path);
  }

  /** Notes a change, which touches a znode; `node` as it is afterwards, or was before its deletion. */
  note(type: Change["type"], node: ZNode, parentAcl: number): void {
    this.touched++;
    this.changes.push({
      zxid: this.zxid,
      type,
      path: node.path,
      version: node.version,
      czxid: node.czxid,
      time: this.stamp,
      acl: node.acl,
      parentAcl,
      kind: node.nature.kind,
    });
  }
}
