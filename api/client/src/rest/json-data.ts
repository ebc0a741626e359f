/** Bytes in JSON: as text where they are UTF-8, else as base64. And an ACL in a query. */
import { bytesOf } from "../calls.ts";
import type { AclEntry } from "../quorate.ts";

export function dataOf({
  data,
  encoding,
}: {
  readonly data?: string;
  readonly encoding?: string;
}): Uint8Array | undefined {
  if (data === undefined) return undefined;
  return encoding === "base64" ? Uint8Array.from(atob(data), (character) => character.charCodeAt(0)) : bytesOf(data);
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

export function aclText(acl: readonly AclEntry[] | undefined): string | undefined {
  return acl?.map(({ scheme, id, perms }) => `${scheme}:${id}:${perms}`).join();
}
