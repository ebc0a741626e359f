/** A listing of a tree in this process, in pages as a replica makes them. */
import type { Outcome } from "@quorate/api";
import type { Answer, TreePages, TreeRequest } from "@quorate/gateway";
import type { Listing, Tree } from "@quorate/tree";

/** Small, so that few znodes make several pages. */
const pageZnodes = 4;

export function listMemory(tree: Tree, request: TreeRequest): TreePages {
  let listing: Listing | undefined;
  let over = false;
  const next = (): Outcome | undefined => {
    if (over) return undefined;
    if (listing === undefined) {
      const begun = tree.list(request, request.identity);
      over = "ok" in begun;
      if ("ok" in begun) return begun;
      listing = begun;
    }
    const { at } = listing;
    const { entries, more } = listing.next(pageZnodes, 65_536);
    over = !more;
    return { ok: true, zxid: at, result: { kind: "treePage", at, entries, more } };
  };
  return {
    next: () => Promise.resolve(answerOf(next())),
    close: () => {
      over = true;
      listing?.close();
    },
  };
}

function answerOf(outcome: Outcome | undefined): Answer {
  if (outcome !== undefined) return { kind: "outcome", outcome, servedBy: 1, ageMillis: 0 };
  const detail = "the listing is over";
  return { kind: "unavailable", code: "pageTooOld", detail, certainty: "noEffect", retryAfterMillis: 1000 };
}
