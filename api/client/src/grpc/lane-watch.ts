/** A watch on a session's stream: what has come for it and was not read yet. */
import type { v1 } from "@quorate/proto";
import type { WatchPart } from "../ask.ts";
import type { WatchOptions } from "../quorate.ts";
import { QuorateError } from "../quorate-error.ts";
import { partOf, watchRequest } from "./grpc-transport.ts";

/** Items of a watch whose reader is busy. Beyond it the watch ends, and begins again after what was read. */
const unreadItems = 10_000;

export class LaneWatch {
  readonly operation: v1.SessionOperation;
  readonly #signal: AbortSignal;
  #parts: WatchPart[] = [];
  #items = 0;
  #ended: QuorateError | undefined;
  #wake: (() => void) | undefined;

  constructor(options: WatchOptions, after: string | undefined, signal: AbortSignal) {
    this.operation = { watch: watchRequest(options, after) };
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
  }

  told(response: v1.WatchResponse): void {
    if (this.#ended) return;
    const part = partOf(response);
    this.#parts.push(part);
    this.#items += part.items.length;
    if (this.#items > unreadItems && this.#parts.length > 1) {
      this.end(new QuorateError("throttled", "the watch is read too slowly; it goes on after what was read"));
    }
    this.#wake?.();
  }

  end(error: QuorateError): void {
    this.#ended ??= error;
    this.#wake?.();
  }

  /** What came before its end comes before its error. */
  async *parts(): AsyncGenerator<WatchPart, undefined, undefined> {
    for (;;) {
      this.#signal.throwIfAborted();
      const parts = this.#parts;
      this.#parts = [];
      this.#items = 0;
      yield* parts;
      if (this.#parts.length > 0) continue;
      if (this.#ended) throw this.#ended;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#parts.length > 0 || this.#ended || this.#signal.aborted) resolve();
      });
    }
  }
}
