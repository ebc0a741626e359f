/** One mutant: a safety rule, how it is taken out of the source, and how soon a simulator must notice. */
import type { Patch } from "./loader.ts";

export interface Mutant {
  /** As on the command line. */
  readonly name: string;
  /** Where the rule comes from: a section of the design, a case of the interleavings, a known bug, or "classic". */
  readonly from: string;
  /** What holds in the program, and not in the mutant. */
  readonly rule: string;
  /** `core`: agreement alone, five peers; `whole`: replicas and gateways with disk, sessions and snapshots. */
  readonly simulator: "core" | "whole";
  readonly patches: readonly Patch[];
  /** A violation must come within so many seeds, from 1 on. */
  readonly within: number;
  /** What the simulator weighs more heavily; else it draws. */
  readonly scenario?: string;
}

/** A patch of one of agreement's files. */
export function zab(name: string, find: string, replace: string): Patch {
  return { file: `services/zab/src/${name}.ts`, find, replace };
}
