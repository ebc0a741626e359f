/** The watches that a client knows it has, as client libraries keep them: what it sets again when it comes back. */
import type { WireReply } from "../wire-client.ts";
import type { WireEvent, WireRequest, WireSetWatches } from "../wire-records.ts";

const noNode = -101;
const kinds = ["data", "exist", "child", "persistent", "persistentRecursive"] as const;
type Kind = (typeof kinds)[number];

/** By WatcherType of removeWatches. */
const kindsOfType: Readonly<Record<number, readonly Kind[]>> = {
  1: ["child"],
  2: ["data", "exist"],
  3: kinds,
  4: ["persistent"],
  5: ["persistentRecursive"],
};
/** By the type of an event. */
const consumedBy: Readonly<Record<number, readonly Kind[]>> = {
  1: ["data", "exist"],
  2: ["data", "exist", "child"],
  3: ["data", "exist"],
  4: ["child"],
};

export class HeldWatches {
  readonly #paths: Readonly<Record<Kind, Set<string>>> = {
    data: new Set(),
    exist: new Set(),
    child: new Set(),
    persistent: new Set(),
    persistentRecursive: new Set(),
  };

  answered(request: WireRequest, reply: WireReply<object>): void {
    const kind = setBy(request, reply.error);
    if (kind !== undefined && "path" in request && typeof request.path === "string") {
      this.#paths[kind].add(request.path);
    }
    if (request.op === "removeWatches" && reply.error === 0 && request.path !== null) {
      for (const each of kindsOfType[request.type] ?? []) this.#paths[each].delete(request.path);
    }
  }

  told(event: WireEvent): void {
    for (const kind of consumedBy[event.type] ?? []) this.#paths[kind].delete(event.path);
  }

  get isEmpty(): boolean {
    return kinds.every((kind) => this.#paths[kind].size === 0);
  }

  /** What a client that comes back sends. */
  request(relativeZxid: bigint): WireSetWatches {
    const sorted = (kind: Kind): string[] => [...this.#paths[kind]].sort();
    const lists = { data: sorted("data"), exist: sorted("exist"), child: sorted("child") };
    const lasting = { persistent: sorted("persistent"), persistentRecursive: sorted("persistentRecursive") };
    const isOld = lasting.persistent.length + lasting.persistentRecursive.length === 0;
    return isOld
      ? { op: "setWatches", relativeZxid, ...lists }
      : { op: "setWatches2", relativeZxid, ...lists, ...lasting };
  }

  /** Paths on which the two hold different watches. */
  differingFrom(other: HeldWatches): string[] {
    const differing = new Set<string>();
    for (const kind of kinds) {
      const [own, others] = [this.#paths[kind], other.#paths[kind]];
      for (const path of own) if (!others.has(path)) differing.add(path);
      for (const path of others) if (!own.has(path)) differing.add(path);
    }
    return [...differing].sort();
  }

  forget(path: string): void {
    for (const kind of kinds) this.#paths[kind].delete(path);
  }
}

function setBy(request: WireRequest, error: number): Kind | undefined {
  if (request.op === "addWatch") {
    if (error !== 0) return undefined;
    return request.mode === 0 ? "persistent" : "persistentRecursive";
  }
  if (!("watch" in request) || !request.watch) return undefined;
  if (request.op === "exists" && error === noNode) return "exist";
  if (error !== 0) return undefined;
  return request.op === "getData" || request.op === "exists" ? "data" : "child";
}
