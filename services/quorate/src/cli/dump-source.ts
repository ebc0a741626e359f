/** The lines of an export: a file can be read twice, a pipe only once. */
import { close, createReadStream, fstat, open } from "node:fs";
import { addAbortSignal } from "node:stream";
import { promisify } from "node:util";
import { fileFault } from "./failures.ts";

const lineEnd = 0x0a;

export interface SourceLine {
  readonly line: string;
  /** Read until here, about. */
  readonly bytes: number;
}

export class DumpSource {
  readonly rereadable: boolean;
  readonly #descriptor: number;

  private constructor(descriptor: number, rereadable: boolean) {
    this.#descriptor = descriptor;
    this.rereadable = rereadable;
  }

  /** `-`: standard input. */
  static async open(name: string): Promise<DumpSource> {
    let descriptor = 0;
    try {
      if (name !== "-") descriptor = await promisify(open)(name, "r");
      const stat = await promisify(fstat)(descriptor);
      if (stat.isDirectory()) throw Object.assign(new Error("it is a folder"), { code: "EISDIR" });
      return new DumpSource(descriptor, stat.isFile());
    } catch (error) {
      throw fileFault(name, error);
    }
  }

  /** Until a signal comes, even while nothing does. */
  async *lines(signal: AbortSignal): AsyncGenerator<SourceLine> {
    // A file is read from its beginning each time, wherever its descriptor stands. A terminal that one waits for cannot be closed.
    const stream =
      this.#descriptor === 0 && !this.rereadable
        ? process.stdin
        : createReadStream("", { fd: this.#descriptor, autoClose: false, ...(this.rereadable ? { start: 0 } : {}) });
    addAbortSignal(signal, stream);
    // Not node:readline, to which U+2028 ends a line, too.
    let rest: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, from)) {
        rest.push(chunk.subarray(from, end));
        yield { line: Buffer.concat(rest).toString("utf8"), bytes: stream.bytesRead };
        rest = [];
        from = end + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
    }
    if (rest.length > 0) yield { line: Buffer.concat(rest).toString("utf8"), bytes: stream.bytesRead };
  }

  async close(): Promise<void> {
    if (this.#descriptor > 2) await promisify(close)(this.#descriptor);
  }
}
