/** One mutant: a safety rule, how it is taken out of the source, and how soon somebody must notice. */
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
  /** How the program is set for it, with the rule and without: limits, that is, which a short run would not meet. */
  readonly setting?: readonly Patch[];
  /** A violation must come within so many seeds, from 1 on. */
  readonly within: number;
  /** What the simulator weighs more heavily; else it draws. */
  readonly scenario?: string;
  /** No simulation shows it yet: a test, relative to the root, that fails without the rule. */
  readonly byHand?: { readonly file: string; readonly name: string };
  /** Only this invariant counts: another rule is weakened too, and what that alone breaks proves nothing. */
  readonly by?: string;
}

type Patcher = (name: string, find: string, replace: string) => Patch;

const patcher =
  (folder: string): Patcher =>
  (name, find, replace) => ({ file: `${folder}/src/${name}.ts`, find, replace });

/** A patch of one of the room's files. */
export const zab: Patcher = patcher("services/zab");
export const tree: Patcher = patcher("services/tree");
export const replica: Patcher = patcher("services/replica");
export const gateway: Patcher = patcher("gateway");
export const quorate: Patcher = patcher("services/quorate");
