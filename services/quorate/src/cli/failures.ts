/** What went wrong, as one line for people, a way out where there is one, and the command's exit code. */
import type { Certainty, ErrorCode, HttpErrorCode } from "@quorate/api";
import { type Exit, exitCodes, exitOfCode } from "./exit-codes.ts";

/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The command ends with that exit code; its text is the whole story. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly exit: Exit;
  readonly hint: string | undefined;

  constructor(exit: Exit, message: string, hint?: string) {
    super(message);
    this.exit = exit;
    this.hint = hint;
  }
}

/** A file that is not there, or cannot be read; `name` as it was given. */
export function fileFault(name: string, error: unknown, hint?: string): CommandError {
  if (error instanceof CommandError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const text = code === undefined ? undefined : fileFaults[code];
  return new CommandError("usage", text === undefined ? `${name}: ${message}` : `${name} ${text}`, hint);
}

const fileFaults: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EACCES: "may not be read",
  EISDIR: "is a folder, not a file",
};

/** Ended by a signal, which needs no words. */
export class Interrupted extends Error {
  override readonly name: string = "Interrupted";
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}

/** What a gateway answered, or why none did: the client's errors look so, and those of `Rest` below. */
export interface CallFailure {
  readonly code: ErrorCode | HttpErrorCode;
  readonly detail: string;
  readonly certainty: Certainty;
  readonly path?: string | undefined;
  readonly op?: { readonly in: string; readonly index: number } | undefined;
}

export class GatewayFailure extends Error implements CallFailure {
  override readonly name: string = "GatewayFailure";
  readonly code: CallFailure["code"];
  readonly detail: string;
  readonly certainty: Certainty;
  readonly path: string | undefined;
  readonly op: CallFailure["op"];
  readonly retryAfterMillis: number;

  constructor(failure: CallFailure & { readonly retryAfterMillis?: number }) {
    super(`${failure.code}: ${failure.detail}`);
    this.code = failure.code;
    this.detail = failure.detail;
    this.certainty = failure.certainty;
    this.path = failure.path;
    this.op = failure.op;
    this.retryAfterMillis = failure.retryAfterMillis ?? 0;
  }
}

export function isCallFailure(error: unknown): error is Error & CallFailure {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "certainty" in error;
}

export function isCode(error: unknown, ...codes: readonly CallFailure["code"][]): error is Error & CallFailure {
  return isCallFailure(error) && codes.includes(error.code);
}

export interface Told {
  readonly exit: number;
  /** Undefined: nothing is to be said. */
  readonly line?: string;
  readonly hint?: string | undefined;
}

/** `what`: the command and what it was about, such as `get /x`; `reads`: it changes nothing. */
export function tell(error: unknown, what: string, reads = false): Told {
  if (error instanceof Interrupted) return { exit: 128 + signalNumber(error.signal) };
  if (error instanceof UsageError)
    return { exit: exitCodes.usage.code, line: `${what}: ${error.message}`, hint: error.hint };
  if (error instanceof CommandError)
    return { exit: exitCodes[error.exit].code, line: `${what}: ${error.message}`, hint: error.hint };
  if (isCallFailure(error)) return tellCall(error, what, reads ? "noEffect" : error.certainty);
  return {
    exit: exitCodes.failure.code,
    line: `${what}: ${error instanceof Error ? error.message : String(error)}`,
    hint: undefined,
  };
}

const numbers: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

export function signalNumber(signal: NodeJS.Signals): number {
  return numbers[signal] ?? 15;
}

function tellCall(error: Error & CallFailure, what: string, certainty: Certainty): Told {
  const { code, op } = error;
  const exit = exitCodes[exitOfCode[code]].code;
  const doubt = certainty === "unknown" ? "; it may have been done" : "";
  const where = op === undefined ? "" : ` in ${op.in}[${op.index}]`;
  const [text, hint] = wordsOf(error, what, certainty);
  return { exit, line: `${what}: ${text}${where} (${code}${doubt})`, hint };
}

const statusHint = "quorate cluster status shows who is there";

function wordsOf(error: CallFailure, what: string, certainty: Certainty): readonly [string, string?] {
  const detail = forShell(error.detail, what);
  switch (error.code) {
    case "noParent":
      return [detail.replace(/;.*/s, ""), "--parents makes it"];
    case "noAuth":
      return [detail, "name a user who may: QUORATE_USER=name:password, or --user name"];
    case "connectionLoss":
    case "timeout":
      return certainty === "noEffect"
        ? [detail, "is a gateway there? name it by --endpoint http://HOST:PORT or QUORATE_ENDPOINT"]
        : [detail, statusHint];
    case "noLeader":
      return [detail, statusHint];
    default:
      return [detail];
  }
}

const secretHint = "give ID:SECRET as `quorate session open` printed it";

/** What the gateway advises to users of HTTP, for users of a shell; `what` has told the path already. */
function forShell(detail: string, what: string): string {
  const path = what.slice(what.indexOf(" /") + 1);
  const rest = path.startsWith("/") && detail.startsWith(`${path}: `) ? detail.slice(path.length + 2) : detail;
  return (
    rest
      .replaceAll("\n", " ")
      // Whether it may have been done is told behind it.
      .replace(" (an earlier try may have had an effect)", "")
      .replace(/send Quorate-Session: <id>:<secret> as it was given/, secretHint)
      .replace(/Quorate-Session is missing; send .* answered it/, `the session's secret is missing; ${secretHint}`)
      .replace(/Quorate-Session: (.*); send it as POST .* answered it/, `$1; ${secretHint}`)
      .replace(/[?&]?parents=true/g, "--parents")
      .replace(/[?&]?recursive=true/g, "--recursive")
      .replace(/If-Match: \*/g, "--replace")
      .replace(/If-None-Match: \*/g, "--create")
  );
}
