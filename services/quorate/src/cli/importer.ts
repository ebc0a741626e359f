/**
 * Makes znodes in transactions of many, parents first. What is there already is known before the first of them; a znode that
 * somebody else makes meanwhile fails its transaction, or is passed over where that was asked for.
 */
import { limits } from "@quorate/api";
import type { RestClient, TxnOperation } from "@quorate/client";
import type { AclEntry } from "./acl-text.ts";
import type { Context } from "./context.ts";
import { bytesOf, type DumpNode } from "./dump.ts";
import { durationMillis } from "./durations.ts";
import { CommandError, isCode } from "./failures.ts";
import { under } from "./paths.ts";

export interface ImportCounts {
  readonly created: number;
  readonly overwritten: number;
  readonly skipped: number;
  readonly ephemerals: number;
}

/** Of a transaction: its request has room for escapes, and it does not keep others waiting. */
const batchBytes = 262_144;
const batchOperations = 500;
/** What fits no transaction once it is escaped goes by itself. */
const aloneBytes = 524_288;

interface Made {
  readonly op: TxnOperation & { readonly path: string };
  readonly existed: boolean;
}

const noCounts = { created: 0, overwritten: 0, skipped: 0, ephemerals: 0 };

export class Importer {
  readonly #context: Context;
  readonly #client: RestClient;
  readonly #target: string;
  readonly #existing: ReadonlySet<string>;
  /** Whether the importer shows a user, to whom what is being made can belong meanwhile. */
  readonly #hasUser: boolean;
  #counts: { -readonly [Name in keyof ImportCounts]: number } = { ...noCounts };
  #conflict: string | undefined;
  #withoutAcl = 0;
  #batch: Made[] = [];
  #bytes = 0;
  #held: DumpNode | undefined;
  /** Lists of those that have children, set when these are made: a list may forbid its own importer to make them. */
  readonly #lists: { readonly path: string; readonly acl: readonly AclEntry[] }[] = [];

  private constructor(
    context: Context,
    client: RestClient,
    target: string,
    existing: ReadonlySet<string>,
    hasUser: boolean,
  ) {
    this.#context = context;
    this.#client = client;
    this.#target = target;
    this.#existing = existing;
    this.#hasUser = hasUser;
  }

  static async open(context: Context, target: string): Promise<Importer> {
    const client = await context.client();
    const { signal } = context;
    const existing = new Set<string>();
    try {
      for await (const { path } of client.tree(target, { signal })) existing.add(path);
    } catch (error) {
      if (!isCode(error, "noNode")) throw error;
    }
    return new Importer(context, client, target, existing, (await context.credentials()) !== undefined);
  }

  get counts(): ImportCounts {
    return this.#counts;
  }

  /** Counts what would become of it. */
  judge(node: DumpNode): void {
    const path = under(this.#target, node.path);
    if (node.kind === "ephemeral") this.#counts.ephemerals++;
    else if (!this.#existing.has(path)) this.#counts.created++;
    else if (this.#context.values.flag("overwrite")) this.#counts.overwritten++;
    else {
      this.#counts.skipped++;
      if (path !== "/" && !this.#context.values.flag("skip-existing")) this.#conflict ??= path;
    }
    if (node.acl === null) this.#withoutAcl++;
  }

  /** Nothing that was judged forbids the whole. */
  checkWhole(): void {
    if (this.#conflict !== undefined)
      throw new CommandError(
        "conflict",
        `${this.#conflict} is there already; nothing is done`,
        "--overwrite or --skip-existing",
      );
    if (this.#withoutAcl > 0 && !this.#context.values.flag("no-acl"))
      throw new CommandError(
        "failure",
        `of ${this.#withoutAcl} znodes the ACL is not known`,
        "export again, or --no-acl",
      );
  }

  /** Counts anew what is really done. */
  begin(): void {
    this.#counts = { ...noCounts };
  }

  /** It is held back until the next one shows whether it has children. */
  async take(node: DumpNode): Promise<void> {
    const held = this.#held;
    this.#held = node;
    if (held !== undefined) await this.#make(held, node.path.startsWith(`${held.path}/`));
  }

  async #make(node: DumpNode, isParent: boolean): Promise<void> {
    const { values } = this.#context;
    const path = under(this.#target, node.path);
    if (node.acl === null && !values.flag("no-acl"))
      throw new CommandError("failure", `the ACL of ${path} is not known`, "export again, or --no-acl");
    const existed = this.#existing.has(path);
    if (node.kind === "ephemeral") {
      this.#counts.ephemerals++;
      return;
    }
    if (existed && !values.flag("overwrite")) {
      if (path !== "/" && !values.flag("skip-existing"))
        throw new CommandError("conflict", `${path} is there already`, "--overwrite or --skip-existing");
      this.#counts.skipped++;
      return;
    }
    const data = bytesOf(node);
    if (data.length > aloneBytes) {
      await this.#flush();
      await this.#alone(node, path, data, isParent);
      return;
    }
    this.#batch.push({ op: this.#operation(node, path, data, isParent), existed });
    this.#bytes += data.length + path.length + 200;
    if (this.#bytes >= batchBytes || this.#batch.length >= batchOperations) await this.#flush();
  }

  async finish(): Promise<void> {
    if (this.#held !== undefined) await this.#make(this.#held, false);
    this.#held = undefined;
    await this.#flush();
    // Children first: the list of a parent may take away the right to set theirs.
    const lists = this.#lists.reverse();
    for (let at = 0; at < lists.length; at += batchOperations) {
      const then = lists.slice(at, at + batchOperations).map(({ path, acl }) => ({ op: "setAcl" as const, path, acl }));
      await this.#client.txn({ then }, { signal: this.#context.signal });
    }
  }

  #operation(node: DumpNode, path: string, data: Uint8Array, isParent: boolean): Made["op"] {
    if (!this.#existing.has(path)) return { op: "create", path, data, ...this.#shape(node, path, isParent) };
    this.#keepList(node, path);
    return { op: "set", path, data };
  }

  #shape(node: DumpNode, path: string, isParent: boolean) {
    const ttlMillis = node.ttl === undefined ? undefined : durationMillis(node.ttl);
    return {
      ...(node.kind === "container" ? { container: true } : {}),
      ...(ttlMillis === undefined ? {} : { ttlMillis }),
      ...(path === this.#target && this.#context.values.flag("parents") ? { parents: true } : {}),
      ...this.#firstList(node, path, isParent),
    };
  }

  /** Its own list; of a parent only once its children are made, until when it is the importer's alone where he shows a user. */
  #firstList(node: DumpNode, path: string, isParent: boolean): { readonly acl?: readonly AclEntry[] } {
    const acl = this.#context.values.flag("no-acl") ? undefined : (node.acl ?? undefined);
    if (acl === undefined) return {};
    if (!isParent) return { acl };
    this.#keepList(node, path);
    return this.#hasUser ? { acl: [{ scheme: "auth", id: "", perms: "cdrwa" }] } : {};
  }

  #keepList(node: DumpNode, path: string): void {
    if (this.#context.values.flag("no-acl")) return;
    const open = [{ scheme: "world", id: "anyone", perms: "cdrwa" }];
    this.#lists.push({ path, acl: node.acl ?? open });
  }

  async #flush(): Promise<void> {
    const { signal, values } = this.#context;
    let batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    while (batch.length > 0) {
      try {
        await this.#client.txn({ then: batch.map(({ op }) => op) }, { signal });
        for (const { existed } of batch) this.#counts[existed ? "overwritten" : "created"]++;
        return;
      } catch (error) {
        const at = isCode(error, "nodeExists") ? error.op?.index : undefined;
        if (at === undefined || !values.flag("skip-existing")) throw error;
        // Somebody made it since we looked.
        batch = batch.filter((_, index) => index !== at);
        this.#counts.skipped++;
      }
    }
  }

  async #alone(node: DumpNode, path: string, data: Uint8Array, isParent: boolean): Promise<void> {
    if (data.length > limits.dataBytes) throw new CommandError("usage", `${path} has over ${limits.dataBytes} bytes`);
    const { signal } = this.#context;
    if (this.#existing.has(path)) {
      this.#keepList(node, path);
      await this.#client.put(path, data, { exists: true, signal });
      this.#counts.overwritten++;
      return;
    }
    await this.#client.create(path, data, { ...this.#shape(node, path, isParent), signal });
    this.#counts.created++;
  }
}
