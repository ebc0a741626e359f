/** `import`: what `export` wrote, below another root or the same. */
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { type DumpNode, DumpReader } from "../dump.ts";
import { DumpSource } from "../dump-source.ts";
import { byteCount } from "../durations.ts";
import { CommandError, UsageError } from "../failures.ts";
import { type ImportCounts, Importer } from "../importer.ts";
import { pathOf } from "../paths.ts";
import { Progress } from "../progress.ts";

export const importCommand: Command = {
  words: ["import"],
  group: "operation",
  about: "make the znodes of an export",
  args: [
    { name: "PATH", help: "where its root shall be", completes: "path" },
    { name: "FILE", help: "the export; standard input without it", optional: true, completes: "file" },
  ],
  options: [
    { name: "overwrite", kind: "flag", help: "replace data and ACL of what is there already" },
    { name: "skip-existing", kind: "flag", help: "leave what is there already as it is" },
    { name: "dry-run", kind: "flag", help: "only say what would be done" },
    { name: "parents", short: "p", kind: "flag", help: "make the parents of PATH that are missing" },
    { name: "no-acl", kind: "flag", help: "leave all ACLs out: everything is open to anybody" },
  ],
  notes: [
    "Without --overwrite or --skip-existing nothing is done if any of the znodes is there already (exit code 4). Ephemerals are left out, and counted. It goes in transactions of some hundred znodes, parents first; when it broke off, run it again with --overwrite, which does what is left.",
    "A file is read to its end before anything is written, so that an export that is cut off does nothing. A pipe is written as it comes. A znode whose ACL keeps others out bears it from its first moment; one with children is the importer's alone (auth) until they are made, or, where the importer shows no user, open.",
  ],
  examples: [
    { line: "quorate import --dry-run /copy app.ndjson", about: "what would happen" },
    { line: "quorate import /copy < app.ndjson", about: "with a progress bar on a terminal" },
    { line: "zcat all.gz | quorate import --overwrite /", about: "back in its place" },
  ],
  run: async (context) => {
    const { out, values } = context;
    const overwrite = values.flag("overwrite");
    if (overwrite && values.flag("skip-existing"))
      throw new UsageError("--overwrite and --skip-existing: give one of them");
    const target = pathOf(values.arg(0));
    const source = await DumpSource.open(values.arg(1) || "-");
    if (!source.rereadable && process.stdin.isTTY && !values.arg(1))
      out.note("(reads an export from the keyboard; FILE or < FILE reads a file)");
    const progress = new Progress(out, `import ${target}`);
    try {
      const importer = await Importer.open(context, target);
      const total = source.rereadable ? await rehearse(context, source, importer) : undefined;
      if (!values.flag("dry-run")) await perform(context, source, importer, progress, total);
      else if (total === undefined) await rehearse(context, source, importer);
      progress.end();
      await report(context, target, importer.counts);
    } finally {
      progress.end();
      await source.close();
    }
  },
};

/** Reads all of it and judges each znode, so that nothing is written of what cannot be written whole. */
async function rehearse(context: Context, source: DumpSource, importer: Importer): Promise<number> {
  const reader = new DumpReader();
  for await (const { node } of nodesOf(context, source, reader)) importer.judge(node);
  reader.finish();
  importer.checkWhole();
  return reader.count;
}

async function perform(
  context: Context,
  source: DumpSource,
  importer: Importer,
  progress: Progress,
  total: number | undefined,
): Promise<void> {
  importer.begin();
  const reader = new DumpReader();
  try {
    for await (const { node, bytes } of nodesOf(context, source, reader)) {
      await importer.take(node);
      const done =
        total === undefined ? `${reader.count} znodes, ${byteCount(bytes)}` : `${reader.count} of ${total} znodes`;
      progress.show(done, total === undefined ? undefined : reader.count / total);
    }
    reader.finish();
    await importer.finish();
  } catch (error) {
    progress.end();
    const { created, overwritten } = importer.counts;
    if (created + overwritten > 0)
      context.out.warn(
        `quorate: import: it broke off: ${created} created, ${overwritten} overwritten; --overwrite does the rest`,
      );
    throw error;
  }
}

async function* nodesOf(
  { signal }: Context,
  source: DumpSource,
  reader: DumpReader,
): AsyncGenerator<{ readonly node: DumpNode; readonly bytes: number }> {
  for await (const { line, bytes } of source.lines(signal)) {
    signal.throwIfAborted();
    const node = reader.read(line);
    if (node !== undefined) yield { node, bytes };
  }
  if (reader.head === undefined) throw new CommandError("usage", "there is nothing to import: it is empty");
}

async function report({ out, values }: Context, target: string, counts: ImportCounts): Promise<void> {
  const dry = values.flag("dry-run");
  if (out.json) {
    await out.document({ target, dryRun: dry, ...counts });
    return;
  }
  const { created, overwritten, skipped, ephemerals } = counts;
  const parts = [
    `${created} created`,
    ...(overwritten > 0 ? [`${overwritten} overwritten`] : []),
    ...(skipped > 0 ? [`${skipped} left as they are`] : []),
    ...(ephemerals > 0 ? [`${ephemerals} ephemerals left out`] : []),
  ];
  const text = `${dry ? "would be: " : ""}${parts.join(", ")} at ${target}`;
  if (!out.quiet) await out.line(text);
}
