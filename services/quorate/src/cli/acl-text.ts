/** ACLs as a command line has them: `scheme:id:perms`. */
import { UsageError } from "./failures.ts";

export interface AclEntry {
  readonly scheme: string;
  readonly id: string;
  readonly perms: string;
}

/** The id may have colons of its own: a digest, an address of IPv6. */
export function parseAclEntry(text: string): AclEntry {
  const first = text.indexOf(":");
  const last = text.lastIndexOf(":");
  if (first <= 0 || last === first || !/^[cdrwa]{1,5}$/.test(text.slice(last + 1)))
    throw new UsageError(
      `${JSON.stringify(text)} is no ACL entry`,
      "SCHEME:ID:PERMS, such as world:anyone:r, auth::cdrwa, digest:alice:HASH:rw, ip:10.0.0.0/8:r",
    );
  return { scheme: text.slice(0, first), id: text.slice(first + 1, last), perms: text.slice(last + 1) };
}

export function formatAclEntry({ scheme, id, perms }: AclEntry): string {
  return `${scheme}:${id}:${perms}`;
}

/** Anybody may all: what a znode has that was made without a list. */
export function isOpen(acl: readonly AclEntry[]): boolean {
  const [only] = acl;
  return acl.length === 1 && only?.scheme === "world" && [...only.perms].sort().join("") === "acdrw";
}
