/**
 * The feed of changes to the gateways that have watchers, one for each stream: encoded once for all. A stream's feed goes on
 * from the answer to the `watch` that turned it on. It has no gap: what a batch changed is sent before any reply that is
 * computed behind it, and where that cannot be, the feed breaks, and its watchers ask again.
 */
import {
  type Acl,
  assert,
  type Change,
  feedChangeBytes,
  type Outcome,
  type SessionId,
  utf8Length,
  type Zxid,
} from "@quorate/api";
import { encodeFeed, encodeToGateway, feedLimits } from "@quorate/proto";
import type { Applied, Tree } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";

/** A message that is being filled with whole transactions. */
interface Filling {
  changes: Change[];
  /** The lists that they refer to, in the order of `places`. */
  acls: Acl[];
  readonly places: Map<number, number>;
  bytes: number;
}

/** What does not fit: too much in one transaction, or changes that the ring has forgotten already. */
type Unfit = "unfit";

export class Feeds {
  readonly #on = new Set<GatewayConnection>();
  /** Those who have a feed were told of everything up to here. */
  #through: Zxid = 0 as Zxid;
  /** Changes sent, for each stream. */
  sent = 0;

  get size(): number {
    return this.#on.size;
  }

  /** `outcome` answers a `watch` of that stream, and has just been sent on it. */
  answered(connection: GatewayConnection, outcome: Outcome, tree: Tree): void {
    if (!outcome.ok || outcome.result.kind !== "watched" || outcome.result.more || this.#on.has(connection)) return;
    assert(outcome.result.through === tree.applied, "a feed begins where the answer ends");
    if (this.#on.size > 0) this.flush(tree);
    this.#through = tree.applied;
    this.#on.add(connection);
  }

  /** Nobody watches through that stream any more, or it is closed. */
  end(connection: GatewayConnection): void {
    this.#on.delete(connection);
  }

  /** A batch was applied, and no reply computed behind it has been sent yet. */
  applied(results: readonly Applied[], tree: Tree): void {
    if (this.#on.size === 0) return;
    const changes = tree.changes.after(this.#through);
    const ended: SessionId[] = [];
    for (const each of results) if (each.ended?.role === "client") ended.push(each.ended.session);
    const last = changes === "tooOld" ? "unfit" : this.#sendFull(changes, tree);
    if (last === "unfit") {
      this.broken();
      return;
    }
    if (last.changes.length > 0 || ended.length > 0) this.#send(tree.applied, last, ended);
  }

  /** Sends all messages that are full; answers the last one. */
  #sendFull(changes: Iterable<Change>, tree: Tree): Filling | Unfit {
    let filling = empty();
    let zxid: Zxid | undefined;
    for (const change of changes) {
      if (change.zxid !== zxid) {
        const { feedBytes, feedChanges } = feedLimits;
        if (zxid !== undefined && (filling.bytes >= feedBytes || filling.changes.length >= feedChanges)) {
          this.#send(zxid, filling, []);
          filling = empty();
        }
        zxid = change.zxid;
      }
      if (!add(filling, change, tree) || filling.bytes > feedLimits.largestBytes) return "unfit";
    }
    return filling;
  }

  #send(through: Zxid, { changes, acls, places }: Filling, ended: readonly SessionId[]): void {
    const place = (reference: number): number => places.get(reference) ?? 0;
    const message = encodeFeed({ through, changes, acls, ended }, place);
    for (const connection of this.#on) connection.send(message);
    this.sent += changes.length * this.#on.size;
    this.#through = through;
  }

  /** At the end of a slice: batches that changed nothing are told of together. */
  flush(tree: Tree): void {
    if (this.#on.size > 0 && this.#through < tree.applied) this.#send(tree.applied, empty(), []);
  }

  /** The state was replaced by a leader's: what happened between cannot be told. */
  broken(): void {
    if (this.#on.size === 0) return;
    const message = encodeToGateway({ kind: "feedBroken" });
    for (const connection of this.#on) connection.send(message);
    this.#on.clear();
  }
}

function empty(): Filling {
  return { changes: [], acls: [], places: new Map(), bytes: 0 };
}

/** False if a list that it refers to is not there any more. */
function add(filling: Filling, change: Change, tree: Tree): boolean {
  filling.changes.push(change);
  filling.bytes += feedChangeBytes + utf8Length(change.path);
  return place(filling, change.acl, tree) && place(filling, change.parentAcl, tree);
}

function place(filling: Filling, reference: number, tree: Tree): boolean {
  if (filling.places.has(reference)) return true;
  const acl = tree.acl(reference);
  if (acl === undefined) return false;
  filling.places.set(reference, filling.acls.length);
  filling.acls.push(acl);
  for (const { scheme, id } of acl) filling.bytes += 16 + utf8Length(scheme) + utf8Length(id);
  return true;
}
