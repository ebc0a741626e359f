/**
 * How contenders' znodes are called, so that a queue is shared with the clients of Curator (LockInternals,
 * InterProcessReadWriteLock, LeaderLatch) or of kazoo (Lock, ReadLock, WriteLock, Election): both go by the number at the end.
 * Children that are called otherwise are no contenders.
 */
import { type Acl, type CreateOperation, childOf, formatZxid, type Path, type SessionId } from "@quorate/api";
import type { Layout, LockKind, LockMode } from "./recipes.ts";

/** What is fixed by the first use of a name. An election is a mutex. */
export interface QueueShape {
  readonly recipe: "lock" | "election";
  readonly layout: Layout;
  readonly kind: LockKind;
  /** Of a semaphore. */
  readonly permits?: number;
}

/** What a child's name says. */
export interface NamedContender {
  readonly name: string;
  /** As it is written: int32. */
  readonly number: number;
  readonly mode: LockMode;
}

const patterns = {
  lock: /lock-(\d{10}|-\d{9,10})$/,
  read: /__READ__(\d{10}|-\d{9,10})$/,
  write: /__WRIT__(\d{10}|-\d{9,10})$/,
  latch: /latch-(\d{10}|-\d{9,10})$/,
  kazooLock: /__lock__(\d{10}|-\d{9,10})$/,
  kazooRead: /__rlock__(\d{10}|-\d{9,10})$/,
} as const;

type Pattern = keyof typeof patterns;

/** What stands before the number. */
const infixes: { readonly [pattern in Pattern]: string } = {
  lock: "lock-",
  read: "__READ__",
  write: "__WRIT__",
  latch: "latch-",
  kazooLock: "__lock__",
  kazooRead: "__rlock__",
};

function patternOf({ recipe, layout, kind }: QueueShape, mode: LockMode): Pattern {
  if (layout === "kazoo") return mode === "read" ? "kazooRead" : "kazooLock";
  if (recipe === "election") return "latch";
  if (kind !== "readWrite") return "lock";
  return mode === "read" ? "read" : "write";
}

/** The modes that a queue of this kind knows. */
export function modesOf({ kind }: Pick<QueueShape, "kind">): readonly LockMode[] {
  switch (kind) {
    case "mutex":
      return ["exclusive"];
    case "semaphore":
      return ["permit"];
    case "readWrite":
      return ["write", "read"];
    default:
      return kind satisfies never;
  }
}

/** Undefined: it is no contender of such a queue. */
export function parseContender(shape: QueueShape, name: string): NamedContender | undefined {
  for (const mode of modesOf(shape)) {
    const found = patterns[patternOf(shape, mode)].exec(name);
    if (found === null) continue;
    const number = Number(found[1]);
    if (number >= -(2 ** 31) && number < 2 ** 31) return { name, number, mode };
  }
  return undefined;
}

/**
 * Begins the names of all that the session makes in any queue: its id is the first half of the uuid, so that a listing of
 * names shows a second place of one session. A sign only: anybody may call a znode so.
 */
export function signOf({ layout }: QueueShape, session: SessionId): string {
  const digits = formatZxid(session).slice(2);
  if (layout === "kazoo") return digits;
  return `_c_${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12)}-`;
}

/** `chance`: 8 random bytes. */
export function prefixOf(shape: QueueShape, mode: LockMode, session: SessionId, chance: Uint8Array): string {
  let rest = "";
  for (const byte of chance) rest += byte.toString(16).padStart(2, "0");
  const infix = infixes[patternOf(shape, mode)];
  const sign = signOf(shape, session);
  return shape.layout === "kazoo" ? `${sign}${rest}${infix}` : `${sign}${rest.slice(0, 4)}-${rest.slice(4)}-${infix}`;
}

/** The next in the queue. */
export function contenderCreation(
  queue: Path,
  prefix: string,
  data: Uint8Array,
  acl: Acl | undefined,
): CreateOperation & { readonly sequential: true } {
  const shape = { kind: "ephemeral", ttlMillis: 0, ...(acl === undefined ? undefined : { acl }) } as const;
  return { kind: "create", path: childOf(queue, prefix), data, shape, sequential: true, parents: false };
}

/**
 * What a queue is whose znode does not say, from those who stand in it: the clients of Curator and kazoo write nothing there.
 * Undefined: nobody does. `wished` decides where names leave it open, since kazoo's writers, mutexes and elections are called
 * alike.
 */
export function inferShape(names: readonly string[], wished: QueueShape): QueueShape | undefined {
  const some = (pattern: Pattern): boolean => names.some((name) => patterns[pattern].test(name));
  const { recipe } = wished;
  if (some("read") || some("write")) return { recipe: "lock", layout: "curator", kind: "readWrite" };
  if (some("lock")) return { recipe: "lock", layout: "curator", kind: "mutex" };
  if (some("latch")) return { recipe: "election", layout: "curator", kind: "mutex" };
  if (some("kazooRead")) return { recipe: "lock", layout: "kazoo", kind: "readWrite" };
  if (!some("kazooLock")) return undefined;
  const kind = recipe === "lock" && wished.kind === "readWrite" ? "readWrite" : "mutex";
  return { recipe, layout: "kazoo", kind };
}
