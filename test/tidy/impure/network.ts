/** Must not compile in a pure room: see ../pure.test.ts. */
export const answer = fetch("http://127.0.0.1/");
