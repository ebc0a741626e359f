/** `rm`: deletes a znode, or it and all below. */
import { limits } from "@quorate/api";
import type { components } from "@quorate/openapi";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError, isCode, UsageError } from "../failures.ts";
import { pathOf } from "../paths.ts";
import { type Asked, inRoute } from "../rest.ts";
import { confirm } from "../terminal.ts";
import { etagOf, fencedHeader, fencedOption } from "../writes.ts";

export const rm: Command = {
  words: ["rm"],
  group: "data",
  about: "delete a znode, or it and all below",
  args: [{ name: "PATH", help: "of the znode", completes: "path" }],
  options: [
    {
      name: "recursive",
      short: "r",
      kind: "flag",
      help: `it and all below, at once: at most ${limits.txnZnodes} znodes`,
    },
    { name: "yes", short: "y", kind: "flag", help: "do not ask" },
    { name: "if-match", kind: "text", value: "MZXID", help: "only if the data is still that" },
    fencedOption,
  ],
  notes: ["With --recursive it counts first and asks, if there is somebody to ask: when standard input is a terminal."],
  examples: [
    { line: "quorate rm /app/config", about: "that one, which must have no children" },
    { line: "quorate rm -r /app", about: "asks, and says how many" },
    { line: "quorate rm -r --yes /app", about: "for a script" },
  ],
  run: async (context) => {
    const { out, values } = context;
    const path = pathOf(values.arg(0));
    const match = values.text("if-match");
    const recursive = values.flag("recursive");
    if (recursive && path === "/") throw new UsageError("the root stays", "name what is below it: quorate ls /");
    if (recursive && !values.flag("yes") && process.stdin.isTTY) await agreed(context, path);
    const asked: Asked = {
      query: { recursive: recursive || undefined },
      headers: { "If-Match": match === undefined ? undefined : etagOf(match), ...fencedHeader(context) },
      keyed: true,
    };
    const rest = await context.rest();
    const { body } = await rest.ask<Deleted>("DELETE", `/v1/znodes/${inRoute(path)}`, asked).catch((error: unknown) => {
      throw recursive && isCode(error, "tooLarge")
        ? new CommandError("usage", `${error.detail} (tooLarge)`, partsHint(path))
        : error;
    });
    if (out.json) await out.document({ path, ...body });
    else if (out.terminal && !out.quiet)
      await out.line(
        `${out.style("red", "deleted")} ${path}${body.deleted === 1 ? "" : ` and ${body.deleted - 1} below`}`,
      );
  },
};

type Deleted = components["schemas"]["DeleteAnswer"];

/** What is more than one transaction goes branch by branch. */
function partsHint(path: string): string {
  const shown = /^[\w/.-]+$/.test(path) ? path : "PATH";
  return `delete what is below it part by part: quorate ls ${shown} | xargs -I{} quorate rm -r --yes ${shown}/{}`;
}

async function agreed(context: Context, path: string): Promise<void> {
  const { signal } = context;
  let count = 0;
  for await (const _ of (await context.client()).tree(path, { signal })) count++;
  const what = count === 1 ? "which has nothing below" : `and ${count - 1} below`;
  if (count > limits.txnZnodes)
    throw new CommandError(
      "usage",
      `${count} znodes are more than the ${limits.txnZnodes} that go at once`,
      partsHint(path),
    );
  if (await confirm(`delete ${path} ${what}?`, signal)) return;
  signal.throwIfAborted();
  throw new CommandError("failure", "nothing is deleted");
}
