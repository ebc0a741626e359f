/**
 * What is wrong with a request, raised while it is decoded and caught once, by the dispatcher. `detail` names the field,
 * its fault and the way out.
 */
import {
  type Certainty,
  type ErrorCode,
  errors,
  type Failure,
  formatZxid,
  type HttpErrorCode,
  httpErrors,
  type Path,
  type Zxid,
  zeroZxid,
} from "@quorate/api";

export type ProblemCode = ErrorCode | HttpErrorCode;

export class RequestFault extends Error {
  override readonly name: string = "RequestFault";
  readonly code: ProblemCode;
  /** More headers of the answer, flat: name, value, … */
  readonly headers: readonly string[];

  constructor(code: ProblemCode, detail: string, headers: readonly string[] = []) {
    super(detail);
    this.code = code;
    this.headers = headers;
  }
}

/** 400 by name: the usual fault. */
export function bad(detail: string): RequestFault {
  return new RequestFault("badArguments", detail);
}

/** RFC 9457, with what a client needs to decide whether to try again. */
export interface Problem {
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string;
  readonly certainty: Certainty;
  /** 0: nothing of any state was asked; then it is not said, for as a cursor it would mean all that ever was. */
  readonly zxid: Zxid;
  readonly servedBy: string;
  readonly path?: Path;
  readonly op?: Failure["op"];
  readonly retryAfterMillis?: number;
  readonly reference?: string;
  /** Instead of the code's own. */
  readonly title?: string;
}

function entryOf(code: ProblemCode): { readonly http: number; readonly certainty: Certainty; readonly title: string } {
  return code in httpErrors ? httpErrors[code as HttpErrorCode] : errors[code as ErrorCode];
}

export function problemOf(code: ProblemCode, detail: string): Problem {
  const { http, certainty } = entryOf(code);
  return { code, status: http, detail, certainty, zxid: zeroZxid, servedBy: "gateway" };
}

/** Whole seconds, at least 1, for the two statuses that always say when to come back. */
export function retryAfterSeconds(problem: Problem): number | undefined {
  if (problem.status !== 429 && problem.status !== 503) return undefined;
  return Math.max(1, Math.ceil((problem.retryAfterMillis ?? 1000) / 1000));
}

export function problemJson(problem: Problem): string {
  const { code, status, detail, path, zxid, certainty, op, reference } = problem;
  return JSON.stringify({
    type: `/docs/errors#${code}`,
    title: problem.title ?? entryOf(code).title,
    status,
    detail,
    code,
    path,
    zxid: zxid === zeroZxid ? undefined : formatZxid(zxid),
    certainty,
    retryAfter: retryAfterSeconds(problem),
    op,
    reference,
  });
}

/** What an outcome's failure is at this door. `createOnly`: the request bore `If-None-Match: *`. */
export function problemOfFailure(failure: Failure, servedBy: string, createOnly: boolean): Problem {
  // REST sessions belong to no connection, so that none can move; had one, nothing would be known of an earlier try.
  const code = failure.code === "sessionMoved" ? "connectionLoss" : failure.code;
  const { http, certainty } = errors[code];
  let status: number = http;
  if (failure.op !== undefined) status = 409;
  else if (code === "nodeExists" && createOnly) status = 412;
  return {
    code,
    status,
    detail: failure.detail,
    certainty,
    zxid: failure.zxid,
    servedBy,
    ...(failure.path === undefined ? undefined : { path: failure.path }),
    ...(failure.op === undefined ? undefined : { op: failure.op }),
  };
}

/** A request that got no outcome. The status alone must tell whether a try may have had an effect. */
export function problemOfUnavailable(answer: {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly certainty: Certainty;
  readonly retryAfterMillis: number;
}): Problem {
  const promises = errors[answer.code].certainty === "noEffect" && answer.certainty === "unknown";
  const code = promises || errors[answer.code].http === 0 ? "connectionLoss" : answer.code;
  const { certainty, retryAfterMillis } = answer;
  return { ...problemOf(code, answer.detail), certainty, retryAfterMillis };
}
