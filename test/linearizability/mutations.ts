/** Small lies told of a right history: each changes one or two answers into others that a wrong service could have given. */
import type { SeededRandom } from "../simulation/random.ts";
import type { History, Operation } from "./history.ts";

type Mutation = (operations: Operation[], random: SeededRandom) => boolean;

/** Of one random kind, at a random place; undefined if it found no place, or would change nothing. */
export function mutated(history: History, random: SeededRandom): History | undefined {
  const operations = structuredClone(history.operations) as Operation[];
  const before = JSON.stringify(operations);
  const changed = random.pick(mutations)(operations, random);
  return changed && JSON.stringify(operations) !== before ? { ...history, operations } : undefined;
}

const mutations: readonly Mutation[] = [
  swapReads,
  shiftVersion,
  refuseWhatWasSeen,
  forgetWrite,
  swapNames,
  dropName,
  swapTokens,
];

function where(operations: readonly Operation[], kind: string): number[] {
  return operations.flatMap(({ answer }, at) => (answer.kind === "ok" && answer.result.kind === kind ? [at] : []));
}

// biome-ignore lint/suspicious/noExplicitAny: a lie looks into answers of any shape.
function resultAt(operations: readonly Operation[], at: number | undefined): any {
  const answer = operations[at ?? -1]?.answer;
  return answer?.kind === "ok" ? answer.result : undefined;
}

function two(operations: readonly Operation[], kind: string, random: SeededRandom): [unknown, unknown] | undefined {
  const places = where(operations, kind);
  if (places.length < 2) return undefined;
  const first = random.pick(places);
  const second = random.pick(places.filter((at) => at !== first));
  return [resultAt(operations, first), resultAt(operations, second)];
}

/** Two readers of one znode get each other's answer. */
function swapReads(operations: Operation[], random: SeededRandom): boolean {
  const places = where(operations, "read");
  if (places.length < 2) return false;
  const first = operations[random.pick(places)];
  const same = places.filter((at) => {
    const { call } = operations[at] as Operation;
    return (
      call.kind === "read" && first?.call.kind === "read" && call.key === first.call.key && operations[at] !== first
    );
  });
  if (first === undefined || same.length === 0) return false;
  const second = operations[random.pick(same)] as Operation;
  const { answer } = first;
  Object.assign(first, { answer: second.answer });
  Object.assign(second, { answer });
  return true;
}

function shiftVersion(operations: Operation[], random: SeededRandom): boolean {
  const places = where(operations, "put");
  if (places.length === 0) return false;
  resultAt(operations, random.pick(places)).version++;
  return true;
}

/** A write that others saw is said to have had no effect. */
function refuseWhatWasSeen(operations: Operation[], random: SeededRandom): boolean {
  const seen = new Set(where(operations, "read").map((at) => resultAt(operations, at).znode?.value));
  const writes = operations.filter(({ call }) => call.kind === "put" && seen.has(call.value));
  const answered = writes.filter(({ answer }) => answer.kind === "ok");
  if (answered.length === 0) return false;
  Object.assign(random.pick(answered), { answer: { kind: "noEffect" } });
  return true;
}

function forgetWrite(operations: Operation[], random: SeededRandom): boolean {
  const seen = new Set(where(operations, "read").map((at) => resultAt(operations, at).znode?.value));
  const writes = operations.filter(({ call }) => call.kind === "put" && seen.has(call.value));
  if (writes.length === 0) return false;
  operations.splice(operations.indexOf(random.pick(writes)), 1);
  return true;
}

function swapNames(operations: Operation[], random: SeededRandom): boolean {
  const pair = two(operations, "append", random) as [{ name: string }, { name: string }] | undefined;
  if (pair === undefined) return false;
  const [first, second] = pair;
  const digits = first.name.slice(-10);
  first.name = first.name.slice(0, -10) + second.name.slice(-10);
  second.name = second.name.slice(0, -10) + digits;
  return true;
}

function dropName(operations: Operation[], random: SeededRandom): boolean {
  const places = where(operations, "list").filter((at) => resultAt(operations, at).names.length > 0);
  if (places.length === 0) return false;
  const { names } = resultAt(operations, random.pick(places));
  names.splice(random.below(names.length), 1);
  return true;
}

function swapTokens(operations: Operation[], random: SeededRandom): boolean {
  const pair = two(operations, "acquire", random) as [{ token: number }, { token: number }] | undefined;
  if (pair === undefined) return false;
  [pair[0].token, pair[1].token] = [pair[1].token, pair[0].token];
  return true;
}
