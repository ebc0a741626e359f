/** The control: what needs nothing but the language compiles. */
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
