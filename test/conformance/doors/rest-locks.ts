/** Locks and elections over REST, as any door has them. */
import { bytesOf } from "./door.ts";
import type { Contender, ElectionShown, Fence, LockAsk, LockShown, Place } from "./lock-asks.ts";
import type { Call } from "./rest-calls.ts";
import { dataOfJson, millisOfText } from "./rest-json.ts";

const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

export function fencedHeader(fences: readonly Fence[]): string {
  return fences.map(({ path, token }) => `${encoded(path).slice(1)}=${token}`).join(", ");
}

export function lockCall(asked: LockAsk): Call {
  const { path } = asked;
  const lock = `/v1/locks${encoded(path)}`;
  const election = `/v1/elections${encoded(path)}`;
  switch (asked.op) {
    case "acquire": {
      const { mode, permits, contender, layout, token } = asked;
      return { method: "POST", path: `${lock}${queryOf({ mode, permits, contender, layout, token })}` };
    }
    case "campaign": {
      const { layout, token, data } = asked;
      return { method: "POST", path: `${election}${queryOf({ layout, token })}`, body: bytesOf(data) };
    }
    case "proclaim":
      return { method: "PUT", path: election, body: bytesOf(asked.data) };
    case "release":
      return { method: "DELETE", path: `${lock}${queryOf({ token: asked.token })}` };
    case "resign":
      return { method: "DELETE", path: `${election}${queryOf({ token: asked.token })}` };
    case "lock":
      return { method: "GET", path: lock };
    default:
      return { method: "GET", path: election };
  }
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.append(name, String(value));
  return query.size === 0 ? "" : `?${query}`;
}

// biome-ignore lint/suspicious/noExplicitAny: a body is whatever the door sent; the table says what it must be.
type Json = any;

export function lockResult(op: LockAsk["op"], json: Json): object {
  switch (op) {
    case "release":
    case "resign":
      return { znode: json.znode };
    case "lock":
      return { lock: lockOf(json) };
    case "leader":
      return { election: electionOf(json) };
    default:
      return { place: placeOf(json) };
  }
}

function placeOf({ name, held, leader, session, zxid: _, ...rest }: Json): Place {
  const { id, secret, timeout } = session;
  const shown = secret === undefined ? {} : { secret };
  return { path: `/${name}`, held: held ?? leader, ...rest, id, ...shown, timeoutMillis: millisOfText(timeout) };
}

function contenderOf({ session, since: _, encoding, contender, ...rest }: Json): Contender {
  return { ...rest, contender: dataOfJson({ data: contender, encoding }), id: session };
}

function lockOf({ name, holders, waiters, zxid: _, ...rest }: Json): LockShown {
  return { path: `/${name}`, ...rest, holders: holders.map(contenderOf), waiters: waiters.map(contenderOf) };
}

function electionOf({ name, leader, zxid: _, ...rest }: Json): ElectionShown {
  const base = { path: `/${name}`, ...rest };
  if (leader === null) return base;
  const { value, encoding, token, session, znode } = leader;
  return { ...base, leads: { data: dataOfJson({ data: value, encoding }), token, id: session, znode } };
}
