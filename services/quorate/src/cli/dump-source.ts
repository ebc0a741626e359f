/** The lines of an export: a file can be read twice, a pipe only once. */
import { close, createReadStream, fstat, open } from "node:fs";
import { promisify } from "node:util";
import { CommandError } from "./failures.ts";

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
      return new DumpSource(descriptor, (await promisify(fstat)(descriptor)).isFile());
    } catch (error) {
      throw new CommandError("usage", `${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async *lines(): AsyncGenerator<SourceLine> {
    // A file is read from its beginning each time, wherever its descriptor stands.
    const stream = createReadStream("", {
      fd: this.#descriptor,
      autoClose: false,
      ...(this.rereadable ? { start: 0 } : {}),
    });
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
