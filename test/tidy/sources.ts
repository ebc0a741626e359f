/** The repository as the laws see it: files by their path, and the syntax of those that are programs. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export const root = join(import.meta.dirname, "../..");

export interface Source {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  /** What is wrong, and what to do. */
  readonly what: string;
}

export interface Import {
  /** As written: `node:fs`, `@quorate/api`, `./x.ts`. */
  readonly from: string;
  /** Names taken by a named import; empty for the whole module. */
  readonly names: readonly string[];
  readonly line: number;
  /** Types only: gone when it runs. */
  readonly typeOnly: boolean;
}

const skippedFolders = new Set(["node_modules", ".git", ".turbo", "data", "dist", "bench-results"]);
const textFile = /\.(ts|mjs|js|json|jsonc|md|yaml|yml|proto|sh|txt)$|^(\.ci\/run|LICENSE|\.gitignore|\.npmrc)$/;

/** All text files that belong to the project. */
export function readSources(folder = ""): Source[] {
  const sources: Source[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!skippedFolders.has(entry.name)) sources.push(...readSources(path));
    } else if (entry.isFile() && textFile.test(path))
      sources.push({ path, text: readFileSync(join(root, path), "utf8") });
  }
  return sources;
}

export function isProgram(path: string): boolean {
  return /\.(ts|mjs)$/.test(path);
}

export function isGenerated(path: string): boolean {
  return path.includes("/src/gen/");
}

/** Tests and what only tests use: outside of the walls of the room that they stand in. */
export function isTest(path: string): boolean {
  return /\.(test|test-support)\.ts$/.test(path) || path.startsWith("test/");
}

const parsed = new Map<string, ts.SourceFile>();

export function parse(source: Source): ts.SourceFile {
  const key = `${source.path}\n${source.text}`;
  let file = parsed.get(key);
  if (!file) {
    file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
    parsed.set(key, file);
  }
  return file;
}

export function lineOf(file: ts.SourceFile, node: ts.Node): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

/** Every node below `file`, in order. */
export function* walk(node: ts.Node): Generator<ts.Node> {
  yield node;
  // Generators cannot yield out of forEachChild's callback.
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* walk(child);
}

/** Static and dynamic imports, and re-exports. */
export function importsOf(source: Source): Import[] {
  const file = parse(source);
  const imports: Import[] = [];
  for (const node of walk(file)) {
    const line = lineOf(file, node);
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const names = bindings && ts.isNamedImports(bindings) ? bindings.elements.map(nameOfElement) : [];
      const typeOnly = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      imports.push({ from: node.moduleSpecifier.text, names, line, typeOnly });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ from: node.moduleSpecifier.text, names: [], line, typeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [first] = node.arguments;
      if (first && ts.isStringLiteral(first)) imports.push({ from: first.text, names: [], line, typeOnly: false });
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      imports.push({ from: node.argument.literal.text, names: [], line, typeOnly: true });
    }
  }
  return imports;
}

function nameOfElement(element: ts.ImportSpecifier): string {
  return (element.propertyName ?? element.name).text;
}

/** `./b.ts` seen from `x/a.ts` is `x/b.ts`. */
export function resolveRelative(path: string, from: string): string {
  const parts = path.split("/").slice(0, -1);
  for (const part of from.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** One inside of another stands before it. */
const rooms = [
  "api/client",
  "api",
  "proto",
  "openapi",
  "gateway",
  "test",
  "services/zab",
  "services/tree",
  "services/replica",
  "services/quorate/src/cli",
] as const;
export type Room = (typeof rooms)[number] | "services/quorate";

export function roomOf(path: string): Room | undefined {
  return [...rooms, "services/quorate" as const].find((room) => path.startsWith(`${room}/`));
}
