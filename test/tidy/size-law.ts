/** Files of at most 400 lines, functions of at most 60: what is longer holds more than one thought. */
import ts from "typescript";
import { isGenerated, isProgram, lineOf, parse, type Source, type Violation, walk } from "./sources.ts";

export const fileLines = 400;
export const functionLines = 60;

export function sizeLaw(sources: readonly Source[]): Violation[] {
  const violations: Violation[] = [];
  for (const source of sources) {
    const { path, text } = source;
    if (!isProgram(path) || isGenerated(path)) continue;
    const lines = text.trimEnd().split("\n").length;
    if (lines > fileLines)
      violations.push({ path, line: lines, what: `${lines} lines: a file has at most ${fileLines}` });
    const file = parse(source);
    for (const node of walk(file)) {
      if (!isFunction(node) || isGroup(node)) continue;
      const line = lineOf(file, node);
      const last = file.getLineAndCharacterOfPosition(node.end).line + 1;
      const length = last - line + 1;
      if (length > functionLines)
        violations.push({ path, line, what: `${length} lines: a function has at most ${functionLines}` });
    }
  }
  return violations;
}

function isFunction(node: ts.Node): boolean {
  return ts.isFunctionLike(node) && "body" in node && node.body !== undefined;
}

/** `describe("…", () => { … })` is a heading, not a function. */
function isGroup(node: ts.Node): boolean {
  const call = node.parent;
  return (
    ts.isCallExpression(call) &&
    ts.isIdentifier(call.expression) &&
    ["describe", "suite"].includes(call.expression.text)
  );
}
