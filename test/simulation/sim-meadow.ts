/**
 * The znodes that simulated watchers look at most, and what is done to them: a few paths that come, change and go, many of
 * them in one transaction, under lists that give and take the right to read. Everybody else's rights stay whole.
 */
import {
  type Acl,
  type Identity,
  openAcl,
  type Path,
  parsePath,
  permissions,
  persistentShape,
  type TxnOperation,
  type WatchScopes,
  type WriteOperation,
} from "@quorate/api";
import type { SeededRandom } from "./random.ts";

const text = new TextEncoder();
const beds = 3;

function path(name: string): Path {
  return parsePath(name) as Path;
}

export const meadow: Path = path("/w");

/** Named readers, some of whom a list lets read. */
export const readers: readonly Identity[] = [
  { ids: [], superUser: false },
  { ids: [{ scheme: "digest", id: "reader:1" }], superUser: false },
  { ids: [{ scheme: "digest", id: "reader:2" }], superUser: false },
  { ids: [], superUser: true },
];

const closed: Acl = [{ scheme: "world", id: "anyone", perms: permissions.all & ~permissions.read }];
const lists: readonly Acl[] = [
  openAcl,
  openAcl,
  openAcl,
  closed,
  [...closed, { scheme: "digest", id: "reader:1", perms: permissions.read }],
  [...closed, { scheme: "digest", id: "reader:2", perms: permissions.read }],
];

function bed(random: SeededRandom): Path {
  return path(`/w/${random.below(beds)}`);
}

function plant(random: SeededRandom): Path {
  return path(`/w/${random.below(beds)}/${random.below(3)}`);
}

export function meadowWrite(random: SeededRandom, request: number): WriteOperation {
  const data = text.encode(`${request}`);
  switch (random.below(10)) {
    case 0:
      return {
        kind: "setAcl",
        path: random.pick([meadow, bed(random), bed(random), plant(random)]),
        acl: random.pick(lists),
        aversion: -1,
      };
    case 1:
      return { kind: "delete", path: bed(random), condition: {}, recursive: true };
    case 2:
    case 3:
    case 4:
      return { kind: "txn", check: [], then: changes(random, data) };
    case 5:
      return { kind: "delete", path: plant(random), condition: {}, recursive: false };
    default: {
      const at = random.chance(0.5) ? bed(random) : plant(random);
      return { kind: "put", path: at, data, parents: true, condition: {} };
    }
  }
}

/** Of one transaction: it begins with what is there or not, and goes on with what is there then. */
function changes(random: SeededRandom, data: Uint8Array): TxnOperation[] {
  const puts = Array.from({ length: random.between(1, 4) }, (): TxnOperation => {
    const at = random.chance(0.6) ? bed(random) : plant(random);
    return { kind: "put", path: at, data, parents: true, condition: {} };
  });
  const first = puts[0] as TxnOperation & { readonly path: Path };
  if (random.chance(0.2)) puts.push({ kind: "setAcl", path: first.path, acl: random.pick(lists), aversion: -1 });
  if (random.chance(0.3)) puts.push({ kind: "delete", path: first.path, condition: {}, recursive: true });
  if (random.chance(0.3)) {
    const shape = persistentShape;
    puts.push({ kind: "create", path: path("/w/s-"), data, shape, sequential: true, parents: false });
  }
  return puts;
}

const none: WatchScopes = { node: [], children: [], subtree: [] };

export function someScopes(random: SeededRandom): WatchScopes {
  const others = ["/r/0", "/r/1", "/p/a", "/e/lock-0", "/e/lock-1"].map(path);
  const node = random.chance(0.7) ? bed(random) : random.pick(others);
  const parent = random.pick([meadow, bed(random), path("/e"), path("/q"), path("/r"), path("/t")]);
  const root = random.pick([meadow, meadow, bed(random), path("/"), path("/r"), path("/e")]);
  switch (random.below(5)) {
    case 0:
      return { ...none, node: [node] };
    case 1:
      return { ...none, children: [parent] };
    case 2:
      return { ...none, subtree: [root] };
    case 3:
      return { node: [node, plant(random)], children: [parent], subtree: [] };
    default:
      return { node: [node], children: [parent], subtree: [root] };
  }
}
