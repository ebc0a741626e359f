/** The lines of an export: a file can be read twice, a pipe only once. */
import { close, createReadStream, fstat, open } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { CommandError } from "./failures.ts";

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
    const failed = new Promise<never>((_, reject) => stream.once("error", reject));
    failed.catch(() => undefined);
    const lines = createInterface({ input: stream, crlfDelay: Infinity });
    for await (const line of lines) yield { line, bytes: stream.bytesRead };
    if (stream.errored) await failed;
  }

  async close(): Promise<void> {
    if (this.#descriptor > 2) await promisify(close)(this.#descriptor);
  }
}
