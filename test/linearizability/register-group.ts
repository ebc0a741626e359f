/**
 * The specification of a register group: znodes under one parent, each absent or with a value, a version and an mzxid; read, put,
 * compare-and-set, create, delete, and txns over several of them. Keys that no txn connects are independent of each other
 * and searched apart.
 */
import { assert, unreachable } from "@quorate/api";
import type { Entry, Model } from "./checker.ts";
import type {
  FailureCode,
  FailurePlace,
  RegisterCondition,
  RegisterOperation,
  RegisterResult,
  TxnCall,
  TxnPart,
  TxnPartResult,
  ZxidNumber,
} from "./history.ts";
import { RegisterRelevance } from "./register-relevance.ts";
import { certaintiesOf, keysOf, partsOf, putsOf, type Sightings } from "./register-sightings.ts";

/** `value`: its number among those that somebody was told of; `unseen` for all others, which nobody can tell apart. */
interface Cell {
  readonly value: number;
  readonly version: number;
}
const unseen = -1;

/** By the key's number; undefined: absent. */
export type RegisterState = readonly (Cell | undefined)[];

export type RegisterMove = RegisterOperation;

interface KnownValue {
  readonly number: number;
  readonly mzxid: ZxidNumber;
  /** Undefined: only another value of the same txn was seen. */
  readonly version: number | undefined;
}

/** What is known of the values from all answers together. */
interface Values {
  readonly known: ReadonlyMap<string, KnownValue>;
  /** By number. */
  readonly mzxids: readonly ZxidNumber[];
}

export interface RegisterProblem {
  readonly keys: readonly string[];
  readonly model: Model<RegisterState, RegisterMove>;
  readonly entries: readonly Entry<RegisterMove>[];
  readonly show: (state: RegisterState) => string;
}

/** One problem for each set of keys that txns connect. */
export function registerProblems(operations: readonly RegisterOperation[], sightings: Sightings): RegisterProblem[] {
  const values = valuesOf(sightings);
  const certain = certaintiesOf(operations, sightings);
  return components(operations).map(({ keys, members }) => ({
    keys,
    model: new RegisterGroup(keys, values, members).model,
    entries: members.flatMap((operation) => entryOf(operation, certain.get(operation.id)?.at, values)),
    show: (state) => showState(state, keys, sightings, values),
  }));
}

function valuesOf({ written }: Sightings): Values {
  const known = new Map<string, KnownValue>();
  const mzxids: ZxidNumber[] = [];
  // The puts of a txn's branch share one zxid: who saw one of them knows that of all.
  const byBranch = new Map<string, ZxidNumber>();
  for (const { writer, branch, looks } of written.values()) {
    const look = looks[0];
    if (look !== undefined) byBranch.set(`${writer.id}/${branch}`, look.seen.mzxid);
  }
  for (const { value, writer, branch, looks } of written.values()) {
    const mzxid = byBranch.get(`${writer.id}/${branch}`);
    if (mzxid === undefined) continue;
    known.set(value, { number: mzxids.length, mzxid, version: looks[0]?.seen.version });
    mzxids.push(mzxid);
  }
  return { known, mzxids };
}

/** An unanswered operation that somebody saw happened before he was told; one that nobody saw happened or did not. */
function entryOf(operation: RegisterOperation, certainAt: number | undefined, values: Values): Entry<RegisterMove>[] {
  const { answer, invoked, answered, call } = operation;
  if (answer.kind === "noEffect") return [];
  const zxid = zxidOf(operation, values);
  const order = zxid === undefined ? undefined : { order: zxid };
  if (answer.kind !== "unknown") return [{ move: operation, invoked, answered, required: true, ...order }];
  if (certainAt !== undefined) return [{ move: operation, invoked, answered: certainAt, required: true, ...order }];
  const writes = call.kind === "txn" ? [...call.then, ...(call.else ?? [])] : [call];
  if (writes.every((part) => part.kind === "read" || part.kind === "check")) return [];
  const twin = JSON.stringify(call, (name, value: unknown) => (name === "value" ? "" : value));
  return [{ move: operation, invoked, answered: Number.POSITIVE_INFINITY, required: false, twin }];
}

/** Of the transaction that it was, if anybody was told. */
function zxidOf(operation: RegisterOperation, values: Values): ZxidNumber | undefined {
  for (const { put } of putsOf(operation)) {
    const known = values.known.get(put.value);
    if (known !== undefined) return known.mzxid;
  }
  const { answer } = operation;
  if (answer.kind !== "ok") return undefined;
  return answer.result.kind === "delete" ? answer.result.at : undefined;
}

interface Component {
  readonly keys: readonly string[];
  readonly members: readonly RegisterOperation[];
}

function components(operations: readonly RegisterOperation[]): Component[] {
  const parent = new Map<string, string>();
  const root = (key: string): string => {
    const above = parent.get(key) ?? key;
    return above === key ? key : root(above);
  };
  for (const operation of operations) {
    const [first, ...others] = keysOf(operation);
    if (first === undefined) continue;
    if (!parent.has(first)) parent.set(first, first);
    for (const key of others) parent.set(root(key), root(first));
  }
  const found = new Map<string, { keys: Set<string>; members: RegisterOperation[] }>();
  for (const operation of operations) {
    const keys = keysOf(operation);
    const [first] = keys;
    if (first === undefined) continue;
    const name = root(first);
    const component = found.get(name) ?? { keys: new Set<string>(), members: [] };
    found.set(name, component);
    component.members.push(operation);
    for (const key of keys) component.keys.add(key);
  }
  return [...found.values()].map(({ keys, members }) => ({ keys: [...keys].sort(), members }));
}

function showState(state: RegisterState, keys: readonly string[], { written }: Sightings, values: Values): string {
  const texts = new Map([...written.keys()].map((value) => [values.known.get(value)?.number, value]));
  return keys
    .map((key, index) => {
      const cell = state[index];
      if (cell === undefined) return `${key} absent`;
      const value = cell.value === unseen ? "a value that nobody was told of" : JSON.stringify(texts.get(cell.value));
      return `${key} = ${value} version ${cell.version}`;
    })
    .join(", ");
}

/** What one operation does; `codes`: a refusal, and the codes that tell of it. */
type Deed = { readonly kind: "refused"; readonly codes: readonly FailureCode[] } | { readonly kind: "done" };
const done: Deed = { kind: "done" };
const notThere: Deed = { kind: "refused", codes: ["noNode"] };
/** A put whose condition asks for a znode says badVersion; a txn's set, which is recorded as such a put, says noNode. */
const nothingToReplace: Deed = { kind: "refused", codes: ["badVersion", "noNode"] };

class RegisterGroup {
  readonly model: Model<RegisterState, RegisterMove>;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #values: Values;

  constructor(keys: readonly string[], values: Values, members: readonly RegisterOperation[]) {
    this.#numbers = new Map(keys.map((key, index) => [key, index]));
    this.#values = values;
    const relevance = new RegisterRelevance(members);
    this.model = {
      initial: keys.map(() => undefined),
      apply: (state, move) => this.#apply(state, move),
      helps: (_, optional, target) => relevance.helps(optional, target),
      key: (state) => state.map((cell) => (cell === undefined ? "-" : `${cell.value}.${cell.version}`)).join(),
    };
  }

  #apply(state: RegisterState, { call, answer }: RegisterOperation): RegisterState | undefined {
    const draft: Draft = { cells: state, shown: undefined };
    const expected = answer.kind === "ok" ? answer.result : undefined;
    const verdict = call.kind === "txn" ? this.#txn(draft, call, expected) : this.#part(draft, call, expected);
    if (verdict === undefined) return undefined;
    if (answer.kind !== "failed") return verdict.deed.kind === "done" ? draft.cells : undefined;
    if (verdict.deed.kind === "done" || !verdict.deed.codes.includes(answer.code)) return undefined;
    return samePlace(answer.place, verdict.place) ? state : undefined;
  }

  /** Undefined: it goes through, but not with the answer that was given. */
  #txn(draft: Draft, call: TxnCall, expected: RegisterResult | undefined): Verdict | undefined {
    let branch: "then" | "else" = "then";
    for (const [index, check] of call.check.entries()) {
      const deed = this.#judge(draft.cells[this.#numberOf(check.key)], check, check.exists === false);
      if (deed.kind === "done") continue;
      if (call.else === undefined) return { deed, place: { in: "check", index } };
      branch = "else";
      break;
    }
    if (expected !== undefined && (expected.kind !== "txn" || expected.branch !== branch)) return undefined;
    const results = expected?.kind === "txn" ? expected.results : undefined;
    for (const [index, part] of partsOf(call, branch).entries()) {
      const verdict = this.#part(draft, part, results?.[index], true);
      if (verdict === undefined) return undefined;
      if (verdict.deed.kind === "refused") return { deed: verdict.deed, place: { in: branch, index } };
    }
    // One without an answer, of which somebody saw a value: it took the branch that has it.
    if (expected === undefined && !this.#wroteWhatWasSeen(call, branch)) return undefined;
    return { deed: done };
  }

  #wroteWhatWasSeen(call: TxnCall, branch: "then" | "else"): boolean {
    const other = branch === "then" ? "else" : "then";
    const seen = (part: TxnPart): boolean => part.kind === "put" && this.#values.known.has(part.value);
    return !partsOf(call, other).some(seen) || partsOf(call, branch).some(seen);
  }

  #part(draft: Draft, part: TxnPart, expected: PartExpected, within = false): Verdict | undefined {
    const number = this.#numberOf(part.key);
    const cell = draft.cells[number];
    switch (part.kind) {
      case "read":
        if (within && cell === undefined) return { deed: { kind: "refused", codes: ["noNode"] } };
        return expected === undefined || this.#shows(cell, expected) ? { deed: done } : undefined;
      case "check":
        return { deed: this.#judge(cell, part, part.exists === false) };
      case "put": {
        const absentWillDo = !needsOne(part.condition);
        if (cell === undefined && !absentWillDo) return { deed: nothingToReplace };
        const deed = this.#judge(cell, part.condition ?? {}, absentWillDo);
        if (deed.kind === "refused") return { deed };
        const known = this.#values.known.get(part.value);
        const next = { value: known?.number ?? unseen, version: (cell?.version ?? -1) + 1 };
        if (known?.version !== undefined && known.version !== next.version) return undefined;
        set(draft, number, next);
        return expected === undefined || this.#wrote(cell, next, expected) ? { deed: done } : undefined;
      }
      case "delete": {
        const deed = this.#judge(cell, part.condition ?? {}, false);
        if (deed.kind === "done") set(draft, number, undefined);
        return { deed };
      }
      default:
        return unreachable(part);
    }
  }

  /** `absentWillDo`: the condition can hold for a znode that is not there. */
  #judge(cell: Cell | undefined, condition: RegisterCondition, absentWillDo: boolean): Deed {
    if (cell === undefined) return absentWillDo ? done : notThere;
    const { exists, mzxid, version } = condition;
    if (exists === false) return { kind: "refused", codes: ["nodeExists"] };
    if (mzxid !== undefined && this.#values.mzxids[cell.value] !== mzxid)
      return { kind: "refused", codes: ["badVersion"] };
    if (version !== undefined && version !== -1 && version !== cell.version) {
      return { kind: "refused", codes: ["badVersion"] };
    }
    return done;
  }

  #shows(cell: Cell | undefined, expected: NonNullable<PartExpected>): boolean {
    if (expected.kind !== "read") return false;
    const { znode } = expected;
    if (znode === null || cell === undefined) return znode === null && cell === undefined;
    const known = this.#values.known.get(znode.value);
    return known?.number === cell.value && znode.version === cell.version && znode.mzxid === known.mzxid;
  }

  #wrote(before: Cell | undefined, now: Cell, expected: NonNullable<PartExpected>): boolean {
    if (expected.kind !== "put" || expected.version !== now.version) return false;
    if (expected.created !== undefined && expected.created !== (before === undefined)) return false;
    return this.#values.mzxids[now.value] === expected.mzxid;
  }

  #numberOf(key: string): number {
    const number = this.#numbers.get(key);
    assert(number !== undefined, "a key of the group has a number");
    return number;
  }
}

interface Draft {
  cells: RegisterState;
  /** The copy that may be written; undefined while nothing was. */
  shown: (Cell | undefined)[] | undefined;
}

interface Verdict {
  readonly deed: Deed;
  readonly place?: FailurePlace;
}

type PartExpected = TxnPartResult | RegisterResult | undefined;

function set(draft: Draft, number: number, cell: Cell | undefined): void {
  draft.shown ??= [...draft.cells];
  draft.shown[number] = cell;
  draft.cells = draft.shown;
}

function needsOne(condition: RegisterCondition | undefined): boolean {
  if (condition === undefined) return false;
  const { exists, mzxid, version } = condition;
  return exists === true || mzxid !== undefined || (version !== undefined && version !== -1);
}

function samePlace(told: FailurePlace | undefined, is: FailurePlace | undefined): boolean {
  if (told === undefined) return true;
  return told.in === is?.in && told.index === is.index;
}
