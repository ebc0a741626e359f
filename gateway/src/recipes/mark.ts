/** What the data of a queue's znode says of it, and whether that is what is wished. */
import { formatZxid, type Path, parseZxid, type Zxid } from "@quorate/api";
import { inferShape, type QueueShape } from "./layout.ts";
import { recipeLimits } from "./limits.ts";
import type { Layout, LockKind, LockMode, LockShape } from "./recipes.ts";

/** `unsaid`: as other clients leave it. `foreign`: it is something else's. */
export type Mark = QueueShape | "unsaid" | "foreign";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
/** No mark is longer: a value in base64, and what is said beside it. */
const markBytes = 200 + Math.ceil(recipeLimits.valueBytes / 3) * 4;

/**
 * What a leader of Curator's layout proclaims: not in its own znode, since a LeaderLatch that waits behind it would take the change for
 * its one look at that znode, and would never hear that it is gone. It is the leader's whose token it has.
 */
export interface Proclaimed {
  readonly token: Zxid;
  readonly value: Uint8Array;
}

export function encodeMark({ recipe, layout, kind, permits }: QueueShape, proclaimed?: Proclaimed): Uint8Array {
  const said = recipe === "election" ? { recipe, layout } : { recipe, layout, kind, permits };
  if (proclaimed === undefined) return encoder.encode(JSON.stringify(said));
  const { token, value } = proclaimed;
  const told = { token: formatZxid(token), value: Buffer.from(value).toString("base64") };
  return encoder.encode(JSON.stringify({ ...said, proclaimed: told }));
}

interface Said {
  readonly [key: string]: unknown;
}

function saidIn(data: Uint8Array): Said | undefined {
  if (data.length > markBytes) return undefined;
  try {
    const said: unknown = JSON.parse(decoder.decode(data));
    return typeof said === "object" && said !== null ? (said as Said) : undefined;
  } catch {
    return undefined;
  }
}

export function proclaimedIn(data: Uint8Array): Proclaimed | undefined {
  const { token, value } = (saidIn(data)?.["proclaimed"] ?? {}) as Said;
  const zxid = typeof token === "string" ? parseZxid(token) : undefined;
  if (zxid === undefined || typeof value !== "string") return undefined;
  return { token: zxid, value: Buffer.from(value, "base64") };
}

export function decodeMark(data: Uint8Array): Mark {
  if (data.length === 0) return "unsaid";
  const said = saidIn(data);
  if (said === undefined) return "foreign";
  const { recipe, layout, kind, permits } = said;
  if (layout !== "curator" && layout !== "kazoo") return "foreign";
  if (recipe === "election") return { recipe, layout, kind: "mutex" };
  if (recipe !== "lock") return "foreign";
  if (kind === "mutex" || kind === "readWrite") return { recipe, layout, kind };
  if (kind !== "semaphore" || !isPermits(permits)) return "foreign";
  return { recipe, layout, kind, permits };
}

function isPermits(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= recipeLimits.permits;
}

/** What is wished of a queue. */
export interface Wish {
  readonly recipe: QueueShape["recipe"];
  readonly layout: Layout | undefined;
  readonly mode: LockMode;
  readonly permits: number | undefined;
}

export function wishOf({ layout, mode, permits }: LockShape): Wish {
  return { recipe: "lock", layout, mode, permits };
}

export function electionWish(layout: Layout | undefined): Wish {
  return { recipe: "election", layout, mode: "exclusive", permits: undefined };
}

const kinds: { readonly [mode in LockMode]: LockKind } = {
  exclusive: "mutex",
  read: "readWrite",
  write: "readWrite",
  permit: "semaphore",
};

/** Why there can be no such queue. */
export function faultOfWish({ mode, permits }: Wish): string | undefined {
  if (permits === undefined) return undefined;
  if (mode !== "permit") return `permits: they are a semaphore's, and the mode ${mode} asks for none`;
  return isPermits(permits) ? undefined : `permits: ${permits} is not 1 to ${recipeLimits.permits}`;
}

/** As it is made where nothing is; undefined: a semaphore whose permits are not said. */
function shapeOf({ recipe, layout = "curator", mode, permits }: Wish): QueueShape | undefined {
  const kind = kinds[mode];
  if (kind !== "semaphore") return { recipe, layout, kind };
  return permits === undefined ? undefined : { recipe, layout, kind, permits };
}

/** `marks`: the znode has to be told what it is. */
export type Resolved =
  | { readonly kind: "shape"; readonly shape: QueueShape; readonly marks: boolean }
  | { readonly kind: "misfit"; readonly code: "nodeExists" | "badArguments"; readonly detail: string };

/** What the queue is, or becomes; `names` are its children's, `mark` undefined where there is no znode. */
export function resolve(wish: Wish, queue: Path, mark: Mark | undefined, names: readonly string[]): Resolved {
  if (mark === "foreign") return { kind: "misfit", code: "nodeExists", detail: foreignDetail(queue, wish.recipe) };
  if (mark !== undefined && mark !== "unsaid") return fitted(wish, queue, mark, false);
  const wished = shapeOf(wish);
  const guess = wished ?? { recipe: wish.recipe, layout: wish.layout ?? "curator", kind: "mutex" as const };
  const shape = mark === undefined ? wished : (inferShape(names, guess) ?? wished);
  if (shape !== undefined) return fitted(wish, queue, shape, true);
  return {
    kind: "misfit",
    code: "badArguments",
    detail: `${queue} is no semaphore yet: say how many permits it shall have (permits, 1 to ${recipeLimits.permits})`,
  };
}

export function foreignDetail(queue: Path, recipe: QueueShape["recipe"]): string {
  return `${queue} holds data that is no ${recipe}'s; take another name`;
}

function fitted(wish: Wish, queue: Path, shape: QueueShape, marks: boolean): Resolved {
  const misfit = misfitOf(wish, shape);
  if (misfit === undefined) return { kind: "shape", shape, marks };
  return {
    kind: "misfit",
    code: "nodeExists",
    detail: `${queue} is ${misfit}; ask for what it is, or take another name`,
  };
}

function misfitOf({ recipe, layout, mode, permits }: Wish, shape: QueueShape): string | undefined {
  if (recipe !== shape.recipe) return `${withArticle(shape.recipe)}, not ${withArticle(recipe)}`;
  if (layout !== undefined && layout !== shape.layout) return `laid out for ${shape.layout}, not for ${layout}`;
  if (recipe === "election") return undefined;
  if (kinds[mode] !== shape.kind) return `${kindNames[shape.kind]}, which has no mode ${mode}`;
  if (permits === undefined || permits === shape.permits) return undefined;
  return `a semaphore of ${shape.permits} permits, not of ${permits}`;
}

function withArticle(recipe: QueueShape["recipe"]): string {
  return recipe === "lock" ? "a lock" : "an election";
}

const kindNames: { readonly [kind in LockKind]: string } = {
  mutex: "a mutex",
  readWrite: "a read/write lock",
  semaphore: "a semaphore",
};

/** To those who only look: what it is, or is taken for while nobody has used it. */
export function shownShape(
  recipe: QueueShape["recipe"],
  mark: QueueShape | "unsaid",
  names: readonly string[],
): QueueShape {
  if (mark !== "unsaid") return mark;
  const guess: QueueShape = { recipe, layout: "curator", kind: "mutex" };
  return inferShape(names, guess) ?? guess;
}
