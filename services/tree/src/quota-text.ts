/**
 * The texts of a quota as ZooKeeper's `StatsTrack` writes and reads them, in clients too: `count=5,bytes=-1`, and with hard
 * limits `count=-1,bytes=-1=;byteHardLimit=4096;countHardLimit=10` (the `=` in front of the semicolon is for older readers).
 */
import type { CompactData } from "./compact-data.ts";

/** -1: none. */
export interface QuotaLimits {
  readonly count: number;
  readonly bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
}

export const unlimited: QuotaLimits = { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 };

/** Undefined: it is no such text. Keys that mean nothing here are passed over, as ZooKeeper does. */
export function parseLimits(data: CompactData): QuotaLimits | undefined {
  // Longer data is no string.
  if (typeof data !== "string") return data.length === 0 ? unlimited : undefined;
  const text = data.trim();
  if (text === "") return unlimited;
  const found: Record<string, number> = { ...unlimited };
  for (const pair of text.split(/[,;]+/)) {
    const [key = "", value = ""] = pair.split("=");
    if (key === "" || !pair.includes("=") || !/^([+-]?\d{1,19})?$/.test(value)) return undefined;
    if (Object.hasOwn(found, key)) found[key] = value === "" ? -1 : Math.max(-1, Number(value));
  }
  return found as unknown as QuotaLimits;
}

export function formatUsage(count: number, bytes: number): string {
  return `count=${count},bytes=${bytes}`;
}
