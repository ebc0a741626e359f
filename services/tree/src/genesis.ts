/**
 * The znodes that a tree has of itself, as ZooKeeper's (its `DataTree`): `/zookeeper` with `quota` and `config` below.
 * They come with rules version 2. A tree that has applied nothing has them, since who founds an ensemble nowadays knows
 * those rules; should its first batch be of version 1 after all, they go again. A tree that comes to version 2 from 1 gets
 * them with that batch.
 */
import { type Acl, type Path, permissions, rootPath, type Zxid } from "@quorate/api";
import { openAclReference } from "./acls.ts";
import { zookeeperRules } from "./known.ts";
import { configPath, quotaPath, zookeeperPath } from "./reserved.ts";
import { SortedNames } from "./sorted-names.ts";
import type { State } from "./state.ts";
import { beginning, Family, highOf, persistentNature, ZNode } from "./znode.ts";

/** Parents before children. */
const own: readonly Path[] = [zookeeperPath, configPath, quotaPath];
/** Of the configuration; others may read it, and the super user alone may write. */
const readable: Acl = [{ scheme: "world", id: "anyone", perms: permissions.read }];

/** Into a tree that has nothing but its root. */
export function begin(state: State): void {
  for (const each of own) add(state, each);
  // What was made here is nobody's to settle.
  state.acls.settle(() => {});
}

/** Nothing has been applied yet, and the first batch is by these rules. */
export function settleBeginning(state: State, rules: number): void {
  const there = state.znodes.get(zookeeperPath) !== undefined;
  if (rules >= zookeeperRules && !there) begin(state);
  if (rules < zookeeperRules && there) withdraw(state);
}

/** The tree as it was before those rules. */
function withdraw(state: State): void {
  const { znodes, acls } = state;
  for (const path of own.toReversed()) znodes.table.replace(znodes.get(path), undefined);
  const root = znodes.get(rootPath);
  if (root !== undefined) znodes.table.replace(root, root.withFamily(undefined));
  acls.settle(() => {});
  acls.next = 1;
}

/** What is missing of them comes into a tree in which others may have made some; `first`: the zxid of the batch that does it. */
export function introduce(state: State, first: Zxid, stamp: number): void {
  for (const path of own) {
    const known = state.znodes.get(path);
    if (known === undefined) {
      const parent = add(state, path);
      const { version, czxid, acl } = state.znodes.get(path) as ZNode;
      state.ring.push({
        zxid: first,
        type: "created",
        path,
        version,
        czxid,
        time: stamp,
        acl,
        parentAcl: parent.acl,
        kind: "persistent",
      });
    } else if (known.nature !== persistentNature) {
      // No session's end and no sweep takes it away.
      state.znodes.table.replace(known, known.withNature(persistentNature));
    }
  }
  const root = state.znodes.get(rootPath) as ZNode;
  const { created, count, index } = root.family as Family;
  const family = new Family(highOf(first), first | 0, created, count, index);
  state.znodes.table.replace(root, root.withFamily(family));
}

/** As if it had always been there: no creation counts in its parent, which is answered. */
function add(state: State, path: Path): ZNode {
  const { znodes, acls } = state;
  const parent = znodes.get((path === zookeeperPath ? rootPath : zookeeperPath) as Path) as ZNode;
  const { family } = parent;
  const index = family === undefined ? new SortedNames() : family.index;
  const next =
    family === undefined
      ? new Family(parent.czxidHigh, parent.czxidLow, 0, 1, index)
      : new Family(family.pzxidHigh, family.pzxidLow, family.created, family.count + 1, index);
  znodes.table.replace(parent, parent.withFamily(next));
  index.insert(path);
  const node = ZNode.fresh(path, "", persistentNature, openAclReference, beginning);
  // ZooKeeper sets the list by version -1.
  znodes.table.replace(undefined, path === configPath ? node.withAcl(acls.intern(readable), -1) : node);
  return parent;
}
