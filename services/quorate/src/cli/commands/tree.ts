/** `tree`: a znode and all below, drawn. */
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { dataCell, dataJson, textOf } from "../data.ts";
import { byteCount } from "../durations.ts";
import { pathOf } from "../paths.ts";
import { cut, visible } from "../width.ts";

export const tree: Command = {
  words: ["tree"],
  reads: true,
  group: "data",
  about: "a znode and all below, drawn",
  args: [{ name: "PATH", help: "the root without it", optional: true, completes: "path" }],
  options: [
    { name: "depth", short: "d", kind: "number", value: "N", help: "so many levels below PATH", max: 2048 },
    { name: "data", kind: "flag", help: "with the data" },
  ],
  notes: [
    "All of it is of one zxid. In a pipe a znode is a line, with tabs between: path, bytes, children, kind, and the data with --data. With --json it is REST's stream: first the zxid, last the count.",
  ],
  examples: [
    { line: "quorate tree /app", about: "draws it" },
    { line: "quorate tree -d 1 --data /app", about: "the children, with their data" },
    { line: "quorate tree / | awk '$4 == \"ephemeral\" { print $1 }'", about: "all ephemerals" },
  ],
  run: async (context) => {
    if (context.out.json) return stream(context);
    return context.out.terminal ? draw(context) : lines(context);
  },
};

async function open(context: Context) {
  const { values, signal } = context;
  const depth = values.number("depth");
  const client = await context.client();
  const options = { data: values.flag("data"), signal, ...(depth === undefined ? {} : { depth }) };
  return client.tree(pathOf(values.arg(0) || "/"), options);
}

async function stream(context: Context): Promise<void> {
  const { out } = context;
  const listing = await open(context);
  let count = 0;
  for await (const { path, stat, data } of listing) {
    if (count++ === 0) await out.record({ zxid: listing.zxid });
    await out.record({ path, stat, ...(data && dataJson(data)) });
  }
  await out.record({ end: true, count });
}

async function lines(context: Context): Promise<void> {
  const { out, values } = context;
  for await (const { path, stat, data = new Uint8Array() } of await open(context)) {
    const fields = [path, String(stat.dataLength), String(stat.numChildren), stat.kind];
    await out.table([], [values.flag("data") ? [...fields, dataCell(data)] : fields]);
  }
}

interface Drawn {
  readonly name: string;
  readonly about: string;
  readonly children: Drawn[];
}

async function draw(context: Context): Promise<void> {
  const { out } = context;
  const listing = await open(context);
  const known = new Map<string, Drawn>();
  let root: Drawn | undefined;
  let bytes = 0;
  for await (const { path, stat, data } of listing) {
    const size = stat.dataLength === 0 ? [] : [byteCount(stat.dataLength)];
    const kind = stat.kind === "persistent" ? [] : [stat.ttl === undefined ? stat.kind : `${stat.kind} ${stat.ttl}`];
    const value = data === undefined || data.length === 0 ? [] : [textOf(data) ?? "(no UTF-8)"];
    const at = path.lastIndexOf("/");
    const name = root === undefined ? path : path.slice(at + 1);
    const drawn: Drawn = { name, about: [...size, ...kind, ...value].join("  "), children: [] };
    known.set(path, drawn);
    bytes += stat.dataLength;
    // A parent that may not be read is left out, and all below it with it.
    if (root !== undefined) (known.get(path.slice(0, at) || "/") ?? root).children.push(drawn);
    root ??= drawn;
  }
  if (root === undefined) return;
  for (const [lead, each] of drawing(root)) {
    const room = out.width - lead.length - 2;
    const name = cut(visible(each.name), Math.max(8, room));
    const about = cut(visible(each.about), Math.max(0, room - name.length));
    await out.line(`${out.style("dim", lead)}${name}${about === "" ? "" : `  ${out.style("dim", about)}`}`);
  }
  const znodes = known.size === 1 ? "1 znode" : `${known.size} znodes`;
  out.note(`${znodes}, ${byteCount(bytes)}, at zxid ${listing.zxid}`);
}

/** Each with the lines before it; not by recursion, for paths may be deep. */
export function* drawing(root: Drawn): Generator<readonly [string, Drawn]> {
  yield ["", root];
  const levels = [{ lead: "", rest: [...root.children].reverse() }];
  for (;;) {
    const level = levels.at(-1);
    if (level === undefined) return;
    const next = level.rest.pop();
    if (next === undefined) {
      levels.pop();
      continue;
    }
    const last = level.rest.length === 0;
    yield [`${level.lead}${last ? "└── " : "├── "}`, next];
    levels.push({ lead: `${level.lead}${last ? "    " : "│   "}`, rest: [...next.children].reverse() });
  }
}
