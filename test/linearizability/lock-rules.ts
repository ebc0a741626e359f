/** What is wrong with a lock at a glance, each by its name. */
import { brief, describe, zxidText } from "./format.ts";
import type { LockOperation, Millis, ObserveResult, ZxidNumber } from "./history.ts";
import type { SessionLife } from "./session-life.ts";

interface Acquisition {
  readonly operation: LockOperation;
  readonly session: string;
  readonly token: ZxidNumber;
  /** It certainly has the lock from here … */
  readonly from: Millis;
  /** … to here: until its session may be over, or a release was asked for. Before `from`: never certainly. */
  readonly to: Millis;
}

interface Observation {
  readonly operation: LockOperation;
  readonly holder: ObserveResult["holder"];
}

type Lives = ReadonlyMap<string, SessionLife>;

export function lockRules(operations: readonly LockOperation[], lives: Lives): string[] {
  const acquisitions = acquisitionsOf(operations, lives);
  const observations = observationsOf(operations);
  return [
    ...tokensRise(acquisitions, observations),
    ...heldTwice(acquisitions),
    ...observations.flatMap((observation) => strangeHolder(observation, operations, acquisitions, lives)),
    ...observations.flatMap((observation) => goneEarly(observation, acquisitions)),
    ...observations.flatMap((observation) => leftBehind(observation, lives)),
    ...operations.flatMap((operation) => actsAfterTheEnd(operation, lives)),
    ...sessionContradictions(lives),
  ];
}

function acquisitionsOf(operations: readonly LockOperation[], lives: Lives): Acquisition[] {
  return operations.flatMap((operation) => {
    const { call, answer, answered, invoked } = operation;
    if (call.kind !== "acquire" || answer.kind !== "ok" || answer.result.kind !== "acquire") return [];
    const { token } = answer.result;
    const life = lives.get(call.session);
    const releases = operations.filter((each) => mayRelease(each, token) && each.answered >= invoked);
    const ends = [
      life?.aliveUntil ?? Number.NEGATIVE_INFINITY,
      life?.closeAsked ?? Number.NEGATIVE_INFINITY,
      ...releases.map((release) => release.invoked),
    ];
    return [{ operation, session: call.session, token, from: answered, to: Math.min(...ends) }];
  });
}

function mayRelease({ call, answer }: LockOperation, token: ZxidNumber): boolean {
  if (call.kind !== "release" || answer.kind === "noEffect" || answer.kind === "failed") return false;
  return call.token === undefined || call.token === token;
}

function observationsOf(operations: readonly LockOperation[]): Observation[] {
  return operations.flatMap((operation) => {
    const { answer } = operation;
    if (answer.kind !== "ok" || answer.result.kind !== "observe") return [];
    return [{ operation, holder: answer.result.holder }];
  });
}

/** Unique, and in real time each above those that anybody had seen before it was asked for. */
function tokensRise(acquisitions: readonly Acquisition[], observations: readonly Observation[]): string[] {
  const found: string[] = [];
  const owners = new Map<ZxidNumber, Acquisition>();
  for (const each of acquisitions) {
    const other = owners.get(each.token);
    if (other === undefined) owners.set(each.token, each);
    else found.push(`one token given twice: ${describe(other.operation)}; ${describe(each.operation)}`);
  }
  const known = [
    ...acquisitions.map(({ operation, token }) => ({ operation, token })),
    ...observations.flatMap(({ operation, holder }) => (holder === null ? [] : [{ operation, token: holder.token }])),
  ];
  for (const { operation, token } of acquisitions) {
    const higher = known.find((each) => each.operation.answered < operation.invoked && each.token >= token);
    if (higher !== undefined)
      found.push(`token went back: ${describe(operation)}, after ${describe(higher.operation)}`);
  }
  for (const { operation, holder } of observations) {
    if (holder === null) continue;
    const higher = known.find((each) => each.operation.answered < operation.invoked && each.token > holder.token);
    if (higher === undefined) continue;
    found.push(`token went back (stale read): ${describe(operation)}, after ${describe(higher.operation)}`);
  }
  return found;
}

function heldTwice(acquisitions: readonly Acquisition[]): string[] {
  const found: string[] = [];
  const byTime = acquisitions.filter(({ from, to }) => from < to).sort((a, b) => a.from - b.from);
  let longest: Acquisition | undefined;
  for (const each of byTime) {
    if (longest !== undefined && each.from < longest.to) {
      found.push(
        `lock held twice: both certainly from ${each.from.toFixed(1)} to ${Math.min(each.to, longest.to).toFixed(1)} ms: ` +
          `${describe(longest.operation)}; ${describe(each.operation)}`,
      );
    }
    if (longest === undefined || each.to > longest.to) longest = each;
  }
  return found;
}

/** An owner that never opened a session, or never acquired. */
function strangeHolder(
  { operation, holder }: Observation,
  operations: readonly LockOperation[],
  acquisitions: readonly Acquisition[],
  lives: Lives,
): string[] {
  if (holder === null) return [];
  const life = [...lives.values()].find(({ id }) => id === holder.owner);
  if (life === undefined) return [`a lock held by a session that nobody opened: ${describe(operation)}`];
  const acquired = acquisitions.find(({ token }) => token === holder.token);
  if (acquired !== undefined) {
    if (acquired.session !== life.name) {
      return [`a token of another session: ${describe(operation)}; ${describe(acquired.operation)}`];
    }
    return acquired.operation.invoked > operation.answered
      ? [`seen before it was acquired: ${describe(operation)}; ${describe(acquired.operation)}`]
      : [];
  }
  // A token that no acquirer was told of: only one without an answer can have it.
  const tries = operations.filter(({ call }) => call.kind === "acquire" && call.session === life.name);
  if (tries.some(({ answer, invoked }) => answer.kind === "unknown" && invoked <= operation.answered)) return [];
  const refused = tries.find(({ answer }) => answer.kind === "noEffect");
  if (refused !== undefined)
    return [`noEffect, but it took effect: ${describe(refused)}; seen by ${describe(operation)}`];
  const failed = tries.find(({ answer }) => answer.kind === "failed");
  if (failed !== undefined)
    return [`a failed acquire took effect: ${describe(failed)}; seen by ${describe(operation)}`];
  return [`a lock that its holder never asked for: ${describe(operation)}`];
}

function goneEarly({ operation, holder }: Observation, acquisitions: readonly Acquisition[]): string[] {
  return acquisitions.flatMap((each) => {
    if (operation.invoked <= each.from || operation.answered >= each.to || holder?.token === each.token) return [];
    return [
      `gone early: session ${each.session} was certainly alive and had not released it ` +
        `(${brief(each.operation)}, token ${zxidText(each.token)}): ${describe(operation)}`,
    ];
  });
}

function leftBehind({ operation, holder }: Observation, lives: Lives): string[] {
  if (holder === null) return [];
  const life = [...lives.values()].find(({ id }) => id === holder.owner);
  if (life === undefined || operation.invoked <= life.overBy) return [];
  return [
    `left behind: session ${life.name} was over by ${life.overBy.toFixed(1)} ms, its ephemeral is still there: ${describe(operation)}`,
  ];
}

function actsAfterTheEnd(operation: LockOperation, lives: Lives): string[] {
  const { call, answer, invoked } = operation;
  if (call.kind !== "acquire" || answer.kind !== "ok") return [];
  const life = lives.get(call.session);
  if (life === undefined || invoked <= life.overBy) return [];
  return [`acquired by a session that was over by ${life.overBy.toFixed(1)} ms: ${describe(operation)}`];
}

/** A session that was said to be over while it certainly lived, or that lived again. */
function sessionContradictions(lives: Lives): string[] {
  return [...lives.values()].flatMap(({ name, operations, aliveUntil, closeAsked, overBy }) =>
    operations.flatMap((operation) => {
      const { answer, answered, invoked, call } = operation;
      if (answer.kind === "failed" && answered < Math.min(aliveUntil, closeAsked)) {
        return [
          `session ${name} expired early: it was certainly alive until ${aliveUntil.toFixed(1)} ms: ${describe(operation)}`,
        ];
      }
      if (answer.kind === "ok" && call.kind !== "open" && invoked > overBy) {
        return [`session ${name} came back: it was over by ${overBy.toFixed(1)} ms: ${describe(operation)}`];
      }
      return [];
    }),
  );
}
