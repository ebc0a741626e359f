/** One request on its way through the door, and what the door keeps for all of them. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Acting, IdempotencyKey, Identity, Path, ReplicaId, Zxid } from "@quorate/api";
import { isBadPath, limits, parsePath, zeroZxid } from "@quorate/api";
import type { Consistency } from "@quorate/proto";
import type { Backend, ReadRequest, WriteRequest } from "../backend.ts";
import type { Identities, Remembered } from "../identity.ts";
import type { GatewayWorld } from "../ports.ts";
import type { Recipes } from "../recipes/recipes.ts";
import { show } from "../show.ts";
import type { SocketBudget } from "../socket-budget.ts";
import { bad, RequestFault } from "./fault.ts";
import type { RequestHead } from "./head.ts";
import type { RestLimits } from "./limits.ts";
import type { Query } from "./query.ts";
import type { Route } from "./routes.ts";
import { readDuration, readSessionId, readZxid } from "./values.ts";
import type { WatchRoom } from "./watch-room.ts";

export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface Readiness {
  /** False only when this process is worse than its siblings; having no leader does not make it so. */
  readonly ready: boolean;
  /** 0: none. */
  readonly leader: ReplicaId;
  readonly checks: readonly ReadinessCheck[];
}

export interface RestOptions {
  readonly backend: Backend;
  /** Of the same backend, one for all doors. */
  readonly recipes: Recipes;
  readonly world: GatewayWorld;
  /** `user:base64(sha1(user:password))`. */
  readonly superUserDigest?: string;
  readonly trustedProxies?: readonly string[];
  /** Origins whose pages may ask, in lower case, or `*`; undefined: none but pages of this very host. */
  readonly corsOrigins?: readonly string[];
  readonly version: string;
  readiness(): Readiness;
  /** Prometheus' text. */
  metrics(): Promise<string> | string;
  /** For faults of our own: one line each. */
  log(line: string): void;
  /** Told of every answer. */
  observe?(operationId: string, status: number, millis: number): void;
  readonly limits?: Partial<RestLimits>;
  /** What it has together with the other doors of the process; undefined: it is alone. */
  readonly sockets?: SocketBudget;
}

export interface Door {
  readonly options: RestOptions;
  readonly limits: RestLimits;
  readonly identities: Identities;
  readonly sessions: Remembered<Acting>;
  inFlight: number;
  heldBytes: number;
  /** It will stop: it still serves, but not ready, and each answer is its connection's last. */
  draining: boolean;
  /** Nothing new is taken, and nobody waits any more. */
  stopping: boolean;
  readonly watches: WatchRoom;
}

export interface Call {
  readonly door: Door;
  readonly route: Route;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  query: Query;
  readonly identity: Identity;
  /** What stands for the pattern's `{…}`, still percent-encoded. */
  readonly parameter: string;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  /** Bytes of body counted in the door's `heldBytes` for this call. */
  held: number;
  /** It waits as a watcher, who sees to its answer himself. */
  parked: boolean;
}

/** The znode's path: slashes may be plain or `%2F`, the root is the empty rest. */
export function pathOf(call: Call): Path {
  const raw = call.parameter;
  let text = `/${raw}`;
  if (raw.includes("%")) {
    try {
      text = `/${decodeURIComponent(raw)}`;
    } catch {
      throw bad(`path: ${show(raw)} is no percent-encoded UTF-8`);
    }
  }
  const path = parsePath(text);
  if (isBadPath(path)) throw bad(`path: ${path.bad}`);
  return path;
}

export function timeoutOf(call: Call): number {
  const text = call.head.timeout;
  if (text === undefined) return limits.requestTimeoutDefaultMillis;
  return readDuration(text, "Quorate-Timeout", 1, limits.requestTimeoutMaxMillis);
}

/** `Quorate-Session: <id>:<secret>`; the secret is hashed once and remembered. */
export function actingOf(call: Call): Acting | undefined {
  const text = call.head.session;
  if (text === undefined) return undefined;
  const known = call.door.sessions.get(text);
  if (known !== undefined) return known;
  const colon = text.indexOf(":");
  const secret = text.slice(colon + 1);
  if (colon < 0 || !/^[0-9a-f]{32}$/i.test(secret)) {
    throw bad("Quorate-Session: it must be <id>:<secret>, the secret 32 hex digits, as POST /v1/sessions answered");
  }
  const session = readSessionId(text.slice(0, colon), "Quorate-Session");
  const secretHash = createHash("sha256").update(Buffer.from(secret, "hex")).digest();
  const acting: Acting = { session, secretHash };
  call.door.sessions.set(text, acting);
  return acting;
}

interface Freshness {
  readonly consistency: Consistency;
  readonly minZxid: Zxid;
  readonly maxStaleMillis: number;
}

const linearizable: Freshness = { consistency: "linearizable", minZxid: zeroZxid, maxStaleMillis: 0 };
const longestStaleMillis = 86_400_000;

export function freshnessOf(head: RequestHead): Freshness {
  const { consistency, maxStale } = head;
  if (consistency === undefined && head.minZxid === undefined && maxStale === undefined) return linearizable;
  const minZxid = head.minZxid === undefined ? zeroZxid : readZxid(head.minZxid, "Quorate-Min-Zxid");
  if (maxStale !== undefined && consistency !== "stale") {
    throw bad("Quorate-Max-Stale: it goes with Quorate-Consistency: stale alone");
  }
  switch (consistency) {
    case undefined:
    case "linearizable":
      return { consistency: "linearizable", minZxid, maxStaleMillis: 0 };
    case "session":
      if (head.minZxid !== undefined) return { consistency, minZxid, maxStaleMillis: 0 };
      throw bad("Quorate-Consistency: session needs Quorate-Min-Zxid, the Quorate-Zxid of the last answer");
    case "stale": {
      const maxStaleMillis =
        maxStale === undefined
          ? limits.maxStaleDefaultMillis
          : readDuration(maxStale, "Quorate-Max-Stale", 0, longestStaleMillis);
      return { consistency, minZxid, maxStaleMillis };
    }
    default:
      throw bad(`Quorate-Consistency: ${show(consistency)} is none of linearizable, session, stale`);
  }
}

/**
 * The key and 16 bytes that tell this request from any other under it. `path`: canonical. `passing`: parameters that may
 * differ from one try to the next.
 */
export function keyOf(
  call: Call,
  path: string,
  body: Uint8Array,
  passing: readonly string[] = [],
): IdempotencyKey | undefined {
  const { key, session, ifMatch, ifNoneMatch, fenced } = call.head;
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,64}$/.test(key)) {
    throw bad(`Idempotency-Key: ${show(key)} is not 1 to ${limits.keyCharacters} visible ASCII characters`);
  }
  const sessionId = session?.slice(0, Math.max(0, session.indexOf(":")));
  const { method, pattern } = call.route;
  const parts = [method, pattern, path, call.query.canonical(passing), ifMatch, ifNoneMatch, sessionId];
  // Without a fence the hash is as programs make it that know none: they may see other tries of the same request.
  if (fenced !== undefined) parts.push(fenced);
  const hash = createHash("sha256").update(JSON.stringify(parts)).update("\n").update(body).digest();
  return { key, requestHash: hash.subarray(0, 16) };
}

export function writeRequest(
  call: Call,
  operation: WriteRequest["operation"],
  key: IdempotencyKey | undefined,
): WriteRequest {
  const acting = actingOf(call);
  return {
    identity: call.identity,
    operation,
    ...(acting === undefined ? undefined : { acting }),
    ...(key === undefined ? undefined : { key }),
  };
}

export function readRequest(call: Call, operation: ReadRequest["operation"]): ReadRequest {
  const acting = actingOf(call);
  const { consistency, minZxid, maxStaleMillis } = freshnessOf(call.head);
  const { identity } = call;
  if (acting === undefined) return { identity, operation, consistency, minZxid, maxStaleMillis };
  return { identity, acting, operation, consistency, minZxid, maxStaleMillis };
}

/** 403 to all but the super user. */
export function requireSuperUser(call: Call, what: string): void {
  if (call.identity.superUser) return;
  throw new RequestFault("noAuth", `only the super user may ${what}; authenticate as the one --superuser names`);
}
