/**
 * What is played to both sides: steps made from one seed, each by one client. A client's place (its slot) outlives its
 * connections and its sessions.
 */
import type { WireRequest } from "../wire-records.ts";

export type Step =
  /** All are sent before the first is answered. */
  | { readonly kind: "send"; readonly slot: number; readonly requests: readonly WireRequest[] }
  | { readonly kind: "open"; readonly slot: number; readonly timeoutMillis: number }
  | { readonly kind: "close"; readonly slot: number }
  /** The connection is cut, the session stays. */
  | { readonly kind: "cut"; readonly slot: number }
  /** It comes back to its session, shows who it is, and sets its watches again. */
  | { readonly kind: "return"; readonly slot: number; readonly wrongPassword: boolean }
  /** It is cut, and never comes back: its session expires, and with it the ephemeral znode `path`, which it has made. */
  | { readonly kind: "expire"; readonly slot: number; readonly path: string };

/** For the report of a difference. */
export function showStep(step: Step): string {
  if (step.kind !== "send") return JSON.stringify(step);
  return `client ${step.slot}: ${step.requests.map(showRequest).join("; ")}`;
}

export function showRequest(request: WireRequest): string {
  return show(request);
}

/** One line, bytes as text, numbers of 64 bits as they are. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === "bigint") return each >= 1n << 40n ? `0x${each.toString(16)}` : Number(each);
    if (isBytes(each)) {
      const bytes = Buffer.from("data" in each ? each.data : each);
      return bytes.length > 40 ? `${bytes.length} bytes` : `«${bytes.toString("latin1")}»`;
    }
    return each;
  });
}

/** A Buffer has become `{ type: "Buffer", data }` before a replacer sees it. */
function isBytes(value: unknown): value is Uint8Array | { readonly data: readonly number[] } {
  if (value instanceof Uint8Array) return true;
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value;
}
