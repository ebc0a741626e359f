/** Broken invariants: always checked, never caught. A process that meets one stops (crash-only). */

/** Thrown when something that cannot be, is. Nobody catches it but the process's last handler. */
export class InvariantError extends Error {
  override readonly name: string = "InvariantError";
}

/** Stops the process when `condition` does not hold; `why` names the invariant. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new InvariantError(why);
}

/** For the arm of a switch that the types exclude. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
