/** `export`: a subtree as lines of JSON, all of one zxid. */
import type { RestClient, Stat } from "@quorate/client";
import type { AclEntry } from "../acl-text.ts";
import { isOpen } from "../acl-text.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { type DumpHead, nodeLine } from "../dump.ts";
import { CommandError, isCode } from "../failures.ts";
import { below, isSystem, pathOf } from "../paths.ts";
import { Progress } from "../progress.ts";

/** Lists that are asked for together. */
const together = 32;

export const exportCommand: Command = {
  words: ["export"],
  reads: true,
  group: "operation",
  about: "a subtree as lines of JSON, all of one zxid",
  args: [{ name: "PATH", help: "the root of it", completes: "path" }],
  options: [{ name: "no-acl", kind: "flag", help: "without the ACLs, which cost a call for each znode" }],
  notes: [
    "Data, kind and TTL are of one zxid; ACLs are read right behind them. It has what you may read. Ephemerals are in it, though import leaves them out; of the root /zookeeper is left out. A first line says what it is, a last one that it is whole: import refuses an export without it.",
    "Who may not set an ACL is not shown its digests; then it is exported as unknown, and import refuses the file unless --no-acl: export as who may, or as the super user.",
    "Versions, times and the numbers of sequential children are not carried over.",
  ],
  examples: [
    { line: "quorate export /app > app.ndjson", about: "to a file" },
    { line: "quorate export /app | quorate import --endpoint http://other:8080 /app", about: "to another ensemble" },
    { line: "quorate export / | gzip > all.gz", about: "everything but /zookeeper" },
  ],
  run: async (context) => {
    const { out, values, signal } = context;
    const root = pathOf(values.arg(0));
    if (out.terminal && !out.quiet) out.note("(to keep it: > FILE)");
    const client = await context.client();
    const listing = client.tree(root, { data: true, signal });
    const progress = new Progress(out, `export ${root}`);
    const waiting: Promise<Entry>[] = [];
    let count = 0;
    let unknown = 0;
    const give = async (): Promise<void> => {
      const entry = await waiting.shift();
      if (entry === undefined) return;
      if (entry.acl === null) unknown++;
      await out.record(nodeLine(below(root, entry.path) ?? "", entry.data, entry.stat, entry.acl));
      count++;
      if (!out.terminal) progress.show(`${count} znodes`);
    };
    try {
      let begun = false;
      for await (const { path, stat, data = new Uint8Array() } of listing) {
        if (!begun) {
          const head: DumpHead = { quorate: "export", version: 1, root, zxid: listing.zxid ?? "" };
          await out.record(head);
          begun = true;
        }
        if (root === "/" && isSystem(path)) continue;
        const entry = withAcl(context, client, { path, stat, data });
        // It is awaited in its turn.
        entry.catch(() => undefined);
        waiting.push(entry);
        if (waiting.length >= together) await give();
      }
      while (waiting.length > 0) await give();
    } catch (error) {
      progress.end();
      signal.throwIfAborted();
      if (isCode(error, "connectionLoss", "timeout"))
        throw new CommandError(
          "unavailable",
          `it was cut off behind ${count} znodes; what was written is not whole`,
          "run it again",
        );
      throw error;
    }
    await out.record({ end: true, count });
    progress.end();
    if (unknown > 0)
      out.warn(
        `quorate: export ${root}: of ${unknown} znodes the ACL is not known (not shown, or gone); import wants --no-acl then`,
      );
    if (!out.terminal) out.note(`exported ${count} znodes at zxid ${listing.zxid}`);
  },
};

interface Read {
  readonly path: string;
  readonly stat: Stat;
  readonly data: Uint8Array;
}

interface Entry extends Read {
  readonly acl: readonly AclEntry[] | null | undefined;
}

async function withAcl({ values, signal }: Context, client: Pick<RestClient, "getAcl">, read: Read): Promise<Entry> {
  if (values.flag("no-acl") || read.stat.kind === "ephemeral") return { ...read, acl: undefined };
  try {
    const { acl } = await client.getAcl(read.path, { signal, consistency: "session" });
    const entries = acl.map(({ scheme, id = "", perms }) => ({ scheme, id, perms }));
    // Who may not set a list is not shown its hashes: it would shut everybody out elsewhere.
    if (entries.some(({ scheme, id }) => scheme === "digest" && id.endsWith(":x"))) return { ...read, acl: null };
    return { ...read, acl: isOpen(entries) ? undefined : entries };
  } catch (error) {
    if (isCode(error, "noNode", "noAuth")) return { ...read, acl: null };
    throw error;
  }
}
