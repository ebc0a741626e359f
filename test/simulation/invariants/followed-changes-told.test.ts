import { test } from "node:test";
import { anyone, type FeedChange, type Path, type WatchedResult, type WatchScope, type Zxid } from "@quorate/api";
import type { Follow, FollowSeen } from "../observation.ts";
import { breaks, create, put, remove, Scene } from "./fixture.test-support.ts";
import { FollowedChangesTold } from "./followed-changes-told.ts";
import { Order } from "./order.ts";
import { WatchedChanges } from "./watched-changes.ts";

const name = "followed-changes-told";
const [a, b, root] = ["/a", "/b", "/"] as Path[] as [Path, Path, Path];

/** One that follows, at the scene's gateway. */
class Follows {
  readonly scene = new Scene([new FollowedChangesTold(new WatchedChanges(new Order()))]);
  readonly #follow: Follow = { id: 1, client: 1, gateway: 1 };
  #requests = 0;

  tell(seen: FollowSeen extends infer S ? (S extends unknown ? Omit<S, "at" | "follow"> : never) : never): void {
    const whole = { at: this.scene.at, follow: this.#follow, ...seen } as FollowSeen;
    this.scene.tell((each) => each.followed(whole));
  }

  add(scope: WatchScope, path: Path): void {
    this.tell({ kind: "added", scope, path });
  }

  given(): number {
    const request = ++this.#requests;
    this.tell({ kind: "given", request });
    return request;
  }

  answered(request: number, zxid: Zxid = this.scene.end, what: "read" | "write" = "read"): void {
    this.tell({ kind: "answered", request, what, zxid });
  }

  /** Added, and a read behind it was answered. */
  armed(scope: WatchScope, path: Path): void {
    this.add(scope, path);
    this.answered(this.given());
  }

  /** What a replica would tell of everything behind `after`. */
  changes(after: Zxid): Pick<WatchedResult, "through"> & Required<Pick<WatchedResult, "changes" | "acls">> {
    const scopes = { node: [], children: [], subtree: [root] };
    const outcome = this.scene.tree(1).read({ kind: "watch", scopes, after, raw: true }, anyone);
    if (!outcome.ok || outcome.result.kind !== "watched") throw new Error("the ring is too small");
    const { changes = [], acls = [], through } = outcome.result;
    return { changes, acls, through };
  }

  told(after: Zxid, those: (change: FeedChange) => boolean = () => true): void {
    const { changes, acls } = this.changes(after);
    this.tell({ kind: "told", changes: changes.filter(those), acls });
  }
}

test("what happens behind what a read has shown is told, and then shown", () => {
  const f = new Follows();
  f.scene.write(create("/a"));
  f.armed("node", a);
  f.add("children", root);
  const from = f.scene.end;
  const early = f.given();
  f.scene.write(put("/a"));
  f.told(from);
  f.answered(early);
  f.tell({ kind: "removed", scope: "node", path: a });
  f.scene.write(put("/a"));
  f.answered(f.given());
  const before = f.scene.end;
  f.scene.write(create("/b"));
  f.scene.write(remove("/b"));
  f.told(before);
  f.answered(0, f.scene.end, "write");
  f.tell({ kind: "missed", scopes: { node: [b], children: [], subtree: [] }, after: before, ...f.changes(before) });
  f.tell({ kind: "ended", end: undefined });
  f.scene.write(put("/a"));
  f.scene.at += 1000;
  f.scene.finish();
});

test("an answer shows what was not told", () => {
  for (const scope of ["node", "children", "subtree"] as const) {
    const f = new Follows();
    f.armed(scope, scope === "children" ? root : a);
    f.scene.write(create("/a"));
    breaks(name, () => f.answered(0, f.scene.end, "write"), /created \/a at .* was not told; it follows/);
  }
});

test("nothing is promised of what happened before the read, or of a read that was given before the path", () => {
  const f = new Follows();
  const early = f.given();
  f.add("node", a);
  f.answered(early);
  f.scene.write(create("/a"));
  const behind = f.given();
  f.answered(behind);
  f.scene.write(put("/a"));
  const from = f.scene.end;
  breaks(name, () => f.answered(f.given()), /changed \/a/);
  f.scene.write(put("/a"));
  f.told(from);
  f.answered(f.given());
});

test("a change is told twice, in two pieces, of an ACL, or in another order", () => {
  const twice = new Follows();
  const from = twice.scene.end;
  twice.scene.write(create("/a"));
  twice.told(from);
  breaks(name, () => twice.told(from), /told behind what happened at/);
  const pieces = new Follows();
  pieces.scene.write(create("/a"));
  pieces.scene.write({ kind: "txn", check: [], then: [put("/a"), put("/b")] as never });
  const start = pieces.changes(0 as Zxid).changes.at(-3)?.zxid as Zxid;
  pieces.told(start, ({ path }) => path === "/a");
  breaks(name, () => pieces.told(start, ({ path }) => path === "/b"), /created \/b .*told behind/);
  const acl = new Follows();
  const { changes, acls } = ((): ReturnType<Follows["changes"]> => {
    const before = acl.scene.end;
    acl.scene.write(create("/a"));
    return acl.changes(before);
  })();
  const [change] = changes;
  breaks(
    name,
    () => acl.tell({ kind: "told", changes: [{ ...(change as FeedChange), type: "acl" }], acls }),
    /no change of an ACL/,
  );
});

test("what is told is not what happened, or comes with another list", () => {
  const f = new Follows();
  const from = f.scene.end;
  f.scene.write(create("/a"));
  const { changes, acls } = f.changes(from);
  const wrong = changes.map((each) => ({ ...each, version: 7 }));
  breaks(name, () => f.tell({ kind: "told", changes: wrong, acls }), /is told created \/a .*version 7.*nothing more/);
  const other = new Follows();
  other.scene.write(create("/a"));
  breaks(name, () => other.tell({ kind: "told", changes, acls: [[]] }), /the order has created \/a/);
});

test("what was missed is not all of it", () => {
  const f = new Follows();
  const after = f.scene.end;
  f.scene.write(create("/a"));
  f.scene.write(put("/a"));
  const { changes, acls, through } = f.changes(after);
  const scopes = { node: [a], children: [], subtree: [] };
  const part = { kind: "missed", scopes, after, through, changes: changes.slice(0, 1), acls } as const;
  breaks(name, () => f.tell(part), /is told nothing more; the order has changed \/a/);
});

test("a read shows less than was told", () => {
  const f = new Follows();
  const from = f.scene.end;
  f.scene.write(create("/a"));
  f.told(from);
  f.answered(f.given(), from, "write");
  breaks(name, () => f.answered(f.given(), from), /a read shows .* told of .* before/);
});

test("nothing fails any more, and something was never told", () => {
  const f = new Follows();
  f.armed("node", a);
  f.scene.write(create("/a"));
  f.scene.finish();
  f.scene.at += 1000;
  breaks(name, () => f.scene.finish(), /nothing fails any more, and created \/a/);
});
