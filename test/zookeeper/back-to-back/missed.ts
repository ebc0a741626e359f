/**
 * What a client that comes back is told of the time it was away. A real server compares the Stats it finds with the zxid that the
 * client saw last; Quorate tells what happened. So its answer is checked against what did happen, which a witness saw.
 */
import type { WireClient } from "../wire-client.ts";
import type { WireEvent } from "../wire-records.ts";
import type { Entry, Side, Slot } from "./side.ts";
import { show } from "./step.ts";

const deleted = 2;
const childrenChanged = 4;
const created = 1;

/** Takes the events before the reply that sets the watches out of both streams, and says what is wrong with them. */
export function compareMissed(
  a: Taken,
  b: Taken,
  witness: WireClient | undefined,
  isOpen: (path: string) => boolean,
): string | undefined {
  if (equal(a.events, b.events)) return undefined;
  const both = `${a.events.map(show).join(" ") || "-"} beside ${b.events.map(show).join(" ") || "-"}`;
  if (witness === undefined) return `a client that came back was told ${both}`;
  const why =
    untrue(b, witness) ??
    forgotten(
      a.events.filter(({ path }) => isOpen(path)),
      b,
      witness,
    );
  return why === undefined ? undefined : `${why}: ${both}`;
}

export interface Taken {
  readonly events: readonly WireEvent[];
  /** What the client had seen when it came back. */
  readonly after: bigint;
}

/** The events of one side's return are cut out of the client's stream, so that what is left can be compared place by place. */
export function takeMissed(slot: Slot, from: number, after: bigint): Taken {
  const isReply = (entry: Entry): boolean => entry.kind === "reply" && entry.request.op.startsWith("setWatches");
  const end = slot.stream.findIndex((entry, at) => at >= from && isReply(entry));
  if (end < 0) return { events: [], after };
  const events: WireEvent[] = [];
  const rest = slot.stream.slice(from, end).filter((entry) => {
    if (entry.kind === "event") events.push(entry.event);
    return entry.kind !== "event";
  });
  slot.stream.splice(from, end - from, ...rest);
  return { events, after };
}

/** What a client that closes its session is told of that very end, before the reply to it, is cut out of its stream. */
export function dropOwnEnd(slot: Slot, from: number): void {
  const reply = slot.stream.findLast((entry) => entry.kind === "reply" && entry.request.op === "closeSession");
  if (reply?.kind !== "reply") return;
  const { zxid } = reply.reply;
  const rest = slot.stream.slice(from).filter((entry) => entry.kind !== "event" || entry.event.zxid !== zxid);
  slot.stream.splice(from, slot.stream.length, ...rest);
}

/** Replies keep their order, and so do events. */
export function eventsLast({ stream }: Slot, from: number): void {
  const part = stream.slice(from);
  const [events, others] = [true, false].map((is) => part.filter(({ kind }) => (kind === "event") === is));
  stream.splice(from, part.length, ...(others ?? []), ...(events ?? []));
}

/** Events of one zxid that stand together, by their paths. */
export function orderEnd(slot: Slot, from: number): void {
  const { stream } = slot;
  const zxidAt = (at: number): bigint | undefined => {
    const entry = stream[at];
    return entry?.kind === "event" ? entry.event.zxid : undefined;
  };
  const key = (entry: Entry): string => (entry.kind === "event" ? `${entry.event.path} ${entry.event.type}` : "");
  for (let at = from; at < stream.length; ) {
    let end = at + 1;
    while (zxidAt(at) !== undefined && zxidAt(end) === zxidAt(at)) end++;
    const run = stream.slice(at, end).sort((a, b) => (key(a) < key(b) ? -1 : 1));
    stream.splice(at, run.length, ...run);
    at = end;
  }
}

/** A watch that only one of the two has kept is taken away from both, and what that answers is nobody's business. */
export async function evenWatches(a: Side, b: Side, at: number): Promise<void> {
  const [one, other] = [a.slot(at), b.slot(at)];
  for (const path of one.watches.differingFrom(other.watches)) {
    for (const { client, watches, stream } of [one, other]) {
      const before = stream.length;
      await client?.send({ op: "removeWatches", path, type: 3 });
      watches.forget(path);
      stream.splice(before);
    }
  }
}

/** A witness is told everything of the whole tree. */
export async function witnessAll(client: WireClient): Promise<void> {
  const { error } = await client.send({ op: "addWatch", path: "/", mode: 1 });
  if (error !== 0) throw new Error(`the witness is refused: ${error}`);
}

function equal(a: readonly WireEvent[], b: readonly WireEvent[]): boolean {
  const key = (events: readonly WireEvent[]): string => events.map(({ type, path }) => `${type}${path}`).join("\n");
  return key(a) === key(b);
}

/** Everything told happened while the client was away, and in this order. */
function untrue({ events, after }: Taken, witness: WireClient): string | undefined {
  let last = after;
  for (const event of events) {
    if (event.zxid < last || event.zxid === after) return `out of order: ${show(event)}`;
    last = event.zxid;
    if (!witness.events.some((seen) => seen.zxid === event.zxid && isOf(event, seen))) {
      return `it did not happen: ${show(event)}`;
    }
  }
  return undefined;
}

function isOf(told: WireEvent, seen: WireEvent): boolean {
  if (told.type !== childrenChanged) return told.type === seen.type && told.path === seen.path;
  const parent = seen.path.slice(0, Math.max(1, seen.path.lastIndexOf("/")));
  return parent === told.path && (seen.type === created || seen.type === deleted);
}

/**
 * Whoever is told something by Stats is told something by what happened, if anything did: a real server tells of a znode that is
 * there, too, that it was created, when its client did not hear it because it might not read it then. Of znodes that may not be
 * read only a real server tells.
 */
function forgotten(a: readonly WireEvent[], b: Taken, witness: WireClient): string | undefined {
  const since = witness.events.filter(({ zxid }) => zxid > b.after);
  const happened = ({ type, path }: WireEvent): boolean =>
    since.some((seen) => seen.path === path || isOf({ ...seen, type, path }, seen));
  const lost = a.find((each) => !b.events.some(({ path }) => path === each.path) && happened(each));
  return lost === undefined ? undefined : `only a real server tells ${show(lost)}`;
}
