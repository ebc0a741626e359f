/** Must not compile in a pure room: see ../pure.test.ts. */
export const bytes = new TextEncoder().encode("a");
