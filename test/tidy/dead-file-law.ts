/** A file that nobody imports, names or starts is dead. */
import ts from "typescript";
import {
  importsOf,
  isGenerated,
  isProgram,
  parse,
  resolveRelative,
  type Source,
  type Violation,
  walk,
} from "./sources.ts";

/** Programs that people, or a shell script, start by name. */
const programs = [/^test\/bench\/[^/]+\.ts$/, /^test\/tidy\/impure\//, /^test\/zookeeper\/shims\//];

export function deadFileLaw(sources: readonly Source[]): Violation[] {
  const used = new Set<string>();
  for (const source of sources) {
    if (source.path.endsWith("package.json")) for (const path of entriesOf(source)) used.add(path);
    if (!isProgram(source.path)) continue;
    for (const { from } of importsOf(source)) if (from.startsWith(".")) used.add(resolveRelative(source.path, from));
    // Programs that are started by their path, and types that are declared beside.
    for (const node of walk(parse(source))) {
      if (!ts.isStringLiteral(node) || !/\.(ts|mjs)$/.test(node.text)) continue;
      used.add(resolveRelative(source.path, node.text.startsWith(".") ? node.text : `./${node.text}`));
    }
  }
  const dead = sources.filter(({ path }) => isProgram(path) && !isGenerated(path) && !isEntry(path) && !used.has(path));
  return dead.map(({ path }) => ({ path, line: 1, what: "nobody imports it" }));
}

function isEntry(path: string): boolean {
  return path.endsWith(".test.ts") || path.endsWith(".d.ts") || programs.some((pattern) => pattern.test(path));
}

/** What a package.json starts or shows: `exports`, `bin`, and the programs that its scripts name. */
function entriesOf(source: Source): string[] {
  const content = JSON.parse(source.text) as {
    readonly exports?: Readonly<Record<string, string>>;
    readonly bin?: Readonly<Record<string, string>>;
    readonly scripts?: Readonly<Record<string, string>>;
  };
  const words = Object.values(content.scripts ?? {}).flatMap((script) => script.split(" "));
  const paths = [...Object.values(content.exports ?? {}), ...Object.values(content.bin ?? {}), ...words];
  return paths.filter(isProgram).map((path) => resolveRelative(source.path, path));
}
