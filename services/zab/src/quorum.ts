/** Arithmetic of majorities. The configuration is an argument, so that a joint one can come later. */
import type { ReplicaId } from "@quorate/api";

export function quorumSize(members: readonly ReplicaId[]): number {
  return Math.floor(members.length / 2) + 1;
}

/** The largest value that a quorum of `members` has reached, where `at` gives each member's (or `none`). */
export function quorumValue<T extends number>(
  members: readonly ReplicaId[],
  at: (member: ReplicaId) => T | undefined,
  none: T,
): T {
  const values: T[] = [];
  for (const member of members) values.push(at(member) ?? none);
  values.sort((a, b) => b - a);
  return values[quorumSize(members) - 1] ?? none;
}
