/** Failures of the replicated state: values, the same on every replica. `detail` is for an operator at 3 a.m. */
import type { ErrorCode, Failure, Path, Result, Success, Zxid } from "@quorate/api";

export function failure(zxid: Zxid, code: ErrorCode, detail: string, path?: Path): Failure {
  return path === undefined ? { ok: false, zxid, code, detail } : { ok: false, zxid, code, detail, path };
}

export function success(zxid: Zxid, result: Result): Success {
  return { ok: true, zxid, result };
}
