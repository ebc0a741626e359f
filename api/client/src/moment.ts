/**
 * How long something was ago, for who must not believe too long that he holds what he was given for a time. The steady clock
 * stands still while the machine sleeps; the wall clock does not, but may be set back. The longer of both counts: a wall clock
 * that is set forward ends a hold early, and none ends late.
 */
export interface Moment {
  readonly steady: number;
  readonly wall: number;
}

export function present(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

export function millisSince({ steady, wall }: Moment): number {
  return Math.max(performance.now() - steady, Date.now() - wall);
}
