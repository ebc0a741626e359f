/** What a test file's process tells the runner: one JSON line each, written by `reporter.ts`. */
export type TestEvent =
  | { readonly kind: "pass"; readonly name: string }
  | { readonly kind: "fail"; readonly name: string; readonly details: string }
  | { readonly kind: "skip"; readonly name: string; readonly reason: string }
  /** A figure or remark that a test wants to be seen: `t.diagnostic`. */
  | { readonly kind: "note"; readonly text: string }
  /** The last one: the file came to its end. */
  | { readonly kind: "end" };
