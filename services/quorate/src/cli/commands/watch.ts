/** `watch`: what happens to a znode, as it happens; shown, or told to a program. */
import type { WatchItem } from "@quorate/client";
import type { Command, Option } from "../command.ts";
import type { Context } from "../context.ts";
import { dataCell, dataJson } from "../data.ts";
import { localTime } from "../durations.ts";
import { programOf, runFor } from "../event-program.ts";
import { UsageError } from "../failures.ts";
import { pathOf } from "../paths.ts";
import { visible } from "../width.ts";

const options: readonly Option[] = [
  { name: "children", short: "c", kind: "flag", help: "created and deleted children of PATH" },
  { name: "subtree", short: "r", kind: "flag", help: "PATH and all below" },
  { name: "data", kind: "flag", help: "with the data" },
  { name: "after", kind: "text", value: "CURSOR", help: "all that happened behind a zxid or cursor, and no state" },
  { name: "count", short: "n", kind: "number", value: "N", help: "end after so many events", min: 1 },
  {
    name: "exec",
    short: "x",
    kind: "text",
    value: "LINE",
    help: "run a line of the shell for each event, as with -- COMMAND",
    completes: "file",
  },
];

export const watch: Command = {
  words: ["watch"],
  reads: true,
  group: "data",
  about: "what happens to a znode, as it happens",
  args: [{ name: "PATH", help: "of the znode, which need not be there", completes: "path" }],
  options,
  program: "optional",
  notes: [
    "It begins with the state, unless --after or --subtree, and goes on until Ctrl-C: through losses of gateways and leaders, each event once. In a pipe an event is a line, with tabs between: time, type, path, version, zxid, and the data with --data; a state has no time and no zxid.",
    "With --exec or -- COMMAND nothing is shown: COMMAND is run for each event, one after the other in their order, and not for the state. It finds the event in QUORATE_PATH, QUORATE_TYPE (created, changed, deleted) and QUORATE_ZXID, and all of it as JSON on its standard input, as --json shows it. Its exit code is told on standard error (with --json in a line for each event), and the watch goes on. Ctrl-C ends both.",
    "A cursor that is too old is exit code 7: read the state again.",
  ],
  examples: [
    { line: "quorate watch --data /app/config", about: "its data, now and whenever it changes" },
    { line: "quorate watch --subtree --json /app", about: "a line of JSON for each event below /app" },
    {
      line: "quorate watch -n 1 --after $(quorate stat /app/config | awk '$1 == \"mzxid\" { print $2 }') /app/config",
      about: "waits for the next change",
    },
    { line: "quorate watch --exec 'systemctl reload app' /app/config", about: "a program for each change" },
    { line: "quorate watch --subtree --data /app -- ./on-change.sh", about: "with the event on its standard input" },
  ],
  run: async (context) => {
    const { values, signal, out } = context;
    if (values.flag("children") && values.flag("subtree"))
      throw new UsageError("--children and --subtree: give one of them");
    const path = pathOf(values.arg(0));
    const after = values.text("after");
    const scope = values.flag("children") ? "children" : values.flag("subtree") ? "subtree" : "node";
    const most = values.number("count") ?? Infinity;
    const program = programOf(context);
    const stream = (await context.client()).watch({
      [scope]: path,
      signal,
      ...(values.flag("data") ? { include: "data" as const } : {}),
      ...(after === undefined ? {} : { after }),
    });
    let seen = 0;
    if (out.terminal && (after !== undefined || scope === "subtree" || program !== undefined))
      out.note("(waits for what happens; Ctrl-C ends it)");
    try {
      for await (const item of stream) {
        if (program === undefined) await show(context, item);
        if (item.type === "state" || item.type === "restarted") continue;
        if (program !== undefined) await runFor(program, item, recordOf(item), context);
        if (++seen >= most) return;
      }
    } finally {
      if (signal.aborted && out.terminal && stream.cursor !== undefined)
        out.note(`\nto go on from here: --after ${stream.cursor}`);
      await stream.close();
    }
  },
};

async function show({ out, values }: Context, item: WatchItem): Promise<void> {
  if (out.json) {
    await out.record(recordOf(item));
    return;
  }
  if (item.type === "restarted") return;
  const row = rowOf(item);
  if (!out.terminal) {
    const fields = [row.time, row.type, item.path, row.version, row.zxid];
    await out.table([], [values.flag("data") || row.what !== "" ? [...fields, row.what] : fields]);
    return;
  }
  const time = out.style("dim", localTime(row.time).padEnd(19));
  const type = out.style(colors[row.type], row.type.padEnd(7));
  const version = row.version === "" || row.type === "deleted" ? "" : `  version ${row.version}`;
  await out.line(`${time}  ${type}  ${visible(item.path)}${version}${row.what === "" ? "" : `  ${visible(row.what)}`}`);
}

/** As REST has it. */
function recordOf(item: WatchItem): object {
  const { data, ...rest } = { data: undefined, ...item };
  return { ...rest, ...(data === undefined ? {} : dataJson(data)) };
}

const colors = { created: "green", changed: "cyan", deleted: "red", is: "dim", absent: "dim" } as const;

interface Row {
  readonly time: string;
  readonly type: keyof typeof colors;
  readonly version: string;
  readonly zxid: string;
  /** The data, or the children of a state. */
  readonly what: string;
}

function rowOf(item: Exclude<WatchItem, { type: "restarted" }>): Row {
  if (item.type === "state") {
    const what = item.children?.join(" ") ?? (item.data === undefined ? "" : dataCell(item.data));
    const version = item.stat === undefined ? "" : String(item.stat.version);
    return { time: "", type: item.exists ? "is" : "absent", version, zxid: "", what };
  }
  const { time, type, zxid } = item;
  const what = item.superseded ? "(newer already)" : item.data === undefined ? "" : dataCell(item.data);
  return { time, type, version: String(item.version), zxid, what };
}
