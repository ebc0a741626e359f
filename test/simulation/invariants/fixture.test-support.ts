/**
 * For the tests of invariants: a small ensemble that agrees on everything, made of real trees and real commands, with a
 * gateway's lane and clients. It tells its invariants what they would be told in a simulation; a test then tells them one
 * thing that is wrong.
 */
import assert from "node:assert/strict";
import {
  type Acting,
  anyone,
  type Batch,
  type Command,
  composeZxid,
  decodeCommand,
  encodeCommand,
  epochOf,
  joinCommands,
  type Outcome,
  type Path,
  type ReadOperation,
  type ReplicaId,
  type Result,
  type SessionId,
  splitCommands,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import type { Answer, ReadRequest, RenewAnswer, WriteRequest } from "@quorate/gateway";
import { rulesVersion, Tree, type TreeOptions } from "@quorate/tree";
import { type AppliedBatch, type Asked, type Invariant, identityOf, type RoleSeen } from "../observation.ts";
import { Violation } from "../violation.ts";

export type WriteAsked = Extract<Asked, { kind: "write" }>;
export type ReadAsked = Extract<Asked, { kind: "read" }>;

/** Which request of whom, in which session, under which key. */
export interface Who {
  readonly client?: number;
  readonly request?: number;
  readonly acting?: Acting;
  readonly key?: string;
}

const members: readonly ReplicaId[] = [1, 2, 3];

export class Scene {
  readonly trees = new Map<ReplicaId, Tree>();
  readonly batches: Batch[] = [];
  at = 1000;
  epoch = 1;
  /** The gateway's own session, on whose lane all writes come. */
  readonly gateway: SessionId;
  readonly #watch: readonly Invariant[];
  readonly #treeOptions: TreeOptions;
  #sequence = 0;
  #tries = 0;
  #requests = 0;

  constructor(watch: readonly Invariant[], treeOptions: TreeOptions = {}) {
    this.#watch = watch;
    this.#treeOptions = treeOptions;
    for (const replica of members) this.restore(replica, new Tree(treeOptions), "start");
    this.role({ replica: 1, epoch: 1 });
    const operation = sessionOperation("gateway", 30_000, 9);
    const [opened] = this.commit([{ identity: anyone, operation }]);
    this.gateway = (opened as Outcome).zxid as number as SessionId;
  }

  get end(): Zxid {
    return this.batches.at(-1)?.last ?? (0 as Zxid);
  }

  tree(replica: ReplicaId): Tree {
    return this.trees.get(replica) as Tree;
  }

  tell(what: (each: Invariant) => void): void {
    for (const each of this.#watch) what(each);
  }

  // ------------------------------------------------------------------------------------------------ what replicas do

  /** An established leader that has everything, unless `seen` says otherwise. */
  role(seen: Partial<RoleSeen> & { readonly replica: ReplicaId; readonly epoch: number }): void {
    const { end } = this;
    const base = { at: this.at, role: "leading", leader: seen.replica, serving: true } as const;
    this.tell((each) => each.role({ ...base, committed: end, syncedThrough: end, ...seen }));
  }

  /** The next leader, in the next epoch. */
  elect(replica: ReplicaId): void {
    this.epoch++;
    this.role({ replica, epoch: this.epoch });
  }

  restore(replica: ReplicaId, tree: Tree, from: "start" | "leader"): void {
    this.trees.set(replica, tree);
    this.tell((each) => each.restored({ at: this.at, replica, from, tree }));
  }

  stop(replica: ReplicaId): void {
    this.tell((each) => each.stopped(this.at, replica));
  }

  /** A copy of the tree of `of`, as a snapshot makes it; its ring begins anew. */
  copy(of: ReplicaId): Tree {
    const loader = Tree.loader(this.#treeOptions);
    const cursor = this.tree(of).snapshot();
    for (let frame = cursor.next(4096); frame !== undefined; frame = cursor.next(4096)) loader.push(frame);
    const tree = loader.finish();
    assert.ok(!("bad" in tree));
    return tree;
  }

  /** The next batch of the order, which nobody has applied yet. */
  batch(commands: readonly Command[], changed: Partial<Batch> = {}): Batch {
    const previous = this.end;
    const first = epochOf(previous) === this.epoch ? ((previous + 1) as Zxid) : composeZxid(this.epoch, 1);
    const last = (first + commands.length - 1) as Zxid;
    const payload = joinCommands(commands.map(encodeCommand));
    const stamp = 1_700_000_000_000 + this.at;
    const base = { first, last, previous, commit: previous, stamp, payload };
    return { ...base, rules: rulesVersion, checksum: last % 65_521, ...changed };
  }

  apply(replica: ReplicaId, batch: Batch, changed: Partial<AppliedBatch> = {}): AppliedBatch {
    const tree = this.tree(replica);
    const results = tree.apply(batch);
    const count = batch.last - batch.first + 1;
    const commands = splitCommands(batch.payload, count)?.map(decodeCommand) ?? [];
    const seen = { at: this.at, replica, batch, commands, results, tree, ...changed };
    this.tell((each) => each.applied(seen));
    return seen;
  }

  /** One batch, applied by all; the outcomes. */
  commit(commands: readonly Command[], replicas: readonly ReplicaId[] = members): (Outcome | "gap")[] {
    const batch = this.batch(commands);
    this.batches.push(batch);
    return replicas.map((replica) => this.apply(replica, batch).results.map(({ outcome }) => outcome))[0] ?? [];
  }

  /** Those who were left out apply what they lack. */
  catchUp(replica: ReplicaId): void {
    for (const batch of this.batches) if (batch.previous === this.tree(replica).applied) this.apply(replica, batch);
  }

  finish(): void {
    this.tell((each) => each.finished({ at: this.at, trees: this.trees }));
  }

  // --------------------------------------------------------------------------------------------------- what clients do

  /** On the gateway's lane, with the next number. */
  command({ identity, acting, key, operation }: WriteRequest): Command {
    const sequence = ++this.#sequence;
    const lane = { session: this.gateway, attachment: 1, sequence, answeredUpTo: Math.max(0, sequence - 20) };
    return { lane, identity, ...(acting ? { acting } : {}), ...(key ? { key } : {}), operation };
  }

  askWrite(operation: WriteOperation, { client = 1, request, acting, key }: Who = {}): WriteAsked {
    const number = request ?? ++this.#requests;
    this.#requests = Math.max(this.#requests, number);
    const write: WriteRequest = {
      identity: identityOf(number),
      ...(acting ? { acting } : {}),
      ...(key === undefined ? {} : { key: { key, requestHash: new Uint8Array(16).fill(number) } }),
      operation,
    };
    return this.#ask({ ...this.#next(client, number), kind: "write", write });
  }

  askRead(operation: ReadOperation, more: Partial<ReadRequest> = {}, client = 1): ReadAsked {
    const base = { identity: anyone, consistency: "linearizable", minZxid: 0 as Zxid, maxStaleMillis: 0 } as const;
    return this.#ask({ ...this.#next(client, ++this.#requests), kind: "read", read: { ...base, operation, ...more } });
  }

  askRenew({ session, secretHash }: Acting, client = 1): Extract<Asked, { kind: "renew" }> {
    return this.#ask({ ...this.#next(client, ++this.#requests), kind: "renew", session, secretHash });
  }

  #next(client: number, request: number): Pick<Asked, "at" | "id" | "request" | "client" | "gateway"> {
    return { at: this.at, id: ++this.#tries, request, client, gateway: 1 };
  }

  #ask<A extends Asked>(asked: A): A {
    this.tell((each) => each.asked(asked));
    return asked;
  }

  answer(asked: Asked, answer: Answer | RenewAnswer): void {
    this.tell((each) => each.answered({ at: this.at, asked, answer }));
  }

  answerOutcome(asked: Asked, outcome: Outcome, servedBy: ReplicaId = 1, ageMillis = 0): void {
    this.answer(asked, { kind: "outcome", outcome, servedBy, ageMillis });
  }

  /** Asked, done everywhere, and answered. */
  write(operation: WriteOperation, who: Who = {}): Outcome {
    const asked = this.askWrite(operation, who);
    const [outcome] = this.commit([this.command(asked.write)]);
    assert.ok(outcome !== undefined && outcome !== "gap");
    this.answerOutcome(asked, outcome);
    return outcome;
  }

  done<K extends Result["kind"]>(kind: K, operation: WriteOperation, who: Who = {}): Extract<Result, { kind: K }> {
    const outcome = this.write(operation, who);
    assert.ok(outcome.ok && outcome.result.kind === kind, JSON.stringify(outcome));
    return outcome.result as Extract<Result, { kind: K }>;
  }

  openSession(timeoutMillis = 2000, who: Who = {}): Acting {
    const { session } = this.done("session", sessionOperation("client", timeoutMillis, 5), who);
    return { session, secretHash: new Uint8Array(32).fill(5) };
  }

  /** Asked and answered from the tree of `replica`. */
  read(operation: ReadOperation, more: Partial<ReadRequest> = {}, replica: ReplicaId = 1, client = 1): Outcome {
    const asked = this.askRead(operation, more, client);
    const outcome = this.tree(replica).read(operation, anyone);
    this.answerOutcome(asked, outcome, replica);
    return outcome;
  }
}

export function sessionOperation(role: "client" | "gateway", timeoutMillis: number, seed: number): WriteOperation {
  const secretHash = new Uint8Array(32).fill(seed);
  return { kind: "createSession", role, timeoutMillis, secretHash, name: "", address: "" };
}

export function put(path: string, text = ""): WriteOperation {
  return { kind: "put", path: path as Path, data: bytesOf(text), parents: false, condition: {} };
}

export function create(path: string, kind: "persistent" | "ephemeral" = "persistent"): WriteOperation {
  const shape = { kind, ttlMillis: 0 } as const;
  return { kind: "create", path: path as Path, data: bytesOf("x"), shape, sequential: false, parents: false };
}

export function remove(path: string, recursive = false): WriteOperation {
  return { kind: "delete", path: path as Path, condition: {}, recursive };
}

export function get(path: string): ReadOperation {
  return { kind: "get", path: path as Path };
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** `wrong` breaks the invariant `name`. */
export function breaks(name: string, wrong: () => void, detail = /./): void {
  assert.throws(wrong, (error) => {
    assert.ok(error instanceof Violation, String(error));
    assert.equal(error.invariant, name);
    assert.match(error.message, detail);
    return true;
  });
}
