/**
 * Random messages against every method of the gRPC contract. Each reply has a header; each failure has details of one row of
 * the table; nothing is INTERNAL, and nothing UNKNOWN but of an unknown fate.
 */
import assert from "node:assert/strict";
import { errors } from "@quorate/api";
import { codeOfReason, publicServices } from "@quorate/proto";
import { CallError, Caller, type Inbox } from "../conformance/grpc-client.ts";
import { SeededRandom } from "../simulation/random.ts";
import { type Making, messageOf } from "./grpc-messages.ts";
import { Known, type KnownSession } from "./known.ts";
import { authorization } from "./request.ts";
import type { Find, FuzzOptions } from "./rest-fuzz.ts";

export interface GrpcTally {
  cases: number;
  successes: number;
  /** By `method REASON`, or `method OK`. */
  readonly reached: Map<string, number>;
  readonly finds: Find[];
}

type Name = Parameters<Caller["call"]>[0];
interface Header {
  readonly zxid?: number;
}
// biome-ignore lint/suspicious/noExplicitAny: replies of every method.
type Reply = any;

/** By how often a method is asked. */
const weights: Readonly<Record<string, number>> = {
  Create: 6,
  Put: 6,
  Get: 4,
  Set: 4,
  Delete: 3,
  Txn: 5,
  ListChildren: 3,
  Watch: 4,
  Session: 4,
  CreateSession: 2,
  Acquire: 4,
  Campaign: 4,
};
const { Health: _, ...services } = publicServices().methods;
const names = Object.values(services).flatMap((methods) => Object.keys(methods)) as Name[];
const streams: ReadonlySet<string> = new Set(["Watch", "GetTree", "Observe", "Session"]);
const deadlineExceeded = 4;
const bag = names.flatMap((each) => Array<Name>(weights[each] ?? 2).fill(each));

export async function fuzzGrpc(options: Omit<FuzzOptions, "base"> & { readonly port: number }): Promise<GrpcTally> {
  const run = new GrpcRun(options);
  await run.run();
  return run.tally;
}

class GrpcRun {
  readonly tally: GrpcTally = { cases: 0, successes: 0, reached: new Map(), finds: [] };
  readonly #options: Omit<FuzzOptions, "base">;
  readonly #caller: Caller;
  readonly #random: SeededRandom;
  readonly #known: Known;
  /** Places in queues, and the calls that they are of use for. */
  readonly #places: { readonly use: readonly string[]; readonly path: string; readonly session: KnownSession }[] = [];

  constructor(options: Omit<FuzzOptions, "base"> & { readonly port: number }) {
    this.#options = options;
    this.#caller = new Caller(options.port);
    this.#random = new SeededRandom(options.seed * 1000 + 500);
    this.#known = new Known(`/grpc-${options.seed}`);
  }

  async run(): Promise<void> {
    // Others may have set the root's ACL.
    const metadata = { authorization: authorization(this.#options.superUser) };
    await this.#caller.call("Create", { path: this.#known.folder }, { metadata });
    for (let i = 0; i < this.#options.cases; i++) await this.#one();
    this.#caller.close();
  }

  async #one(): Promise<void> {
    const random = this.#random;
    const name = random.pick(bag);
    const place = random.chance(0.8) ? this.#places.findLast(({ use }) => use.includes(name)) : undefined;
    const session = place?.session ?? this.#known.session(random);
    const wild = random.pick([0, 0, 0.02, 0.02, 0.3]);
    const making: Making = { random, known: this.#known, wild, session: Number(session?.id ?? 0) };
    const request = messageOf(`${name}Request`, making);
    if (place !== undefined && !random.chance(wild)) request["path"] = place.path;
    const operator = name === "HandOver" || name === "ListSessions";
    const metadata: Record<string, string> = {};
    if (session !== undefined && !random.chance(0.03)) metadata["quorate-session-secret"] = session.secret;
    if (random.chance(operator ? 0.9 : 0.03)) metadata["authorization"] = authorization(this.#options.superUser);
    else if (random.chance(0.02)) metadata["authorization"] = "Basic !";
    // A zxid that is far off is waited for, and so is one's turn.
    if (isFarOff(request) || "wait" in request) metadata["grpc-timeout"] = "300m";
    const asking = { metadata };
    this.tally.cases++;
    try {
      const reply = await this.#ask(name, request, asking, making);
      this.#learn(name, request, reply, metadata["quorate-session-secret"] ?? "");
      this.tally.successes++;
      this.#note(`${name} OK`);
    } catch (fault) {
      // The library has a clock of its own, which may end it before the door does.
      const own = fault instanceof CallError && fault.code === deadlineExceeded && fault.status === undefined;
      if (own && "grpc-timeout" in metadata) this.#note(`${name} its deadline`);
      else this.#judge(name, request, fault as Error);
    }
  }

  #ask(name: Name, request: object, asking: object, making: Making): Promise<Reply> {
    if (this.#random.chance(0.03) && !streams.has(name)) {
      const bytes = Buffer.from(Array.from({ length: this.#random.below(40) }, () => this.#random.below(256)));
      return this.#caller.raw(name, bytes, asking);
    }
    if (name === "Watch" || name === "GetTree" || name === "Observe") return this.#stream(name, request, asking);
    if (name === "Session") return this.#session(asking, making);
    return this.#caller.call(name, request as never, asking) as Promise<Reply>;
  }

  async #stream(name: "Watch" | "GetTree" | "Observe", request: object, asking: object): Promise<Reply> {
    const inbox = this.#caller.stream(name, request as never, asking) as Inbox<Reply>;
    try {
      const first = await inbox.next();
      if (name === "GetTree") {
        const error = await inbox.over();
        if (error !== undefined) throw error;
        assert.equal(inbox.all.at(-1)?.end, true, "the last message says end");
      }
      return first;
    } finally {
      inbox.cancel();
    }
  }

  /** A few messages, the last of which ends it. The replies are of its operations, in their order. */
  async #session(asking: object, making: Making): Promise<Reply> {
    const { random } = this;
    const inbox = this.#caller.session(asking) as Inbox<Reply>;
    const sent: number[] = [];
    try {
      inbox.send(random.chance(0.9) ? { open: { sessionId: making.session } } : messageOf("SessionRequest", making));
      const { opened } = await inbox.next();
      assert.ok(opened?.header, "opened first");
      let sequence = opened.lastSequence ?? 0;
      for (let i = 0; i < 3; i++) {
        const operations = Array.from({ length: 1 + random.below(4) }, () => {
          const operation = messageOf("SessionOperation", making);
          const isRead = ["get", "exists", "listChildren", "getAcl", "sync", "watch", "unwatch"].some(
            (each) => each in operation,
          );
          if (!random.chance(making.wild)) operation["sequence"] = isRead ? 0 : ++sequence;
          operation["requestId"] = sent.length + 1;
          delete operation["close"];
          operation["timeout"] = { seconds: 5 };
          sent.push(sent.length + 1);
          return operation;
        });
        inbox.send({ operations });
      }
      inbox.send({ heartbeat: { id: 7 } });
      await inbox.until(() => inbox.all.some((each) => each.heartbeat?.id === 7));
      this.#judgeReplies(inbox, sent);
      return { header: opened.header };
    } finally {
      inbox.cancel();
    }
  }

  get random(): SeededRandom {
    return this.#random;
  }

  #judgeReplies(inbox: Inbox<Reply>, sent: readonly number[]): void {
    const replies = inbox.all.flatMap((each) => each.replies ?? []);
    const ids = replies.map((each: Reply) => Number(each.requestId ?? 0));
    assert.deepEqual(ids, sent.slice(0, ids.length), "replies in the order of operations");
    for (const { error } of replies) if (error !== undefined) this.#judgeRow(error.reason, error.status);
  }

  #judgeRow(reason: string, status: number): void {
    const row = (errors as Readonly<Record<string, { readonly grpc: number }>>)[codeOfReason(reason)];
    assert.ok(row, `no row of the table is ${reason}`);
    assert.equal(status, row.grpc, reason);
    const isUnknown = reason === "CONNECTION_LOSS" || reason === "TIMEOUT";
    assert.ok(reason !== "INTERNAL" && (!isUnknown || this.#options.isShaken === true), reason);
  }

  #judge(name: Name, request: object, fault: Error): void {
    try {
      if (!(fault instanceof CallError)) throw fault;
      assert.ok(fault.status, `status ${fault.code} without details: ${fault.message}`);
      this.#judgeRow(fault.reason, fault.code);
      const isUnknown = fault.reason === "CONNECTION_LOSS" || fault.reason === "TIMEOUT";
      assert.equal(fault.status.metadata["certainty"], isUnknown ? "unknown" : "noEffect");
      if (fault.reason === "SESSION_EXPIRED") this.#known.endSession(hex((request as Reply).sessionId));
      this.#note(`${name} ${fault.reason}`);
    } catch (found) {
      const shown = JSON.stringify(request).slice(0, 600);
      this.tally.finds.push({ what: (found as Error).message, request: `${name} ${shown}`, answer: fault.message });
    }
  }

  #note(key: string): void {
    this.tally.reached.set(key, (this.tally.reached.get(key) ?? 0) + 1);
  }

  #learnPlace(name: "Acquire" | "Campaign", reply: Reply, shown: string): void {
    const known = this.#known;
    const id = hex(reply.sessionId);
    if (reply.secret) known.addSession({ id, secret: reply.secret });
    if (reply.token) known.addFence(`${reply.path.slice(1)}=${hex(reply.token)}`);
    const secret = reply.secret || shown;
    const use: readonly string[] = name === "Acquire" ? ["Release"] : reply.leads ? ["Proclaim", "Resign"] : ["Resign"];
    this.#places.push({ use, path: reply.path, session: { id, secret } });
  }

  /** `shown`: the secret that went along. */
  #learn(name: Name, request: object, reply: Reply, shown: string): void {
    const { header } = reply as { readonly header?: Header };
    assert.ok(header !== undefined, "a reply without a header");
    const known = this.#known;
    const zxid = hex(header.zxid ?? 0);
    if (zxid > known.zxid) known.zxid = zxid;
    if (name === "Create" || name === "Put") known.addPath(reply.path ?? "");
    if (name === "Delete") known.removePath((request as Reply).path);
    if (name === "CreateSession") known.addSession({ id: hex(reply.sessionId), secret: reply.secret });
    if (name === "CloseSession") known.endSession(hex((request as Reply).sessionId));
    if (name === "ListChildren" && reply.nextPageToken) known.addToken((request as Reply).path, reply.nextPageToken);
    if (name === "Watch" && reply.cursor) known.addCursor(reply.cursor);
    if (name === "Acquire" || name === "Campaign") this.#learnPlace(name, reply, shown);
    if (name === "ListMembers" && reply.leader > 0) {
      known.leader = reply.leader;
      known.members = reply.members.map((each: { readonly id: number }) => each.id);
    }
  }
}

function isFarOff(value: unknown): boolean {
  if (typeof value === "number") return value > 2 ** 39;
  return value !== null && typeof value === "object" && Object.values(value).some(isFarOff);
}

function hex(value = 0): string {
  return `0x${Math.max(0, value).toString(16).padStart(16, "0")}`;
}

export function grpcSummary({ cases, successes, reached, finds }: GrpcTally, millis: number): string {
  const head = `${cases} gRPC cases in ${(millis / 1000).toFixed(1)} s, ${((100 * successes) / cases).toFixed(1)} % OK, ${finds.length} finds`;
  const lines = names.map((name) => {
    const own = [...reached]
      .filter(([key]) => key.startsWith(`${name} `))
      .map(([key, n]) => `${key.split(" ")[1]}: ${n}`);
    return `  ${name.padEnd(14)} ${own.sort().join(", ")}`;
  });
  return [head, ...lines].join("\n");
}

/** Methods that never succeeded, or never failed where they can. */
export function unansweredMethods({ reached }: GrpcTally): string[] {
  return names.filter((name) => !reached.has(`${name} OK`));
}
