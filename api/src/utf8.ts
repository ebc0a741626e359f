/**
 * UTF-8 by hand, since the pure rooms have no TextEncoder: strict both ways. A surrogate that stands alone becomes
 * U+FFFD on the way out (as WHATWG's encoder does) and is refused on the way in, like every overlong or cut-off form.
 */

const fromCharCode = String.fromCharCode;
/** Arguments that one call of `fromCharCode` is given. */
const chunk = 1024;

/** Writes `text` at `at`, where 3 bytes for each of its UTF-16 units are free; answers the position behind it. */
export function writeUtf8(text: string, bytes: Uint8Array, at: number): number {
  const length = text.length;
  let to = at;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return writeWide(text, i, bytes, to);
    bytes[to++] = unit;
  }
  return to;
}

function writeWide(text: string, from: number, bytes: Uint8Array, at: number): number {
  let to = at;
  for (let i = from; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      bytes[to++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[to++] = 0xc0 | (code >> 6);
      bytes[to++] = 0x80 | (code & 0x3f);
      continue;
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = code < 0xdc00 && i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) {
        i++;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        bytes[to++] = 0xf0 | (code >> 18);
        bytes[to++] = 0x80 | ((code >> 12) & 0x3f);
        bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[to++] = 0x80 | (code & 0x3f);
        continue;
      }
      code = 0xfffd;
    }
    bytes[to++] = 0xe0 | (code >> 12);
    bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
    bytes[to++] = 0x80 | (code & 0x3f);
  }
  return to;
}

/** The text of bytes that are known to be ASCII. Eight at a time: several times faster than one by one. */
export function asciiText(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > 128) return longAsciiText(bytes, from, to);
  let text = "";
  let at = from;
  for (; at + 8 <= to; at += 8) {
    text += fromCharCode(
      bytes[at] as number,
      bytes[at + 1] as number,
      bytes[at + 2] as number,
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      bytes[at + 5] as number,
      bytes[at + 6] as number,
      bytes[at + 7] as number,
    );
  }
  return at === to ? text : text + shortAsciiText(bytes, at, to - at);
}

/** Of less than eight: one call for all of them. */
function shortAsciiText(bytes: Uint8Array, at: number, count: number): string {
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  const c = bytes[at + 2] as number;
  const d = bytes[at + 3] as number;
  const e = bytes[at + 4] as number;
  switch (count) {
    case 1:
      return fromCharCode(a);
    case 2:
      return fromCharCode(a, b);
    case 3:
      return fromCharCode(a, b, c);
    case 4:
      return fromCharCode(a, b, c, d);
    case 5:
      return fromCharCode(a, b, c, d, e);
    case 6:
      return fromCharCode(a, b, c, d, e, bytes[at + 5] as number);
    default:
      return fromCharCode(a, b, c, d, e, bytes[at + 5] as number, bytes[at + 6] as number);
  }
}

function longAsciiText(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at += chunk) {
    const units: number[] = [];
    const end = Math.min(to, at + chunk);
    for (let i = at; i < end; i++) units.push(bytes[i] as number);
    text += fromCharCode(...units);
  }
  return text;
}

/** The text of `bytes` from `from` to before `to`; undefined if they are not UTF-8. */
export function readUtf8(bytes: Uint8Array, from: number, to: number): string | undefined {
  for (let at = from; at < to; at++) {
    if ((bytes[at] as number) >= 0x80) return readWide(bytes, from, to);
  }
  return asciiText(bytes, from, to);
}

function readWide(bytes: Uint8Array, from: number, to: number): string | undefined {
  let text = "";
  let units: number[] = [];
  let at = from;
  while (at < to) {
    const lead = bytes[at] as number;
    const size = sizeOf(lead);
    if (size === 0 || at + size > to) return undefined;
    const code = codePointAt(bytes, at, size);
    if (code < 0) return undefined;
    at += size;
    if (code < 0x10000) units.push(code);
    else units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
    if (units.length >= chunk) {
      text += fromCharCode(...units);
      units = [];
    }
  }
  return text + fromCharCode(...units);
}

/** Bytes that the form beginning with `lead` has; 0 if none begins so. */
function sizeOf(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

/** -1 for a bad continuation, an overlong form, a surrogate, or more than U+10FFFF. */
function codePointAt(bytes: Uint8Array, at: number, size: number): number {
  const lead = bytes[at] as number;
  if (size === 1) return lead;
  let code = lead & (0x7f >> size);
  for (let i = 1; i < size; i++) {
    const next = bytes[at + i] as number;
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 0x3f);
  }
  if (size === 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) return -1;
  if (size === 4 && (code < 0x10000 || code > 0x10ffff)) return -1;
  return code;
}
