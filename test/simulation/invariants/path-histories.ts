/**
 * What each znode was at each position of the order, as the first replica of sound memory that applied a batch had it:
 * data and stat from its tree, names of children from the changes.
 */
import {
  type Acl,
  assert,
  type Change,
  nameOf,
  openAcl,
  type Path,
  parentOf,
  rootPath,
  type Stat,
  type Zxid,
} from "@quorate/api";
import { Tree } from "@quorate/tree";
import type { Entry } from "./order.ts";

export interface NodeState {
  readonly data: Uint8Array;
  readonly stat: Stat;
  readonly acl: Acl;
}

interface History {
  /** Positions, rising, and what it was from each on; undefined: it was not there. */
  readonly zxids: Zxid[];
  readonly states: (NodeState | undefined)[];
}

interface Step {
  readonly zxid: Zxid;
  readonly name: string;
  readonly come: boolean;
}

const allSeeing = { ids: [], superUser: true } as const;

export class PathHistories {
  readonly #nodes = new Map<Path, History>();
  /** The comings and goings of children, by parent. */
  readonly #children = new Map<Path, Step[]>();
  /** Whose ACL was set: others have the open one. */
  readonly #listed = new Set<Path>();

  constructor() {
    const tree = new Tree();
    const listing = tree.list({ path: rootPath, withData: false }, allSeeing);
    assert(!("ok" in listing), "every tree has a root");
    // What a tree has before anything is applied to it.
    for (const { path } of listing.next(1000, 1_000_000).entries) {
      this.#listed.add(path);
      this.#write(tree, path, tree.applied);
      const parent = parentOf(path);
      if (parent !== undefined) this.#comes(parent, { zxid: tree.applied, name: nameOf(path), come: true });
    }
  }

  /** `tree` stands at the entry's end; entries come in order. */
  add({ batch, changes, executed }: Entry, tree: Tree): void {
    const touched = new Set<Path>();
    for (const change of changes ?? []) {
      touched.add(change.path);
      if (change.type === "created" || change.type === "deleted") this.#step(change, touched);
    }
    // What no change tells of: ACLs.
    for (const { command, outcome } of executed) {
      if (outcome.result.kind === "acl") this.#listed.add(outcome.result.path);
      if (outcome.result.kind === "acl") touched.add(outcome.result.path);
      if (command.operation.kind !== "txn" || outcome.result.kind !== "txn") continue;
      for (const each of outcome.result.results) {
        if (each.kind !== "acl") continue;
        this.#listed.add(each.path);
        touched.add(each.path);
      }
    }
    for (const path of touched) this.#write(tree, path, batch.last);
  }

  #step({ path, type, zxid }: Change, touched: Set<Path>): void {
    const parent = parentOf(path);
    if (parent === undefined) return;
    touched.add(parent);
    this.#comes(parent, { zxid, name: nameOf(path), come: type === "created" });
  }

  #comes(parent: Path, step: Step): void {
    const steps = this.#children.get(parent);
    if (steps === undefined) this.#children.set(parent, [step]);
    else steps.push(step);
  }

  #write(tree: Tree, path: Path, zxid: Zxid): void {
    const outcome = tree.read({ kind: "get", path }, allSeeing);
    const state = outcome.ok && outcome.result.kind === "data" ? outcome.result : undefined;
    let history = this.#nodes.get(path);
    if (history === undefined) {
      history = { zxids: [], states: [] };
      this.#nodes.set(path, history);
    }
    history.zxids.push(zxid);
    history.states.push(state && { data: state.data, stat: state.stat, acl: this.#aclOf(tree, path) });
  }

  #aclOf(tree: Tree, path: Path): Acl {
    if (!this.#listed.has(path)) return openAcl;
    const outcome = tree.read({ kind: "getAcl", path }, allSeeing);
    return outcome.ok && outcome.result.kind === "acl" ? outcome.result.acl : openAcl;
  }

  /** What the znode was at the position `zxid`. */
  at(path: Path, zxid: Zxid): NodeState | undefined {
    const history = this.#nodes.get(path);
    if (history === undefined) return undefined;
    let at = history.zxids.length - 1;
    while (at >= 0 && (history.zxids[at] as Zxid) > zxid) at--;
    return history.states[at];
  }

  /** The sorted names of its children at the position `zxid`. */
  namesAt(parent: Path, zxid: Zxid): string[] {
    const names = new Set<string>();
    for (const step of this.#children.get(parent) ?? []) {
      if (step.zxid > zxid) break;
      if (step.come) names.add(step.name);
      else names.delete(step.name);
    }
    return [...names].sort();
  }
}
