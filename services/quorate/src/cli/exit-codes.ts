/** What the command's end says: one table for the program, its help and its documentation. */
import type { ErrorCode, HttpErrorCode } from "@quorate/api";

export const exitCodes = {
  ok: { code: 0, about: "done" },
  failure: { code: 1, about: "failed; of cluster status: a write would not be taken" },
  usage: { code: 2, about: "what was given is wrong: an option, a path, a value" },
  notFound: { code: 3, about: "there is no such znode, lock, election or leader" },
  conflict: { code: 4, about: "what must hold does not: a condition, a token, what exists or is missing beside it" },
  unavailable: { code: 5, about: "no gateway, no leader, or not in time; the line says whether it may have been done" },
  denied: { code: 6, about: "not permitted, refused credentials, or a quota is used up" },
  lost: { code: 7, about: "a session or cursor is over; the lock or leadership was lost and COMMAND was stopped" },
  waited: { code: 8, about: "the lock or leadership was not got within --wait; COMMAND was not run" },
  notExecutable: { code: 126, about: "COMMAND cannot be run" },
  noProgram: { code: 127, about: "COMMAND was not found" },
} as const;

export type Exit = keyof typeof exitCodes;

/** Behind the table. */
export const signalExit = "128 + n: ended by signal n (130: Ctrl-C; 141: whoever read its output went away)";

export const exitOfCode: Readonly<Record<ErrorCode | HttpErrorCode, Exit>> = {
  badArguments: "usage",
  invalidAcl: "usage",
  authFailed: "denied",
  noAuth: "denied",
  quotaExceeded: "denied",
  noNode: "notFound",
  noParent: "conflict",
  nodeExists: "conflict",
  notEmpty: "conflict",
  noChildrenForEphemerals: "conflict",
  badVersion: "conflict",
  fenced: "conflict",
  sessionExpired: "lost",
  sessionMoved: "lost",
  cursorTooOld: "lost",
  cursorOfAnotherHistory: "lost",
  pageTooOld: "lost",
  tooLarge: "usage",
  keyReused: "conflict",
  throttled: "unavailable",
  noLeader: "unavailable",
  behind: "unavailable",
  connectionLoss: "unavailable",
  timeout: "unavailable",
  unimplemented: "failure",
  internal: "failure",
  noRoute: "failure",
  methodNotAllowed: "failure",
  notAcceptable: "failure",
  requestTimeout: "unavailable",
  unsupportedMediaType: "failure",
  headersTooLarge: "usage",
};
