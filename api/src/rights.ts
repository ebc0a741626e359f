/** What an access control list permits: asked by the tree for each operation, and by gateways when they deliver events. */
import { isInNetwork } from "./ip-match.ts";
import type { Acl, AclEntry, AuthId, Identity } from "./node.ts";

/** Whether one of `perms` is given. */
export function permits(acl: Acl, identity: Identity, perms: number): boolean {
  if (identity.superUser) return true;
  for (const entry of acl) {
    if ((entry.perms & perms) === 0) continue;
    if (entry.scheme === "world") return true;
    for (const id of identity.ids) {
      if (id.scheme === entry.scheme && matches(id, entry)) return true;
    }
  }
  return false;
}

function matches(id: AuthId, entry: AclEntry): boolean {
  return id.scheme === "ip" ? isInNetwork(id.id, entry.id) : id.id === entry.id;
}
