/** Questions to whoever sits at the terminal, even while standard input is data. */
import { openSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { ReadStream, WriteStream } from "node:tty";

interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

function open(): Terminal | undefined {
  try {
    return { input: new ReadStream(openSync("/dev/tty", "r")), output: new WriteStream(openSync("/dev/tty", "w")) };
  } catch {
    return undefined;
  }
}

/** Undefined: there is no terminal to ask at. `secret`: what is typed is not shown. */
export async function ask(question: string, secret: boolean, signal: AbortSignal): Promise<string | undefined> {
  const terminal = open();
  if (terminal === undefined) return undefined;
  const { input, output } = terminal;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: secret ? silent : output, terminal: true });
  // From here on the terminal shows nothing by itself: whoever types at once types unseen, too.
  if (secret) output.write(question);
  try {
    // Ctrl-C is read as a key while the terminal is raw.
    lines.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
    return await lines.question(secret ? "" : question, { signal });
  } finally {
    if (secret) output.write("\n");
    lines.close();
    input.destroy();
    output.destroy();
  }
}

export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(`${question} [y/N] `, false, signal);
  return /^y(es)?$/i.test(answer?.trim() ?? "");
}
