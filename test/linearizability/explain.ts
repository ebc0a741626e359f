/** A search that failed, in words that help: the shortest prefix that fails, what cannot be placed, and what is around it. */
import { defaultSteps, type Entry, failsAt, type Model, prefixUntil, search } from "./checker.ts";
import type { Millis } from "./history.ts";

export interface Problem<State, Move> {
  readonly model: Model<State, Move>;
  readonly entries: readonly Entry<Move>[];
  readonly show: (state: State) => string;
}

/** Undefined: there is an order. */
export type SearchVerdict =
  | { readonly kind: "undecided" }
  | { readonly kind: "violated"; readonly text: string }
  | undefined;

const lastPlaced = 6;
const mostAround = 24;

export function judge<State, Move>(
  { model, entries, show }: Problem<State, Move>,
  describe: (move: Move) => string,
  steps: number = defaultSteps,
): SearchVerdict {
  const whole = search(model, entries, steps);
  if (whole.kind === "linearizable") return undefined;
  if (whole.kind === "undecided") return { kind: "undecided" };
  const anyOrder = entries.map(({ order: _, ...entry }) => entry);
  const headline =
    search(model, anyOrder, steps).kind === "linearizable"
      ? "zxid order: the only orders that explain the answers contradict the zxids of the writes"
      : "not linearizable: no order explains the answers";
  // In a prefix answered operations too are optional, of which `helps` knows nothing.
  const { helps: _, ...plain } = model;
  const moment = failsAt(plain, entries, Math.ceil(steps / 8));
  const prefix = prefixUntil(entries, moment);
  const finding = search(plain, prefix, steps);
  const { order, state } = finding.kind === "violated" ? finding.deepest : whole.deepest;
  const placed = new Set(order.map(({ move }) => move));
  const missing = prefix.filter(({ required, move }) => required && !placed.has(move));
  const around = aroundOf(entries, moment, missing);
  const lines = [
    `${headline}; the first ${prefix.length} of ${entries.length} operations (until ${moment.toFixed(1)} ms) are enough:`,
    `  the best order found ends with:`,
    ...order.slice(-lastPlaced).map(({ move }) => `    ${describe(move)}`),
    `  then it is: ${show(state)}`,
    `  and these cannot be placed:`,
    ...missing.slice(0, mostAround).map(({ move }) => `    ${describe(move)}`),
    `  around them:`,
    ...around.map(({ move }) => `    ${describe(move)}`),
  ];
  return { kind: "violated", text: lines.join("\n") };
}

/** What was under way from the earliest call of the missing ones on, the nearest first to be kept. */
function aroundOf<Move>(
  entries: readonly Entry<Move>[],
  moment: Millis,
  missing: readonly Entry<Move>[],
): Entry<Move>[] {
  const from = Math.min(moment, ...missing.map(({ invoked }) => invoked));
  return entries
    .filter(({ invoked, answered }) => invoked <= moment && answered >= from)
    .sort((a, b) => b.invoked - a.invoked)
    .slice(0, mostAround)
    .sort((a, b) => a.invoked - b.invoked);
}
