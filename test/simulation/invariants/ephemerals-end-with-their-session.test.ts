import { test } from "node:test";
import {
  type Acting,
  anyone,
  type Change,
  type Command,
  type Path,
  type SessionId,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import { type Applied, ChangeRing, type Tree } from "@quorate/tree";
import { EphemeralsEndWithTheirSession } from "./ephemerals-end-with-their-session.ts";
import { breaks, create, put, remove, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";

const name = "ephemerals-end-with-their-session";
const watched = (): Scene => new Scene([new EphemeralsEndWithTheirSession(new Order())]);
const ephemeral = (path: string): WriteOperation => create(path, "ephemeral");

/** The tree, but for what `instead` says. */
function masked(tree: Tree, instead: Partial<Record<keyof Tree, unknown>>): Tree {
  return new Proxy(tree, {
    get: (target, key) => {
      if (key in instead) return instead[key as keyof Tree];
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** As if replica 1's tree had executed the command and changed this by it. */
function pretend(scene: Scene, command: Command, changes: readonly Partial<Change>[]): void {
  const batch = scene.batch([command]);
  const zxid = batch.last;
  const ring = new ChangeRing(100_000, batch.previous);
  const base = { zxid, type: "created", version: 0, czxid: zxid, time: 0, acl: 0, parentAcl: 0 } as const;
  for (const each of changes) ring.push({ ...base, path: "/e" as Path, kind: "ephemeral", ...each });
  const outcome = { ok: true, zxid, result: { kind: "done", count: 0 } } as const;
  const results: Applied[] = [{ lane: undefined, zxid, outcome }];
  const tree = masked(scene.tree(1), { changes: ring });
  scene.tell((each) => each.applied({ at: scene.at, replica: 1, batch, commands: [command], results, tree }));
}

function by(acting: Acting | undefined, operation: WriteOperation): Command {
  return { identity: anyone, ...(acting ? { acting } : {}), operation };
}

test("created, written, deleted, and gone with their sessions", () => {
  const scene = watched();
  const [one, two] = [scene.openSession(), scene.openSession()];
  for (const path of ["/a", "/b", "/c"]) scene.write(ephemeral(path), { acting: one });
  scene.write(put("/a"));
  scene.write(remove("/b"));
  scene.write(put("/d"));
  scene.write(ephemeral("/d/e"), { acting: two });
  scene.write(ephemeral("/d/f"), { acting: two });
  const txn = { kind: "txn", check: [], then: [remove("/d/e"), ephemeral("/d/g")] } as never;
  scene.write(txn, { acting: two });
  scene.restore(3, scene.copy(1), "leader");
  scene.write(remove("/d", true));
  scene.write(ephemeral("/h"), { acting: two });
  scene.commit([{ identity: anyone, operation: { kind: "expireSession", session: one.session } }]);
  scene.commit([{ identity: anyone, operation: { kind: "expireSession", session: one.session } }]);
  scene.write(ephemeral("/i"), { acting: one });
  scene.finish();
  scene.write({ kind: "closeSession", session: two.session }, { acting: two });
  scene.finish();
});

test("created for a session that is over, or for nobody", () => {
  const scene = watched();
  const acting = scene.openSession();
  scene.write({ kind: "closeSession", session: acting.session }, { acting });
  breaks(name, () => pretend(scene, by(acting, ephemeral("/e")), [{}]), /which is over/);
  breaks(name, () => pretend(watched(), by(undefined, ephemeral("/e")), [{}]), /in nobody's name/);
});

test("left behind when its session ends", () => {
  for (const kind of ["closeSession", "expireSession"] as const) {
    const scene = watched();
    const acting = scene.openSession();
    scene.write(ephemeral("/e"), { acting });
    breaks(name, () => pretend(scene, by(acting, { kind, session: acting.session }), []), /\/e is left behind/);
  }
});

test("gone without a reason", () => {
  const operations: WriteOperation[] = [
    put("/e"),
    remove("/ee"),
    remove("/"),
    { kind: "sweep", candidates: [] },
    { kind: "txn", check: [], then: [remove("/f") as never] },
    { kind: "expireSession", session: 7 as SessionId },
  ];
  for (const operation of operations) {
    const scene = watched();
    const acting = scene.openSession();
    scene.write(ephemeral("/e"), { acting });
    breaks(name, () => pretend(scene, by(acting, operation), [{ type: "deleted" }]), /by a .* that does not name it/);
  }
});

test("goes, or is written, and was not there", () => {
  breaks(name, () => pretend(watched(), by(undefined, remove("/e")), [{ type: "deleted" }]), /was not there/);
  breaks(name, () => pretend(watched(), by(undefined, put("/e")), [{ type: "changed" }]), /no living owner/);
});

test("a session closed by somebody else", () => {
  const scene = watched();
  const [one, two] = [scene.openSession(), scene.openSession()];
  const close = by(two, { kind: "closeSession", session: one.session });
  breaks(name, () => pretend(scene, close, []), /closed by somebody else/);
});

test("a session vanishes by itself", () => {
  const scene = watched();
  scene.openSession();
  const batch = scene.batch([scene.command({ identity: anyone, operation: put("/a") })]);
  const tree = masked(scene.tree(1), { sessionCount: 1 });
  breaks(name, () => scene.apply(1, batch, { tree }), /1 sessions are there; 2 were opened/);
});

test("the tree has another owner than the changes tell", () => {
  const scene = watched();
  const acting = scene.openSession();
  const command = scene.command({ identity: anyone, acting, operation: ephemeral("/e") });
  const batch = scene.batch([command]);
  const read = (): unknown => ({ ok: true, zxid: batch.last, result: { kind: "stat", stat: { ephemeralOwner: 4 } } });
  breaks(
    name,
    () => scene.apply(1, batch, { tree: masked(scene.tree(1), { read }) }),
    /is owned by 0x0000000000000004/,
  );
});

test("a restored tree whose ephemerals and sessions do not belong together", () => {
  const scene = watched();
  const acting = scene.openSession();
  scene.write(ephemeral("/e"), { acting });
  const tree = scene.tree(1);
  const none = masked(tree, { session: () => undefined });
  breaks(name, () => scene.restore(2, none, "start"), /which is not there/);
  const fewer = masked(tree, { sessions: () => [{ ...tree.session(acting.session), ephemeralCount: 0 }] });
  breaks(name, () => scene.restore(2, fewer, "start"), /ephemerals; its count is 0/);
  const unlisted = masked(tree, {
    read: (operation: { kind: string }, ...rest: [never]) =>
      operation.kind === "getSession"
        ? { ok: true, zxid: 0 as Zxid, result: { kind: "sessionInfo", ephemerals: ["/x"] } }
        : tree.read(operation as never, ...rest),
  });
  breaks(name, () => scene.restore(2, unlisted, "start"), /lists \/x, which is not its own/);
});

test("in the end an ephemeral is left, or is missing", () => {
  const scene = watched();
  const acting = scene.openSession();
  scene.write(ephemeral("/e"), { acting });
  scene.trees.set(2, masked(scene.tree(2), { session: () => undefined }));
  breaks(name, () => scene.finish(), /on replica 2 .* which is not there/);

  const other = watched();
  other.write(ephemeral("/e"), { acting: other.openSession() });
  const batch = other.batch([other.command({ identity: anyone, operation: remove("/e") })]);
  const changes = new ChangeRing(1000, batch.previous);
  other.apply(1, batch, { tree: masked(other.tree(1), { changes }) });
  other.apply(2, batch);
  other.apply(3, batch);
  breaks(name, () => other.finish(), /there are 0 ephemerals; 1 were created/);
});
