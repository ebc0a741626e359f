/** `txn`: a transaction as REST has it. */
import { limits } from "@quorate/api";
import type { components } from "@quorate/openapi";
import type { Command } from "../command.ts";
import { dataCell, readInput } from "../data.ts";
import { UsageError } from "../failures.ts";
import type { Column } from "../grid.ts";
import { fencedHeader, fencedOption, sessionOption } from "../writes.ts";

type Answer = components["schemas"]["TxnAnswer"];
type Result = components["schemas"]["TxnResult"];

const columns: readonly Column[] = [
  { title: "#", right: true },
  { title: "PATH", gives: true },
  { title: "RESULT", gives: true },
];

export const txn: Command = {
  words: ["txn"],
  group: "data",
  about: "several operations or none, at one zxid",
  args: [
    {
      name: "FILE",
      help: "the transaction as JSON; standard input without it, or for -",
      optional: true,
      completes: "file",
    },
  ],
  options: [sessionOption, fencedOption],
  notes: [
    'It is what POST /v1/txn takes: {"check": […], "then": […], "else": […]}, with at most ' +
      `${limits.txnOperations} checks and operations. Without "else" a check that fails is exit code 4.`,
    "In a pipe: the branch, then a line for each result, its path and what became of it.",
  ],
  examples: [
    { line: "quorate txn swap.json", about: "from a file" },
    {
      line: `echo '{"check": [{"path": "/a", "version": 3}], "then": [{"op": "delete", "path": "/a"}]}' | quorate txn`,
      about: "from a pipe",
    },
  ],
  run: async (context) => {
    const { out, values } = context;
    const word = values.arg(0) || "-";
    const text = new TextDecoder().decode(await readInput(word, context));
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (error) {
      throw new UsageError(
        `${word === "-" ? "standard input" : word} is no JSON: ${error instanceof Error ? error.message : ""}`,
      );
    }
    if (typeof body !== "object" || body === null || Array.isArray(body))
      throw new UsageError('a transaction is an object: {"check": […], "then": […], "else": […]}');
    const asked = { body, session: context.session(), headers: fencedHeader(context), keyed: true };
    const { body: answer } = await (await context.rest()).ask<Answer>("POST", "/v1/txn", asked);
    if (out.json) {
      await out.document(answer);
      return;
    }
    if (out.quiet) return;
    await out.line(
      out.terminal ? `${out.style("green", answer.branch)}  ${out.style("dim", answer.zxid)}` : answer.branch,
    );
    const rows = answer.results.map((each) => [each.path, outcomeOf(each)]);
    if (out.terminal)
      await out.table(
        columns,
        rows.map((row, at) => [String(at), ...row]),
      );
    else await out.table([], rows);
  },
};

function outcomeOf(result: Result): string {
  if (result.deleted !== undefined) return `deleted ${result.deleted}`;
  if (result.checked !== undefined) return "holds";
  if (result.children !== undefined) return result.children.map(({ name }) => name).join(" ");
  if (result.data !== undefined) {
    const bytes = Buffer.from(result.data, result.encoding === "base64" ? "base64" : "utf8");
    return dataCell(bytes);
  }
  if (result.stat === undefined) return "absent";
  const done = result.created === undefined ? "" : result.created ? "created, " : "replaced, ";
  return `${done}version ${result.stat.version}`;
}
