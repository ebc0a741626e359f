/** Carries calls over a transport: tries, gateways, keys, and the zxid that this client has seen. */
import { limits } from "@quorate/api";
import {
  type Answers,
  type Asks,
  type Channel,
  fencesOf,
  isHarmless,
  isRead,
  type Kind,
  readingOf,
  type Seen,
  type SessionToken,
  type Transport,
  waitOf,
} from "./ask.ts";
import { defined } from "./defined.ts";
import type { ElectionState, ObserveOptions } from "./locks.ts";
import { Observing } from "./observing.ts";
import type {
  Consistency,
  Listing,
  ReadOptions,
  TreeNode,
  TreeOptions,
  Watch,
  WatchOptions,
  WriteOptions,
} from "./quorate.ts";
import { QuorateError } from "./quorate-error.ts";
import { type Endpoints, retrying } from "./retry.ts";
import { Watching } from "./watching.ts";

export interface CallerOptions<Place> {
  readonly transport: Transport<Place>;
  readonly endpoints: Endpoints<Place>;
  readonly timeoutMillis: number | undefined;
  readonly consistency: Consistency | undefined;
  readonly seen: Seen;
  /** On whose behalf. */
  readonly session?: SessionToken;
  /** When the client is closed or the session lost. */
  readonly over: AbortSignal;
}

export class Caller<Place> implements Channel {
  readonly #options: CallerOptions<Place>;

  constructor(options: CallerOptions<Place>) {
    this.#options = options;
  }

  /** The same, on behalf of a session. */
  of(session: SessionToken, over: AbortSignal): Caller<Place> {
    return new Caller({ ...this.#options, session, over });
  }

  async call<K extends Kind>(kind: K, ask: Asks[K], options: ReadOptions & WriteOptions): Promise<Answers[K]> {
    const { transport, endpoints, seen, session, consistency } = this.#options;
    const read = isRead(kind, ask);
    const key = read || isHarmless(kind) ? undefined : keyOf(options);
    const fences = fencesOf(options, read);
    const settings = defined({ ...(read ? readingOf(options, consistency, seen) : undefined), session, key, fences });
    const waitMillis = waitOf(kind, ask);
    const task = {
      endpoints,
      timeoutMillis: this.#millis(options.timeoutMillis) + (waitMillis ?? 0),
      once: waitMillis !== undefined,
      signal: this.#signal(options.signal),
      repeatable: read || isHarmless(kind) || key !== undefined,
      keyed: key !== undefined,
    };
    return retrying(task, async ({ place, timeoutMillis, signal }) => {
      try {
        const { value, zxid } = await transport.attempt(place, kind, ask, { ...settings, timeoutMillis, signal });
        seen.note(zxid);
        return value;
      } catch (error) {
        if (error instanceof QuorateError) seen.note(error.zxid);
        throw error;
      }
    });
  }

  tree(path: string, options: TreeOptions): Listing<TreeNode> {
    return new Tree((noted) => this.#tree(path, options, noted));
  }

  async *#tree(path: string, options: TreeOptions, noted: (zxid: string) => void): AsyncGenerator<TreeNode, undefined> {
    const { transport, endpoints, seen, session, consistency } = this.#options;
    const timeoutMillis = this.#millis(options.timeoutMillis);
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#signal(options.signal), ended.signal]);
    const task = { endpoints, timeoutMillis, signal, repeatable: true, keyed: false };
    try {
      // Tried again until it begins; one that breaks off cannot go on, as another is of another zxid.
      const [first, lines] = await retrying(task, async ({ place, ...one }) => {
        const settings = defined({ ...readingOf(options, consistency, seen), session, ...one });
        const opened = transport.tree(place, path, options, settings)[Symbol.asyncIterator]();
        const { value } = await opened.next();
        return [value as string, opened] as const;
      });
      seen.note(first);
      noted(first);
      for (;;) {
        // Whoever began it may stand still by now.
        const late = setTimeout(() => ended.abort(cutOff(path, timeoutMillis)), timeoutMillis);
        const next = await lines.next().finally(() => clearTimeout(late));
        if (next.done === true) return undefined;
        yield next.value as TreeNode;
      }
    } finally {
      ended.abort();
    }
  }

  watch(options: WatchOptions): Watch {
    const { transport, endpoints, seen, session, over } = this.#options;
    const openMillis = this.#millis(undefined);
    const open = transport.watch.bind(transport);
    return new Watching({ endpoints, seen, session, over, openMillis, open }, options);
  }

  observe(path: string, options: ObserveOptions): AsyncIterable<ElectionState> {
    const { transport, endpoints, session, seen, over } = this.#options;
    const openMillis = this.#millis(undefined);
    const open = transport.observe.bind(transport);
    return new Observing({ endpoints, seen, session, over, openMillis, open }, path, options);
  }

  #millis(asked: number | undefined): number {
    const millis = asked ?? this.#options.timeoutMillis ?? limits.requestTimeoutDefaultMillis;
    if (millis > 0 && millis <= limits.requestTimeoutMaxMillis) return millis;
    throw new QuorateError(
      "badArguments",
      `timeoutMillis: ${millis} is outside 1 to ${limits.requestTimeoutMaxMillis}`,
    );
  }

  #signal(own: AbortSignal | undefined): AbortSignal {
    return own === undefined ? this.#options.over : AbortSignal.any([own, this.#options.over]);
  }
}

function cutOff(path: string, millis: number): QuorateError {
  const detail = `nothing more came of the tree of ${path} within ${millis} ms`;
  return new QuorateError("timeout", detail, { certainty: "noEffect" });
}

class Tree implements Listing<TreeNode> {
  zxid: string | undefined;
  readonly #open: (noted: (zxid: string) => void) => AsyncIterator<TreeNode, undefined>;

  constructor(open: (noted: (zxid: string) => void) => AsyncIterator<TreeNode, undefined>) {
    this.#open = open;
  }

  [Symbol.asyncIterator](): AsyncIterator<TreeNode, undefined> {
    return this.#open((zxid) => {
      this.zxid = zxid;
    });
  }
}

/** Drawn anew for each write that names none. */
function keyOf({ idempotencyKey }: WriteOptions): string | undefined {
  return idempotencyKey === false ? undefined : (idempotencyKey ?? crypto.randomUUID());
}
