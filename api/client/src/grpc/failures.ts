/** What gRPC says of a failure, as the one class of error. */
import { type Certainty, type ErrorCode, errors } from "@quorate/api";
import { codeOfReason, decodeRpcStatus, statusDetailsKey, type v1 } from "@quorate/proto";
import { defined } from "../defined.ts";
import { isErrorCode, QuorateError } from "../quorate-error.ts";
import { millisIn, zxidText } from "./values.ts";

/** Of grpc-js' ServiceError, what is needed. */
export interface StatusError {
  readonly code: number;
  readonly details: string;
  readonly metadata?: { get(key: string): readonly (string | Buffer)[] };
}

const places: Readonly<Record<string, "check" | "then" | "else">> = {
  check: "check",
  then: "then",
  otherwise: "else",
  IN_CHECKS: "check",
  IN_THEN: "then",
  IN_OTHERWISE: "else",
};

const certainties: Readonly<Record<string, Certainty>> = {
  noEffect: "noEffect",
  unknown: "unknown",
  CERTAINTY_NO_EFFECT: "noEffect",
  CERTAINTY_UNKNOWN: "unknown",
};

/** google.rpc.Code of what the connection and not the gateway said, or of a gateway that is going away. */
const cut: ReadonlySet<number> = new Set([1, 2, 8, 13, 14]);
const deadlineExceeded = 4;

export function failureOfStatus(error: StatusError, address: string): QuorateError {
  const [details] = error.metadata?.get(statusDetailsKey) ?? [];
  const status = details instanceof Uint8Array ? decodeRpcStatus(details) : undefined;
  if (status === undefined) return failureOfConnection(error, address);
  const { reason, metadata, retryAfterMillis = 0, message } = status;
  const code = codeOfReason(reason);
  const { certainty, path, zxid, opIn, opIndex } = metadata;
  const place = opIn === undefined ? undefined : places[opIn];
  const facts = defined({
    cause: error,
    retryAfterMillis,
    certainty: certainties[certainty ?? ""],
    path,
    zxid,
    op: place && { in: place, index: Number(opIndex) },
  });
  return new QuorateError(isErrorCode(code) ? code : "internal", message, facts);
}

/** Without our details it is grpc-js that speaks, or something on the way. */
function failureOfConnection({ code, details }: StatusError, address: string): QuorateError {
  const detail = `${address}: ${details}`;
  if (code === deadlineExceeded) return new QuorateError("timeout", detail);
  if (/^(No connection established|Name resolution failed)/.test(details))
    return new QuorateError("connectionLoss", detail, { certainty: "noEffect" });
  if (code === 8 && details.includes("larger than max")) return new QuorateError("tooLarge", detail);
  if (cut.has(code)) return new QuorateError("connectionLoss", detail);
  const row = Object.entries(errors).find(([, { grpc }]) => grpc === code);
  return new QuorateError((row?.[0] ?? "internal") as ErrorCode, detail, { certainty: "unknown" });
}

/** Of an operation on a session's stream. */
export function failureOf(failure: v1.Failure): QuorateError {
  const code = codeOfReason(failure.reason ?? "INTERNAL");
  const { certainty, path, zxid, operation, retryAfter } = failure;
  const place = places[operation?.in ?? ""];
  const facts = defined({
    certainty: certainties[certainty ?? ""],
    path: path || undefined,
    zxid: zxid ? zxidText(zxid) : undefined,
    op: place && { in: place, index: operation?.index ?? 0 },
    retryAfterMillis: retryAfter && millisIn(retryAfter),
  });
  return new QuorateError(isErrorCode(code) ? code : "internal", failure.detail ?? "", facts);
}
