/** For tests: drives a tree through a gateway's lane, and keeps the batches so that another tree can be given them. */
import {
  type Acting,
  anyone,
  assert,
  type Batch,
  type Command,
  encodeCommand,
  type Identity,
  joinCommands,
  type Outcome,
  type Path,
  type Result,
  type SessionId,
  sessionIdOf,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import type { Applied } from "./apply.ts";
import { rulesVersion } from "./limits.ts";
import { Tree } from "./tree.ts";

/** The root and what is ZooKeeper's own. */
export const emptyTreeZnodes = 4;
const firstZxid = (2 ** 32 + 1) as Zxid;

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (each) => each.charCodeAt(0));
}

export function secretOf(seed: number): Uint8Array {
  return new Uint8Array(32).fill(seed);
}

export function digestIdentity(user: string): Identity {
  return { ids: [{ scheme: "digest", id: `${user}:hash-of-${user}` }], superUser: false };
}

export const superUser: Identity = { ids: [], superUser: true };

export type Extra = Partial<Pick<Command, "identity" | "acting" | "key">>;

export class TreeDriver {
  readonly tree: Tree;
  readonly batches: Batch[] = [];
  stamp = 1_000_000;
  rules: number;
  /** The gateway's session. */
  readonly gateway: SessionId = sessionIdOf(firstZxid);
  #sequence = 0;
  #first: Zxid = firstZxid;

  constructor(tree: Tree = new Tree(), rules: number = rulesVersion) {
    this.tree = tree;
    this.rules = rules;
    const opened = this.commit([{ identity: anyone, operation: sessionOperation(7, "gateway") }]);
    assert(opened.length === 1, "one command, one answer");
  }

  /** Raw commands as one batch. */
  commit(commands: readonly Command[]): readonly Applied[] {
    return this.commitBytes(joinCommands(commands.map(encodeCommand)), commands.length);
  }

  commitBytes(payload: Uint8Array, count: number): readonly Applied[] {
    const { applied } = this.tree;
    const first = this.#first;
    const last = (first + count - 1) as Zxid;
    const batch = {
      first,
      last,
      previous: applied,
      commit: applied,
      stamp: this.stamp,
      rules: this.rules,
      checksum: 0,
      payload,
    };
    this.#first = (last + 1) as Zxid;
    this.batches.push(batch);
    return this.tree.apply(batch);
  }

  /** Puts the operations on the gateway's lane, in one batch. */
  writeAll(operations: readonly WriteOperation[], extra: Extra = {}): readonly Outcome[] {
    const commands = operations.map((operation) => {
      const sequence = ++this.#sequence;
      const lane = { session: this.gateway, attachment: 1, sequence, answeredUpTo: Math.max(0, sequence - 20) };
      return { lane, identity: anyone, ...extra, operation };
    });
    return this.commit(commands).map(({ outcome }) => {
      assert(outcome !== "gap", "the driver leaves no gap");
      return outcome;
    });
  }

  write(operation: WriteOperation, extra: Extra = {}): Outcome {
    return this.writeAll([operation], extra)[0] as Outcome;
  }

  /** The result of a write that must succeed. */
  done<K extends Result["kind"]>(kind: K, operation: WriteOperation, extra: Extra = {}): Extract<Result, { kind: K }> {
    const outcome = this.write(operation, extra);
    assert(outcome.ok, outcome.ok ? "" : `${outcome.code}: ${outcome.detail}`);
    assert(outcome.result.kind === kind, `the result is ${outcome.result.kind}`);
    return outcome.result as Extract<Result, { kind: K }>;
  }

  /** The code of a write that must fail. */
  code(operation: WriteOperation, extra: Extra = {}): string {
    const outcome = this.write(operation, extra);
    return outcome.ok ? "ok" : outcome.code;
  }

  openSession(seed: number): Acting {
    const { session } = this.done("session", sessionOperation(seed, "client"));
    return { session, secretHash: secretOf(seed) };
  }
}

export function sessionOperation(seed: number, role: "client" | "gateway"): WriteOperation {
  const secretHash = secretOf(seed);
  return { kind: "createSession", role, timeoutMillis: 10_000, secretHash, name: `test-${seed}`, address: "10.0.0.1" };
}

export function createOperation(path: string, data = "", more: object = {}): WriteOperation {
  const shape = { kind: "persistent", ttlMillis: 0 } as const;
  const base = {
    kind: "create",
    path: path as Path,
    data: bytesOf(data),
    shape,
    sequential: false,
    parents: false,
  } as const;
  return { ...base, ...more };
}

export function setOperation(path: string, data = "", condition = {}): WriteOperation {
  return { kind: "set", path: path as Path, data: bytesOf(data), condition };
}

export function putOperation(path: string, data = "", more: object = {}): WriteOperation {
  return { kind: "put", path: path as Path, data: bytesOf(data), parents: false, condition: {}, ...more };
}

export function deleteOperation(path: string, recursive = false, condition = {}): WriteOperation {
  return { kind: "delete", path: path as Path, recursive, condition };
}
