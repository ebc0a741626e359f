/** Whether a history is recorded as `history.ts` says. What is not could make the checks wrong in either direction. */
import { describe } from "./format.ts";
import type { FailureCode, Operation } from "./history.ts";
import { partsOf, putsOf } from "./register-sightings.ts";

export function recordingFaults(operations: readonly Operation[]): string[] {
  const sessions = new Set(operations.flatMap(({ model, object }) => (model === "session" ? [object] : [])));
  return [
    ...twice(operations, ({ id }) => [String(id)], "two operations with one id"),
    ...twice(operations, valuesOf, "one value, or prefix, in two operations"),
    ...modelsOfOneObject(operations),
    ...operations.flatMap((operation) => {
      const fault = faultOf(operation, sessions);
      return fault === undefined ? [] : [`${fault}: ${describe(operation)}`];
    }),
  ].map((fault) => `recording: ${fault}`);
}

function valuesOf(operation: Operation): string[] {
  if (operation.model === "registers") return putsOf(operation).map(({ put }) => put.value);
  if (operation.model !== "sequence" || operation.call.kind !== "append") return [];
  return [`${operation.object} ${operation.call.prefix}`];
}

function twice(operations: readonly Operation[], of: (operation: Operation) => string[], fault: string): string[] {
  const seen = new Map<string, Operation>();
  const found: string[] = [];
  for (const operation of operations) {
    for (const each of of(operation)) {
      const other = seen.get(each);
      if (other === undefined) seen.set(each, operation);
      else found.push(`${fault}: ${describe(other)}; ${describe(operation)}`);
    }
  }
  return found;
}

function modelsOfOneObject(operations: readonly Operation[]): string[] {
  const models = new Map<string, string>();
  const found = new Set<string>();
  for (const { model, object } of operations) {
    if (model === "session") continue;
    const other = models.get(object);
    if (other === undefined) models.set(object, model);
    else if (other !== model) found.add(`${object} is recorded as ${other} and as ${model}`);
  }
  return [...found];
}

function faultOf(operation: Operation, sessions: ReadonlySet<string>): string | undefined {
  const { answer, invoked, answered, call } = operation;
  if (!Number.isFinite(invoked) || !(answered >= invoked)) return "times that cannot be";
  if ((answer.kind === "unknown") === Number.isFinite(answered))
    return "only what is unknown has no time of its answer";
  if (operation.model === "lock" && operation.call.kind === "acquire" && !sessions.has(operation.call.session)) {
    return "a session without a record";
  }
  if (answer.kind === "failed" && !failures(operation).includes(answer.code)) {
    return `a failure that it cannot have had, ${answer.code}`;
  }
  if (answer.kind !== "ok") return undefined;
  const { result } = answer;
  if (operation.model === "session") return result.kind === "session" ? undefined : "an answer to something else";
  if (result.kind !== call.kind) return "an answer to something else";
  if (call.kind !== "txn" || result.kind !== "txn") return undefined;
  const kinds = partsOf(call, result.branch).map((part) => part.kind);
  const same = kinds.length === result.results.length && kinds.every((kind, at) => kind === result.results[at]?.kind);
  return same ? undefined : "a txn whose results are not those of its operations";
}

/** What an operation can fail with while its parent is there. */
function failures({ model, call }: Operation): readonly FailureCode[] {
  switch (call.kind) {
    case "txn":
      return ["badVersion", "nodeExists", "noNode"];
    case "put":
      return call.condition === undefined ? [] : ["badVersion", "nodeExists", "noNode"];
    case "delete":
      return ["badVersion", "noNode"];
    case "remove":
      return ["noNode"];
    case "acquire":
      return ["nodeExists", "sessionExpired"];
    case "release":
      return ["badVersion", "noNode", "sessionExpired"];
    case "renew":
    case "close":
      return model === "session" ? ["sessionExpired"] : [];
    default:
      return [];
  }
}
