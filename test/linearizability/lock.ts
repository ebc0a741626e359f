/**
 * The specification of a lock that is one ephemeral znode: taken by a session that lives while nobody has it, with a token above
 * all before; given up by a release, or by the end of the session. A session's end is a move of its own: by a close, or by silence,
 * which cannot come before the session's time is over nor after the bound behind it.
 */
import type { Entry, Model } from "./checker.ts";
import { zxidText } from "./format.ts";
import type { LockOperation, SessionOperation, ZxidNumber } from "./history.ts";
import type { SessionLife } from "./session-life.ts";
import { ownZxid } from "./zxid-order.ts";

export interface LockState {
  /** The session's name; undefined: nobody. */
  readonly holder: string | undefined;
  /** Undefined while held: taken without an answer, and nobody has seen the token yet. */
  readonly token: ZxidNumber | undefined;
  readonly lastToken: ZxidNumber;
  /** Names of sessions that are over, sorted. */
  readonly over: readonly string[];
}

export type LockMove =
  | { readonly kind: "operation"; readonly operation: LockOperation }
  /** Renewed (it lived), closed (it ended), or told that it is over. */
  | { readonly kind: "session"; readonly operation: SessionOperation }
  | { readonly kind: "silence"; readonly session: string };

export interface LockProblem {
  readonly model: Model<LockState, LockMove>;
  readonly entries: readonly Entry<LockMove>[];
  readonly show: (state: LockState) => string;
}

export function lockProblem(
  operations: readonly LockOperation[],
  lives: ReadonlyMap<string, SessionLife>,
): LockProblem {
  const owners = new Map([...lives.values()].map(({ id, name }) => [id, name]));
  const used = new Set(operations.flatMap(({ call }) => (call.kind === "acquire" ? [call.session] : [])));
  const tokens = new Set(operations.flatMap(({ answer }) => tokensOf(answer)));
  return {
    model: {
      initial: { holder: undefined, token: undefined, lastToken: -1, over: [] },
      apply: (state, move) => apply(state, move, owners, tokens),
      key: ({ holder, token, lastToken, over }) => `${holder ?? "-"} ${token ?? "?"} ${lastToken} ${over.join()}`,
    },
    entries: [
      ...operations.flatMap(entryOf),
      ...[...lives.values()].filter(({ name }) => used.has(name)).flatMap(sessionEntries),
    ],
    show: ({ holder, token, over }) => {
      const held = token === undefined ? "an unknown token" : `token ${zxidText(token)}`;
      const ended = over.length === 0 ? "" : `; over: ${over.join(", ")}`;
      return (holder === undefined ? "free" : `held by session ${holder} with ${held}`) + ended;
    },
  };
}

/** Tokens that acquirers were told of: they belong to nobody else. */
function tokensOf(answer: LockOperation["answer"]): ZxidNumber[] {
  return answer.kind === "ok" && answer.result.kind === "acquire" ? [answer.result.token] : [];
}

function entryOf(operation: LockOperation): Entry<LockMove>[] {
  const { answer, call, invoked, answered } = operation;
  const move: LockMove = { kind: "operation", operation };
  if (answer.kind === "noEffect") return [];
  const zxid = ownZxid(operation);
  const order = zxid === undefined ? undefined : { order: zxid };
  if (answer.kind !== "unknown") return [{ move, invoked, answered, required: true, ...order }];
  if (call.kind === "observe") return [];
  const twin = call.kind === "acquire" ? `acquire ${call.session}` : `release ${call.token ?? "any"}`;
  return [{ move, invoked, answered: Number.POSITIVE_INFINITY, required: false, twin }];
}

function sessionEntries({ name, operations, aliveUntil, silentBy }: SessionLife): Entry<LockMove>[] {
  const entries = operations.flatMap((operation): Entry<LockMove>[] => {
    const { answer, call, invoked, answered } = operation;
    if (answer.kind === "noEffect" || (answer.kind === "unknown" && call.kind !== "close")) return [];
    // Nobody can use a session before it is answered, so its beginning is no move.
    if (call.kind === "open") return [];
    const twin = answer.kind === "unknown" ? { twin: `close ${name}` } : undefined;
    const move: LockMove = { kind: "session", operation };
    return [{ move, invoked, answered, required: answer.kind !== "unknown", ...twin }];
  });
  const required = silentBy < Number.POSITIVE_INFINITY;
  // The bound cannot be judged to be over before it began.
  const answered = Math.max(silentBy, aliveUntil);
  return [...entries, { move: { kind: "silence", session: name }, invoked: aliveUntil, answered, required }];
}

function apply(
  state: LockState,
  move: LockMove,
  owners: ReadonlyMap<ZxidNumber | undefined, string>,
  tokens: ReadonlySet<ZxidNumber>,
): LockState | undefined {
  if (move.kind === "silence") return end(state, move.session) ?? state;
  if (move.kind === "session") return applySession(state, move.operation);
  const { call, answer } = move.operation;
  if (call.kind === "acquire") return acquire(state, call.session, answer);
  if (call.kind === "release") return release(state, call.token, answer, tokens);
  if (answer.kind !== "ok" || answer.result.kind !== "observe") return undefined;
  const { holder } = answer.result;
  if (holder === null) return state.holder === undefined ? state : undefined;
  return state.holder !== undefined && owners.get(holder.owner) === state.holder
    ? bind(state, holder.token, tokens)
    : undefined;
}

function applySession(state: LockState, { object, call, answer }: SessionOperation): LockState | undefined {
  const over = state.over.includes(object);
  if (answer.kind === "failed") return over ? state : undefined;
  if (over) return undefined;
  return call.kind === "close" ? end(state, object) : state;
}

/** Undefined: it is over already. */
function end(state: LockState, session: string): LockState | undefined {
  if (state.over.includes(session)) return undefined;
  const over = [...state.over, session].sort();
  return state.holder === session ? { ...free(state), over } : { ...state, over };
}

function free(state: LockState): LockState {
  return { ...state, holder: undefined, token: undefined };
}

function acquire(state: LockState, session: string, answer: LockOperation["answer"]): LockState | undefined {
  const over = state.over.includes(session);
  if (answer.kind === "failed") {
    const told = answer.code === "sessionExpired" ? over : !over && state.holder !== undefined;
    return told ? state : undefined;
  }
  if (over || state.holder !== undefined) return undefined;
  if (answer.kind !== "ok") return { ...state, holder: session, token: undefined };
  if (answer.result.kind !== "acquire" || answer.result.token <= state.lastToken) return undefined;
  const { token } = answer.result;
  return { ...state, holder: session, token, lastToken: token };
}

function release(
  state: LockState,
  token: ZxidNumber | undefined,
  answer: LockOperation["answer"],
  tokens: ReadonlySet<ZxidNumber>,
): LockState | undefined {
  if (answer.kind === "failed") {
    if (state.holder === undefined) return answer.code === "noNode" ? state : undefined;
    return answer.code === "badVersion" && token !== undefined && token !== state.token ? state : undefined;
  }
  if (state.holder === undefined) return undefined;
  if (token === undefined) return free(state);
  const bound = bind(state, token, tokens);
  return bound === undefined ? undefined : free(bound);
}

/** The lock has this token; a holder that was never answered gets it now, if it can be his. */
function bind(state: LockState, token: ZxidNumber, tokens: ReadonlySet<ZxidNumber>): LockState | undefined {
  if (state.token !== undefined) return state.token === token ? state : undefined;
  return tokens.has(token) || token <= state.lastToken ? undefined : { ...state, token, lastToken: token };
}
