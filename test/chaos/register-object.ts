/** Some znodes under one parent as registers: reads, writes, compare-and-set, creation, deletion and txns over several. */
import { formatZxid, parseZxid, type Zxid } from "@quorate/api";
import type {
  Operation,
  PutResult,
  ReadResult,
  RegisterCall,
  RegisterCondition,
  RegisterResult,
  TxnCall,
  TxnPart,
  TxnPartResult,
  ZxidNumber,
} from "../linearizability/index.ts";
import type { Hands, Request, Said } from "./hand.ts";
import { answerOf, type Numbers, type SharedObject, timesOf } from "./shared-object.ts";

const keys = ["a", "b", "c"] as const;
type Key = (typeof keys)[number];

interface Stat {
  readonly version: number;
  readonly mzxid: string;
}

/** What one client last saw of a znode: what it sets its conditions by. */
interface Seen {
  readonly version: number;
  readonly mzxid: ZxidNumber;
}

export class RegisterObject implements SharedObject {
  readonly name: string;
  readonly #hands: Hands;
  readonly #numbers: Numbers;
  readonly #operations: Operation[] = [];
  /** By client and key. */
  readonly #seen = new Map<string, Seen>();
  /** Of the whole ensemble: an idempotency key is used once. */
  readonly #run: string;

  constructor(name: string, hands: Hands, numbers: Numbers) {
    this.name = name;
    this.#hands = hands;
    this.#numbers = numbers;
    this.#run = name.replaceAll("/", "-");
  }

  async open(going: () => boolean): Promise<void> {
    await this.#hands.insist({ method: "PUT", target: `/v1/znodes${this.name}?parents=true`, body: "" }, going);
  }

  async step(process: number): Promise<void> {
    const id = this.#numbers.next();
    const call = this.#draw(process, `v${id}`);
    const request = this.#request(call);
    // A proxy repeats what it may.
    const keyed = !request.isRead && this.#hands.random.chance(0.25);
    const said = await this.#hands.send(keyed ? { ...request, key: `${this.#run}-${id}` } : request);
    const answer = answerOf(said, () => this.#result(call, said, process));
    this.#operations.push({ id, process, model: "registers", object: this.name, ...timesOf(said), call, answer });
  }

  async close(): Promise<Operation[]> {
    return this.#operations;
  }

  async clear(going: () => boolean): Promise<void> {
    await this.#hands.insist({ method: "DELETE", target: `/v1/znodes${this.name}?recursive=true` }, going);
  }

  #draw(process: number, value: string): RegisterCall {
    const { random } = this.#hands;
    const key = random.pick(keys);
    const seen = this.#seen.get(`${process} ${key}`);
    const kind = random.below(100);
    if (kind < 35) return { kind: "read", key };
    if (kind < 48) return { kind: "put", key, value };
    if (kind < 74 && seen) return { kind: "put", key, value, condition: { mzxid: seen.mzxid } };
    if (kind < 80) return { kind: "put", key, value, condition: { exists: false } };
    if (kind < 82) return { kind: "put", key, value, condition: { exists: true } };
    if (kind < 85) return { kind: "delete", key };
    if (kind < 88 && seen) return { kind: "delete", key, condition: { mzxid: seen.mzxid } };
    return this.#drawTxn(process, key, value);
  }

  #drawTxn(process: number, key: Key, value: string): TxnCall {
    const { random } = this.#hands;
    const other = random.pick(keys.filter((each) => each !== key));
    const seen = this.#seen.get(`${process} ${key}`);
    const check = seen
      ? [{ kind: "check" as const, key, ...(random.chance(0.5) ? { version: seen.version } : { mzxid: seen.mzxid }) }]
      : [{ kind: "check" as const, key, exists: false }];
    const reads: TxnPart[] = [
      { kind: "read", key },
      { kind: "read", key: other },
    ];
    switch (random.below(5)) {
      case 0:
        return { kind: "txn", check: [], then: reads };
      case 1:
        return {
          kind: "txn",
          check,
          then: [
            { kind: "put", key, value: `${value}.1` },
            { kind: "put", key: other, value: `${value}.2` },
            { kind: "read", key: other },
          ],
          else: [{ kind: "read", key }],
        };
      case 2:
        return {
          kind: "txn",
          check,
          then: [
            { kind: "delete", key: other },
            { kind: "put", key, value: `${value}.1`, condition: { exists: random.chance(0.8) } },
          ],
        };
      default:
        return {
          kind: "txn",
          check: [],
          then: [
            { kind: "put", key: other, value: `${value}.1` },
            { kind: "put", key, value: `${value}.2`, ...(seen ? { condition: { version: seen.version } } : {}) },
          ],
        };
    }
  }

  #request(call: RegisterCall): Request {
    if (call.kind === "txn") {
      const { check, then, else: otherwise } = call;
      const body = {
        check: check.map(({ key, kind: _, ...condition }) => ({ path: this.#path(key), ...conditionJson(condition) })),
        then: then.map((each) => this.#part(each)),
        ...(otherwise ? { else: otherwise.map((each) => this.#part(each)) } : {}),
      };
      const headers = { "Content-Type": "application/json" };
      const isRead = [...then, ...(otherwise ?? [])].every((each) => each.kind === "read");
      return { method: "POST", target: "/v1/txn", headers, body: JSON.stringify(body), isRead };
    }
    const target = `/v1/znodes${this.#path(call.key)}`;
    if (call.kind === "read") return { method: "GET", target: `${target}?format=json`, isRead: true };
    const headers = conditionHeaders(call.condition);
    if (call.kind === "delete") return { method: "DELETE", target, headers };
    return { method: "PUT", target, headers, body: call.value };
  }

  #path(key: string): string {
    return `${this.name}/${key}`;
  }

  #part(part: TxnPart): object {
    const path = this.#path(part.key);
    switch (part.kind) {
      case "read":
        return { op: "get", path };
      case "put":
        return { op: "put", path, data: part.value, ...conditionJson(part.condition) };
      case "delete":
        return { op: "delete", path, ...conditionJson(part.condition) };
      case "check": {
        const { key: _, kind, ...condition } = part;
        return { op: kind, path, ...conditionJson(condition) };
      }
    }
  }

  #result(call: RegisterCall, { json, status, zxid }: Said, process: number): RegisterResult {
    switch (call.kind) {
      case "read":
        return this.#read(call.key, json, process);
      case "put":
        return { ...this.#put(call.key, json.stat, process), created: status === 201 };
      case "delete":
        return { kind: "delete", at: parseZxid(json.zxid) ?? zxid ?? 0 };
      case "txn": {
        const branch = json.branch as "then" | "else";
        const results = (json.results as unknown[]).map((each, at): TxnPartResult => {
          const part = (branch === "then" ? call.then : (call.else ?? []))[at] as TxnPart;
          return this.#partResult(part, each, process);
        });
        return { kind: "txn", branch, results };
      }
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON of the shape that the contract gives to this part.
  #partResult(part: TxnPart, json: any, process: number): TxnPartResult {
    if (part.kind === "read") return this.#read(part.key, json, process);
    if (part.kind === "put") return { ...this.#put(part.key, json.stat, process), created: json.created };
    return { kind: part.kind };
  }

  #read(key: string, json: { data: string; stat: Stat } | null, process: number): ReadResult {
    if (json === null) {
      this.#seen.delete(`${process} ${key}`);
      return { kind: "read", znode: null };
    }
    const { version, mzxid } = this.#put(key, json.stat, process);
    return { kind: "read", znode: { value: json.data, version, mzxid } };
  }

  #put(key: string, { version, mzxid: text }: Stat, process: number): PutResult {
    const mzxid = parseZxid(text);
    if (mzxid === undefined) throw new Error(`${this.name}/${key}: the mzxid ${text}`);
    this.#seen.set(`${process} ${key}`, { version, mzxid });
    return { kind: "put", version, mzxid };
  }
}

function conditionJson({ exists, mzxid, version }: RegisterCondition = {}): object {
  return {
    ...(exists === undefined ? {} : { exists }),
    ...(mzxid === undefined ? {} : { mzxid: formatZxid(mzxid as Zxid) }),
    ...(version === undefined ? {} : { version }),
  };
}

function conditionHeaders({ exists, mzxid }: RegisterCondition = {}): Record<string, string> {
  if (exists === false) return { "If-None-Match": "*" };
  if (exists) return { "If-Match": "*" };
  return mzxid === undefined ? {} : { "If-Match": `"${formatZxid(mzxid as Zxid)}"` };
}
