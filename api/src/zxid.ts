/**
 * Zxids and epochs. A zxid is epoch × 2^32 + counter, as ZooKeeper's clients expect it (int64 on binary wires); in
 * memory it is a safe integer, so that `===`, `<` and Map keys work. Epochs stay below 2^21.
 */
import { assert } from "./assert.ts";
import type { Brand } from "./brand.ts";

export type Zxid = Brand<number, "Zxid">;
/** The zxid of the transaction that created the session: unique by construction. 0 is "none". */
export type SessionId = Brand<number, "SessionId">;
/** Counts leaderships; below 2^21. */
export type Epoch = number;
/** A member's number in the configuration: 1 to 255. */
export type ReplicaId = number;

export const counterLimit: number = 2 ** 32;
export const epochLimit: number = 2 ** 21;
export const zeroZxid: Zxid = 0 as Zxid;
export const noSession: SessionId = 0 as SessionId;

/** The zxid of `counter` in `epoch`; both are checked. */
export function composeZxid(epoch: Epoch, counter: number): Zxid {
  assert(Number.isInteger(epoch) && epoch >= 0 && epoch < epochLimit, `epoch ${epoch} is outside 0..2^21`);
  assert(Number.isInteger(counter) && counter >= 0 && counter < counterLimit, `counter ${counter} is outside 0..2^32`);
  return (epoch * counterLimit + counter) as Zxid;
}

export function epochOf(zxid: Zxid): Epoch {
  return Math.floor(zxid / counterLimit);
}

export function counterOf(zxid: Zxid): number {
  return zxid % counterLimit;
}

/** Any safe integer ≥ 0 taken as a zxid: for codecs, after the range check. */
export function asZxid(value: number): Zxid {
  assert(Number.isSafeInteger(value) && value >= 0, `${value} is no zxid`);
  return value as Zxid;
}

/** The session id that the transaction `zxid` creates. */
export function sessionIdOf(zxid: Zxid): SessionId {
  return zxid as number as SessionId;
}

/** `0x` and 16 hex digits, so that text sorts as numbers do. */
export function formatZxid(zxid: Zxid | SessionId): string {
  return `0x${(zxid as number).toString(16).padStart(16, "0")}`;
}

/** Reads `0x` and 1 to 16 hex digits; undefined for anything else and for values beyond 2^53 (never rounded). */
export function parseZxid(text: string): Zxid | undefined {
  if (!/^0x[0-9a-fA-F]{1,16}$/.test(text)) return undefined;
  const value = Number.parseInt(text.slice(2), 16);
  return Number.isSafeInteger(value) ? (value as Zxid) : undefined;
}

export function parseSessionId(text: string): SessionId | undefined {
  return parseZxid(text) as number | undefined as SessionId | undefined;
}
