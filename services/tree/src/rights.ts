/** Who may do what: ZooKeeper's rules of access control lists (PrepRequestProcessor's checkACL and fixupACL). */
import {
  type Acl,
  type AclEntry,
  type AuthId,
  type Failure,
  formatPerms,
  type Identity,
  isNetwork,
  limits,
  openAcl,
  type Path,
  permissions,
  permits,
  type Zxid,
} from "@quorate/api";
import { openAclReference } from "./acls.ts";
import { failure } from "./failure.ts";
import { zookeeperRules } from "./known.ts";
import type { State } from "./state.ts";
import type { ZNode } from "./znode.ts";

export function may(state: State, node: ZNode, identity: Identity, perms: number): boolean {
  if (node.acl === openAclReference || identity.superUser) return true;
  const acl = state.acls.get(node.acl);
  return acl !== undefined && permits(acl, identity, perms);
}

const names: readonly (readonly [number, string])[] = [
  [permissions.create, "CREATE"],
  [permissions.delete, "DELETE"],
  [permissions.read, "READ"],
  [permissions.write, "WRITE"],
  [permissions.admin, "ADMIN"],
];

/** `noAuth` if one of `perms` would do on `node` and none is there. */
export function denied(state: State, zxid: Zxid, node: ZNode, identity: Identity, perms: number): Failure | undefined {
  if (may(state, node, identity, perms)) return undefined;
  const missing = names.filter(([bit]) => perms & bit).map(([, name]) => name);
  const who = identity.ids.filter((each) => each.scheme !== "ip").map(nameOf);
  const caller = who.length === 0 ? "nobody authenticated (world:anyone)" : who.join(", ");
  const detail = `the permission ${missing.join(" or ")} (${formatPerms(perms)}) on ${node.path} is missing for ${caller}`;
  return failure(zxid, "noAuth", detail, node.path);
}

/** Without the hash of its password. */
function nameOf(id: AuthId): string {
  return id.scheme === "digest" ? `digest:${id.id.split(":")[0]}` : `${id.scheme}:${id.id.slice(0, 256)}`;
}

/**
 * The list as it is stored: repetitions go, and `auth` becomes the caller's ids, which may repeat what the list says by
 * name. A failure says which entry is bad. Undefined in is the open list.
 */
export function resolveAcl(
  state: State,
  acl: Acl | undefined,
  zxid: Zxid,
  identity: Identity,
  path: Path,
): { readonly acl: Acl } | Failure {
  if (acl === undefined || acl === openAcl) return { acl: openAcl };
  if (acl.length === 0) return failure(zxid, "invalidAcl", "acl: the list is empty; give at least one entry", path);
  const asZooKeeper = state.rules >= zookeeperRules;
  const resolved: AclEntry[] = [];
  for (const [index, entry] of acl.entries()) {
    if (asZooKeeper && isRepeated(acl, index)) continue;
    const bad = faultOf(entry, asZooKeeper);
    if (bad !== undefined) return failure(zxid, "invalidAcl", `acl[${index}]: ${bad}`, path);
    if (entry.scheme !== "auth") {
      resolved.push(entry);
      continue;
    }
    const own = identity.ids.filter((each) => each.scheme !== "ip");
    if (own.length === 0) {
      const detail = `acl[${index}]: scheme auth means the caller's own identity, but the request has none; authenticate`;
      return failure(zxid, "invalidAcl", detail, path);
    }
    for (const { scheme, id } of own) resolved.push({ scheme, id, perms: entry.perms });
  }
  const entries = asZooKeeper ? resolved : resolved.filter((_, index) => !isRepeated(resolved, index));
  if (entries.length > limits.aclEntries) {
    const detail = `acl: ${entries.length} entries with those of scheme auth; at most ${limits.aclEntries} (aclEntries)`;
    return failure(zxid, "invalidAcl", detail, path);
  }
  return { acl: entries };
}

/** Whether one before it says the same. */
function isRepeated(acl: Acl, index: number): boolean {
  const { scheme, id, perms } = acl[index] as AclEntry;
  const first = acl.findIndex((each) => each.scheme === scheme && each.id === id && each.perms === perms);
  return first < index;
}

/** ZooKeeper takes what Java's `split(":")` makes two parts of. */
const [digestId, formerDigestId] = [/^[^:]*:[^:]+:*$/, /^[^:]+:[^:]+$/];

function faultOf(entry: AclEntry, asZooKeeper: boolean): string | undefined {
  const id = JSON.stringify(entry.id.slice(0, 64));
  if (entry.perms > permissions.all) return "perms must be of cdrwa";
  switch (entry.scheme) {
    case "world":
      return entry.id === "anyone" ? undefined : `scheme world has the one id "anyone", not ${id}`;
    case "auth":
      return undefined;
    case "digest":
      return (asZooKeeper ? digestId : formerDigestId).test(entry.id)
        ? undefined
        : `a digest id is user:base64(sha1(user:password)), which ${id} is not`;
    case "ip":
      return isNetwork(entry.id) ? undefined : `an ip id is an address, or address/bits, which ${id} is not`;
    default:
      return `the scheme ${JSON.stringify(entry.scheme)} is unknown; known are world, auth, digest and ip`;
  }
}

/** What those without ADMIN see: the hashes of digest ids are masked, as ZooKeeper does. */
export function masked(acl: Acl): Acl {
  return acl.map((each) => {
    if (each.scheme !== "digest") return each;
    return { scheme: each.scheme, id: `${each.id.split(":")[0]}:x`, perms: each.perms };
  });
}
