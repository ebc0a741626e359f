/**
 * The methods of a client and of a session, over whatever carries them. Clients and sessions extend this one class, since
 * what they add is a life and not another way to ask.
 */
import type { Asks, Channel } from "./ask.ts";
import { defined } from "./defined.ts";
import type {
  AclAnswer,
  AclEntry,
  CallOptions,
  Child,
  ChildrenOptions,
  CreateOptions,
  Data,
  Deleted,
  DeleteOptions,
  Listing,
  Operations,
  PutOptions,
  ReadOptions,
  SetAclOptions,
  Stat,
  TreeNode,
  TreeOptions,
  Txn,
  TxnAnswer,
  Watch,
  WatchOptions,
  WriteOptions,
  Written,
  Znode,
} from "./quorate.ts";

export class Calls implements Operations {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get(path: string, options: ReadOptions = {}): Promise<Znode> {
    return this.#channel.call("get", { path }, options);
  }

  exists(path: string, options: ReadOptions = {}): Promise<Stat | undefined> {
    return this.#channel.call("exists", { path }, options);
  }

  put(path: string, data: Data, options: PutOptions = {}): Promise<Written> {
    return this.#channel.call("put", { ...options, path, data: bytesOf(data) }, options);
  }

  create(path: string, data: Data, options: CreateOptions = {}): Promise<Written> {
    return this.#channel.call("create", { ...options, path, data: bytesOf(data) }, options);
  }

  delete(path: string, options: DeleteOptions = {}): Promise<Deleted> {
    return this.#channel.call("delete", { ...options, path }, options);
  }

  children(path: string, options: ChildrenOptions = {}): Listing<Child> {
    return new Pages(this.#channel, path, options);
  }

  tree(path: string, options: TreeOptions = {}): Listing<TreeNode> {
    return this.#channel.tree(path, options);
  }

  getAcl(path: string, options: ReadOptions = {}): Promise<AclAnswer> {
    return this.#channel.call("getAcl", { path }, options);
  }

  setAcl(path: string, acl: readonly AclEntry[], options: SetAclOptions = {}): Promise<Written> {
    return this.#channel.call("setAcl", { ...options, path, acl }, options);
  }

  txn(txn: Txn, options: WriteOptions & ReadOptions = {}): Promise<TxnAnswer> {
    return this.#channel.call("txn", txn, options);
  }

  sync(options: CallOptions = {}): Promise<string> {
    return this.#channel.call("sync", {}, { ...options, consistency: "linearizable" });
  }

  watch(options: WatchOptions): Watch {
    return this.#channel.watch(options);
  }
}

class Pages implements Listing<Child> {
  zxid: string | undefined;
  readonly #channel: Channel;
  readonly #path: string;
  readonly #options: ChildrenOptions;

  constructor(channel: Channel, path: string, options: ChildrenOptions) {
    this.#channel = channel;
    this.#path = path;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Child, undefined, undefined> {
    const { limit, data } = this.#options;
    let ask: Asks["children"] = defined({ path: this.#path, limit, data });
    for (;;) {
      const { zxid, children, next } = await this.#channel.call("children", ask, this.#options);
      this.zxid = zxid;
      yield* children;
      if (next === undefined) return;
      ask = { ...ask, page: next };
    }
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytesOf(data: Data): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** Of UTF-8; empty where there is none. */
export function textOf(data: Uint8Array | undefined): string {
  return decoder.decode(data);
}
