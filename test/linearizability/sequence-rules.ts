/** What is wrong with sequential creation at a glance, each by its name. */
import { brief, describe } from "./format.ts";
import type { AppendCall, Millis, SequenceOperation } from "./history.ts";

/** The children that anybody was told of. */
export interface Creations {
  readonly byName: ReadonlyMap<string, Creation>;
  /** The name that an operation's creation got. */
  readonly byOperation: ReadonlyMap<number, string>;
}

export interface Creation {
  readonly creator: SequenceOperation;
  /** Who was told of it, the creator's own answer included. */
  readonly told: SequenceOperation[];
}

const digits = 10;

/** NaN: it does not end in ten digits. */
export function numberOf(name: string): number {
  const tail = name.slice(-digits);
  return /^\d{10}$/.test(tail) ? Number(tail) : Number.NaN;
}

function prefixOf(name: string): string {
  return name.slice(0, -digits);
}

function namesTold({ answer, call }: SequenceOperation): readonly string[] {
  if (answer.kind !== "ok") return [];
  const { result } = answer;
  if (result.kind === "append") return [result.name];
  if (result.kind === "list") return result.names;
  return call.kind === "remove" ? [call.name] : [];
}

/** Names that nobody asked for are left out: `sequenceRules` tells of them. */
export function creationsOf(operations: readonly SequenceOperation[]): Creations {
  const creators = new Map<string, SequenceOperation>();
  for (const operation of operations) {
    if (operation.call.kind === "append") creators.set(operation.call.prefix, operation);
  }
  const byName = new Map<string, Creation>();
  const byOperation = new Map<number, string>();
  for (const operation of operations) {
    for (const name of namesTold(operation)) {
      const creator = creators.get(prefixOf(name));
      if (creator === undefined || Number.isNaN(numberOf(name))) continue;
      const creation = byName.get(name) ?? { creator, told: [] };
      byName.set(name, creation);
      creation.told.push(operation);
      if (!byOperation.has(creator.id)) byOperation.set(creator.id, name);
    }
  }
  return { byName, byOperation };
}

/** When somebody was first told. */
export function certainlyBy(name: string, { byName }: Creations): Millis {
  const told = byName.get(name)?.told ?? [];
  return Math.min(Number.POSITIVE_INFINITY, ...told.map(({ answered }) => answered));
}

export function sequenceRules(operations: readonly SequenceOperation[]): string[] {
  const creations = creationsOf(operations);
  return [
    ...strangeNames(operations, creations),
    ...impossibleCreations(creations),
    ...numbers(creations),
    ...listings(operations, creations),
    ...removedTwice(operations),
  ];
}

function strangeNames(operations: readonly SequenceOperation[], { byName }: Creations): string[] {
  return operations.flatMap((operation) => {
    const names = namesTold(operation);
    const strange = names.find((name) => !byName.has(name));
    if (strange !== undefined) return [`a child that nobody created: ${strange}: ${describe(operation)}`];
    if (new Set(names).size < names.length) return [`a child listed twice: ${describe(operation)}`];
    return [];
  });
}

function impossibleCreations({ byName, byOperation }: Creations): string[] {
  const found: string[] = [];
  for (const [name, { creator, told }] of byName) {
    const seer = told.find((each) => each !== creator) ?? creator;
    if (creator.answer.kind === "noEffect") {
      found.push(`noEffect, but it took effect: ${describe(creator)}; ${name} was seen by ${describe(seer)}`);
    }
    const other = byOperation.get(creator.id);
    if (other !== undefined && other !== name) {
      found.push(`one creation, two children (applied twice?): ${describe(creator)}: ${other} and ${name}`);
    }
    const early = told.find(({ answered }) => answered < creator.invoked);
    if (early !== undefined) found.push(`seen before it was created: ${describe(early)}; ${describe(creator)}`);
  }
  return found;
}

function prefixText({ call }: SequenceOperation): string {
  return (call as AppendCall).prefix;
}

/** Unique, and rising in real time. */
function numbers(creations: Creations): string[] {
  const found: string[] = [];
  const byNumber = new Map<number, string>();
  const all = [...creations.byName].map(([name, { creator }]) => ({
    name,
    creator,
    number: numberOf(name),
    by: certainlyBy(name, creations),
  }));
  for (const { name, number, creator } of all) {
    const other = byNumber.get(number);
    if (other === undefined) byNumber.set(number, name);
    else found.push(`a sequence number given twice: ${other} and ${name}: ${describe(creator)}`);
  }
  // Before each creation, the highest number among those that were certain before it was asked for.
  const certain = [...all].sort((a, b) => a.by - b.by);
  const asked = [...all].sort((a, b) => a.creator.invoked - b.creator.invoked);
  let next = 0;
  let highest: (typeof all)[number] | undefined;
  for (const each of asked) {
    for (; (certain[next]?.by ?? Number.POSITIVE_INFINITY) < each.creator.invoked; next++) {
      const candidate = certain[next];
      if (candidate !== undefined && candidate.number > (highest?.number ?? -1)) highest = candidate;
    }
    if (highest === undefined || each.number > highest.number) continue;
    found.push(
      `a sequence number went back: ${each.name} was asked for (${describe(each.creator)}) after ${highest.name} of ` +
        `${prefixText(highest.creator)}… was there (${describe(highest.creator)})`,
    );
  }
  return found;
}

function listings(operations: readonly SequenceOperation[], creations: Creations): string[] {
  const removals = Map.groupBy(
    operations.filter(
      ({ call, answer }) => call.kind === "remove" && (answer.kind === "ok" || answer.kind === "unknown"),
    ),
    ({ call }) => (call.kind === "remove" ? call.name : ""),
  );
  const found: string[] = [];
  for (const list of operations) {
    if (list.answer.kind !== "ok" || list.answer.result.kind !== "list") continue;
    const names = new Set(list.answer.result.names);
    for (const [name, creation] of creations.byName) {
      const deletions = removals.get(name) ?? [];
      const wrong = names.has(name) ? showsDeleted(list, deletions) : misses(list, creation, deletions);
      if (wrong !== undefined) found.push(`${wrong}: ${name}: ${describe(list)}`);
    }
  }
  return found;
}

function showsDeleted(list: SequenceOperation, deletions: readonly SequenceOperation[]): string | undefined {
  const deletion = deletions.find(({ answer, answered }) => answer.kind === "ok" && answered < list.invoked);
  return deletion === undefined ? undefined : `stale listing: a deleted child is shown (${brief(deletion)})`;
}

function misses(
  list: SequenceOperation,
  { creator, told }: Creation,
  deletions: readonly SequenceOperation[],
): string | undefined {
  if (deletions.some(({ invoked }) => invoked <= list.answered)) return undefined;
  const earlier = told.filter(({ answered }) => answered < list.invoked);
  const before = earlier.find((each) => each === creator) ?? earlier[0];
  if (before === undefined) return undefined;
  if (before === creator) return `acknowledged creation lost, or a stale listing (${brief(creator)})`;
  return `a child was there and is gone, and nobody deleted it (seen by ${brief(before)})`;
}

/** Names are never used twice, so each goes once. */
function removedTwice(operations: readonly SequenceOperation[]): string[] {
  const removed = new Map<string, SequenceOperation>();
  const found: string[] = [];
  for (const operation of operations) {
    const { call, answer } = operation;
    if (call.kind !== "remove" || answer.kind !== "ok") continue;
    const other = removed.get(call.name);
    if (other === undefined) removed.set(call.name, operation);
    else found.push(`one child deleted twice: ${describe(other)}; ${describe(operation)}`);
  }
  return found;
}
