/** One call on its way through the door, and what the door keeps for all of them. */
import { createHash } from "node:crypto";
import {
  type Acting,
  anyone,
  encodeCommand,
  type IdempotencyKey,
  type Identity,
  limits,
  type ReadOperation,
  type ReplicaId,
  type SessionId,
  type Success,
  type WriteOperation,
  zeroZxid,
} from "@quorate/api";
import type { Consistency, v1 } from "@quorate/proto";
import type { Answer, Backend, ReadRequest, WriteRequest } from "../backend.ts";
import type { Identities, Remembered } from "../identity.ts";
import type { GatewayWorld } from "../ports.ts";
import type { Fence, Recipes } from "../recipes/recipes.ts";
import { show } from "../show.ts";
import type { SocketBudget } from "../socket-budget.ts";
import { durationOf } from "./encode.ts";
import { bad, faultOfFailure, faultOfUnavailable, GrpcFault } from "./faults.ts";
import type { GrpcLimits } from "./limits.ts";
import { enumOf, millisOf, sessionOf, zxidOf } from "./values.ts";

export interface GrpcOptions {
  readonly backend: Backend;
  /** Of the same backend, one for all doors. */
  readonly recipes: Recipes;
  readonly world: GatewayWorld;
  /** `user:base64(sha1(user:password))`. */
  readonly superUserDigest?: string;
  readonly trustedProxies?: readonly string[];
  readonly version: string;
  /** Milliseconds since 1970: grpc-js has made a moment of what came as a duration, which is undone at once. */
  wallNow(): number;
  /** As of /readyz: false only when this process is worse than its siblings. */
  ready(): boolean;
  /** For faults of our own: one line each. */
  log(line: string): void;
  /** Told of every call's end: `Get`, google.rpc.Code. */
  observe?(method: string, status: number, millis: number): void;
  readonly limits?: Partial<GrpcLimits>;
  /** What it has together with the other doors of the process; undefined: it is alone. */
  readonly sockets?: SocketBudget;
}

export interface GrpcDoor {
  readonly options: GrpcOptions;
  readonly limits: GrpcLimits;
  readonly identities: Identities;
  readonly sessions: Remembered<Acting>;
  /** Those that end with a last word when the process stops. */
  readonly streams: Set<{ stop(): void }>;
  inFlight: number;
  watches: number;
  sessionStreams: number;
  stopping: boolean;
}

/** What came with a call, before anything of it is believed. */
export interface Incoming {
  /** `Get`. */
  readonly method: string;
  /** `address:port` of the socket. */
  readonly peer: string;
  /** A well-formed `traceparent`, which goes back with the answer. */
  readonly trace: string | undefined;
  /** Until the client's deadline; Infinity: it has none. */
  readonly remainingMillis: number;
  metadata(name: string): readonly (string | Uint8Array)[];
  metadataNames(): readonly string[];
  /** Runs when the client has cancelled the call, its deadline has come, or its connection broke. */
  onGone(run: () => void): void;
}

export interface Call {
  readonly door: GrpcDoor;
  readonly method: string;
  readonly identity: Identity;
  readonly address: string;
  /** For what it waits for: a leader, a quorum. */
  readonly deadlineMillis: number;
  /** Until the client has to be answered; Infinity: it has no deadline. */
  readonly budgetMillis: number;
  /** 32 hex digits in lower case, of the metadata. */
  readonly secret: string | undefined;
  onGone(run: () => void): void;
}

const secretKey = "quorate-session-secret";

function metadataOnce(incoming: Incoming, name: string): string | undefined {
  const [value, ...more] = incoming.metadata(name);
  if (value === undefined) return undefined;
  if (more.length > 0 || typeof value !== "string") throw bad(name, "this metadata is given twice; send it once");
  return value;
}

/** Reads the metadata strictly; a fault is thrown. */
export function openCall(door: GrpcDoor, incoming: Incoming): Call {
  const foreign = incoming.metadataNames().find((name) => name.startsWith("quorate-") && name !== secretKey);
  if (foreign !== undefined) {
    throw bad(foreign.slice(0, 80), `this metadata is not known; there is ${secretKey} and authorization alone`);
  }
  const address = hostOf(incoming.peer);
  const forwarded = incoming.metadata("x-forwarded-for").join(",");
  const authorization = metadataOnce(incoming, "authorization");
  const identity = door.identities.find(authorization, address, forwarded === "" ? undefined : forwarded);
  if ("bad" in identity) {
    if (identity.field === "address") throw bad("x-forwarded-for", identity.bad);
    throw new GrpcFault("authFailed", identity.bad, { field: "authorization" });
  }
  const client = identity.ids.find((each) => each.scheme === "ip")?.id ?? address;
  const secret = readSecret(metadataOnce(incoming, secretKey), secretKey);
  const budgetMillis = budgetOf(door, incoming.remainingMillis);
  return {
    door,
    method: incoming.method,
    identity,
    address: client,
    deadlineMillis: Math.min(
      limits.requestTimeoutMaxMillis,
      budgetMillis === Infinity ? limits.requestTimeoutDefaultMillis : budgetMillis,
    ),
    budgetMillis,
    secret,
    onGone: (run) => incoming.onGone(run),
  };
}

export function readSecret(text: string | undefined, field: string): string | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9a-f]{32}$/i.test(text)) return text.toLowerCase();
  throw bad(field, "a session's secret has 32 hex digits, as CreateSession answered it");
}

function hostOf(peer: string): string {
  return peer.slice(0, Math.max(0, peer.lastIndexOf(":"))).replace(/^\[|\]$/g, "");
}

/** A little less than the client's, so that the reason why it was not kept still arrives. */
function budgetOf(door: GrpcDoor, remaining: number): number {
  if (remaining === Infinity) return Infinity;
  const margin = Math.min(door.limits.deadlineMarginMillis, remaining / 10);
  return Math.max(1, remaining - margin);
}

/** The session that `id` names, with the secret that was shown; undefined: none is named. */
export function actingOf(call: Call, id: number | undefined, field: string): Acting | undefined {
  const session = sessionOf(id, field);
  if (session === undefined) return undefined;
  if (call.secret === undefined) {
    throw new GrpcFault("authFailed", `${field} names a session, but the metadata ${secretKey} is missing`, { field });
  }
  return hashed(call.door, session, call.secret);
}

export function hashed(door: GrpcDoor, session: SessionId, secret: string): Acting {
  const name = `${session}:${secret}`;
  const known = door.sessions.get(name);
  if (known !== undefined) return known;
  const secretHash = createHash("sha256").update(Buffer.from(secret, "hex")).digest();
  const acting: Acting = { session, secretHash };
  door.sessions.set(name, acting);
  return acting;
}

/** Undefined: none was given. */
export function checkedKey(text: string | undefined, field: string): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return text;
  throw bad(field, `${show(text)} is not 1 to ${limits.keyCharacters} visible ASCII characters`);
}

/** The key and 16 bytes that tell this request from any other under it: method, session, operation, each in its one form. */
export function keyOf(
  text: string | undefined,
  field: string,
  method: string,
  operation: WriteOperation,
  session: SessionId | undefined,
  fences: readonly Fence[] = [],
): IdempotencyKey | undefined {
  const key = checkedKey(text, field);
  if (key === undefined) return undefined;
  const hash = createHash("sha256").update(`gRPC ${method} ${session ?? 0}\n`);
  for (const { path, token } of fences) hash.update(`${token} ${path}\n`);
  return {
    key,
    requestHash: hash
      .update(encodeCommand({ identity: anyone, operation }))
      .digest()
      .subarray(0, 16),
  };
}

export function writeRequest(
  identity: Identity,
  operation: WriteOperation,
  acting: Acting | undefined,
  key: IdempotencyKey | undefined,
): WriteRequest {
  return {
    identity,
    operation,
    ...(acting === undefined ? undefined : { acting }),
    ...(key === undefined ? undefined : { key }),
  };
}

export type Freshness = Pick<ReadRequest, "consistency" | "minZxid" | "maxStaleMillis">;

const linearizable: Freshness = { consistency: "linearizable", minZxid: zeroZxid, maxStaleMillis: 0 };
const longestStaleMillis = 86_400_000;

const consistencies: { readonly [name in v1.Consistency]: Consistency } = {
  CONSISTENCY_UNSPECIFIED: "linearizable",
  CONSISTENCY_LINEARIZABLE: "linearizable",
  CONSISTENCY_SESSION: "session",
  CONSISTENCY_STALE: "stale",
};

/** `seen`: on a stream, which knows by itself what its client has seen. */
export function freshnessOf(options: v1.ReadOptions | undefined, field: string, seen?: number): Freshness {
  if (options === undefined) return linearizable;
  const consistency = enumOf(options.consistency, consistencies, "linearizable", `${field}.consistency`);
  const minZxid = zxidOf(options.minZxid ?? 0, `${field}.min_zxid`);
  const { maxStale } = options;
  if (maxStale !== undefined && consistency !== "stale") {
    throw bad(`${field}.max_stale`, "it goes with consistency CONSISTENCY_STALE alone");
  }
  if (consistency === "session" && minZxid === 0 && seen === undefined) {
    throw bad(`${field}.min_zxid`, "consistency CONSISTENCY_SESSION needs it: the zxid of the last reply");
  }
  if (consistency !== "stale") return { consistency, minZxid, maxStaleMillis: 0 };
  const maxStaleMillis =
    maxStale === undefined
      ? limits.maxStaleDefaultMillis
      : millisOf(maxStale, `${field}.max_stale`, 0, longestStaleMillis);
  return { consistency, minZxid, maxStaleMillis };
}

export function readRequest(
  identity: Identity,
  operation: ReadOperation,
  acting: Acting | undefined,
  freshness: Freshness,
): ReadRequest {
  const { consistency, minZxid, maxStaleMillis } = freshness;
  if (acting === undefined) return { identity, operation, consistency, minZxid, maxStaleMillis };
  return { identity, acting, operation, consistency, minZxid, maxStaleMillis };
}

export const consistencyNames: { readonly [consistency in Consistency]: v1.Consistency } = {
  linearizable: "CONSISTENCY_LINEARIZABLE",
  session: "CONSISTENCY_SESSION",
  stale: "CONSISTENCY_STALE",
};

type OutcomeAnswer = Extract<Answer, { kind: "outcome" }>;

/** `consistency` undefined: it was a write. */
export function headerOf(answer: OutcomeAnswer, consistency: Consistency | undefined): v1.Header {
  const { outcome, servedBy, ageMillis } = answer;
  return {
    zxid: outcome.zxid,
    servedBy,
    replayed: outcome.replayed === true ? true : undefined,
    consistency: consistency === undefined ? undefined : consistencyNames[consistency],
    staleAge: consistency === "stale" ? durationOf(ageMillis) : undefined,
  };
}

export function plainHeader(zxid: number, servedBy: ReplicaId): v1.Header {
  return { zxid, servedBy };
}

export function requireSuperUser(call: Call, what: string): void {
  if (call.identity.superUser) return;
  throw new GrpcFault("noAuth", `only the super user may ${what}; authenticate as the one --superuser names`);
}

export interface Settled extends OutcomeAnswer {
  readonly outcome: Success;
}

/** The outcome's success; its failure is thrown. */
export function succeeded(answer: Answer): Settled {
  if (answer.kind === "unavailable") throw faultOfUnavailable(answer);
  const { outcome } = answer;
  if (!outcome.ok) throw faultOfFailure(outcome, answer.servedBy);
  return { ...answer, outcome };
}
