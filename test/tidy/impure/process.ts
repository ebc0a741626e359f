/** Must not compile in a pure room: see ../pure.test.ts. */
export const exit = (): void => process.exit(1);
