/**
 * ZooKeeper's programmer's guide, "ephemeral nodes: exist as long as the session that created them is active"; Burrows
 * 2006 (Chubby), section 2.8; DESIGN 5 and 6. Judged from the commands, their results and the changes.
 *
 * Checked: an ephemeral is created only in the name of a living session, which is its owner; with the end of a session
 * all its ephemerals go, in the same transaction; else one goes only by a delete (its own or a txn's) that names it or,
 * recursively, what it is below. A session ends only by its closeSession, in its own name or the super user's, or by
 * the leader's expireSession. In every tree that is restored, and in all at the end, each ephemeral's owner lives and
 * has it in its list, and no session's list has anything else.
 */
import {
  type Change,
  type Command,
  formatZxid,
  type Path,
  type ReplicaId,
  rootPath,
  type SessionId,
  type TxnOperation,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import type { Tree } from "@quorate/tree";
import { type AppliedBatch, type Finished, Invariant, type Restored } from "../observation.ts";
import type { Entry, Execution, Order } from "./order.ts";

const allSeeing = { ids: [], superUser: true } as const;

export class EphemeralsEndWithTheirSession extends Invariant {
  readonly name = "ephemerals-end-with-their-session";
  readonly #order: Order;
  readonly #owners = new Map<Path, SessionId>();
  readonly #owned = new Map<SessionId, Set<Path>>();
  /** A batch was too large for the ring: from there on only whole trees are looked at. */
  #blind = false;

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override applied(seen: AppliedBatch): void {
    const { entry, fresh, revealed } = this.#order.note(seen);
    for (const each of revealed) this.#follow(each);
    if (fresh && this.#order.knownThrough === entry.batch.last) this.#compare(entry, seen.tree);
  }

  #follow({ executed, changes }: Entry): void {
    if (changes === undefined) this.#blind = true;
    if (this.#blind) return;
    let at = 0;
    for (const execution of executed) {
      const { zxid } = execution;
      for (let change = changes?.[at]; change?.zxid === zxid; change = changes?.[++at]) {
        if (change.kind === "ephemeral") this.#change(execution, change);
      }
      const { operation } = execution.command;
      if (operation.kind === "closeSession" || operation.kind === "expireSession") {
        this.#ended(execution, operation.session);
      }
    }
  }

  #change({ zxid, command }: Execution, { type, path }: Change): void {
    if (type === "created") this.#created(zxid, command, path);
    else if (type === "deleted") this.#deleted(zxid, command, path);
    else {
      const owner = this.#owners.get(path);
      if (owner === undefined || !this.#order.lives(owner, zxid)) {
        this.broken(`the ephemeral ${path} is written at ${formatZxid(zxid)}, but has no living owner`);
      }
    }
  }

  #created(zxid: Zxid, { acting }: Command, path: Path): void {
    const what = `the ephemeral ${path} is created at ${formatZxid(zxid)}`;
    if (acting === undefined) this.broken(`${what} in nobody's name`);
    const { session } = acting;
    if (!this.#order.lives(session, zxid)) this.broken(`${what} for session ${formatZxid(session)}, which is over`);
    this.#owners.set(path, session);
    const owned = this.#owned.get(session);
    if (owned === undefined) this.#owned.set(session, new Set([path]));
    else owned.add(path);
  }

  #deleted(zxid: Zxid, { operation }: Command, path: Path): void {
    const owner = this.#owners.get(path);
    const what = `the ephemeral ${path} goes at ${formatZxid(zxid)}`;
    if (owner === undefined) this.broken(`${what} and was not there`);
    if (!mayEnd(operation, path, owner)) this.broken(`${what}, by a ${operation.kind} that does not name it`);
    this.#owners.delete(path);
    this.#owned.get(owner)?.delete(path);
  }

  #ended({ zxid, command: { operation, acting, identity } }: Execution, session: SessionId): void {
    const life = this.#order.sessions.get(session);
    if (life?.ended !== zxid) return;
    const what = `session ${formatZxid(session)} ends at ${formatZxid(zxid)}`;
    if (operation.kind === "closeSession" && acting?.session !== session && !identity.superUser) {
      this.broken(`${what}, closed by somebody else`);
    }
    const [left] = this.#owned.get(session) ?? [];
    if (left !== undefined) this.broken(`${what}, its ephemeral ${left} is left behind`);
    this.#owned.delete(session);
  }

  /** What the batch touched, in the tree that has just applied it. */
  #compare({ changes }: Entry, tree: Tree): void {
    if (tree.sessionCount !== this.#order.living) {
      const where = `at ${formatZxid(tree.applied)}`;
      this.broken(`${where} ${tree.sessionCount} sessions are there; ${this.#order.living} were opened and not ended`);
    }
    if (this.#blind) return;
    for (const { kind, path } of changes ?? []) {
      if (kind !== "ephemeral" && !this.#owners.has(path)) continue;
      const owner = ownerIn(tree, path);
      if (owner === (this.#owners.get(path) ?? 0)) continue;
      const expected = formatZxid(this.#owners.get(path) ?? (0 as SessionId));
      this.broken(`${path} at ${formatZxid(tree.applied)} is owned by ${formatZxid(owner)}, not by ${expected}`);
    }
  }

  override restored({ replica, tree }: Restored): void {
    this.#whole(replica, tree);
  }

  override finished({ trees }: Finished): void {
    for (const [replica, tree] of trees) this.#whole(replica, tree);
  }

  #whole(replica: ReplicaId, tree: Tree): void {
    if (this.#order.suspects.has(replica)) return;
    const found = ephemeralsOf(tree);
    const where = `on replica ${replica} at ${formatZxid(tree.applied)}`;
    for (const [path, owner] of found) {
      const session = tree.session(owner);
      if (session?.role === "client") continue;
      this.broken(`${where} the ephemeral ${path} is of session ${formatZxid(owner)}, which is not there`);
    }
    for (const { id, role, ephemeralCount } of tree.sessions()) {
      const listed = role === "client" ? listOf(tree, id) : [];
      const stray = listed.find((each) => found.get(each) !== id);
      if (stray !== undefined) this.broken(`${where} session ${formatZxid(id)} lists ${stray}, which is not its own`);
      let count = 0;
      for (const owner of found.values()) if (owner === id) count++;
      if (count === listed.length && count === ephemeralCount) continue;
      const lists = `lists ${listed.length} and has ${count} ephemerals; its count is ${ephemeralCount}`;
      this.broken(`${where} session ${formatZxid(id)} ${lists}`);
    }
    if (this.#blind || !this.#order.whole || tree.applied !== this.#order.end) return;
    if (found.size !== this.#owners.size) {
      this.broken(`${where} there are ${found.size} ephemerals; ${this.#owners.size} were created and have not gone`);
    }
  }
}

function mayEnd(operation: WriteOperation | TxnOperation, path: Path, owner: SessionId): boolean {
  switch (operation.kind) {
    case "closeSession":
    case "expireSession":
      return operation.session === owner;
    case "delete":
      return operation.path === path || (operation.recursive && isBelow(path, operation.path));
    case "txn":
      return [...operation.then, ...(operation.else ?? [])].some((each) => mayEnd(each, path, owner));
    default:
      return false;
  }
}

function isBelow(path: Path, top: Path): boolean {
  return path.startsWith(top === rootPath ? top : `${top}/`);
}

/** 0: nobody's. */
function ownerIn(tree: Tree, path: Path): SessionId {
  const outcome = tree.read({ kind: "exists", path }, allSeeing);
  return outcome.ok && outcome.result.kind === "stat" ? outcome.result.stat.ephemeralOwner : (0 as SessionId);
}

function listOf(tree: Tree, session: SessionId): readonly Path[] {
  const outcome = tree.read({ kind: "getSession", session }, allSeeing);
  return outcome.ok && outcome.result.kind === "sessionInfo" ? outcome.result.ephemerals : [];
}

/** All ephemerals of a tree, with their owners. */
function ephemeralsOf(tree: Tree): Map<Path, SessionId> {
  const found = new Map<Path, SessionId>();
  const waiting: Path[] = [rootPath];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    let after: string | undefined;
    do {
      const page = { kind: "children", path, limit: 10_000, withData: true, ...(after === undefined ? {} : { after }) };
      const outcome = tree.read(page as never, allSeeing);
      if (!outcome.ok || outcome.result.kind !== "children") break;
      const { children, more } = outcome.result;
      for (const { name, stat } of children) {
        const child = (path === rootPath ? `/${name}` : `${path}/${name}`) as Path;
        if (stat?.ephemeralOwner) found.set(child, stat.ephemeralOwner);
        if (stat !== undefined && stat.numChildren > 0) waiting.push(child);
      }
      after = more ? children.at(-1)?.name : undefined;
    } while (after !== undefined);
  }
  return found;
}
