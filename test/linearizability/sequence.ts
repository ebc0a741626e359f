/**
 * The specification of sequential creation under one parent: each creation gets a number above all before it, and the children are
 * exactly those created and not deleted. Gaps between numbers are allowed.
 */
import type { Entry, Model } from "./checker.ts";
import type { SequenceOperation } from "./history.ts";
import { type Creations, certainlyBy, creationsOf, numberOf } from "./sequence-rules.ts";
import { ownZxid } from "./zxid-order.ts";

export interface SequenceState {
  /** How many creations were done: they can only come in the order of their numbers. */
  readonly created: number;
  /** A bit for each child by the rank of its number. */
  readonly present: bigint;
}

export interface SequenceMove {
  readonly operation: SequenceOperation;
  readonly deed:
    | { readonly kind: "append"; readonly rank: number }
    /** Undefined: of names that are none of the children ever. */
    | { readonly kind: "list"; readonly present: bigint | undefined }
    | { readonly kind: "remove"; readonly bit: bigint }
    /** It was told that there is no such child. */
    | { readonly kind: "miss"; readonly bit: bigint };
}

export interface SequenceProblem {
  readonly model: Model<SequenceState, SequenceMove>;
  readonly entries: readonly Entry<SequenceMove>[];
  readonly show: (state: SequenceState) => string;
}

const model: Model<SequenceState, SequenceMove> = {
  initial: { created: 0, present: 0n },
  apply: (state, { deed }) => {
    switch (deed.kind) {
      case "append":
        if (deed.rank !== state.created) return undefined;
        return { created: deed.rank + 1, present: state.present | (1n << BigInt(deed.rank)) };
      case "list":
        return deed.present === state.present ? state : undefined;
      case "remove":
        return (state.present & deed.bit) === 0n
          ? undefined
          : { created: state.created, present: state.present ^ deed.bit };
      case "miss":
        return (state.present & deed.bit) === 0n ? state : undefined;
    }
  },
  helps: ({ present }, { deed: optional }, { deed: target }) => {
    if (optional.kind !== "remove") return false;
    if (target.kind === "miss") return optional.bit === target.bit;
    if (target.kind !== "list" || target.present === undefined) return false;
    // Each child that is there and was not listed must go, one after the other; none comes back.
    const surplus = present & ~target.present;
    return (target.present & ~present) === 0n && optional.bit === (surplus & -surplus);
  },
  key: ({ created, present }) => `${created}.${present.toString(36)}`,
};

/** Only for a history without violations of `sequenceRules`. */
export function sequenceProblem(operations: readonly SequenceOperation[]): SequenceProblem {
  const creations = creationsOf(operations);
  const names = [...creations.byName.keys()].sort((a, b) => numberOf(a) - numberOf(b));
  const ranks = new Map(names.map((name, rank) => [name, rank]));
  const bits = new Map(names.map((name, rank) => [name, 1n << BigInt(rank)]));
  const entries = operations.flatMap((operation) => entriesOf(operation, operations, creations, ranks, bits));
  return {
    model,
    entries,
    show: ({ present }) => `children: ${names.filter((_, rank) => (present >> BigInt(rank)) & 1n).join(" ") || "none"}`,
  };
}

function entriesOf(
  operation: SequenceOperation,
  all: readonly SequenceOperation[],
  creations: Creations,
  ranks: ReadonlyMap<string, number>,
  bits: ReadonlyMap<string, bigint>,
): Entry<SequenceMove>[] {
  const { answer, call, invoked } = operation;
  if (answer.kind === "noEffect") return [];
  const of = (deed: SequenceMove["deed"], answered: number, required = true): Entry<SequenceMove>[] => {
    const zxid = ownZxid(operation);
    const order = zxid === undefined ? undefined : { order: zxid };
    const twin = call.kind === "remove" && !required ? { twin: call.name } : undefined;
    return [{ move: { operation, deed }, invoked, answered, required, ...order, ...twin }];
  };
  if (call.kind === "append") {
    // Nobody saw it: a gap in the numbers is all that it can have made.
    const name = creations.byOperation.get(operation.id);
    const rank = name === undefined ? undefined : ranks.get(name);
    if (name === undefined || rank === undefined) return [];
    return of({ kind: "append", rank }, certainlyBy(name, creations));
  }
  if (call.kind === "list") {
    if (answer.kind !== "ok" || answer.result.kind !== "list") return [];
    return of({ kind: "list", present: presentOf(answer.result.names, bits) }, operation.answered);
  }
  const bit = bits.get(call.name) ?? 0n;
  if (answer.kind === "failed") return of({ kind: "miss", bit }, operation.answered);
  if (answer.kind === "ok") return of({ kind: "remove", bit }, operation.answered);
  return bit !== 0n && canMatter(operation, call.name, all)
    ? of({ kind: "remove", bit }, Number.POSITIVE_INFINITY, false)
    : [];
}

function presentOf(names: readonly string[], bits: ReadonlyMap<string, bigint>): bigint | undefined {
  let present = 0n;
  for (const name of names) {
    const bit = bits.get(name);
    if (bit === undefined || (present & bit) !== 0n) return undefined;
    present |= bit;
  }
  return present;
}

/** Whether anybody can have noticed that a deletion without an answer was done. */
function canMatter(removal: SequenceOperation, name: string, all: readonly SequenceOperation[]): boolean {
  return all.some(({ call, answer, answered }) => {
    if (answered < removal.invoked) return false;
    if (call.kind === "remove") return call.name === name && answer.kind === "failed";
    return answer.kind === "ok" && answer.result.kind === "list" && !answer.result.names.includes(name);
  });
}
