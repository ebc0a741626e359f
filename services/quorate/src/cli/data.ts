/** A znode's bytes: as text where they are that, as REST's JSON has them, and as a command line gives them. */
import { createReadStream } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";
import { limits } from "@quorate/api";
import type { Context } from "./context.ts";
import { CommandError, fileFault } from "./failures.ts";
import { visible } from "./width.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undefined: they are no UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text that a terminal shows and is not steered by. */
export function isPrintable(text: string): boolean {
  return visible(text.replace(/[\n\t]|\r\n/g, "")) === text.replace(/[\n\t]|\r\n/g, "");
}

export function dataJson(bytes: Uint8Array): { readonly data: string; readonly encoding: "utf-8" | "base64" } {
  const text = textOf(bytes);
  return text === undefined
    ? { data: Buffer.from(bytes).toString("base64"), encoding: "base64" }
    : { data: text, encoding: "utf-8" };
}

/** As a field of a line. */
export function dataCell(bytes: Uint8Array): string {
  return textOf(bytes) ?? `(${bytes.length} bytes, no UTF-8)`;
}

/** VALUE: itself, `-` for standard input, `@FILE` for a file's content; `literal`: always itself. */
export async function readValue(word: string, literal: boolean, context: Context): Promise<Uint8Array> {
  if (literal || (word !== "-" && !word.startsWith("@"))) return new TextEncoder().encode(word);
  return readInput(
    word === "-" ? "-" : word.slice(1),
    context,
    "--literal takes a value that begins with @ as it stands",
  );
}

/** All of a file, or for `-` of standard input, until a signal comes. */
export async function readInput(name: string, { signal, out }: Context, hint?: string): Promise<Uint8Array> {
  if (name === "-") {
    if (process.stdin.isTTY) out.note("(reads from the keyboard; Ctrl-D on an empty line ends it)");
    return readAll(process.stdin, "standard input", signal);
  }
  try {
    return await readAll(createReadStream(name), name, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw fileFault(name, error, hint);
  }
}

async function readAll(stream: Readable, name: string, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of addAbortSignal(signal, stream)) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > limits.dataBytes)
      throw new CommandError("usage", `${name}: a znode holds at most ${limits.dataBytes} bytes`);
  }
  return Buffer.concat(chunks);
}
