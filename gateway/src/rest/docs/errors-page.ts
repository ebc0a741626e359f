/** The page that a problem's `type` leads to: each row of the one error table, and what to do about it. */
import { type ErrorCode, type ErrorCodes, errors, type HttpErrorCode, httpErrors } from "@quorate/api";
import { code, escapeHtml, inline, page, table } from "./html.ts";
import { navigation } from "./reference.ts";

type Code = ErrorCode | HttpErrorCode;

/** When it comes, and what helps. */
const advice: Readonly<Record<Code, string>> = {
  badArguments: "Something in the request is not as it must be. `detail` names the field, its fault and the way out.",
  invalidAcl: "An entry of the ACL is wrong; `detail` says which. `auth` stands for who asks, and needs credentials.",
  authFailed:
    "The credentials cannot be read, or the session's secret is wrong. A wrong password is no failure: it is another identity.",
  noAuth:
    "Who asks lacks the permission that `detail` names. Authenticate, or have the ACL changed. A web page of another site gets this, too, unless `--cors-origin` allows it.",
  quotaExceeded:
    "A quota is used up; `detail` says which: ephemerals of a session, znodes, or the reserve of the disk.",
  noNode: "There is no znode of that path; or, of a lock or an election, nothing that the session could give back.",
  noParent: "A znode is made below one that exists. Make the parents first, or send `?parents=true`.",
  nodeExists:
    "There is one already. Under `If-None-Match: *` this is 412, so that who came second knows it from the status alone. Of a lock or an election: the name is of something else; `detail` says of what.",
  notEmpty: "It has children. Delete them first, or send `?recursive=true`.",
  noChildrenForEphemerals: "An ephemeral ends with its session, and can have nothing below it.",
  badVersion:
    "The znode is not as the condition says: somebody wrote in between, or a proxy made this very request before. Read it again and decide anew.",
  fenced:
    "The lock is not held with this token any more: it was released, or its session is over, and it may have passed on. Stop doing what it protects.",
  sessionExpired:
    "The session is over, and so are its ephemerals: it was closed, or not renewed in time. It is never made anew behind your back: open another one.",
  sessionMoved: "Another connection has taken the session over. REST and unary gRPC never answer this.",
  cursorTooOld: "What happened since that cursor is not all remembered. Read the state again, and watch from its zxid.",
  cursorOfAnotherHistory: "The cursor is of another ensemble, or from before a restore. Read the state again.",
  pageTooOld: "The listing that this page belongs to is remembered no more. Begin it again, without `continue`.",
  tooLarge: "Something is larger than it may be; `detail` says what, and the limit.",
  keyReused: "Another request was sent under this `Idempotency-Key`. Use a new key for each thing to be done.",
  throttled: "There is as much under way as may be. Try again after `Retry-After`.",
  noLeader: "There is no leader at the moment, or no quorum. Nothing was done: try again after `Retry-After`.",
  behind: "The replica has not come as far as was asked (`Quorate-Min-Zxid`, `Quorate-Max-Stale`). Try again.",
  connectionLoss:
    "The answer was lost on its way. The write **may have been done**: read, or send it again with an `Idempotency-Key`.",
  timeout:
    "There was no answer in time. The write **may have been done**, or may still be: read, or send it again with an `Idempotency-Key`.",
  unimplemented:
    "This server cannot do that yet. Amid an upgrade it may be that a replica still runs an older release, which cannot read the write: nothing was done, finish the upgrade and try again.",
  internal: "A fault of ours. `reference` finds it in the log of the gateway. The write **may have been done**.",
  noRoute: "Nothing is served at that path. A root znode is `/v1/znodes/`.",
  methodNotAllowed: "The path does not take that method; the header `Allow` says which it takes.",
  notAcceptable: "There is no form that `Accept` would take; `detail` says which there are.",
  requestTimeout: "The request did not arrive as a whole in time. Nothing was done.",
  unsupportedMediaType: "JSON bodies need `Content-Type: application/json`, and no body may be encoded.",
  headersTooLarge: "The headers are larger than 16 KiB. Nothing was done.",
};

/** google.rpc.Code, by its number. */
const grpcNames: readonly string[] = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

const certainties = {
  noEffect: "certainly nothing was done",
  unknown: "it may have been done",
} as const;

type Row = Pick<ErrorCodes, "http" | "certainty" | "title"> & Partial<ErrorCodes>;

const rows: readonly (readonly [Code, Row])[] = [
  ...(Object.entries(errors) as [ErrorCode, Row][]),
  ...(Object.entries(httpErrors) as [HttpErrorCode, Row][]),
];

function section([name, { title, http, grpc, zookeeper, certainty }]: readonly [Code, Row]): string {
  const facts = [
    ["HTTP", http === 0 ? "never" : String(http)],
    ["gRPC", grpc === undefined ? "–" : (grpcNames[grpc] ?? String(grpc))],
    ["ZooKeeper", zookeeper === undefined ? "–" : String(zookeeper)],
    ["Certainty", `${code(certainty)}: ${certainties[certainty]}`],
  ];
  const list = facts.map(([term, fact]) => `<dt>${term}</dt><dd>${fact}</dd>`).join("");
  const heading = `<h3><a href="#${name}"><code>${name}</code></a></h3>`;
  return `<section class="error" id="${name}">${heading}<p><strong>${escapeHtml(title)}.</strong> ${inline(advice[name])}</p><dl>${list}</dl></section>`;
}

const introduction = [
  "Every failure is `application/problem+json` (RFC 9457), and its `type` leads to this page. `code` is for programs, `detail` for people: what is wrong, where, and the way out.",
  "**The status alone tells whether a try may have had an effect.** 4xx, 501 and 503 had none: what was refused can be sent again. 500, 502 and 504, a connection that breaks, and an answer that is no problem may have had one. `certainty` says it of this request with all the tries that the gateway made for it.",
  "In a transaction the status is 409, and `op` names the operation that failed with this code.",
];

export function errorsPage(): string {
  const overview = rows.map(([name, { http, title }]) => [
    `<a href="#${name}">${name}</a>`,
    http === 0 ? "–" : String(http),
    escapeHtml(title),
  ]);
  const parts = [
    "<h1>Errors</h1>",
    ...introduction.map((each) => `<p>${inline(each)}</p>`),
    table(["code", "status", ""], overview),
    ...rows.map(section),
  ];
  return page("Quorate: errors", navigation("/docs"), parts.join("\n"));
}
