/**
 * `grpc-status-details-bin`: google.rpc.Status with ErrorInfo and RetryInfo (google/rpc/status.proto, error_details.proto),
 * written and read by hand, since these three messages are all that is needed of them.
 */
import { bytesField, fieldsOf, messagesIn, numberField, numberIn, textIn } from "./wire.ts";

export const statusDetailsKey = "grpc-status-details-bin";
export const errorDomain = "quorate";

export interface RpcStatus {
  /** google.rpc.Code. */
  readonly code: number;
  readonly message: string;
  /** Of ErrorInfo: `NO_NODE`. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of RetryInfo; undefined: none. */
  readonly retryAfterMillis?: number;
}

const infoType = "type.googleapis.com/google.rpc.ErrorInfo";
const retryType = "type.googleapis.com/google.rpc.RetryInfo";

/** `noNode` → `NO_NODE`. */
export function reasonOf(code: string): string {
  return code.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** `NO_NODE` → `noNode`. */
export function codeOfReason(reason: string): string {
  return reason.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function any(type: string, value: Buffer): Buffer {
  return bytesField(3, Buffer.concat([bytesField(1, type), bytesField(2, value)]));
}

export function encodeRpcStatus({ code, message, reason, metadata, retryAfterMillis }: RpcStatus): Buffer {
  const pairs = Object.entries(metadata).map(([key, value]) =>
    bytesField(3, Buffer.concat([bytesField(1, key), bytesField(2, value)])),
  );
  const info = Buffer.concat([bytesField(1, reason), bytesField(2, errorDomain), ...pairs]);
  const parts = [numberField(1, code), bytesField(2, message), any(infoType, info)];
  if (retryAfterMillis !== undefined) {
    const seconds = Math.floor(retryAfterMillis / 1000);
    const nanos = Math.round((retryAfterMillis - seconds * 1000) * 1e6);
    const duration = Buffer.concat([numberField(1, seconds), numberField(2, nanos)]);
    parts.push(any(retryType, bytesField(1, duration)));
  }
  return Buffer.concat(parts);
}

/** Undefined: these bytes are no status of ours. */
export function decodeRpcStatus(bytes: Uint8Array): RpcStatus | undefined {
  const status = fieldsOf(bytes);
  if (status === undefined) return undefined;
  let found: { reason: string; metadata: Record<string, string> } | undefined;
  let retryAfterMillis: number | undefined;
  for (const detail of messagesIn(status, 3)) {
    const [value = []] = messagesIn(detail, 2);
    if (textIn(detail, 1) === infoType && textIn(value, 2) === errorDomain) {
      const pairs = messagesIn(value, 3).map((pair) => [textIn(pair, 1), textIn(pair, 2)]);
      found = { reason: textIn(value, 1), metadata: Object.fromEntries(pairs) as Record<string, string> };
    } else if (textIn(detail, 1) === retryType) {
      const [duration = []] = messagesIn(value, 1);
      retryAfterMillis = numberIn(duration, 1) * 1000 + numberIn(duration, 2) / 1e6;
    }
  }
  if (found === undefined) return undefined;
  const base = { code: numberIn(status, 1), message: textIn(status, 2), ...found };
  return retryAfterMillis === undefined ? base : { ...base, retryAfterMillis };
}
