/**
 * Random requests of the specification's operations against a REST door, each answer judged by the specification alone. One
 * seed, one row of requests; what answers give is used again.
 */
import { Agent, request as httpRequest } from "node:http";
import { SeededRandom } from "../simulation/random.ts";
import { isAimed, prepared } from "./aims.ts";
import { codeOf, judge, type Seen } from "./judge.ts";
import { Known } from "./known.ts";
import { type Draft, draftOf, type Mood, requestOf, targetOf } from "./request.ts";
import { type Operation, operations } from "./specification.ts";

export interface FuzzOptions {
  readonly base: string;
  /** `user:password`. */
  readonly superUser: string;
  readonly cases: number;
  readonly seed: number;
  /** Rows of requests at the same time, each with a folder and a seed of its own. */
  readonly rows?: number;
  /** Its leadership is handed over now and then: what was under way may be answered 502, 503 or 504. */
  readonly isShaken?: boolean;
}

export interface Find {
  readonly what: string;
  readonly request: string;
  readonly answer: string;
}

export class Tally {
  cases = 0;
  successes = 0;
  /** By `operation status`. */
  readonly reached = new Map<string, number>();
  readonly finds: Find[] = [];
  slowest = { millis: 0, request: "" };

  note(operation: string, status: number): void {
    this.cases++;
    if (status >= 200 && status < 300) this.successes++;
    const key = `${operation} ${status}`;
    this.reached.set(key, (this.reached.get(key) ?? 0) + 1);
  }
}

/** No answer takes longer: the longest wait that a request here asks for is 60 s. */
const patienceMillis = 90_000;
/** A stream is read for so long. */
const streamMillis = 60;
/** By how often an operation is asked. */
const weights: Readonly<Record<string, number>> = {
  get: 8,
  exists: 4,
  put: 14,
  create: 8,
  delete: 6,
  children: 7,
  tree: 4,
  txn: 9,
  watch: 7,
  createSession: 3,
  renewSession: 3,
  getSession: 3,
  getAcl: 4,
  setAcl: 4,
  acquireLock: 5,
  releaseLock: 3,
  campaign: 4,
  proclaim: 3,
  getElection: 4,
};
const bag: readonly Operation[] = operations.flatMap((each) => Array<Operation>(weights[each.id] ?? 2).fill(each));

export async function fuzzRest(options: FuzzOptions): Promise<Tally> {
  const tally = new Tally();
  const rows = options.rows ?? 1;
  await Promise.all(
    Array.from({ length: rows }, (_, i) => new Row(options, tally, i).run(Math.ceil(options.cases / rows))),
  );
  return tally;
}

class Row {
  readonly #options: FuzzOptions;
  readonly #tally: Tally;
  readonly #random: SeededRandom;
  readonly #known: Known;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });

  constructor(options: FuzzOptions, tally: Tally, index: number) {
    this.#options = options;
    this.#tally = tally;
    this.#random = new SeededRandom(options.seed * 1000 + index);
    this.#known = new Known(`/fuzz-${options.seed}-${index}`);
  }

  async run(cases: number): Promise<void> {
    await this.#prepare();
    for (let i = 0; i < cases; i++) await this.#one();
    this.#agent.destroy();
  }

  async #prepare(): Promise<void> {
    const { folder } = this.#known;
    const { wide, big, locked } = prepared;
    await this.#setUp("PUT", `/v1/znodes${folder}`);
    for (const each of big) await this.#setUp("PUT", `/v1/znodes${folder}-${each}`, Buffer.alloc(600_000, 120));
    await this.#setUp("PUT", `/v1/znodes${folder}-${locked}?acl=ip:10.255.255.1:r`);
    await this.#setUp("PUT", `/v1/znodes${folder}-${wide}`);
    for (let i = 0; i < 11; i++) {
      const then = Array.from({ length: 1000 }, (_, k) => ({ op: "create", path: `${folder}-${wide}/${i}-${k}` }));
      await this.#setUp("POST", "/v1/txn", Buffer.from(JSON.stringify({ then })));
    }
  }

  async #setUp(method: string, path: string, body = Buffer.alloc(0)): Promise<void> {
    const headers = path === "/v1/txn" ? { "Content-Type": "application/json" } : {};
    const { status, text } = await this.#send(method, path, headers, body, false);
    if (status !== 200 && status !== 201) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 200)}`);
  }

  async #one(): Promise<void> {
    const operation = this.#random.pick(bag);
    const mood = this.#mood(operation);
    const draft = requestOf(
      draftOf(operation, this.#random, this.#known, this.#options.superUser),
      mood,
      this.#random,
      this.#known,
    );
    const target = targetOf(draft);
    const streams = operation.id === "watch" || operation.id === "getElection";
    const stream = streams && /stream|ndjson/.test(String(draft.headers["Accept"]));
    let seen: Seen | undefined;
    const began = performance.now();
    try {
      seen = await this.#send(draft.method, target, draft.headers, draft.body, stream);
      this.#judge(draft, target, seen);
      this.#learn(draft, seen);
    } catch (fault) {
      const body = draft.body === undefined ? "" : ` ${draft.body.toString("utf8", 0, 300)}`;
      this.#tally.finds.push({
        what: (fault as Error).message.split("\n").slice(0, 3).join(" "),
        request: `${draft.method} ${target.slice(0, 300)} ${JSON.stringify(draft.headers)}${body}`,
        answer:
          seen === undefined ? "none" : `${seen.status} ${JSON.stringify(seen.headers)} ${seen.text.slice(0, 400)}`,
      });
    }
    const millis = performance.now() - began;
    if (millis > this.#tally.slowest.millis) {
      this.#tally.slowest = {
        millis,
        request: `${draft.method} ${target.slice(0, 200)} ${JSON.stringify(draft.headers)}`,
      };
    }
    this.#tally.note(seen === undefined ? "none" : (operationFor(draft)?.id ?? "none"), seen?.status ?? 0);
  }

  #mood(operation: Operation): Mood {
    const roll = this.#random.below(100);
    if (roll < 66) return "plain";
    if (roll < 82) return "odd";
    const statuses = [...operation.responses.keys()].filter(isAimed);
    const missing = statuses.filter((each) => !this.#tally.reached.has(`${operation.id} ${each}`));
    const choice = missing.length > 0 ? missing : statuses;
    return choice.length === 0 ? "plain" : { aim: this.#random.pick(choice) };
  }

  #judge(draft: Draft, target: string, seen: Seen): void {
    const { status } = seen;
    const code = codeOf(seen);
    const calm =
      code === "behind" ||
      (draft.headers["Quorate-Min-Zxid"] !== undefined && status === 503) ||
      (this.#options.isShaken === true && status > 500);
    if (status >= 500 && !calm) throw new Error(`${status} ${code}`);
    judge(operationFor(draft, target), draft.method, seen);
  }

  #learn(draft: Draft, { status, headers, text, partial }: Seen): void {
    const known = this.#known;
    const zxid = String(headers["quorate-zxid"] ?? "");
    if (zxid > known.zxid && status < 400) known.zxid = zxid;
    if (status === 410 && draft.operation.path.includes("{id}")) known.endSession(draft.place);
    if (status >= 300 || partial || draft.rawPath !== undefined || draft.method !== draft.operation.method) return;
    const { id } = draft.operation;
    const key = draft.headers["Idempotency-Key"];
    if (typeof key === "string" && draft.headers["Authorization"] === undefined) known.addKey(key);
    const tag = headers["etag"];
    if (typeof tag === "string" && draft.headers["Authorization"] === undefined) {
      known.setTag(`${id === "exists" || id === "put" ? "get" : id} ${draft.place}`, tag);
    }
    if (!String(headers["content-type"]).includes("json") || text === "") return;
    const json = /ndjson/.test(String(headers["content-type"])) ? undefined : JSON.parse(text);
    if (id === "put" || id === "create") known.addPath(json.path);
    else if (id === "delete") known.removePath(draft.place);
    else if (id === "txn") for (const each of json.results) if (each.stat !== undefined) known.addPath(each.path);
    if (id === "children" && json.continue) known.addToken(draft.place, json.continue);
    if (id === "createSession") known.addSession(json);
    if (json?.token !== undefined) known.addFence(`${json.name}=${json.token}`);
    const shown = draft.headers["Quorate-Session"];
    if (json?.leader === true && typeof shown === "string") known.addReign({ place: draft.place, shown });
    if (id === "closeSession") known.endSession(draft.place);
    if (id === "watch" && json?.cursor) known.addCursor(json.cursor);
    if (id === "cluster" && json.leader > 0) {
      known.leader = json.leader;
      known.members = json.members.map((each: { readonly id: number }) => each.id);
    }
  }

  #send(
    method: string,
    path: string,
    headers: Draft["headers"],
    body: Buffer | undefined,
    stream: boolean,
  ): Promise<Seen> {
    const { hostname, port } = new URL(this.#options.base);
    const all = body === undefined ? headers : { ...headers, "Content-Length": String(body.length) };
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ hostname, port, path, method, headers: all, agent: this.#agent }, (incoming) => {
        const chunks: Buffer[] = [];
        const answer = (partial: boolean): void => {
          clearTimeout(patience);
          const text = Buffer.concat(chunks).toString();
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, partial });
        };
        if (stream && incoming.statusCode === 200) {
          setTimeout(() => {
            answer(true);
            outgoing.destroy();
          }, streamMillis);
        }
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", () => answer(true));
        incoming.on("end", () => answer(false));
      });
      const patience = setTimeout(() => outgoing.destroy(new Error("no answer: it hangs")), patienceMillis);
      outgoing.on("error", (error) => {
        clearTimeout(patience);
        reject(error);
      });
      outgoing.end(body);
    });
  }
}

/** Whose contract the answer is judged by: that of the path and method which were really asked. */
function operationFor(draft: Draft, target = targetOf(draft)): Operation | undefined {
  const method = draft.method === "HEAD" && draft.operation.id !== "exists" ? "HEAD" : draft.method;
  if (draft.rawPath !== undefined) return undefined;
  const path = target.split("?")[0] ?? "";
  const found = operations.filter(({ path: template }) => fits(path, template));
  const exact = found.find((each) => each.method === method);
  return exact ?? (method === "HEAD" ? found.find((each) => each.method === "GET") : undefined) ?? found[0];
}

function fits(path: string, template: string): boolean {
  if (template.endsWith("/{path}")) return path.startsWith(template.slice(0, -"{path}".length));
  return new RegExp(`^${template.replace("{id}", "[^/]*")}$`).test(path);
}
