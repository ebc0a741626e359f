/**
 * One request: mostly as a client would ask, else with one thing wrong, else aimed at a status that the specification promises
 * and that nothing has reached yet.
 */
import type { SeededRandom } from "../simulation/random.ts";
import { aim } from "./aims.ts";
import type { Known } from "./known.ts";
import type { Operation, Parameter } from "./specification.ts";
import { dataOf, oddTexts, pathOf, sample, spoiled } from "./values.ts";

export interface Draft {
  readonly operation: Operation;
  method: string;
  /** In the place of `{path}` or `{id}`, not encoded yet. */
  place: string;
  /** The whole of it, where it is not by the template. */
  rawPath: string | undefined;
  query: [string, string][];
  headers: Record<string, string | string[]>;
  body: Buffer | undefined;
  /** Its znode's path, where it has one. */
  readonly superUser: string;
}

/** With credentials: of one user, whose znodes are then its own. */
const user = "ann:1";

export function draftOf(operation: Operation, random: SeededRandom, known: Known, superUser: string): Draft {
  const draft: Draft = {
    operation,
    method: operation.method,
    place: "",
    rawPath: undefined,
    query: [],
    headers: {},
    body: undefined,
    superUser,
  };
  placeOf(draft, random, known);
  for (const each of operation.parameters)
    if (random.chance(chanceOf(each, operation))) give(draft, each, random, known);
  for (const each of operation.parameters) if (each.required && each.in === "query") give(draft, each, random, known);
  if (operation.id === "watch" && !draft.query.some(([name]) => /^(node|children|subtree)$/.test(name))) {
    draft.query.push([random.pick(["node", "children", "subtree"]), known.path(random)]);
  }
  bodyOf(draft, random, known);
  identify(draft, random);
  reconcile(draft, random, known);
  return draft;
}

export type Mood = "plain" | "odd" | { readonly aim: number };

export function requestOf(draft: Draft, mood: Mood, random: SeededRandom, known: Known): Draft {
  if (mood === "odd") spoil(draft, random, known);
  else if (mood !== "plain") aim(draft, mood.aim, random, known);
  const polls = draft.operation.id === "watch" && !/stream|ndjson/.test(String(draft.headers["Accept"]));
  const names = draft.query.map(([name]) => name);
  const isBehind = names.includes("after") || draft.headers["Last-Event-ID"] !== undefined;
  if (polls && isBehind && !names.includes("wait")) draft.query.push(["wait", "10ms"]);
  return draft;
}

export function authorization(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

function chanceOf({ name }: Parameter, { id }: Operation): number {
  if (name === "Quorate-Session") {
    if (/^(releaseLock|proclaim|resign)$/.test(id)) return 0.97;
    if (/^(acquireLock|campaign)$/.test(id)) return 0.7;
    return /[sS]ession/.test(id) ? 1 : 0.08;
  }
  if (name === "node" || name === "children" || name === "subtree") return 0.45;
  if (name === "after") return 0.5;
  if (name === "parents") return 0.3;
  if (name === "If-Match" || name === "If-None-Match") return 0.12;
  return 0.1;
}

function placeOf(draft: Draft, random: SeededRandom, known: Known): void {
  const { id, path } = draft.operation;
  if (path.includes("{id}")) draft.place = known.session(random)?.id ?? "0x1";
  else if (path.includes("{path}")) {
    if (/[lL]ock$/.test(id))
      draft.place = random.chance(0.9) ? `${known.folder}/lock${random.below(4)}` : known.path(random);
    else if (/^(campaign|proclaim|resign|getElection)$/.test(id)) {
      const isNew = id === "campaign" && random.chance(0.5);
      draft.place = `${known.folder}/${isNew ? known.fresh() : `vote${random.below(3)}`}`;
    } else if (id === "delete") draft.place = random.chance(0.85) ? known.leaf(random) : known.path(random);
    else if (id === "create") draft.place = known.path(random);
    else draft.place = id === "put" || random.chance(0.1) ? pathOf(random, known) : known.path(random);
    if (id === "delete" && draft.place === known.folder) draft.place = `${known.folder}/${known.fresh()}`;
  }
}

function give(draft: Draft, parameter: Parameter, random: SeededRandom, known: Known): void {
  const { name, schema } = parameter;
  const text = textOf(draft, name, random, known) ?? sample(schema, name, random, known);
  const texts = Array.isArray(text) ? text.map(String) : [String(text)];
  if (parameter.in === "query") draft.query.push(...texts.map((each): [string, string] => [name, each]));
  else if (parameter.in === "header") draft.headers[name] = texts[0] ?? "";
}

function textOf(draft: Draft, name: string, random: SeededRandom, known: Known): string | string[] | undefined {
  switch (name) {
    case "node":
    case "children":
    case "subtree":
      return known.path(random);
    case "acl":
      return random.pick(["world:anyone:cdrwa", "world:anyone:cdrwa", "world:anyone:r", "ip:127.0.0.1:rwcda"]);
    case "prefix":
      return random.pick(["item-", "", "lock-", "ü"]);
    case "continue":
      return draft.operation.id === "listSessions" ? "0x1" : known.token(random)?.token;
    case "Quorate-Session": {
      const session = known.session(random);
      return session === undefined ? `0x1:${"0".repeat(32)}` : `${session.id}:${session.secret}`;
    }
    case "Quorate-Timeout":
      return random.pick(["5s", "10s", "60s"]);
    case "Quorate-Min-Zxid":
      return known.zxid;
    case "Quorate-Max-Stale":
      return "5m";
    case "Idempotency-Key":
      return random.chance(0.8) ? known.freshKey(random) : known.key(random);
    case "If-Match":
    case "If-None-Match":
      return known.tag(`${draft.operation.id === "exists" ? "get" : draft.operation.id} ${draft.place}`) ?? "*";
    case "Quorate-Fenced":
      return known.fence(random);
    case "wait":
      return random.pick(["0s", "1ms", "30ms"]);
    default:
      return undefined;
  }
}

function bodyOf(draft: Draft, random: SeededRandom, known: Known): void {
  const { bodies, bodyRequired } = draft.operation;
  const [type] = bodies.keys();
  if (type === undefined || (!bodyRequired && random.chance(0.2))) return;
  if (type === "*/*") draft.body = dataOf(random);
  else {
    const value = sample(bodies.get(type) ?? {}, "", random, known);
    if (draft.operation.id === "setAcl" && random.chance(0.7)) delete (value as { version?: number }).version;
    draft.body = Buffer.from(JSON.stringify(value));
    draft.headers["Content-Type"] = "application/json";
  }
}

function identify(draft: Draft, random: SeededRandom): void {
  const operator = draft.operation.id === "listSessions" || draft.operation.id === "handOver";
  if (random.chance(operator ? 0.9 : 0.05)) draft.headers["Authorization"] = authorization(draft.superUser);
  else if (random.chance(0.25)) draft.headers["Authorization"] = authorization(user);
}

/** What goes together only, or not together. */
function reconcile(draft: Draft, random: SeededRandom, known: Known): void {
  const { query, headers, operation } = draft;
  const has = (name: string): boolean => query.some(([each]) => each === name);
  const drop = (name: string): void => {
    draft.query = draft.query.filter(([each]) => each !== name);
  };
  if (operation.id === "get" && has("encoding") && !has("format")) query.push(["format", "json"]);
  const kinds = ["ephemeral", "ttl", "container"].filter(has);
  for (const each of kinds.slice(1)) drop(each);
  if ((kinds[0] === "ephemeral" || draft.body?.includes('"ephemeral":true')) && !headers["Quorate-Session"]) {
    const session = known.session(random);
    if (session !== undefined) headers["Quorate-Session"] = `${session.id}:${session.secret}`;
  }
  if (headers["Quorate-Consistency"] === "session") headers["Quorate-Min-Zxid"] = known.zxid;
  if (headers["Quorate-Max-Stale"] !== undefined) headers["Quorate-Consistency"] = "stale";
  if (operation.id === "get" && has("wait") && headers["If-None-Match"] === undefined) {
    headers["If-None-Match"] = known.tag(`get ${draft.place}`) ?? '"0x1"';
  }
  if (operation.id === "children" && has("continue")) draft.place = tokenPlace(draft, known, random);
  if ((operation.id === "proclaim" || operation.id === "resign") && random.chance(0.6)) asLeader(draft, known);
  if (operation.id === "acquireLock" || operation.id === "campaign") reconcilePlace(draft, drop, has);
  if (operation.id === "getElection") {
    if (random.chance(0.25)) headers["Accept"] = random.pick(["text/event-stream", "application/x-ndjson"]);
    const streams = headers["Accept"] !== undefined;
    if (streams) delete headers["If-None-Match"];
    else delete headers["Last-Event-ID"];
    if (streams || headers["If-None-Match"] === undefined) drop("wait");
  }
  if (operation.id === "watch") {
    if (random.chance(0.25)) headers["Accept"] = random.pick(["text/event-stream", "application/x-ndjson"]);
    if (headers["Accept"] !== undefined || !has("after")) drop("wait");
    else if (!has("wait")) query.push(["wait", "20ms"]);
  }
  if (draft.place !== "" && operation.path.includes("{id}")) {
    const shown = String(headers["Quorate-Session"] ?? "");
    if (random.chance(0.95) && shown !== "") draft.place = shown.slice(0, shown.indexOf(":"));
  }
  if (operation.id === "txn" && headers["Quorate-Consistency"] !== undefined && random.chance(0.8)) {
    draft.body = Buffer.from(JSON.stringify({ then: [{ op: "exists", path: known.path(random) }] }));
    delete headers["Idempotency-Key"];
  }
}

function asLeader(draft: Draft, { lastReign }: Known): void {
  if (lastReign === undefined) return;
  draft.place = lastReign.place;
  draft.headers["Quorate-Session"] = lastReign.shown;
}

/** What is of a session that is shown, and what of one that is opened. */
function reconcilePlace({ headers }: Draft, drop: (name: string) => void, has: (name: string) => boolean): void {
  if (headers["Quorate-Session"] === undefined) {
    delete headers["Idempotency-Key"];
    drop("token");
  } else drop("timeout");
  if (has("permits")) drop("mode");
}

/** A token is of one parent. */
function tokenPlace(draft: Draft, known: Known, random: SeededRandom): string {
  const found = known.token(random);
  if (found === undefined) return draft.place;
  draft.query = draft.query.map(([name, text]) => [name, name === "continue" ? found.token : text]);
  return found.path;
}

const spoils: readonly ((draft: Draft, random: SeededRandom, known: Known) => void)[] = [
  (draft, random) => draft.query.push([random.pick(["unknown", "Path", "__proto__", "limit ", ""]), "1"]),
  (draft) => {
    const [first] = draft.query;
    if (first !== undefined) draft.query.push([...first]);
  },
  (draft, random) => {
    const index = draft.query.length === 0 ? -1 : random.below(draft.query.length);
    const found = draft.query[index];
    if (found !== undefined) draft.query[index] = [found[0], random.pick(oddTexts)];
  },
  (draft, random) => {
    const parameters = draft.operation.parameters.filter((each) => each.in === "query");
    if (parameters.length > 0) draft.query.push([random.pick(parameters).name, random.pick(oddTexts)]);
  },
  (draft, random) => {
    const parameters = draft.operation.parameters.filter((each) => each.in === "header");
    const text = random.pick(oddTexts.filter((each) => /^[\x20-\x7e]*$/.test(each)));
    if (parameters.length > 0) draft.headers[random.pick(parameters).name] = text;
  },
  (draft, random) => {
    draft.headers[random.pick(["Quorate-Unknown", "Quorate-Session", "Idempotency-Key", "Last-Event-ID"])] = "x";
  },
  (draft, random) => {
    draft.place = `${draft.place}/${random.pick(oddTexts)}`;
  },
  (draft, random) => {
    draft.rawPath = random.pick([
      "/v1/znodes",
      "/v1/znodes/%",
      "/v1/znodes/%ff",
      "/v1/nothing",
      "/",
      "/v1/znodes//a",
      "/v2",
    ]);
  },
  (draft, random) => {
    if (draft.body === undefined) draft.body = Buffer.from("{}");
    else if (draft.headers["Content-Type"] === "application/json") {
      const value = JSON.parse(draft.body.toString());
      draft.body = Buffer.from(JSON.stringify(spoiled(value, random)));
    }
  },
  (draft, random, known) => {
    const texts = ["", "{", "[]", "null", '{"a":1,"a":2}', "[".repeat(5000), "\ufeff{}", '"\\ud800"', known.folder];
    draft.body = Buffer.from(random.pick(texts));
  },
  (draft, random) => {
    draft.headers["Content-Type"] = random.pick([
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=latin1",
      "",
    ]);
  },
  (draft, random) => {
    draft.headers["Accept"] = random.pick(["image/png", "text/html", "*/*;q=0", "application/json;q=x", ",", "*/json"]);
  },
  (draft, random) => {
    draft.headers["Authorization"] = random.pick([
      "Basic !",
      "Bearer x",
      "Basic",
      "Basic bm9jb2xvbg==",
      "Basic OmE=",
      "x",
    ]);
  },
  (draft, random) => {
    draft.method = random.pick(["PATCH", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "TRACE", "GET"]);
  },
  (draft) => {
    draft.headers["Origin"] = "http://elsewhere.example";
  },
];

function spoil(draft: Draft, random: SeededRandom, known: Known): void {
  random.pick(spoils)(draft, random, known);
  if (random.chance(0.1)) random.pick(spoils)(draft, random, known);
}

export function targetOf({ operation, place, rawPath, query }: Draft): string {
  const search = query.map(([name, text]) => `${encode(name)}=${encode(text)}`).join("&");
  const base = rawPath ?? operation.path.replace(/\/\{path\}/, encodedPath(place)).replace("{id}", encode(place));
  return search === "" ? base : `${base}?${search}`;
}

function encodedPath(path: string): string {
  return path.split("/").map(encode).join("/");
}

/** Half a surrogate pair becomes bytes that are no UTF-8. */
function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : "%ed%a0%80";
}
