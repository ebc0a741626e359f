/** A progress bar on standard error, while somebody looks at it. */
import { roughDuration } from "./durations.ts";
import type { Output } from "./output.ts";
import { cut, widthOf } from "./width.ts";

const barWidth = 24;
const leastBarWidth = 4;
const everyMillis = 100;

export class Progress {
  readonly #output: Output;
  readonly #what: string;
  readonly #startedAt = performance.now();
  #shownAt = 0;

  constructor(output: Output, what: string) {
    this.#output = output;
    this.#what = what;
  }

  /** `part`: how much of the whole, 0 to 1, where that is known. */
  show(text: string, part?: number): void {
    const now = performance.now();
    if (now - this.#shownAt < everyMillis) return;
    this.#shownAt = now;
    const width = this.#output.errWidth - 1;
    this.#output.progress(cut(progressLine(this.#what, text, part, now - this.#startedAt, width), width));
  }

  end(): void {
    if (this.#shownAt > 0) this.#output.progress("");
    this.#shownAt = 0;
  }
}

/** The bar gives way first. */
export function progressLine(
  what: string,
  text: string,
  part: number | undefined,
  millis: number,
  width = Infinity,
): string {
  if (part === undefined) return `${what}  ${text}  ${roughDuration(millis)}`;
  const left = part > 0.02 && part < 1 ? `  ${roughDuration((millis / part) * (1 - part))} left` : "";
  const beside = ` ${String(Math.floor(part * 100)).padStart(3)} %  ${text}${left}`;
  const room = Math.max(leastBarWidth, Math.min(barWidth, width - widthOf(`${what}  ${beside}`)));
  const filled = Math.round(Math.min(1, Math.max(0, part)) * room);
  return `${what}  ${"█".repeat(filled)}${"░".repeat(room - filled)}${beside}`;
}
