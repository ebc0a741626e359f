/**
 * The form of an export: lines of JSON. First what it is of, then each znode, parents first, last that it is whole. Paths are
 * as seen from the root of what was exported, so that it may be taken in elsewhere.
 */
import { isBadPath, parsePath } from "@quorate/api";
import type { Stat } from "@quorate/client";
import type { AclEntry } from "./acl-text.ts";
import { dataJson } from "./data.ts";
import { CommandError } from "./failures.ts";

export interface DumpHead {
  readonly quorate: "export";
  readonly version: 1;
  readonly root: string;
  readonly zxid: string;
}

export interface DumpNode {
  /** `""` for the root itself, else it begins with a slash. */
  readonly path: string;
  readonly data?: string;
  /** utf-8 without it. */
  readonly encoding?: "utf-8" | "base64";
  /** persistent without it. */
  readonly kind?: Stat["kind"];
  readonly ttl?: string;
  /** Open to anybody without it; null: it was gone before its list was read. */
  readonly acl?: readonly AclEntry[] | null;
}

export interface DumpEnd {
  readonly end: true;
  readonly count: number;
}

export type DumpLine = DumpHead | DumpNode | DumpEnd;

export function nodeLine(
  path: string,
  data: Uint8Array,
  { kind, ttl }: Stat,
  acl: readonly AclEntry[] | null | undefined,
): DumpNode {
  const json = dataJson(data);
  return {
    path,
    ...(data.length === 0 ? {} : { data: json.data }),
    ...(json.encoding === "base64" ? { encoding: json.encoding } : {}),
    ...(kind === "persistent" ? {} : { kind }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(acl === undefined ? {} : { acl }),
  };
}

export function bytesOf({ data = "", encoding }: DumpNode): Uint8Array {
  return Buffer.from(data, encoding === "base64" ? "base64" : "utf8");
}

/** Reads lines; each call says what the next one must be. */
export class DumpReader {
  head: DumpHead | undefined;
  count = 0;
  ended = false;
  #line = 0;

  /** The znode of a line, if it is one. */
  read(text: string): DumpNode | undefined {
    this.#line++;
    if (text.trim() === "") return undefined;
    if (this.ended) throw this.#fault("stands behind the end");
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw this.#fault("is no JSON; the file is cut off, or it is no export");
    }
    if (typeof json !== "object" || json === null) throw this.#fault("is no object");
    if (this.head === undefined) {
      this.head = this.#headOf(json);
      return undefined;
    }
    if ("end" in json) {
      this.#checkEnd(json);
      return undefined;
    }
    this.count++;
    return this.#nodeOf(json);
  }

  /** To be asked behind the last line. */
  finish(): void {
    if (!this.ended)
      throw new CommandError("failure", `the export is cut off behind ${this.count} znodes: its last line is missing`);
  }

  #headOf(json: object): DumpHead {
    const head = json as Partial<DumpHead>;
    if (head.quorate !== "export" || typeof head.root !== "string" || typeof head.zxid !== "string")
      throw this.#fault('is not the beginning of an export: {"quorate": "export", …}');
    if (head.version !== 1) throw this.#fault(`is of version ${String(head.version)}; this program reads version 1`);
    return head as DumpHead;
  }

  #checkEnd(json: object): void {
    const { count } = json as Partial<DumpEnd>;
    if (count !== this.count) throw this.#fault(`says that there are ${String(count)} znodes; ${this.count} came`);
    this.ended = true;
  }

  #nodeOf(json: object): DumpNode {
    const node = json as Record<keyof DumpNode, unknown>;
    const { path, data = "", encoding = "utf-8", kind = "persistent", ttl = "", acl = [] } = node;
    const known = ["path", "data", "encoding", "kind", "ttl", "acl"];
    const strange = Object.keys(json).find((key) => !known.includes(key));
    if (strange !== undefined) throw this.#fault(`has an unknown key ${JSON.stringify(strange)}`);
    if (typeof path !== "string" || (path !== "" && isBadPath(parsePath(path)))) throw this.#fault("has no path");
    if (typeof data !== "string" || typeof ttl !== "string") throw this.#fault("has no text as data or ttl");
    if (encoding !== "utf-8" && encoding !== "base64") throw this.#fault("has an unknown encoding");
    if (!["persistent", "ephemeral", "container", "ttl"].includes(String(kind)))
      throw this.#fault("has an unknown kind");
    if (acl !== null && !Array.isArray(acl)) throw this.#fault("has no list as acl");
    return json as DumpNode;
  }

  #fault(what: string): CommandError {
    return new CommandError("usage", `line ${this.#line} ${what}`);
  }
}
