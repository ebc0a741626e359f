/** A znode's bytes: as text where they are that, as REST's JSON has them, and as a command line gives them. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { limits } from "@quorate/api";
import { CommandError } from "./failures.ts";
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
export async function readValue(word: string, literal: boolean): Promise<Uint8Array> {
  if (literal || (word !== "-" && !word.startsWith("@"))) return new TextEncoder().encode(word);
  if (word === "-") return readAll(process.stdin, "standard input");
  const path = word.slice(1);
  try {
    if ((await stat(path)).isDirectory()) throw new Error("it is a folder");
    return await readAll(createReadStream(path), path);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError("usage", `${path}: ${why}`, "--literal takes a value that begins with @ as it stands");
  }
}

async function readAll(stream: AsyncIterable<unknown>, name: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > limits.dataBytes)
      throw new CommandError("usage", `${name}: a znode holds at most ${limits.dataBytes} bytes`);
  }
  return Buffer.concat(chunks);
}
