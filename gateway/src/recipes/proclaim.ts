/** The leader is known by other data: a write that is done only if it still leads. */
import type { IdempotencyKey } from "@quorate/api";
import { type Failed, isFailed, placeGone, refuse, settled } from "./answers.ts";
import { readHolders } from "./fence-holders.ts";
import { recipeLimits } from "./limits.ts";
import { electionWish, encodeMark } from "./mark.ts";
import type { KnownPlace, SessionMemory } from "./memory.ts";
import type { Place, RecipeAnswer } from "./recipes.ts";
import type { Leave, LeavePorts } from "./release.ts";

export interface Proclamation extends Omit<Leave, "recipe" | "token"> {
  readonly data: Uint8Array;
  readonly key?: IdempotencyKey;
}

export async function proclaim(ports: LeavePorts, request: Proclamation): Promise<RecipeAnswer<Place>> {
  const { memory, places, backend } = ports;
  const { identity, acting, path, data, key, deadline } = request;
  if (data.length > recipeLimits.valueBytes) {
    return refuse("tooLarge", `${data.length} bytes are more than a value may have (${recipeLimits.valueBytes})`, path);
  }
  await places.settle(acting.session, path);
  const found = remembered(ports, request) ?? (await leading(ports, request));
  if (isFailed(found)) return found;
  const { place, session } = found;
  const { znode, token, shape } = place;
  // A client of Curator's behind it would be misled by a change of its znode.
  const said =
    shape.layout === "curator" ? { path, data: encodeMark(shape, { token, value: data }) } : { path: znode, data };
  const operation = {
    kind: "txn",
    check: [{ path: znode, czxid: token, ownerSelf: true }],
    then: [{ kind: "set", ...said, condition: {} }],
  } as const;
  const keyed = { identity, acting, operation, ...(key === undefined ? undefined : { key }) };
  const answer = settled(await backend.write(keyed, leftOf(ports, deadline)));
  if (isFailed(answer)) {
    if (answer.kind === "unavailable") return answer;
    const { code, zxid } = answer.failure;
    if (code !== "noNode" && code !== "badVersion") return answer;
    memory.forgetPlace(path, session, place);
    return placeGone(path, zxid);
  }
  const { outcome, servedBy } = answer;
  const { layout } = place.shape;
  const value = { held: true, token, znode, layout, mode: place.mode, ahead: 0 };
  const owner = { session: acting.session, sessionTimeoutMillis: session.timeoutMillis };
  return { kind: "done", value: { ...value, ...owner }, zxid: outcome.zxid, servedBy };
}

type Leading = { readonly place: KnownPlace; readonly session: SessionMemory };

/** Who led once leads until its znode goes, which the write looks at. */
function remembered({ memory }: LeavePorts, { path, acting }: Proclamation): Leading | undefined {
  const session = memory.sessions.get(acting.session);
  const place = session?.places.get(path);
  if (session === undefined || place === undefined || place.shape.recipe !== "election") return undefined;
  return memory.tokens.find({ path, token: place.token })?.heldAt !== undefined ? { session, place } : undefined;
}

async function leading(ports: LeavePorts, request: Proclamation): Promise<Leading | Failed> {
  const { identity, acting, path, deadline } = request;
  const wish = electionWish(undefined);
  const none = { data: request.data, acl: undefined, key: undefined, token: undefined };
  const asked = { ...none, identity, acting, queue: path, wish, deadline, listing: false, make: false, patient: false };
  const { outcome } = await ports.places.seek(asked);
  if (isFailed(outcome)) return outcome;
  const held = outcome.standing?.held;
  if (held === true) return outcome;
  const elected =
    held === undefined ? await readHolders(ports.backend, path, identity, leftOf(ports, deadline)) : undefined;
  if (elected !== undefined && isFailed(elected)) return elected;
  if (elected?.value.some(({ znode }) => znode === outcome.place.znode) === true) return outcome;
  return refuse("fenced", `the session does not lead ${path}: others stand before it`, path, outcome.zxid);
}

function leftOf({ world }: LeavePorts, deadline: number): number {
  return Math.max(1, deadline - world.now());
}
