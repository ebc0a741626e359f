/** The texts that headers, queries and JSON share: durations, zxids, ETags, booleans, ACLs. Each names its field when it is wrong. */

import {
  type Acl,
  type AclEntry,
  limits,
  parsePerms,
  parseSessionId,
  parseZxid,
  type SessionId,
  type Zxid,
} from "@quorate/api";
import { show } from "../show.ts";
import { bad, RequestFault } from "./fault.ts";

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `500ms`, `30s`, `5m`, `24h`; within least and most. */
export function readDuration(text: string, field: string, least: number, most: number): number {
  const found = /^(0|[1-9][0-9]{0,12})(ms|s|m|h)$/.exec(text);
  if (found === null) {
    const fault = /^[0-9]+$/.test(text) ? `${show(text)} has no unit` : `${show(text)} is no duration`;
    throw bad(`${field}: ${fault}; write a whole number and its unit, such as 500ms, 30s or 5m`);
  }
  const millis = Number(found[1]) * (units[found[2] ?? ""] ?? 0);
  if (millis < least || millis > most) {
    throw bad(`${field}: ${show(text)} is outside ${boundText(least)} to ${boundText(most)}`);
  }
  return millis;
}

/** As the documents write it: whole hours and minutes, too. */
function boundText(millis: number): string {
  if (millis > 0 && millis % 3_600_000 === 0) return `${millis / 3_600_000}h`;
  return millis > 60_000 && millis % 60_000 === 0 ? `${millis / 60_000}m` : formatDuration(millis);
}

/** `30s`, or `1500ms` where it is no whole number of seconds. */
export function formatDuration(millis: number): string {
  return millis % 1000 === 0 && millis > 0 ? `${millis / 1000}s` : `${Math.round(millis)}ms`;
}

export function readZxid(text: string, field: string): Zxid {
  const zxid = parseZxid(text);
  if (zxid === undefined)
    throw bad(`${field}: ${show(text)} is no zxid; write 0x and up to 16 hex digits, as answers have it`);
  return zxid;
}

/** An int64 beyond the safe range never was a session: it is over, not rounded. */
export function readSessionId(text: string, field: string): SessionId {
  const id = parseSessionId(text);
  if (id !== undefined && id > 0) return id;
  if (/^0x[0-9a-fA-F]{1,16}$/.test(text) && id === undefined) {
    throw new RequestFault("sessionExpired", `${field}: there is no session ${text}; open a new one`);
  }
  throw bad(
    `${field}: ${show(text)} is no session id; write 0x and up to 16 hex digits, as POST /v1/sessions answered`,
  );
}

/** A query's `true` or `false`; the bare name is true. */
export function readBoolean(text: string, field: string): boolean {
  if (text === "true" || text === "") return true;
  if (text === "false") return false;
  throw bad(`${field}: ${show(text)} is neither true nor false`);
}

export function readInteger(text: string, field: string, least: number, most: number): number {
  const value = /^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : -1;
  if (value < least || value > most) throw bad(`${field}: ${show(text)} is no whole number from ${least} to ${most}`);
  return value;
}

/** The inside of each tag, without quotes and `W/`; or `*`. */
export function readTags(text: string, field: string): readonly string[] | "*" {
  const trimmed = text.trim();
  if (trimmed === "*") return "*";
  const tags: string[] = [];
  for (const part of trimmed.split(",")) {
    const tag = part.trim();
    if (tag === "" && tags.length > 0) continue;
    const found = /^(?:W\/)?"([^"\s]*)"$/.exec(tag);
    if (found === null) {
      const hint = tag === "*" ? "* stands alone" : 'an ETag stands in double quotes, such as "0x0000000200000017"';
      throw bad(`${field}: ${show(tag)} is no ETag; ${hint}`);
    }
    tags.push(found[1] ?? "");
  }
  return tags;
}

/** The tags of a znode's data: mzxids. */
export function readDataTags(text: string, field: string): readonly Zxid[] | "*" {
  const tags = readTags(text, field);
  if (tags === "*") return tags;
  return tags.map((tag) => readZxid(tag, field));
}

/** `scheme:id:perms`, several with commas between, as ZooKeeper's command line has it. */
export function readAclText(text: string, field: string): Acl {
  const entries = text.split(",").map((each) => {
    const first = each.indexOf(":");
    const last = each.lastIndexOf(":");
    if (first <= 0 || last <= first) {
      throw bad(`${field}: ${show(each)} is no ACL entry; write scheme:id:perms, such as world:anyone:r`);
    }
    const id = each.slice(first + 1, last);
    if (id.includes(" ")) throw bad(`${field}: the id ${show(id)} has a space in it; in a query write + as %2B`);
    return readAclEntry(each.slice(0, first), id, each.slice(last + 1), field);
  });
  return boundedAcl(entries, field);
}

export function readAclEntry(scheme: string, id: string, perms: string, field: string): AclEntry {
  const sum = parsePerms(perms);
  if (sum === undefined) throw bad(`${field}: the permissions ${show(perms)} are not letters of cdrwa, each once`);
  return { scheme, id, perms: sum };
}

export function boundedAcl(entries: readonly AclEntry[], field: string): Acl {
  if (entries.length > limits.aclEntries) {
    throw bad(`${field}: ${entries.length} entries are more than the ${limits.aclEntries} that an ACL may have`);
  }
  return entries;
}
