/**
 * Fencing: a write that shows the tokens of locks is done only while each of them is held. Which znode a token is the czxid of
 * comes from memory, or from a look at the queue; that it still is there is judged where the write is applied. What was
 * held once is held until its znode goes, so that an old memory is as good as a new one.
 */
import { assert, type Identity, type Path, type Zxid, zeroZxid } from "@quorate/api";
import type { Answer, Backend, WriteRequest } from "../backend.ts";
import { type Fenceable, type Guard, guarded, isFenceable, isReadOnly, restored } from "./fence-wrap.ts";
import { recipeLimits } from "./limits.ts";
import type { Fence, RecipeAnswer } from "./recipes.ts";
import { Tokens } from "./tokens.ts";

/** Who holds a lock, or leads. */
export interface Holder {
  /** 0: its znode may not be read. */
  readonly token: Zxid;
  readonly znode: Path;
}

export interface FencePorts {
  readonly backend: Pick<Backend, "read" | "write">;
  readonly tokens: Tokens;
  readonly now: () => number;
  /** All who hold it at present, by what the queue is; `noNode` or `nodeExists`: it is no lock. */
  readonly holders: (
    path: Path,
    identity: Identity,
    deadlineMillis: number,
  ) => Promise<RecipeAnswer<readonly Holder[]>>;
}

export interface Guarded {
  /** To be sent in the operation's place; a read if that writes nothing. */
  readonly operation: ReturnType<typeof guarded>;
  /** What it was answered, as the operation by itself would have been; or `fenced`. */
  restore(answer: Answer): Answer;
}

/** Refused: a queue could not be looked at, and nothing was sent. */
export type Guarding =
  | { readonly kind: "guarded"; readonly guarded: Guarded }
  | { readonly kind: "refused"; readonly answer: Answer };

/** At one moment. */
interface Held {
  readonly holders: readonly Holder[];
  readonly zxid: Zxid;
}

const nobody: Held = { holders: [], zxid: zeroZxid };

export class Fences {
  readonly #ports: FencePorts;
  /**
   * Those that writers have shown, also when they are over: who goes on with a token that is, as one does who was paused, is
   * refused where his write is applied, and not by a listing each time.
   */
  readonly #shown = new Tokens(recipeLimits.shownTokens);

  constructor(ports: FencePorts) {
    this.#ports = ports;
  }

  async write(request: WriteRequest, fences: readonly Fence[], deadlineMillis: number): Promise<Answer> {
    const { backend, now } = this.#ports;
    const { operation, identity } = request;
    if (fences.length === 0) return backend.write(request, deadlineMillis);
    assert(isFenceable(operation), `a ${operation.kind} cannot be fenced`);
    const began = now();
    const guarding = this.guard(operation, fences, identity, deadlineMillis);
    const found = guarding instanceof Promise ? await guarding : guarding;
    if (found.kind === "refused") return found.answer;
    const left = Math.max(1, deadlineMillis - (now() - began));
    return found.guarded.restore(await this.#send({ ...request, operation: found.guarded.operation }, left));
  }

  /** At once when all tokens are known here; else the queues are looked at first. */
  guard(
    operation: Fenceable,
    fences: readonly Fence[],
    identity: Identity,
    deadlineMillis: number,
  ): Guarding | Promise<Guarding> {
    const guards = fences.map((fence): Guard => ({ fence, znode: this.#heldBy(fence) }));
    if (guards.every(({ znode }) => znode !== undefined)) return this.#wrap(operation, guards);
    return this.#look(guards, identity, deadlineMillis).then((found) =>
      "kind" in found ? { kind: "refused", answer: found } : this.#wrap(operation, found),
    );
  }

  #heldBy(fence: Fence): Path | undefined {
    const known = this.#ports.tokens.find(fence);
    if (known?.heldAt === undefined) return this.#shown.find(fence)?.znode;
    this.#shown.learn(fence.path, fence.token, known.znode, known.heldAt);
    return known.znode;
  }

  #wrap(operation: Fenceable, guards: readonly Guard[]): Guarding {
    const restore = (answer: Answer): Answer => restored(answer, operation, guards);
    return { kind: "guarded", guarded: { operation: guarded(operation, guards), restore } };
  }

  /** The guards with all that can be known of them; or why that cannot be told. */
  async #look(
    guards: readonly Guard[],
    identity: Identity,
    deadlineMillis: number,
  ): Promise<readonly Guard[] | Answer> {
    const paths = [...new Set(guards.filter(({ znode }) => znode === undefined).map(({ fence }) => fence.path))];
    const lists = await Promise.all(paths.map((path) => this.#ports.holders(path, identity, deadlineMillis)));
    const held = new Map<Path, Held>();
    for (const [index, list] of lists.entries()) {
      if (list.kind === "unavailable") return list;
      const path = paths[index] as Path;
      if (list.kind === "done") held.set(path, { holders: list.value, zxid: list.zxid });
      else if (list.failure.code !== "noNode" && list.failure.code !== "nodeExists") {
        const detail = `the lock ${path} cannot be looked at: ${list.failure.detail}`;
        return { kind: "outcome", outcome: { ...list.failure, detail }, servedBy: list.servedBy, ageMillis: 0 };
      }
    }
    return guards.map((guard) => this.#found(guard, held.get(guard.fence.path) ?? nobody));
  }

  #found(guard: Guard, { holders, zxid }: Held): Guard {
    const { fence, znode } = guard;
    if (znode !== undefined) return guard;
    const holder = holders.find(({ token }) => token === fence.token);
    // One that may not be read may be it. The guard says so where it is judged: `noAuth`.
    if (holder === undefined) return { fence, znode: holders.find(({ token }) => token === zeroZxid)?.znode };
    this.#ports.tokens.learn(fence.path, fence.token, holder.znode, zxid);
    this.#shown.learn(fence.path, fence.token, holder.znode, zxid);
    return { fence, znode: holder.znode };
  }

  #send(request: WriteRequest, deadlineMillis: number): Promise<Answer> {
    const { backend } = this.#ports;
    const { operation, identity, acting } = request;
    if (operation.kind !== "txn" || !isReadOnly(operation)) return backend.write(request, deadlineMillis);
    const read = { identity, operation, consistency: "linearizable", minZxid: zeroZxid, maxStaleMillis: 0 } as const;
    return backend.read(acting === undefined ? read : { ...read, acting }, deadlineMillis);
  }
}
