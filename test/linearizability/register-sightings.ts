/**
 * What the answers of a register group say of each value: who wrote it, who saw it, under which version and mzxid. Values are
 * unique, so a value that was seen is a write that happened, whatever its client was told.
 */
import type { Millis, PutCall, RegisterOperation, SeenZnode, TxnCall, TxnPart, ZxidNumber } from "./history.ts";

/** One look at a znode: by a reader, or by the writer in its own answer. */
export interface Look {
  readonly by: RegisterOperation;
  readonly key: string;
  readonly seen: SeenZnode;
  /** The writer's own answer. */
  readonly own: boolean;
}

/** A look at a znode that was not there. */
export interface AbsentLook {
  readonly by: RegisterOperation;
  readonly key: string;
}

export interface Written {
  readonly value: string;
  readonly key: string;
  readonly writer: RegisterOperation;
  /** Of a txn: where the put stands. */
  readonly branch?: "then" | "else";
  readonly looks: Look[];
}

export interface Sightings {
  /** By value, whatever came of the write. */
  readonly written: ReadonlyMap<string, Written>;
  /** Looks at values that nobody wrote. */
  readonly strange: readonly Look[];
  readonly absent: readonly AbsentLook[];
}

/** A write is certain once somebody was told of it: by its own answer, or by that of a reader of any of its values. */
export interface Certainty {
  readonly at: Millis;
  readonly by: RegisterOperation;
  /** The key under which it was seen; undefined: its own answer said so. */
  readonly key?: string;
}

export function putsOf({ call }: RegisterOperation): { readonly put: PutCall; readonly branch?: "then" | "else" }[] {
  if (call.kind === "put") return [{ put: call }];
  if (call.kind !== "txn") return [];
  return (["then", "else"] as const).flatMap((branch) =>
    partsOf(call, branch).flatMap((part) => (part.kind === "put" ? [{ put: part, branch }] : [])),
  );
}

export function partsOf(call: TxnCall, branch: "then" | "else"): readonly TxnPart[] {
  return (branch === "then" ? call.then : call.else) ?? [];
}

export function keysOf({ call }: RegisterOperation): readonly string[] {
  if (call.kind !== "txn") return [call.key];
  return [...call.check, ...call.then, ...(call.else ?? [])].map((part) => part.key);
}

export function sightingsOf(operations: readonly RegisterOperation[]): Sightings {
  const written = new Map<string, Written>();
  for (const writer of operations) {
    for (const { put, branch } of putsOf(writer)) {
      const { value, key } = put;
      written.set(value, { value, key, writer, looks: [], ...(branch === undefined ? undefined : { branch }) });
    }
  }
  const strange: Look[] = [];
  const absent: AbsentLook[] = [];
  for (const operation of operations) {
    for (const look of looksOf(operation)) {
      if (look.seen === null) absent.push({ by: operation, key: look.key });
      else (written.get(look.seen.value)?.looks ?? strange).push({ ...look, seen: look.seen, by: operation });
    }
  }
  return { written, strange, absent };
}

interface RawLook {
  readonly key: string;
  readonly seen: SeenZnode | null;
  readonly own: boolean;
}

function looksOf({ call, answer }: RegisterOperation): RawLook[] {
  if (answer.kind !== "ok") return [];
  const { result } = answer;
  if (call.kind === "txn") {
    if (result.kind !== "txn") return [];
    // What a txn reads behind its own put or delete of the key says nothing of the state around it, but is a look all the same.
    return partsOf(call, result.branch).flatMap((part, index) => lookOf(part, result.results[index]));
  }
  return result.kind === "txn" ? [] : lookOf(call, result);
}

type PartResult = { readonly kind: string; readonly znode?: SeenZnode | null } & {
  readonly version?: number;
  readonly mzxid?: ZxidNumber;
};

function lookOf(part: TxnPart, result: PartResult | undefined): RawLook[] {
  if (part.kind === "read" && result?.kind === "read" && result.znode !== undefined) {
    return [{ key: part.key, seen: result.znode, own: false }];
  }
  if (part.kind !== "put" || result?.version === undefined || result.mzxid === undefined) return [];
  const seen = { value: part.value, version: result.version, mzxid: result.mzxid };
  return [{ key: part.key, seen, own: true }];
}

/** By the operation's id; none for a write that nobody was told of. */
export function certaintiesOf(
  operations: readonly RegisterOperation[],
  { written }: Sightings,
): ReadonlyMap<number, Certainty> {
  const certain = new Map<number, Certainty>();
  const learn = (writer: RegisterOperation, certainty: Certainty): void => {
    const known = certain.get(writer.id);
    if (known === undefined || certainty.at < known.at) certain.set(writer.id, certainty);
  };
  for (const operation of operations) {
    if (operation.answer.kind === "ok") learn(operation, { at: operation.answered, by: operation });
  }
  for (const { writer, key, looks } of written.values()) {
    for (const { by, own } of looks) if (!own) learn(writer, { at: by.answered, by, key });
  }
  return certain;
}
