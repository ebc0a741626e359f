/**
 * What the door answers, as values: `encode.ts` makes bytes of it. The functions by which the connection reads and writes:
 *
 *   frames.ts  class FrameReader { constructor(limitBytes); push(chunk); next(): Uint8Array | undefined; fault?: string }
 *              (`next` answers one whole frame without its length, a view; `fault`: the length lies, nothing more comes)
 *   decode.ts  decodeConnect(frame): ConnectRequest | undefined, decodeRequest(frame): Request | undefined
 *              (undefined: not even the header is there; never throws)
 *   jute.ts    class JuteWriter { readonly length; take(): Uint8Array }, which grows, and to which many frames are written
 *   encode.ts  writeReply(writer, xid, zxid, code, body), writeNotification(writer, notification),
 *              writeConnectResponse(writer, response), each with the length before it
 */
import type { Acl, AuthId, Stat } from "@quorate/api";

/** The record behind the header of a reply. It is there when the code is 0. */
export type ReplyBody =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "pathStat"; readonly path: string; readonly stat: Stat }
  | { readonly kind: "stat"; readonly stat: Stat }
  /** `data` undefined: null. */
  | { readonly kind: "data"; readonly data: Uint8Array | undefined; readonly stat: Stat }
  /** `stat` undefined: getChildren, else getChildren2. */
  | { readonly kind: "children"; readonly children: readonly { readonly name: string }[]; readonly stat?: Stat }
  | { readonly kind: "acl"; readonly acl: Acl; readonly stat: Stat }
  /** getEphemerals. */
  | { readonly kind: "paths"; readonly paths: readonly string[] }
  /** getAllChildrenNumber. */
  | { readonly kind: "count"; readonly count: number }
  /** whoAmI: ClientInfo is scheme and id. */
  | { readonly kind: "identities"; readonly ids: readonly AuthId[] }
  /** ErrorResponse, which addWatch answers. */
  | { readonly kind: "error"; readonly code: number }
  | { readonly kind: "multi"; readonly results: readonly MultiResult[] };

/**
 * One result of a multi or multiRead. `type` is the MultiHeader's: 1 create (path), 15 create2 and its kin (pathStat),
 * 5 setData (stat), 2 delete, 13 check (none), 4 getData (data), 8 getChildren (children). With `error`, its type is -1
 * and its record the code, which may be 0 (done, but taken back).
 */
export type MultiResult =
  | { readonly type: 1 | 2 | 4 | 5 | 8 | 13 | 15; readonly body: ReplyBody | undefined }
  | { readonly error: number };
