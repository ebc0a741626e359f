/** `ls`: the children of a znode. */
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { byteCount, localTime } from "../durations.ts";
import { type Column, nameColumns } from "../grid.ts";
import { below, pathOf } from "../paths.ts";

export const ls: Command = {
  words: ["ls"],
  reads: true,
  group: "data",
  about: "the children of a znode",
  args: [{ name: "PATH", help: "the root without it", optional: true, completes: "path" }],
  options: [{ name: "long", short: "l", kind: "flag", help: "with kind, size, children, version and time" }],
  notes: [
    "In a pipe a name is a line; with --long the fields stand between tabs: name, kind, bytes, children, version, mtime. With --long, children that you may not read are left out.",
  ],
  examples: [
    { line: "quorate ls /app", about: "names" },
    { line: "quorate ls -l /app", about: "as a table" },
    { line: "quorate ls --json /app | jq -r '.children[].name'", about: "for a script" },
  ],
  run: async (context) => (context.values.flag("long") ? long(context) : short(context)),
};

async function short(context: Context): Promise<void> {
  const { out, signal, values } = context;
  const path = pathOf(values.arg(0) || "/");
  const listing = (await context.client()).children(path, { signal });
  const names: string[] = [];
  for await (const { name } of listing) {
    if (out.terminal || out.json) names.push(name);
    else await out.line(name);
  }
  if (out.json) await out.document({ path, zxid: listing.zxid, children: names.map((name) => ({ name })) });
  else for (const line of nameColumns(names, out.width)) await out.line(line);
}

const columns: readonly Column[] = [
  { title: "NAME", gives: true },
  { title: "KIND", spare: 2 },
  { title: "SIZE", right: true },
  { title: "CHILDREN", right: true, spare: 1 },
  { title: "VERSION", right: true, spare: 3 },
  { title: "MODIFIED" },
];

async function long(context: Context): Promise<void> {
  const { out, signal, values } = context;
  const path = pathOf(values.arg(0) || "/");
  const listing = (await context.client()).tree(path, { depth: 1, signal });
  const children = [];
  for await (const { path: each, stat } of listing) {
    const name = below(path, each)?.slice(1);
    if (name) children.push({ name, stat });
  }
  if (out.json) {
    await out.document({ path, zxid: listing.zxid, children });
    return;
  }
  const rows = children.map(({ name, stat }) => [
    name,
    stat.ttl === undefined || !out.terminal ? stat.kind : `${stat.kind} ${stat.ttl}`,
    out.terminal ? byteCount(stat.dataLength) : String(stat.dataLength),
    String(stat.numChildren),
    String(stat.version),
    out.terminal ? localTime(stat.mtime) : stat.mtime,
  ]);
  if (rows.length > 0) await out.table(columns, rows);
}
