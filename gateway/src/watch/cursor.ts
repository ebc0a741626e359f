/**
 * A watch's place as text: `0x0000000200000017.4a91e37371a4b3c6`, a zxid and the beginning of the history's id that it is
 * of. A bare zxid, such as any answer's `Quorate-Zxid`, is a cursor too, which does not say of which history.
 */
import { formatZxid, parseZxid } from "@quorate/api";
import type { Cursor } from "../backend.ts";

/** Hex digits of the history's id in a cursor. */
export const cursorHistoryDigits = 16;

export type BadCursor = { readonly bad: string };

export function formatCursor({ zxid, history }: Cursor): string {
  return history === undefined ? formatZxid(zxid) : `${formatZxid(zxid)}.${history}`;
}

const pattern = /^(0x[0-9a-fA-F]{1,16})(?:\.([0-9a-fA-F]{16}))?$/;

/** Reads what `formatCursor` writes, with fewer digits of the zxid too; `bad` says what is wrong and what is right. */
export function parseCursor(text: string): Cursor | BadCursor {
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  const found = pattern.exec(text);
  // The same words as in the specification of REST, which finds it first.
  if (found === null) return { bad: `${shown} is no cursor; send one as it was given, or the zxid of an answer` };
  const zxid = parseZxid(found[1] ?? "");
  if (zxid === undefined) return { bad: `${shown} is beyond what a zxid can be; send a cursor as it was given` };
  return found[2] === undefined ? { zxid } : { zxid, history: found[2].toLowerCase() };
}

export function isBadCursor(cursor: Cursor | BadCursor): cursor is BadCursor {
  return "bad" in cursor;
}
