/**
 * The one table of routes. `openapi/coordination.yaml` says the same, and a test compares the two. The routes of most
 * traffic stand first.
 */
import type { Call } from "./call.ts";
import { getAcl, getChildren, putAcl } from "./children.ts";
import { getDocs, getErrorDocs } from "./docs/routes.ts";
import { campaign, getElection, proclaim, resign } from "./elections.ts";
import { type GovernedHeader, maskOf } from "./head.ts";
import { acquireLock, getLock, releaseLock } from "./locks.ts";
import { getCluster, handOver, livez, metrics, openapi, readyz } from "./operations.ts";
import { closeSession, createSession, getSession, listSessions, renewSession } from "./sessions.ts";
import { getTree, treeType } from "./tree.ts";
import { postTxn } from "./txn-route.ts";
import { getWatch } from "./watch.ts";
import { watchTypes } from "./watch-query.ts";
import { deleteZnode, getZnode, headZnode, postZnode, putZnode } from "./znodes.ts";

export interface Route {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** `{path}` takes all the rest, slashes too; any other `{…}` one segment. */
  readonly pattern: string;
  /** In the specification: the operation's kind, where it has one. */
  readonly operationId: string;
  readonly query: readonly string[];
  /** Of these, which may be given more than once. */
  readonly repeated: readonly string[];
  readonly headers: readonly GovernedHeader[];
  /** Sum of the headers' bits. */
  readonly mask: number;
  /** Types of its answers; none: the handler chooses, or takes any. */
  readonly offers: readonly string[];
  handle(call: Call): Promise<void> | void;
}

type Handle = Route["handle"];

const fresh: readonly GovernedHeader[] = [
  "quorate-consistency",
  "quorate-min-zxid",
  "quorate-max-stale",
  "quorate-timeout",
];
const reading: readonly GovernedHeader[] = ["quorate-session", ...fresh];
const owning: readonly GovernedHeader[] = ["quorate-session", "quorate-timeout"];
const keyed: readonly GovernedHeader[] = [...owning, "idempotency-key"];
const writing: readonly GovernedHeader[] = [...keyed, "quorate-fenced"];
const json = ["application/json"];
const html = ["text/html"];
const shape = ["ephemeral", "ttl", "acl", "parents"];

function route(
  method: Route["method"],
  pattern: string,
  operationId: string,
  query: readonly string[],
  headers: readonly GovernedHeader[],
  offers: readonly string[],
  handle: Handle,
  repeated: readonly string[] = [],
): Route {
  return { method, pattern, operationId, query, repeated, headers, mask: maskOf(headers), offers, handle };
}

const scopes = ["node", "children", "subtree"];
const znodes = "/v1/znodes/{path}";
const locks = "/v1/locks/{path}";
const elections = "/v1/elections/{path}";
const contest = ["wait", "layout", "timeout", "token", "acl"];

export const routes: readonly Route[] = [
  route("GET", znodes, "get", ["format", "encoding", "wait"], [...reading, "if-none-match"], [], getZnode),
  route("HEAD", znodes, "exists", ["format", "encoding"], [...reading, "if-none-match"], [], headZnode),
  route("PUT", znodes, "put", [...shape, "container"], [...writing, "if-match", "if-none-match"], json, putZnode),
  route("POST", znodes, "create", ["prefix", ...shape], writing, json, postZnode),
  route("DELETE", znodes, "delete", ["recursive"], [...writing, "if-match"], json, deleteZnode),
  route(
    "GET",
    "/v1/children/{path}",
    "children",
    ["limit", "continue", "data", "encoding"],
    [...reading, "if-none-match"],
    json,
    getChildren,
  ),
  route("GET", "/v1/tree/{path}", "tree", ["depth", "data", "encoding"], reading, [treeType], getTree),
  route("GET", "/v1/acl/{path}", "getAcl", [], [...reading, "if-none-match"], json, getAcl),
  route("PUT", "/v1/acl/{path}", "setAcl", [], [...writing, "if-match"], json, putAcl),
  route("POST", "/v1/txn", "txn", [], [...reading, "idempotency-key", "quorate-fenced"], json, postTxn),
  route("POST", "/v1/sessions", "createSession", [], ["quorate-timeout"], json, createSession),
  route("GET", "/v1/sessions", "listSessions", ["limit", "continue"], fresh, json, listSessions),
  route("POST", "/v1/sessions/{id}/renew", "renewSession", [], owning, json, renewSession),
  route("GET", "/v1/sessions/{id}", "getSession", [], reading, json, getSession),
  route("DELETE", "/v1/sessions/{id}", "closeSession", [], keyed, json, closeSession),
  route(
    "GET",
    "/v1/watch",
    "watch",
    [...scopes, "after", "wait", "include", "encoding"],
    [...reading, "last-event-id"],
    watchTypes,
    getWatch,
    scopes,
  ),
  route("POST", locks, "acquireLock", ["mode", "permits", "contender", ...contest], keyed, json, acquireLock),
  route("GET", locks, "getLock", ["limit"], fresh, json, getLock),
  route("DELETE", locks, "releaseLock", ["token"], owning, json, releaseLock),
  route("POST", elections, "campaign", contest, keyed, json, campaign),
  route("PUT", elections, "proclaim", [], keyed, json, proclaim),
  route(
    "GET",
    elections,
    "getElection",
    ["wait", "encoding"],
    [...reading, "if-none-match", "last-event-id"],
    watchTypes,
    getElection,
  ),
  route("DELETE", elections, "resign", ["token"], owning, json, resign),
  route("GET", "/v1/cluster", "cluster", [], [], json, getCluster),
  route("POST", "/v1/cluster/leader", "handOver", [], ["quorate-timeout"], json, handOver),
  route("GET", "/v1/openapi.json", "openapi", [], [], json, openapi),
  route("GET", "/docs", "docs", [], [], html, getDocs),
  route("GET", "/docs/errors", "errorDocs", [], [], html, getErrorDocs),
  route("GET", "/livez", "livez", [], [], [], livez),
  route("GET", "/readyz", "readyz", ["verbose", "require"], [], [], readyz),
  route("GET", "/metrics", "metrics", [], [], [], metrics),
];
