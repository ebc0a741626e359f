/**
 * `continue` of REST, `page_token` of gRPC: where the next page of children begins. It bears a checksum over the path too,
 * so that a damaged token, or one of another listing, is refused instead of skipping names. It is no secret and gives no
 * right.
 */
import { createHash } from "node:crypto";
import { formatZxid, isBadPath, type Path, parsePath, parseZxid, type Zxid } from "@quorate/api";

export interface PagePlace {
  /** The zxid whose names the pages show. */
  readonly at: Zxid;
  /** The last name had. */
  readonly after: string;
}

export function writePageToken(path: Path, place: PagePlace): string {
  const text = `${formatZxid(place.at)}/${place.after}`;
  return Buffer.from(`${checksum(path, text)}${text}`).toString("base64url");
}

/** Undefined: this is not what the last page of this listing gave. */
export function readPageToken(path: Path, token: string): PagePlace | undefined {
  const whole = Buffer.from(token, "base64url").toString("utf8");
  const text = whole.slice(8);
  const at = parseZxid(text.slice(0, 18));
  const after = text.slice(19);
  const fits = whole.slice(0, 8) === checksum(path, text) && Buffer.from(whole).toString("base64url") === token;
  if (!fits || at === undefined || text[18] !== "/" || isBadPath(parsePath(`/${after}`))) return undefined;
  return { at, after };
}

function checksum(path: Path, text: string): string {
  return createHash("sha256").update(`${path}\n${text}`).digest("hex").slice(0, 8);
}
