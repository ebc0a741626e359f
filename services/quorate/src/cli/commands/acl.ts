/** `acl get` and `acl set`: who may do what with a znode. */
import type { components } from "@quorate/openapi";
import { type AclEntry, formatAclEntry, parseAclEntry } from "../acl-text.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { readInput } from "../data.ts";
import { UsageError } from "../failures.ts";
import { pathOf } from "../paths.ts";
import { inRoute } from "../rest.ts";
import { fencedHeader, fencedOption } from "../writes.ts";

const path = { name: "PATH", help: "of the znode", completes: "path" } as const;
const letters: readonly (readonly [string, string])[] = [
  ["c", "create"],
  ["d", "delete"],
  ["r", "read"],
  ["w", "write"],
  ["a", "admin"],
];

export const aclGet: Command = {
  words: ["acl", "get"],
  reads: true,
  group: "data",
  about: "who may do what with a znode",
  args: [path],
  options: [],
  notes: ["In a pipe an entry is a line, as `acl set` takes it."],
  examples: [
    { line: "quorate acl get /app", about: "as a table" },
    { line: "quorate acl set /copy $(quorate acl get /app)", about: "the same for another znode" },
  ],
  run: async (context) => {
    const { out, signal, values } = context;
    const asked = pathOf(values.arg(0));
    const { acl, version } = await (await context.client()).getAcl(asked, { signal });
    const entries = acl.map(({ scheme, id = "", perms }): AclEntry => ({ scheme, id, perms }));
    if (out.json) await out.document({ acl: entries, version });
    else if (!out.terminal) for (const each of entries) await out.line(formatAclEntry(each));
    else {
      const columns = [
        { title: "SCHEME" },
        { title: "ID", gives: true },
        { title: "PERMS" },
        { title: "MEANING", gives: true },
      ];
      await out.table(
        columns,
        entries.map(({ scheme, id, perms }) => [scheme, id, perms, meaning(perms)]),
      );
      out.note(`version ${version}`);
    }
  },
};

function meaning(perms: string): string {
  const words = letters.filter(([letter]) => perms.includes(letter)).map(([, word]) => word);
  return words.length === letters.length ? "everything" : words.join(", ") || "nothing";
}

export const aclSet: Command = {
  words: ["acl", "set"],
  group: "data",
  about: "replace a znode's ACL",
  args: [
    path,
    { name: "ENTRY", help: "SCHEME:ID:PERMS; -: JSON from standard input, as acl get --json prints it", many: true },
  ],
  options: [
    { name: "if-version", kind: "number", value: "N", help: "only if the ACL has still that version" },
    fencedOption,
  ],
  notes: [
    "PERMS are of c(reate), d(elete), r(ead), w(rite), a(dmin). Schemes: world:anyone, auth: (whoever asks), digest:NAME:HASH, ip:ADDRESS or ip:NETWORK/BITS.",
  ],
  examples: [
    { line: "quorate acl set /app world:anyone:r auth::cdrwa", about: "all may read, I may do everything" },
    { line: "quorate acl get --json /app | quorate acl set /copy -", about: "under the version that it bears" },
  ],
  run: async (context) => {
    const { out, values } = context;
    const entries = values.args.slice(1);
    const [only = ""] = entries;
    const given = entries.length === 1 && only === "-" ? await fromJson(context) : { acl: entries.map(parseAclEntry) };
    const version = values.number("if-version");
    const { body } = await (await context.rest()).ask<components["schemas"]["NodeAnswer"]>(
      "PUT",
      `/v1/acl/${inRoute(pathOf(values.arg(0)))}`,
      {
        body: { ...given, ...(version === undefined ? {} : { version }) },
        headers: fencedHeader(context),
        keyed: true,
      },
    );
    if (out.json) await out.document(body);
    else if (out.terminal && !out.quiet)
      await out.line(
        `${out.style("cyan", "set")} ${body.path}  ${out.style("dim", `ACL version ${body.stat.aversion}`)}`,
      );
  },
};

async function fromJson(context: Context): Promise<object> {
  const text = new TextDecoder().decode(await readInput("-", context));
  try {
    return JSON.parse(text) as object;
  } catch {
    throw new UsageError("standard input is no JSON", '{"acl": [{"scheme": "world", "id": "anyone", "perms": "r"}]}');
  }
}
