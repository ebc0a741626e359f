/** Must not compile in a pure room: see ../pure.test.ts. */
setTimeout(() => {}, 1);
