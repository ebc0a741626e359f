/** `put` and `create`: a znode's data, under conditions and in a shape. */
import type { components } from "@quorate/openapi";
import type { Argument, Command, Option } from "../command.ts";
import type { Context } from "../context.ts";
import { readValue } from "../data.ts";
import { UsageError } from "../failures.ts";
import { pathOf } from "../paths.ts";
import { inRoute } from "../rest.ts";
import {
  etagOf,
  fencedHeader,
  fencedOption,
  literalOption,
  shapeOptions,
  shapeQuery,
  shapeSession,
} from "../writes.ts";

type Written = components["schemas"]["NodeAnswer"];

const path: Argument = { name: "PATH", help: "of the znode", completes: "path" };
const value: Argument = {
  name: "VALUE",
  help: "the data; -: standard input; @FILE: what the file holds",
  completes: "file",
};

const conditions: readonly Option[] = [
  { name: "if-match", kind: "text", value: "MZXID", help: "only if the data is still that: compare and set" },
  { name: "create", kind: "flag", help: "only if it is not there" },
  { name: "replace", kind: "flag", help: "only if it is there" },
];

export const put: Command = {
  words: ["put"],
  group: "data",
  about: "create a znode or replace its data",
  args: [path, value],
  options: [...conditions, ...shapeOptions, literalOption, fencedOption],
  notes: ["In a pipe it prints the new mzxid, which the next put takes with --if-match."],
  examples: [
    { line: "quorate put /app/config '{\"debug\": false}'", about: "creates or replaces" },
    { line: "quorate put -p /app/logo @logo.png", about: "a file, and /app if it is missing" },
    { line: "date | quorate put --ttl 60s /app/alive -", about: "standard input; it goes if it is not put again" },
    {
      line: "quorate put /app/config new --if-match $(quorate get --json /app/config | jq -r .stat.mzxid)",
      about: "only if nobody was faster",
    },
  ],
  run: async (context) => {
    const { values } = context;
    const match = values.text("if-match");
    const chosen = [match !== undefined, values.flag("create"), values.flag("replace")].filter(Boolean);
    if (chosen.length > 1) throw new UsageError("--if-match, --create and --replace: give one of them");
    const condition = {
      "If-Match": match === undefined ? (values.flag("replace") ? "*" : undefined) : etagOf(match),
      "If-None-Match": values.flag("create") ? "*" : undefined,
    };
    const { written, created } = await write(context, "PUT", pathOf(values.arg(0)), condition, {});
    await show(context, written, created, written.stat.mzxid);
  },
};

export const create: Command = {
  words: ["create"],
  group: "data",
  about: "create a znode, which must not be there",
  args: [
    path,
    { ...value, help: "the data, nothing without it; -: standard input; @FILE: what the file holds", optional: true },
  ],
  options: [
    { name: "sequential", short: "s", kind: "flag", help: "PATH is a prefix: the next number is put behind it" },
    ...shapeOptions,
    literalOption,
    fencedOption,
  ],
  notes: ["It prints the path, which with --sequential has its number."],
  examples: [
    { line: "quorate create -p /app/workers", about: "without data, and /app too" },
    { line: "quorate create --sequential /app/jobs/job- @job.json", about: "prints /app/jobs/job-0000000000" },
    { line: "quorate create --ephemeral /app/workers/$HOSTNAME", about: "in the session of QUORATE_SESSION" },
  ],
  run: async (context) => {
    const { values } = context;
    const given = values.arg(0);
    if (!values.flag("sequential")) {
      const { written, created } = await write(context, "PUT", pathOf(given), { "If-None-Match": "*" }, {});
      await show(context, written, created, written.path);
      return;
    }
    if (values.flag("container")) throw new UsageError("a sequential znode cannot be a container");
    const at = given.lastIndexOf("/");
    const prefix = given.slice(at + 1);
    pathOf(`${given}0`);
    const { written, created } = await write(context, "POST", given.slice(0, at) || "/", {}, { prefix });
    await show(context, written, created, written.path);
  },
};

async function write(
  context: Context,
  method: "PUT" | "POST",
  at: string,
  headers: Readonly<Record<string, string | undefined>>,
  query: Readonly<Record<string, string>>,
): Promise<{ readonly written: Written; readonly created: boolean }> {
  const { values } = context;
  const request = {
    query: { ...shapeQuery(context), ...query },
    headers: { ...headers, ...fencedHeader(context) },
    session: shapeSession(context),
    body: await readValue(values.arg(1), values.flag("literal"), context),
    keyed: true,
  };
  const { status, body } = await (await context.rest()).ask<Written>(method, `/v1/znodes/${inRoute(at)}`, request);
  return { written: body, created: status === 201 };
}

async function show({ out }: Context, written: Written, created: boolean, bare: string): Promise<void> {
  if (out.json) await out.document({ ...written, created });
  else if (!out.terminal) await out.line(bare);
  else if (!out.quiet) {
    const done = created ? out.style("green", "created") : out.style("cyan", "replaced");
    await out.line(
      `${done} ${written.path}  ${out.style("dim", `version ${written.stat.version}, mzxid ${written.stat.mzxid}`)}`,
    );
  }
}
