/** What one side's answers say of the tree, so that most requests meet something: paths that exist, their versions, containers. */
import type { WireReply } from "../wire-client.ts";
import {
  openAcl,
  type WireMultiOperation,
  type WireMultiResult,
  type WireRequest,
  type WireStat,
} from "../wire-records.ts";

const noNode = -101;
const nodeExists = -110;

export class Knowledge {
  readonly #paths = new Set<string>();
  readonly #versions = new Map<string, number>();
  readonly #containers = new Set<string>();
  /** Those whose list of rights was ever another than the open one: events of them may be kept from a client. */
  readonly #restricted = new Set<string>();
  #list: readonly string[] | undefined;

  get paths(): readonly string[] {
    this.#list ??= [...this.#paths];
    return this.#list;
  }

  get containers(): readonly string[] {
    return [...this.#containers];
  }

  versionOf(path: string): number | undefined {
    return this.#versions.get(path);
  }

  learn(request: WireRequest, reply: WireReply<object>): void {
    if (request.op === "multi") {
      if (reply.error !== 0) return;
      const results = (reply.result as { results?: readonly WireMultiResult[] } | undefined)?.results ?? [];
      if (results.some((each) => each.op === "error")) return;
      for (const [at, each] of request.operations.entries()) this.#one(each, 0, results[at]);
      return;
    }
    this.#one(request, reply.error, reply.result);
  }

  /** It exists, as far as one knows. */
  made(path: string): void {
    this.#exists(path);
  }

  isOpen(path: string): boolean {
    return !this.#restricted.has(path);
  }

  gone(path: string): void {
    if (this.#paths.delete(path)) this.#list = undefined;
    this.#versions.delete(path);
    this.#containers.delete(path);
  }

  clear(): void {
    this.#paths.clear();
    this.#versions.clear();
    this.#containers.clear();
    this.#restricted.clear();
    this.#list = undefined;
  }

  #one(request: WireRequest | WireMultiOperation, error: number, result: object | undefined): void {
    if (!("path" in request) || typeof request.path !== "string") return;
    const { path } = request;
    if (error === noNode && !request.op.startsWith("create")) this.gone(path);
    if (error === nodeExists) this.#exists(path);
    if (error !== 0) return;
    if (request.op === "delete") this.gone(path);
    const stat = statOf(result);
    const made = request.op.startsWith("create") && result && "path" in result ? String(result.path) : path;
    if ("acl" in request && request.acl !== openAcl) this.#restricted.add(made);
    if (request.op.startsWith("create")) {
      this.#exists(made);
      // The opcode makes it one, whatever the flags say.
      if (request.op === "createContainer") this.#containers.add(made);
    }
    if (stat) {
      this.#exists(made);
      this.#versions.set(made, request.op === "setAcl" || request.op === "getAcl" ? stat.aversion : stat.version);
    }
  }

  #exists(path: string): void {
    // What a server has from its birth is no znode to be made and deleted.
    if (path === "/" || path.startsWith("/zookeeper") || this.#paths.has(path)) return;
    this.#paths.add(path);
    this.#list = undefined;
  }
}

function statOf(result: object | undefined): WireStat | undefined {
  return result && "stat" in result ? (result.stat as WireStat) : undefined;
}
