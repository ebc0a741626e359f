/** What the door answers behind a header, as values; `writeReply` makes a frame of it. */
import { type Acl, type AuthId, errors, type Stat, type Zxid } from "@quorate/api";
import {
  encodeAcl,
  encodeChildren,
  encodeData,
  encodeEphemerals,
  encodeHeader,
  encodeMulti,
  encodeNumber,
  encodePath,
  encodePathAndStat,
  encodeStat,
  encodeWhoAmI,
} from "./encode.ts";
import type { JuteWriter } from "./jute.ts";
import { codes, type MultiResult } from "./messages.ts";

/** It is there when the code is 0, but for what has no record. */
export type ReplyBody =
  /** Undefined: null, as a sync may have it. */
  | { readonly kind: "path"; readonly path: string | undefined }
  | { readonly kind: "pathStat"; readonly path: string; readonly stat: Stat }
  | { readonly kind: "stat"; readonly stat: Stat }
  /** `data` undefined: null. */
  | { readonly kind: "data"; readonly data: Uint8Array | undefined; readonly stat: Stat }
  /** `stat` undefined: getChildren, else getChildren2. */
  | { readonly kind: "children"; readonly children: readonly string[]; readonly stat?: Stat }
  | { readonly kind: "acl"; readonly acl: Acl; readonly stat: Stat }
  /** getEphemerals. */
  | { readonly kind: "paths"; readonly paths: readonly string[] }
  /** getAllChildrenNumber. */
  | { readonly kind: "number"; readonly number: number }
  /** ErrorResponse, which addWatch answers: 0. */
  | { readonly kind: "error"; readonly code: number }
  /** whoAmI: ClientInfo is scheme and user. */
  | { readonly kind: "identities"; readonly ids: readonly AuthId[] }
  | { readonly kind: "multi"; readonly results: readonly MultiResult[] }
  /** It is known to be larger than clients read. */
  | { readonly kind: "tooLarge" };

/** False: it was larger than clients read, and an error stands in its place. */
export function writeReply(
  writer: JuteWriter,
  xid: number,
  zxid: Zxid,
  code: number,
  body: ReplyBody | undefined,
): boolean {
  if (code !== codes.ok || body === undefined) {
    encodeHeader(writer, xid, zxid, code);
    return true;
  }
  switch (body.kind) {
    case "data":
      return encodeData(writer, xid, zxid, body.data, body.stat);
    case "stat":
      encodeStat(writer, xid, zxid, body.stat);
      return true;
    case "path":
      return encodePath(writer, xid, zxid, body.path);
    case "pathStat":
      return encodePathAndStat(writer, xid, zxid, body.path, body.stat);
    case "children":
      return encodeChildren(writer, xid, zxid, body.children, body.stat);
    case "acl":
      return encodeAcl(writer, xid, zxid, body.acl, body.stat);
    case "paths":
      return encodeEphemerals(writer, xid, zxid, body.paths);
    case "number":
      encodeNumber(writer, xid, zxid, body.number);
      return true;
    case "error":
      encodeNumber(writer, xid, zxid, body.code);
      return true;
    case "identities":
      return encodeWhoAmI(writer, xid, zxid, body.ids);
    case "multi":
      return encodeMulti(writer, xid, zxid, body.results);
    case "tooLarge":
      encodeHeader(writer, xid, zxid, errors.tooLarge.zookeeper);
      return false;
  }
}
