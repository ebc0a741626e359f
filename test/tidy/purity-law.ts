/**
 * What the compiler cannot keep out of the pure rooms, because the language itself has it: clocks, randomness, promises
 * and what depends on the locale. And clocks, timers and randomness of the shells, which come through one file each.
 */
import ts from "typescript";
import { isGenerated, isProgram, isTest, lineOf, parse, type Source, type Violation, walk } from "./sources.ts";

const pureRooms = ["api/src/", "services/zab/src/", "services/tree/src/"] as const;
const pureBans: ReadonlyMap<string, string> = new Map([
  ["Date", "a clock: time arrives as an argument"],
  ["Promise", "nothing waits here"],
  ["WeakRef", "depends on garbage collection"],
  ["FinalizationRegistry", "depends on garbage collection"],
  ["Intl", "depends on the locale"],
  ["globalThis", "a way around this law"],
  ["eval", "a way around this law"],
  ["Function", "a way around this law"],
]);
/** Methods whose answer differs from machine to machine. */
const localeMethods = new Set(["localeCompare", "toLocaleString", "toLocaleLowerCase", "toLocaleUpperCase"]);

const shells = ["services/replica/src/", "gateway/src/", "proto/src/"] as const;
const shellBans: ReadonlyMap<string, string> = new Map(
  ["setTimeout", "setInterval", "setImmediate", "performance", "crypto", "hrtime"].map((name) => [
    name,
    "comes from the world",
  ]),
);
/** Where a shell may touch the real world, and why. */
export const shellExceptions: ReadonlyMap<string, string> = new Map([
  ["services/replica/src/world-node.ts", "the real world of a replica"],
  ["gateway/src/world-node.ts", "the real world of a gateway"],
  [
    "proto/src/stream.ts",
    "setImmediate gathers the writes of one turn of the loop; the simulator replaces the stream as a whole",
  ],
]);

export function purityLaw(sources: readonly Source[]): Violation[] {
  const violations: Violation[] = [];
  for (const source of sources) {
    if (!isProgram(source.path) || isTest(source.path) || isGenerated(source.path)) continue;
    const pure = pureRooms.some((room) => source.path.startsWith(room));
    const shell = shells.some((room) => source.path.startsWith(room)) && !shellExceptions.has(source.path);
    if (!pure && !shell) continue;
    const file = parse(source);
    for (const node of walk(file)) {
      const what =
        (pure ? impure(node) : undefined) ?? clockOrChance(node) ?? (shell ? bannedName(node, shellBans) : undefined);
      if (what !== undefined) violations.push({ path: source.path, line: lineOf(file, node), what });
    }
  }
  return violations;
}

function impure(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) return "async: nothing waits here";
  if (ts.isPropertyAccessExpression(node) && localeMethods.has(node.name.text))
    return `${node.name.text} depends on the locale`;
  return bannedName(node, pureBans);
}

/** `Date.now()`, `new Date()` without an argument, `Math.random`, `process.hrtime`. */
function clockOrChance(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && isNamed(node.expression, "Date") && !node.arguments?.length)
    return "new Date() is a clock";
  if (!ts.isPropertyAccessExpression(node)) return undefined;
  const name = node.name.text;
  if (name === "random" && isNamed(node.expression, "Math")) return "Math.random: randomness is an argument";
  if (name === "now" && isNamed(node.expression, "Date")) return "Date.now is a clock";
  return name === "hrtime" && isNamed(node.expression, "process") ? "process.hrtime is a clock" : undefined;
}

function bannedName(node: ts.Node, bans: ReadonlyMap<string, string>): string | undefined {
  if (!ts.isIdentifier(node) || isOwnName(node)) return undefined;
  const why = bans.get(node.text);
  return why === undefined ? undefined : `${node.text}: ${why}`;
}

function isNamed(node: ts.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

/** The name of a property or a declaration, and not a use of the global. */
function isOwnName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  return (
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
    parent.name === node
  );
}
