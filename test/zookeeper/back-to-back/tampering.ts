/** Lies that a server could tell: each makes something else of one thing that a client is told. The player must find every one. */
import type { Arrival } from "../wire-client.ts";
import type { WireRequest, WireStat } from "../wire-records.ts";

type Tamper = (arrival: Arrival) => readonly Arrival[];

/** Once, after as many that would do. */
const patience = 30;

export const tamperings: Readonly<Record<string, () => Tamper>> = {
  "an event that is not told": () => once(isEvent, () => []),
  "an event that is told twice": () => once(isEvent, (each) => [each, each]),
  "an event of another path": () =>
    once(isEvent, (each) =>
      each.kind === "event" ? [{ kind: "event", event: { ...each.event, path: "/" } }] : [each],
    ),
  "an event of another zxid": () =>
    once(isEvent, (each) => {
      if (each.kind !== "event") return [each];
      return [{ kind: "event", event: { ...each.event, zxid: each.event.zxid - 1n } }];
    }),
  "an event behind the reply that follows it": () => {
    let held: Arrival | undefined;
    const hold = once(isEvent, (each) => {
      held = each;
      return [];
    });
    return (each) => {
      if (held === undefined || each.kind === "event") return hold(each);
      const both = [each, held];
      held = undefined;
      return both;
    };
  },
  "another error": () => once(hasFailed, (each) => replied(each, { error: -4 })),
  "a version that is one too high": () => once(isGood("setData"), (each) => withStat(each, { version: 99 })),
  "one child more": () => once(isGood("getChildren2"), (each) => withStat(each, { numChildren: 99 })),
  "a change of children that nobody made": () =>
    once(isGood("exists"), (each) => withStat(each, (stat) => ({ pzxid: stat.pzxid + 1n }))),
  "another owner": () => once(isGood("exists"), (each) => withStat(each, { ephemeralOwner: 12_345n })),
  "another time of one transaction": () => once(isGood("getData"), (each) => withStat(each, { mtime: 1n })),
  "other data": () => once(isGood("getData"), (each) => withResult(each, { data: Buffer.from("other") })),
  "no data instead of null, or the other way round": () =>
    once(hasNoData, (each) => withResult(each, { data: Buffer.from("") })),
  "another number of a sequential znode": () =>
    once(isSequential, (each) => withResult(each, { path: "/a0000099999" })),
};

/** The `patience`th that does; those that are rare come sooner. */
function once(does: (arrival: Arrival) => boolean, tell: Tamper): Tamper {
  let left = patience;
  return (arrival) => {
    if (left < 0 || !does(arrival)) return [arrival];
    left -= does === hasNoData ? patience : 1;
    if (left > 0) return [arrival];
    left = -1;
    return tell(arrival);
  };
}

function isEvent(arrival: Arrival): boolean {
  return arrival.kind === "event" && arrival.event.zxid > 0n;
}

function isGood(op: WireRequest["op"]): (arrival: Arrival) => boolean {
  return (arrival) => arrival.kind === "reply" && arrival.request.op === op && arrival.reply.error === 0;
}

function hasFailed(arrival: Arrival): boolean {
  return arrival.kind === "reply" && arrival.reply.error < 0;
}

function hasNoData(arrival: Arrival): boolean {
  if (arrival.kind !== "reply" || arrival.request.op !== "getData" || arrival.reply.error !== 0) return false;
  return (arrival.reply.result as { readonly data: Buffer | null }).data === null;
}

function isSequential(arrival: Arrival): boolean {
  if (arrival.kind !== "reply" || arrival.request.op !== "create" || arrival.reply.error !== 0) return false;
  return [2, 3].includes(arrival.request.flags);
}

function replied(arrival: Arrival, change: object): readonly Arrival[] {
  return arrival.kind === "reply" ? [{ ...arrival, reply: { ...arrival.reply, ...change } }] : [arrival];
}

function withResult(arrival: Arrival, change: object): readonly Arrival[] {
  if (arrival.kind !== "reply") return [arrival];
  return replied(arrival, { result: { ...arrival.reply.result, ...change } });
}

function withStat(
  arrival: Arrival,
  change: Partial<WireStat> | ((stat: WireStat) => Partial<WireStat>),
): readonly Arrival[] {
  if (arrival.kind !== "reply") return [arrival];
  const { stat } = arrival.reply.result as { readonly stat: WireStat };
  return withResult(arrival, { stat: { ...stat, ...(typeof change === "function" ? change(stat) : change) } });
}
