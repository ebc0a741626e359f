/**
 * Are two entries of the same place in two streams the same? Everything must be equal but times, zxids and session ids, which
 * must correspond; children and ephemerals have no order.
 */
import type { WireEvent, WireMultiResult, WireRequest, WireStat } from "../wire-records.ts";
import { Correspondence, Function64 } from "./correspondence.ts";
import type { Entry } from "./side.ts";
import { show } from "./step.ts";

/** `acl`: the entries that `auth` stands for come in the order of a hash table. */
const unordered: ReadonlySet<string> = new Set(["children", "ephemerals", "clients", "acl"]);
/** Answered without a look at the tree: their headers may bear what the connection has seen, or what the server has. */
const atTheDoor: ReadonlySet<WireRequest["op"]> = new Set([
  "addWatch",
  "checkWatches",
  "removeWatches",
  "whoAmI",
  "auth",
  "sasl",
  "raw",
  "check",
  "deleteContainer",
]);
const zxidFields: ReadonlySet<string> = new Set(["czxid", "mzxid", "pzxid"]);

export class Comparison {
  readonly #zxids = new Correspondence({ ordered: true });
  readonly #sessions = new Correspondence({ ordered: false });
  readonly #momentsOfReads: boolean;
  readonly #times = [new Function64("the time here"), new Function64("the time there")] as const;

  /** `momentsOfReads`: a read is answered at the zxid that the one before it left behind. */
  constructor(options: { readonly momentsOfReads: boolean }) {
    this.#momentsOfReads = options.momentsOfReads;
  }

  /** Undefined: equal. Else what differs. */
  differs(a: Entry, b: Entry): string | undefined {
    if (a.kind !== b.kind) return `${a.kind} beside ${b.kind}`;
    if (a.kind === "event" && b.kind === "event") return this.#events(a.event, b.event);
    if (a.kind === "opened" && b.kind === "opened") {
      return (
        this.sessions(a.session, b.session) ??
        differing("timeout", a.timeoutMillis, b.timeoutMillis) ??
        differing("readOnly", a.readOnly, b.readOnly)
      );
    }
    if (a.kind !== "reply" || b.kind !== "reply") return undefined;
    if (a.reply.xid !== b.reply.xid) return `xid ${a.reply.xid} beside ${b.reply.xid}`;
    if (a.reply.error !== b.reply.error) return `error ${a.reply.error} beside ${b.reply.error}`;
    // A real server may leave half a record behind an error; nobody has to do as it does.
    if (b.reply.surplus > a.reply.surplus) return `${b.reply.surplus} bytes behind an error`;
    const values = this.values("", a.reply.result, b.reply.result);
    if (values !== undefined || atTheDoor.has(a.request.op)) return values;
    // What failed may have been refused at the door.
    if (!this.#momentsOfReads || a.reply.error !== 0 || hasNothing(a.reply.result)) return undefined;
    const why = this.#zxids.sameMoment(a.reply.zxid, b.reply.zxid);
    return why === undefined ? undefined : `the header's zxid: ${why}`;
  }

  sessions(a: bigint, b: bigint): string | undefined {
    const why = this.#sessions.pair(a, b);
    return why === undefined ? undefined : `session: ${why}`;
  }

  /** Of the same type; `path` leads to it, for the report. */
  values(path: string, a: unknown, b: unknown): string | undefined {
    if (a instanceof Uint8Array && b instanceof Uint8Array) {
      return Buffer.compare(a, b) === 0 ? undefined : `${path}: ${show(a)} beside ${show(b)}`;
    }
    if (Array.isArray(a) && Array.isArray(b)) return this.#lists(path, a, b);
    if (isRecord(a) && isRecord(b)) {
      if (isStat(a) && isStat(b)) return this.#stats(path, a, b);
      for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
        const why = this.values(`${path}.${name}`, a[name], b[name]);
        if (why !== undefined) return why;
      }
      return undefined;
    }
    return differing(path, a, b);
  }

  #lists(path: string, a: readonly unknown[], b: readonly unknown[]): string | undefined {
    if (a.length !== b.length) return `${path}: ${show(a)} beside ${show(b)}`;
    const isUnordered = unordered.has(path.slice(path.lastIndexOf(".") + 1));
    const [first, second] = isUnordered ? [sorted(a), sorted(b)] : [a, b];
    for (const [at, each] of first.entries()) {
      const why = this.values(`${path}[${at}]`, each, second[at]);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #stats(path: string, a: WireStat, b: WireStat): string | undefined {
    for (const name of Object.keys(a) as (keyof WireStat)[]) {
      const [x, y] = [a[name], b[name]];
      if (name === "ctime" || name === "mtime") continue;
      if (typeof x === "bigint" && typeof y === "bigint") {
        const why = zxidFields.has(name) ? this.#zxid(`${path}.${name}`, x, y) : this.sessions(x, y);
        if (why !== undefined) return why;
      } else if (x !== y) return `${path}.${name}: ${show(a)} beside ${show(b)}`;
    }
    return this.#timesOf(0, a) ?? this.#timesOf(1, b);
  }

  /** A znode's times are those of the transactions that its zxids name. */
  #timesOf(side: 0 | 1, stat: WireStat): string | undefined {
    // What a server makes by itself has no transaction, and any time.
    if (stat.czxid <= 0n || stat.mzxid <= 0n) return undefined;
    return this.#times[side].is(stat.czxid, stat.ctime) ?? this.#times[side].is(stat.mzxid, stat.mtime);
  }

  #events(a: WireEvent, b: WireEvent): string | undefined {
    const same = a.type === b.type && a.state === b.state && a.path === b.path;
    return same ? this.#zxid("the event's zxid", a.zxid, b.zxid) : `${show(a)} beside ${show(b)}`;
  }

  #zxid(name: string, a: bigint, b: bigint): string | undefined {
    const why = this.#zxids.pair(a, b);
    return why === undefined ? undefined : `${name}: ${why}`;
  }
}

/** Of a multiRead that found nothing. */
function hasNothing(result: object | undefined): boolean {
  const { results } = (result ?? {}) as { readonly results?: readonly WireMultiResult[] };
  return results?.every(({ op }) => op === "error") === true;
}

function differing(name: string, a: unknown, b: unknown): string | undefined {
  return a === b ? undefined : `${name}: ${show(a)} beside ${show(b)}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isStat(value: object): value is WireStat {
  return "czxid" in value && "pzxid" in value;
}

function sorted(values: readonly unknown[]): unknown[] {
  return values.toSorted((a, b) => (show(a) < show(b) ? -1 : 1));
}
