/** Who leads an election, as JSON, and the ETag of it. */
import { formatZxid, type Path, type Zxid } from "@quorate/api";
import type { ElectionState } from "../recipes/recipes.ts";
import { nameOf, textOf } from "./places.ts";
import { type Encoding, timeText } from "./stat-json.ts";

/** Names who leads and what it proclaims. */
export function tagOf({ leader }: ElectionState): string {
  return leader === undefined ? "nobody" : `${formatZxid(leader.token)}-${formatZxid(leader.mzxid)}`;
}

export function stateJson(path: Path, state: ElectionState, zxid: Zxid, forced: Encoding | undefined): string {
  const { layout, leader, candidates } = state;
  return JSON.stringify({
    name: nameOf(path),
    layout,
    leader: leader === undefined ? null : leaderJson(leader, forced),
    candidates,
    zxid: formatZxid(zxid),
  });
}

function leaderJson(leader: NonNullable<ElectionState["leader"]>, forced: Encoding | undefined): object {
  const { text, encoding } = textOf(leader.data, forced);
  const { token, session, since, znode } = leader;
  return {
    value: text,
    encoding,
    token: formatZxid(token),
    session: formatZxid(session),
    since: timeText(since),
    znode,
  };
}
