/** How each status that the specification promises is brought about, as far as a request alone can do it. */
import type { SeededRandom } from "../simulation/random.ts";
import type { Known } from "./known.ts";
import type { Draft } from "./request.ts";

type Aim = (draft: Draft, random: SeededRandom, known: Known) => void;

/** Beyond every session that ever was. */
const overSession = `0xffffffffffffffff:${"0".repeat(32)}`;

/** Znodes that stand ready beside a row's folder, by what they are good for: made before the run. */
export const prepared = {
  /** With more below than one deletion takes. */
  wide: "wide",
  /** Two, each more than half of what a watch's state may have. */
  big: ["big0", "big1"],
  /** Nobody may do anything with it. */
  locked: "locked",
} as const;

const aims: Readonly<Record<number, Aim>> = {
  304: (draft, random, known) => {
    const kind = draft.operation.id === "exists" ? "get" : draft.operation.id;
    const path = known.taggedPath(kind, random);
    if (path === undefined) return;
    draft.place = path;
    draft.query = [];
    draft.headers = { "If-None-Match": known.tag(`${kind} ${path}`) ?? "" };
  },
  400: (draft) => draft.query.push(["unknown", "1"]),
  401: (draft) => {
    draft.headers["Authorization"] = "Basic !";
  },
  403: (draft, random, known) => {
    const { id, path } = draft.operation;
    if (path.includes("{path}") && !/^(releaseLock|proclaim|resign)$/.test(id) && random.chance(0.7)) {
      draft.place = `${known.folder}-${prepared.locked}`;
      draft.query = [];
      draft.headers = draft.body === undefined ? {} : onlyType(draft);
    } else draft.headers["Origin"] = "http://elsewhere.example";
  },
  404: (draft, _, known) => {
    draft.place = `${known.folder}/${known.fresh()}/none`;
    draft.query = [];
    draft.headers = onlyType(draft);
  },
  405: (draft) => {
    draft.method = draft.operation.id === "watch" ? "HEAD" : "PATCH";
  },
  406: (draft) => {
    draft.headers["Accept"] = "image/png";
  },
  409: conflict,
  410: over,
  412: (draft, random, known) => {
    draft.query = [];
    if (outgrown(draft, random, known)) return;
    draft.place = known.path(random);
    draft.headers = { ...onlyType(draft), "If-Match": draft.operation.id === "setAcl" ? '"0x1-77"' : '"0x1"' };
    if (draft.operation.id === "put" && random.chance(0.3)) {
      delete draft.headers["If-Match"];
      draft.headers["If-None-Match"] = "*";
    }
  },
  413: tooLarge,
  415: (draft) => {
    if (draft.headers["Content-Type"] === "application/json") draft.headers["Content-Type"] = "text/plain";
    else draft.headers["Content-Encoding"] = "gzip";
    draft.body ??= Buffer.from("{}");
    if (draft.operation.id.endsWith("Session") || draft.operation.id === "txn") {
      draft.headers["Content-Type"] = "text/plain";
    }
  },
  422: (draft, random, known) => {
    draft.headers["Idempotency-Key"] = known.key(random);
    delete draft.headers["Authorization"];
    showSession(draft, random, known);
  },
  503: (draft) => {
    draft.headers["Quorate-Min-Zxid"] = "0x000fffff00000001";
    draft.headers["Quorate-Timeout"] = "40ms";
  },
};

function onlyType({ headers }: Draft): Record<string, string | string[]> {
  const type = headers["Content-Type"];
  return type === undefined ? {} : { "Content-Type": type };
}

function conflict(draft: Draft, random: SeededRandom, known: Known): void {
  draft.headers = onlyType(draft);
  draft.query = [];
  switch (draft.operation.id) {
    case "delete":
      draft.place = known.parent(random);
      break;
    case "txn":
      draft.body = Buffer.from(JSON.stringify({ then: [{ op: "create", path: known.folder }] }));
      break;
    case "acquireLock":
    case "getLock":
    case "campaign":
    case "getElection":
    case "releaseLock":
    case "resign":
      // Data that says nothing of locks.
      draft.place = `${known.folder}-${prepared.big[0]}`;
      showSession(draft, random, known);
      break;
    default:
      draft.place = `${known.folder}/${known.fresh()}/${known.fresh()}`;
  }
}

/** Fenced writes, and places that are no more. */
function outgrown(draft: Draft, random: SeededRandom, known: Known): boolean {
  const { id } = draft.operation;
  if (id === "acquireLock" || id === "campaign") {
    draft.query = [["token", "0x1"]];
    draft.place = `${known.folder}/${known.fresh()}`;
  } else if (id === "proclaim") draft.place = `${known.folder}/${known.fresh()}`;
  else if (id === "create" || id === "txn") {
    draft.headers = { ...onlyType(draft), "Quorate-Fenced": `${known.folder}/none=0x1` };
    draft.place = known.folder;
    return true;
  } else return false;
  draft.headers = {};
  showSession(draft, random, known);
  return true;
}

/** Places are of a session; what leads already can fail only behind that. */
function showSession(draft: Draft, random: SeededRandom, known: Known): void {
  const { id } = draft.operation;
  if (!/^(acquireLock|releaseLock|campaign|proclaim|resign)$/.test(id)) return;
  const session = known.session(random);
  if (session !== undefined) draft.headers["Quorate-Session"] = `${session.id}:${session.secret}`;
  if (draft.headers["Idempotency-Key"] === undefined) return;
  draft.query = [];
  if (id !== "proclaim") draft.place = `${known.folder}/${known.fresh()}`;
  else if (known.lastReign !== undefined) {
    draft.place = known.lastReign.place;
    draft.headers["Quorate-Session"] = known.lastReign.shown;
  }
}

function over(draft: Draft, random: SeededRandom, known: Known): void {
  const ended = known.endedSession(random);
  const { id } = draft.operation;
  if (id === "watch" && random.chance(0.3)) {
    draft.query = [
      ["node", known.folder],
      ["after", "0x0000000100000002.0123456789abcdef"],
    ];
    draft.headers = {};
    return;
  }
  const shown = ended === undefined || random.chance(0.3) ? overSession : `${ended.id}:${ended.secret}`;
  draft.headers["Quorate-Session"] = shown;
  delete draft.headers["Authorization"];
  if (draft.operation.path.includes("{id}")) draft.place = shown.slice(0, shown.indexOf(":"));
}

function tooLarge(draft: Draft, random: SeededRandom, known: Known): void {
  switch (draft.operation.id) {
    case "delete":
      draft.place = `${known.folder}-${prepared.wide}`;
      draft.query = [["recursive", "true"]];
      draft.headers = {};
      break;
    case "campaign":
    case "proclaim":
      draft.body = Buffer.alloc(65_537);
      showSession(draft, random, known);
      break;
    case "watch":
      draft.query = prepared.big.map((each): [string, string] => ["node", `${known.folder}-${each}`]);
      draft.headers = random.chance(0.5) ? {} : { Accept: "application/x-ndjson" };
      break;
    default:
      draft.body = Buffer.alloc(1_048_576 + 65_537, 32);
      delete draft.headers["Idempotency-Key"];
  }
}

export function isAimed(status: number): boolean {
  return aims[status] !== undefined;
}

export function aim(draft: Draft, status: number, random: SeededRandom, known: Known): void {
  aims[status]?.(draft, random, known);
}
