/**
 * Runs one case through one door. A case has a folder of its own in the tree, written `@`; what its steps answer is kept by
 * name, for later steps and for the judgement.
 */
import assert from "node:assert/strict";
import type { ErrorCode } from "@quorate/api";
import type { Answer, Asked, Bad, Door, Good, Request, Terms } from "./door.ts";

type AskTerms = Omit<Terms, "session"> & {
  /** The name under which a `createSession` was kept. */
  readonly session?: string;
  readonly secret?: "wrong" | "none";
};

/** A request, with `as`, `key` and so on beside its own fields; `keep`: by what name its answer is kept. */
export type Ask = Request & AskTerms & { readonly keep?: string };
export type Asking = Ask | ((scene: Scene) => Ask);

/** Objects by the fields that are named, lists wholly, functions are asked. */
export type Expected = unknown;

export interface DoorCase {
  readonly name: string;
  /** Each has to succeed. */
  readonly given?: readonly Asking[];
  readonly ask: Asking;
  /** Done while `ask` waits. */
  readonly meanwhile?: readonly Asking[];
  readonly answers?: Readonly<Record<string, Expected>>;
  readonly fails?: ErrorCode;
  /** Of the failure: the fields of it that matter. */
  readonly with?: Readonly<Record<string, Expected>>;
  /** Asked afterwards; has to succeed with these. */
  readonly then?: readonly (readonly [Asking, Readonly<Record<string, Expected>>])[];
  readonly check?: (answer: Good, scene: Scene) => void;
}

export class Scene {
  readonly at: string;
  readonly superUser: string;
  readonly #kept = new Map<string, Good>();

  constructor(at: string, superUser: string) {
    this.at = at;
    this.superUser = superUser;
  }

  keep(name: string, answer: Good): void {
    this.#kept.set(name, answer);
  }

  of(name: string): Good {
    const answer = this.#kept.get(name);
    assert.ok(answer, `nothing was kept as ${name}`);
    return answer;
  }

  zxid(name: string): string {
    return this.of(name).zxid;
  }

  mzxid(name: string): string {
    return this.of(name).stat?.mzxid ?? "";
  }

  czxid(name: string): string {
    return this.of(name).stat?.czxid ?? "";
  }

  id(name: string): string {
    return this.of(name).id ?? "";
  }

  cursor(name: string): string {
    return this.of(name).cursor ?? "";
  }
}

/** Texts that begin with `from` begin with `to`; bytes and numbers stay as they are. */
function moved(value: unknown, from: string, to: string): unknown {
  if (typeof value === "string") return value.startsWith(from) ? `${to}${value.slice(from.length)}` : value;
  if (Array.isArray(value)) return value.map((each) => moved(each, from, to));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, moved(each, from, to)]));
}

function askedOf(ask: Ask, scene: Scene): Asked {
  const {
    as,
    session,
    secret,
    key,
    consistency,
    minZxid,
    maxStaleMillis,
    timeoutMillis,
    fenced,
    keep: _,
    ...request
  } = ask;
  const opens = ask.op === "createSession" ? { timeoutMillis } : {};
  const shown = session === undefined ? undefined : scene.of(session);
  const secrets = { wrong: "0".repeat(32), none: undefined };
  const terms = {
    as: as === "super" ? scene.superUser : as,
    session:
      shown === undefined
        ? undefined
        : { id: shown.id ?? "", secret: secret === undefined ? shown.secret : secrets[secret] },
    key: key === undefined ? undefined : key.replace("@", scene.at.slice(-24)),
    consistency,
    minZxid,
    maxStaleMillis,
    fenced,
    ...(ask.op === "createSession" ? {} : { timeoutMillis }),
  };
  const given = { ...request, ...opens, terms } as unknown as Asked;
  return moved(JSON.parse(JSON.stringify(given)), "@", scene.at) as Asked;
}

export async function askDoor(door: Door, asking: Asking, scene: Scene): Promise<Answer> {
  const ask = typeof asking === "function" ? asking(scene) : asking;
  const answer = moved(await door.ask(askedOf(ask, scene)), scene.at, "@") as Answer;
  if (answer.ok && ask.keep !== undefined) scene.keep(ask.keep, answer);
  return answer;
}

async function done(door: Door, asking: Asking, scene: Scene): Promise<Good> {
  const answer = await askDoor(door, asking, scene);
  if (!answer.ok) assert.fail(`a step was answered ${answer.code}: ${answer.detail}`);
  return answer;
}

/** Where a machine stands still at the end of a time limit, nobody may have heard what the replica lacks: it is asked again. */
async function askInTime(door: Door, { ask, fails }: DoorCase, scene: Scene): Promise<Answer> {
  for (let tries = 1; fails === "behind" && tries < 5; tries++) {
    const answer = await askDoor(door, ask, scene).catch((fault: Error) => {
      if (fault.message.includes("Deadline exceeded")) return undefined;
      throw fault;
    });
    if (answer !== undefined && (answer.ok || answer.code !== "noLeader")) return answer;
  }
  return askDoor(door, ask, scene);
}

export async function runDoorCase(door: Door, each: DoorCase, at: string, superUser: string): Promise<Answer> {
  const scene = new Scene(at, superUser);
  await done(door, { op: "create", path: "@" }, scene);
  for (const step of each.given ?? []) await done(door, step, scene);
  const asked = askInTime(door, each, scene);
  // Whatever it ends with is judged below, also when a step meanwhile fails before.
  asked.catch(() => {});
  for (const step of each.meanwhile ?? []) await done(door, step, scene);
  const answer = await asked;
  if (each.fails === undefined) judgeGood(each, answer, scene);
  else judgeBad(each, answer);
  for (const [asking, expected] of each.then ?? []) matches(await done(door, asking, scene), expected, "afterwards");
  return answer;
}

function judgeGood(each: DoorCase, answer: Answer, scene: Scene): void {
  if (!answer.ok) assert.fail(`answered ${answer.code}: ${answer.detail}`);
  assert.match(answer.zxid, /^0x[0-9a-f]{16}$/);
  matches(answer, each.answers ?? {}, "answer");
  each.check?.(answer, scene);
}

function judgeBad(each: DoorCase, answer: Answer): asserts answer is Bad {
  if (answer.ok) assert.fail(`succeeded: ${JSON.stringify(answer).slice(0, 500)}`);
  const isAlike = answer.alike?.some((code) => code === each.fails);
  if (!isAlike) assert.equal(answer.code, each.fails, answer.detail);
  assert.ok(answer.detail.length > 10, "it says what is wrong");
  matches(answer, each.with ?? {}, "failure");
}

function matches(actual: unknown, expected: unknown, where: string): void {
  if (typeof expected === "function") {
    assert.ok(expected(actual), `${where}: ${JSON.stringify(actual)}`);
  } else if (expected instanceof RegExp) {
    assert.match(String(actual), expected, where);
  } else if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${where} is no list: ${JSON.stringify(actual)}`);
    assert.equal(actual.length, expected.length, `${where}: ${JSON.stringify(actual)}`);
    for (const [i, one] of expected.entries()) matches(actual[i], one, `${where}[${i}]`);
  } else if (expected !== null && typeof expected === "object") {
    assert.ok(actual !== null && typeof actual === "object", `${where}: ${JSON.stringify(actual)}`);
    for (const [name, one] of Object.entries(expected)) {
      matches((actual as Readonly<Record<string, unknown>>)[name], one, `${where}.${name}`);
    }
  } else {
    assert.deepEqual(actual, expected, where);
  }
}
