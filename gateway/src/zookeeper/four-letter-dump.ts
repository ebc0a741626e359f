/**
 * `dump`: the ensemble's sessions and their ephemerals, and this door's connections with the time at which each is given up. In
 * the form of a ZooKeeper follower, which knows the sessions but not when they end. The door asks as super user, which is
 * why the word is answered only where it was allowed by name.
 */
import {
  type Identity,
  limits,
  type Outcome,
  type ReadOperation,
  type SessionId,
  type SessionInfo,
  zeroZxid,
} from "@quorate/api";
import type { Backend } from "../backend.ts";
import { group, hex } from "./four-letter-report.ts";
import type { FourLetterSource } from "./four-letter-source.ts";

const superUser: Identity = { ids: [], superUser: true };
/** How long all of it may take. */
const dumpMillis = 10_000;
/** Sessions in one page, and in all; more are counted and not named. */
const pageSessions = limits.pageNames;
const mostSessions = 100_000;
/** Sessions whose ephemerals are named. */
const mostOwners = 1000;

export async function dump(source: FourLetterSource): Promise<string> {
  const { backend, facts } = source;
  const until = facts.wallMillis() + dumpMillis;
  const ask = (operation: ReadOperation) => read(backend, operation, Math.max(1, until - facts.wallMillis()));
  const sessions = await sessionsOf(ask);
  const owners = sessions.filter(({ ephemeralCount }) => ephemeralCount > 0);
  const named: string[] = [];
  for (const { session } of owners.slice(0, mostOwners)) named.push(await ephemeralsOf(session, ask));
  return [
    "SessionTracker dump:\n",
    `Global Sessions(${sessions.length}):\n`,
    ...sessions.map(({ session, timeoutMillis }) => `${hex(session)}\t${timeoutMillis}ms\n`),
    "ephemeral nodes dump:\n",
    `Sessions with Ephemerals (${owners.length}):\n`,
    ...named,
    "Connections dump:\n",
    connections(source),
  ].join("");
}

type Ask = (operation: ReadOperation) => Promise<Outcome | undefined>;

/** Undefined: it could not be asked. */
async function read(backend: Backend, operation: ReadOperation, deadlineMillis: number): Promise<Outcome | undefined> {
  const how = { identity: superUser, consistency: "stale", minZxid: zeroZxid } as const;
  const request = { ...how, maxStaleMillis: Number.MAX_SAFE_INTEGER, operation };
  const answer = await backend.read(request, deadlineMillis);
  return answer.kind === "outcome" ? answer.outcome : undefined;
}

async function sessionsOf(ask: Ask): Promise<readonly SessionInfo[]> {
  const all: SessionInfo[] = [];
  for (let after: SessionId | undefined; all.length < mostSessions; ) {
    const place = after === undefined ? undefined : { after };
    const outcome = await ask({ kind: "listSessions", limit: pageSessions, ...place });
    if (!outcome?.ok || outcome.result.kind !== "sessionList") break;
    const { sessions, more } = outcome.result;
    all.push(...sessions);
    after = sessions.at(-1)?.session;
    if (!more || after === undefined) break;
  }
  return all;
}

/** One that has ended meanwhile has none. */
async function ephemeralsOf(session: SessionId, ask: Ask): Promise<string> {
  const outcome = await ask({ kind: "getSession", session });
  if (!outcome?.ok || outcome.result.kind !== "sessionInfo") return "";
  return group(`${hex(session)}:`, outcome.result.ephemerals);
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** As Java writes a Date. */
function dateText(millis: number): string {
  const date = new Date(millis);
  const time = date.toISOString().slice(11, 19);
  const day = String(date.getUTCDate()).padStart(2, "0");
  return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${time} UTC ${date.getUTCFullYear()}`;
}

/** In groups that end within the same second. */
function connections(source: FourLetterSource): string {
  const all = [...source.connections()];
  const bySecond = new Map<number, string[]>();
  for (const { address, session } of all) {
    const ends = Math.ceil((session?.silentUntil ?? source.facts.wallMillis()) / 1000) * 1000;
    const line = `ip: /${address} sessionId: ${hex(session?.session ?? 0)}`;
    const there = bySecond.get(ends);
    if (there === undefined) bySecond.set(ends, [line]);
    else there.push(line);
  }
  const sets = [...bySecond].sort(([one], [other]) => one - other);
  const texts = sets.map(([ends, lines]) => group(`${lines.length} expire at ${dateText(ends)}:`, lines));
  return `Connections Sets (${sets.length})/(${all.length}):\n${texts.join("")}`;
}
