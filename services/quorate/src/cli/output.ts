/** Where a command writes: tables and colours for a terminal, bare values for a pipe, and waiting while the pipe is full. */
import { once } from "node:events";
import { styleText } from "node:util";
import { type Column, gridLines, pipeLine } from "./grid.ts";

type Style = Parameters<typeof styleText>[0];

export interface OutputOptions {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

const usualWidth = 80;

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Somebody looks at it. */
  readonly terminal: boolean;
  /** Somebody looks at what is said beside it. */
  readonly errTerminal: boolean;
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.quiet = options.quiet;
    this.terminal = options.out.isTTY === true;
    this.errTerminal = options.err.isTTY === true;
  }

  get width(): number {
    return this.#options.out.columns || usualWidth;
  }

  style(style: Style, text: string): string {
    return this.#options.color && this.terminal ? styleText(style, text, { validateStream: false }) : text;
  }

  async bytes(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes);
  }

  async line(text = ""): Promise<void> {
    await this.#write(`${text}\n`);
  }

  /** One document: to be read on a terminal, a line in a pipe. */
  async document(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value, undefined, this.terminal ? 2 : undefined));
  }

  /** A line of a stream. */
  async record(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  async table(columns: readonly Column[], rows: readonly (readonly string[])[]): Promise<void> {
    const lines = this.terminal
      ? gridLines(columns, rows, { width: this.width, heading: (text) => this.style("bold", text) })
      : rows.map(pipeLine);
    for (const each of lines) await this.line(each);
  }

  /** Names and values: aligned on a terminal. */
  async facts(facts: readonly (readonly [string, string])[]): Promise<void> {
    const width = Math.max(...facts.map(([name]) => name.length));
    for (const [name, value] of facts) {
      await this.line(this.terminal ? `${this.style("dim", name.padEnd(width))}  ${value}` : pipeLine([name, value]));
    }
  }

  /** What people should know beside the result. */
  note(text: string): void {
    if (!this.quiet) this.#options.err.write(`${text}\n`);
  }

  /** The same, even if quiet was asked for: without it one would not know what has happened. */
  warn(text: string): void {
    this.#options.err.write(`${text}\n`);
  }

  /** A line on the terminal that the next one replaces. Nothing where nobody looks. */
  progress(text: string): void {
    if (this.errTerminal && !this.quiet) this.#options.err.write(`\r\x1b[2K${text}`);
  }

  get errWidth(): number {
    return this.#options.err.columns || usualWidth;
  }

  /** Everything has left this process. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve) => this.#options.out.write("", () => resolve()));
  }

  async #write(chunk: string | Uint8Array): Promise<void> {
    if (!this.#options.out.write(chunk)) await once(this.#options.out, "drain");
  }
}
