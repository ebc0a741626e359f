/** Content negotiation (RFC 9110, 12.5.1): which of the types on offer the client likes best. */

import { show } from "../show.ts";
import { RequestFault } from "./fault.ts";

interface Range {
  readonly type: string;
  readonly quality: number;
}

/** The offer of highest quality; of equals the one named most exactly, then the first. Undefined: none is accepted. */
export function chooseType(accept: string | undefined, offers: readonly string[]): string | undefined {
  if (accept === undefined || accept === "*/*" || accept.trim() === "") return offers[0];
  const ranges = accept.split(",").map(readRange);
  let best: { readonly offer: string; readonly quality: number; readonly exact: number } | undefined;
  for (const offer of offers) {
    const { quality, exact } = liking(offer, ranges);
    if (quality === 0) continue;
    if (best === undefined || quality > best.quality || (quality === best.quality && exact > best.exact)) {
      best = { offer, quality, exact };
    }
  }
  return best?.offer;
}

export function requireType(accept: string | undefined, offers: readonly string[]): string {
  const chosen = chooseType(accept, offers);
  if (chosen !== undefined) return chosen;
  throw new RequestFault(
    "notAcceptable",
    `Accept: ${show(accept ?? "")} leaves nothing; this answers ${offers.join(" or ")}`,
  );
}

function readRange(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((each) => each.trim().toLowerCase());
  const given = parameters.find((each) => each.startsWith("q="));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** The most exact range that matches decides: `type/subtype` 3, `type/*` 2, `*` `/*` 1. */
function liking(offer: string, ranges: readonly Range[]): { readonly quality: number; readonly exact: number } {
  const group = `${offer.slice(0, offer.indexOf("/"))}/*`;
  let quality = 0;
  let exact = 0;
  for (const range of ranges) {
    const match = range.type === offer ? 3 : range.type === group ? 2 : range.type === "*/*" ? 1 : 0;
    if (match > exact) {
      exact = match;
      quality = range.quality;
    }
  }
  return { quality, exact };
}
