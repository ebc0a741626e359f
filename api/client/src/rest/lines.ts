/** NDJSON as it arrives. */
import { QuorateError } from "../quorate-error.ts";
import { brokenBy } from "./exchange.ts";

/** The longest line: a page of state, or an event with a znode's data in base64. */
const lineCharacters = 8 * 1_048_576;

export async function* linesOf(response: Response, signal: AbortSignal): AsyncGenerator<string, undefined, undefined> {
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > lineCharacters)
        throw new QuorateError("internal", `a line has over ${lineCharacters} characters`);
      for (const line of lines) if (line !== "") yield line;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof QuorateError ? error : brokenBy(error, response.url);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (rest !== "") throw new QuorateError("connectionLoss", `${response.url} was cut off within a line`);
}
