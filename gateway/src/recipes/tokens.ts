/**
 * Which znode a token is the czxid of, as far as this gateway knows: so that a fenced write needs no listing. Never more
 * than a hint: whether the znode is still there is decided where the write is applied.
 */
import type { Path, Zxid } from "@quorate/api";
import { recipeLimits } from "./limits.ts";
import type { Fence } from "./recipes.ts";

export interface KnownToken {
  readonly znode: Path;
  /** A zxid at which it was among the first of its queue; it is as long as it is there. Undefined: not that this gateway knew. */
  readonly heldAt: Zxid | undefined;
}

export class Tokens {
  /** By queue and token (one txn may make contenders of several queues), those last learned last. */
  readonly #known = new Map<string, KnownToken>();
  readonly #limit: number;

  constructor(limit: number = recipeLimits.tokens) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  find(fence: Fence): KnownToken | undefined {
    return this.#known.get(keyOf(fence.path, fence.token));
  }

  /** What was held once stays so. */
  learn(queue: Path, token: Zxid, znode: Path, heldAt: Zxid | undefined): void {
    const key = keyOf(queue, token);
    const before = this.#known.get(key);
    if (before !== undefined && before.znode === znode && (before.heldAt !== undefined || heldAt === undefined)) return;
    this.#known.delete(key);
    this.#known.set(key, { znode, heldAt });
    if (this.#known.size <= this.#limit) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      break;
    }
  }

  forget(queue: Path, token: Zxid): void {
    this.#known.delete(keyOf(queue, token));
  }
}

function keyOf(queue: Path, token: Zxid): string {
  return `${token}:${queue}`;
}
