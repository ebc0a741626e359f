/**
 * node:test's events as the runner's. Only leaves count: a test with subtests is as good as they are, unless it fails by
 * itself. The default export is what `--test-reporter` demands.
 */
import { inspect } from "node:util";
import type { TestEvent } from "./test-event.ts";

/** As much of what node:test reports as is read here. */
interface NodeEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly nesting?: number;
    readonly message?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: { readonly type?: string; readonly error?: unknown };
  };
}

/** node:test's own sums, which come as diagnostics of the file. */
const sums = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

export default async function* report(source: AsyncIterable<NodeEvent>): AsyncGenerator<string> {
  /** Nesting of the result before: deeper than this one's means that it was this one's child. */
  let before = -1;
  for await (const { type, data } of source) {
    if (type === "test:diagnostic" && !sums.test(data.message ?? ""))
      yield line({ kind: "note", text: data.message ?? "" });
    if (type !== "test:pass" && type !== "test:fail") continue;
    const nesting = data.nesting ?? 0;
    const isParent = before > nesting || data.details?.type === "suite";
    before = nesting;
    const event = type === "test:pass" ? passed(data, isParent) : failed(data);
    if (event) yield line(event);
  }
  yield line({ kind: "end" });
}

function passed(data: NodeEvent["data"], isParent: boolean): TestEvent | undefined {
  const name = data.name ?? "";
  const unrun = data.skip ?? data.todo;
  if (unrun !== undefined && unrun !== false) {
    return { kind: "skip", name, reason: typeof unrun === "string" && unrun !== "" ? unrun : "no reason given" };
  }
  return isParent ? undefined : { kind: "pass", name };
}

function failed(data: NodeEvent["data"]): TestEvent | undefined {
  const error = data.details?.error;
  const { failureType, cause } = (error ?? {}) as { readonly failureType?: string; readonly cause?: unknown };
  if (failureType === "subtestsFailed") return undefined;
  return { kind: "fail", name: data.name ?? "", details: inspect(cause ?? error, { depth: 4 }) };
}

function line(event: TestEvent): string {
  return `${JSON.stringify(event)}\n`;
}
