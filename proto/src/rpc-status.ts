/**
 * `grpc-status-details-bin`: google.rpc.Status with ErrorInfo and RetryInfo (google/rpc/status.proto, error_details.proto),
 * written and read by hand, since these three messages are all that is needed of them.
 */
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

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function numberField(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(field * 8), varint(value)]);
}

function bytesField(field: number, value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
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

/** A field's number and its value: a number, or bytes. */
type Field = readonly [number, number | Uint8Array];

/** Every field of a message; undefined for bytes that are none. */
function fieldsOf(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; shift < 10; shift++) {
      const byte = bytes[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 127) * 128 ** shift;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = next();
    const value = next();
    if (Number.isNaN(tag) || Number.isNaN(value)) return undefined;
    if (tag % 8 === 0) fields.push([Math.floor(tag / 8), value]);
    else if (tag % 8 === 2 && at + value <= bytes.length) {
      fields.push([Math.floor(tag / 8), bytes.subarray(at, at + value)]);
      at += value;
    } else return undefined;
  }
  return fields;
}

function textIn(fields: readonly Field[], number: number): string {
  const found = fields.find(([field]) => field === number)?.[1];
  return found instanceof Uint8Array ? Buffer.from(found.buffer, found.byteOffset, found.length).toString() : "";
}

function numberIn(fields: readonly Field[], number: number): number {
  const found = fields.find(([field]) => field === number)?.[1];
  return typeof found === "number" ? found : 0;
}

function messagesIn(fields: readonly Field[], number: number): Field[][] {
  return fields
    .filter(([field]) => field === number)
    .map(([, value]) => (value instanceof Uint8Array ? (fieldsOf(value) ?? []) : []));
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
