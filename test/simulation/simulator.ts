/** What a simulator of one seed looks like to the program that runs many. */
import type { Violation } from "./violation.ts";

export interface RunOptions {
  readonly seed: number;
  readonly trace?: (text: string) => void;
  /** What the seed weighs more heavily; else it draws. */
  readonly scenario?: string;
}

export interface RunResult {
  readonly violation: Violation | undefined;
  /** Whatever else there is to count, by its name. */
  readonly [count: string]: number | Violation | undefined;
}

export type RunSeed = (options: RunOptions) => RunResult;
