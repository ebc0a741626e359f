/**
 * A znode's data in memory. A small Uint8Array costs V8 more than 200 bytes beside its content, a one-byte string 16:
 * small values are kept as strings of their bytes (latin1), large ones as copies. Nothing of a batch is retained.
 */
import { hashBytes, hashText } from "./digest.ts";

export type CompactData = string | Uint8Array;

/** ZooKeeper's null, which is this very array, and to all who do not ask is no bytes. */
export const nullData: CompactData = new Uint8Array(0);
/** Unlike that of any other data that is as short. */
const nullHash = 0x6e756c6c;

/** Up to here a string is built by one call; beyond it the copy's fixed cost no longer matters. */
const stringLimit = 1024;
const scratch: number[] = [];

/** Of the bytes from `from` to before `to`. */
export function compact(bytes: Uint8Array, from = 0, to: number = bytes.length): CompactData {
  const length = to - from;
  if (length === 0) return "";
  if (length > stringLimit) return bytes.slice(from, to);
  scratch.length = length;
  for (let i = 0; i < length; i++) scratch[i] = bytes[from + i] as number;
  return String.fromCharCode.apply(undefined, scratch);
}

/** A new array that the caller may keep. */
export function expand(data: CompactData): Uint8Array {
  if (typeof data !== "string") return data.slice();
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) bytes[i] = data.charCodeAt(i);
  return bytes;
}

const lent: Uint8Array[] = [];

/** As `expand`, but good only until the next call: for a writer that copies at once. Small arrays are dear to make. */
export function lend(data: CompactData): Uint8Array {
  if (typeof data !== "string") return data;
  const length = data.length;
  const bytes = lent[length] ?? new Uint8Array(length);
  if (length <= stringLimit) lent[length] = bytes;
  for (let i = 0; i < length; i++) bytes[i] = data.charCodeAt(i);
  return bytes;
}

/** What is a string, as most data is, needs no comparison. */
export function isNull(data: CompactData): boolean {
  return typeof data !== "string" && data === nullData;
}

export function hashData(data: CompactData): number {
  if (typeof data === "string") return hashText(data);
  return isNull(data) ? nullHash : hashBytes(data);
}

/** The same text as one flat string: a rope or a slice would keep its parts alive. */
export function flatten(text: string): string {
  const length = text.length;
  if (length === 0 || length > 4 * stringLimit) return text;
  scratch.length = length;
  for (let i = 0; i < length; i++) scratch[i] = text.charCodeAt(i);
  return String.fromCharCode.apply(undefined, scratch);
}
