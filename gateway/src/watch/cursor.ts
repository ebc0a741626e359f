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

const historyPattern = /^[0-9a-fA-F]{16}$/;

/** Reads what `formatCursor` writes, with fewer digits of the zxid too; `bad` says what is wrong and what is right. */
export function parseCursor(text: string): Cursor | BadCursor {
  const dot = text.indexOf(".");
  const zxid = parseZxid(dot === -1 ? text : text.slice(0, dot));
  if (zxid === undefined) {
    const shown = JSON.stringify(text.slice(0, 64));
    return { bad: `${shown} is no cursor; write 0x and hex digits, with the rest of the cursor as it was given` };
  }
  if (dot === -1) return { zxid };
  const history = text.slice(dot + 1);
  if (historyPattern.test(history)) return { zxid, history: history.toLowerCase() };
  const shown = JSON.stringify(history.slice(0, 64));
  return {
    bad: `${shown} behind the cursor's dot is no history: it has ${cursorHistoryDigits} hex digits, as it was given`,
  };
}

export function isBadCursor(cursor: Cursor | BadCursor): cursor is BadCursor {
  return "bad" in cursor;
}
