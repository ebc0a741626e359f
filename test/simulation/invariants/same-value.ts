/** Whether two plain values are alike: outcomes, stats, changes. A field that is undefined is as one that is not there. */
import type { Outcome } from "@quorate/api";

export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return sameBytes(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key in left) if (!sameValue(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

function sameBytes(a: object, b: object): boolean {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Apart from whether it was told from the memory of an idempotency key. */
export function sameOutcome(a: Outcome, b: Outcome): boolean {
  const { replayed: _a, ...left } = a;
  const { replayed: _b, ...right } = b;
  return sameValue(left, right);
}
