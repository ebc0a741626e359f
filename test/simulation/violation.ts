/** What a broken invariant is thrown as: it carries the invariant's name, so that a table can say who caught what. */
export class Violation extends Error {
  override readonly name: string = "Violation";
  readonly invariant: string;
  constructor(invariant: string, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}
