/** The one class of error. Its code is a row of api's table; `certainty` is that of the call with all its tries. */
import { type Certainty, type ErrorCode, errors, type HttpErrorCode, httpErrors } from "@quorate/api";
import { defined } from "./defined.ts";

export interface ErrorFacts {
  readonly certainty?: Certainty;
  /** Of HTTP. */
  readonly status?: number;
  readonly path?: string;
  readonly zxid?: string;
  readonly retryAfterMillis?: number;
  /** Which part of a txn failed. */
  readonly op?: { readonly in: "check" | "then" | "else"; readonly index: number };
  readonly cause?: unknown;
}

export class QuorateError extends Error {
  override readonly name: string = "QuorateError";
  readonly code: ErrorCode | HttpErrorCode;
  /** `noEffect`: certainly nothing was done. `unknown`: it may have been. */
  readonly certainty: Certainty;
  readonly detail: string;
  readonly status: number | undefined;
  readonly path: string | undefined;
  readonly zxid: string | undefined;
  readonly retryAfterMillis: number;
  readonly op: ErrorFacts["op"];

  constructor(code: ErrorCode | HttpErrorCode, detail: string, facts: ErrorFacts = {}) {
    super(`${code}: ${detail}`, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.detail = detail;
    this.certainty = facts.certainty ?? certaintyOf(code);
    this.status = facts.status;
    this.path = facts.path;
    this.zxid = facts.zxid;
    this.retryAfterMillis = facts.retryAfterMillis ?? 0;
    this.op = facts.op;
  }

  /** The same, but an earlier try may have had an effect. */
  inDoubt(): QuorateError {
    if (this.certainty === "unknown") return this;
    const { status, path, zxid, retryAfterMillis, op } = this;
    const facts = defined({ status, path, zxid, retryAfterMillis, op, cause: this });
    const detail = `${this.detail} (an earlier try may have had an effect)`;
    return new QuorateError(this.code, detail, { ...facts, certainty: "unknown" });
  }
}

function certaintyOf(code: ErrorCode | HttpErrorCode): Certainty {
  return code in errors ? errors[code as ErrorCode].certainty : httpErrors[code as HttpErrorCode].certainty;
}

export function isErrorCode(text: string): text is ErrorCode | HttpErrorCode {
  return Object.hasOwn(errors, text) || Object.hasOwn(httpErrors, text);
}

/** The first row with that status; for answers that say no more than it. */
export function codeOfStatus(status: number): ErrorCode | HttpErrorCode | undefined {
  const row = [...Object.entries(errors), ...Object.entries(httpErrors)].find(([, { http }]) => http === status);
  return row?.[0] as ErrorCode | HttpErrorCode | undefined;
}

export function isCode(error: unknown, ...codes: readonly ErrorCode[]): error is QuorateError {
  return error instanceof QuorateError && (codes as readonly string[]).includes(error.code);
}
