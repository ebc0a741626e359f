/** `get` and `stat`: what a znode holds, and what is known of it. */
import type { Command } from "../command.ts";
import { dataJson, isPrintable, textOf } from "../data.ts";
import { byteCount, localTime } from "../durations.ts";
import { CommandError } from "../failures.ts";
import { pathOf } from "../paths.ts";

const path = { name: "PATH", help: "of the znode", completes: "path" } as const;

export const get: Command = {
  words: ["get"],
  reads: true,
  group: "data",
  about: "the data of a znode",
  args: [path],
  options: [{ name: "raw", kind: "flag", help: "the bytes as they are, on a terminal too" }],
  notes: [
    "In a pipe come the bytes as they were put, and nothing else. A terminal gets a line end behind them; of data that is no text it is only told, unless --raw.",
  ],
  examples: [
    { line: "quorate get /app/config", about: "shows it" },
    { line: "quorate get /app/logo > logo.png", about: "byte for byte" },
    { line: "quorate get --json /app/config | jq -r .stat.mzxid", about: "data and stat; mzxid is for put --if-match" },
  ],
  run: async (context) => {
    const { out, signal, values } = context;
    const znode = await (await context.client()).get(pathOf(values.arg(0)), { signal });
    const { data, stat, zxid } = znode;
    if (out.json) {
      await out.document({ path: znode.path, ...dataJson(data), stat, zxid });
    } else if (!out.terminal || values.flag("raw")) await out.bytes(data);
    else {
      const text = textOf(data);
      if (text === undefined || !isPrintable(text)) {
        const what = text === undefined ? "which are no UTF-8" : "with characters that would steer the terminal";
        throw new CommandError("failure", `${data.length} bytes, ${what}`, "--raw shows them, > FILE keeps them");
      }
      if (text !== "") await out.bytes(data);
      if (text !== "" && !text.endsWith("\n")) await out.line();
      if (text === "") out.note("(no data)");
    }
  },
};

export const stat: Command = {
  words: ["stat"],
  reads: true,
  group: "data",
  about: "what is known of a znode: times, versions, kind",
  args: [path],
  options: [],
  notes: [
    "mzxid names the data as it is now: put and rm take it with --if-match. czxid is the fencing token of a lock's znode.",
  ],
  examples: [
    { line: "quorate stat /app/config", about: "shows it" },
    { line: "quorate stat /app/config | awk '$1 == \"mzxid\" { print $2 }'", about: "for a script" },
    { line: "quorate stat -q /app/config", about: "says by its exit code whether it is there: 0 or 3" },
  ],
  run: async (context) => {
    const { out, signal, values } = context;
    const asked = pathOf(values.arg(0));
    const found = await (await context.client()).exists(asked, { signal });
    if (found === undefined) throw new CommandError("notFound", "no such znode (noNode)");
    if (out.json) {
      await out.document({ path: asked, stat: found });
      return;
    }
    if (out.quiet) return;
    const shown = Object.entries(found).map(([name, value]): [string, string] => {
      const text = String(value);
      if (!out.terminal) return [name, text];
      if (name === "ctime" || name === "mtime") return [name, localTime(text)];
      return [name, name === "dataLength" && Number(value) >= 1000 ? `${text} (${byteCount(Number(value))})` : text];
    });
    await out.facts([["path", asked], ...shown]);
  },
};
