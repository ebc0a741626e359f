/** How old an answer is that several reads make: as the oldest of them. */
import type { Reader } from "./look.ts";
import type { RecipeAnswer } from "./recipes.ts";

export async function withAge<T>(
  backend: Reader,
  run: (reader: Reader) => Promise<RecipeAnswer<T>>,
): Promise<RecipeAnswer<T>> {
  let ageMillis = 0;
  const answer = await run({
    async read(request, deadlineMillis) {
      const read = await backend.read(request, deadlineMillis);
      if (read.kind === "outcome") ageMillis = Math.max(ageMillis, read.ageMillis);
      return read;
    },
  });
  return answer.kind === "done" ? { ...answer, ageMillis } : answer;
}
