/**
 * The leader's queue of commands that wait to be proposed. What arrives while an fsync is under way forms the next
 * batch. A refusal of one command of a lane refuses what is behind it on that lane too, until the lane comes again.
 */
import { type ErrorCode, joinCommands, type SessionId } from "@quorate/api";
import type { LinkId } from "@quorate/zab";
import { replicaLimits } from "./replica-limits.ts";

export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retryAfterMillis: number;
}

interface Waiting {
  readonly command: Uint8Array;
  /** Where it came from; 0: this replica's own gateways, or the leader itself. */
  readonly link: LinkId;
}

interface RefusedTry {
  readonly link: LinkId;
  readonly fence: number;
  readonly sequence: number;
  readonly refusal: Refusal;
}

export class Submissions {
  #queue: Waiting[] = [];
  #bytes = 0;
  /** By lane, the first one of a try that was refused: what is behind it in the same try is refused, too. */
  readonly #refusedFrom = new Map<SessionId, RefusedTry>();
  /** Asked before each command: why the leader takes no writes now. */
  readonly #closed: () => Refusal | undefined;

  constructor(closed: () => Refusal | undefined) {
    this.#closed = closed;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes a command of a lane (or a gateway's first, with session 0), or says why not: then nothing was done with it. */
  accept(link: LinkId, session: SessionId, sequence: number, fence: number, command: Uint8Array): Refusal | undefined {
    const earlier = this.#refusedFrom.get(session);
    // A new fence is a new try. It need not begin at the refused number: another copy of that may have been applied.
    const sameTry = earlier?.link === link && earlier.fence === fence;
    if (earlier && sameTry && sequence > earlier.sequence) return earlier.refusal;
    this.#refusedFrom.delete(session);
    const refusal = this.#closed() ?? this.#full(command);
    if (refusal) {
      if (session !== 0) this.#remember(session, { link, fence, sequence, refusal });
      return refusal;
    }
    this.own(command, link);
    return undefined;
  }

  /** Whose session is over comes no more: the oldest go. */
  #remember(session: SessionId, refused: RefusedTry): void {
    this.#refusedFrom.set(session, refused);
    if (this.#refusedFrom.size <= replicaLimits.refusedLanes) return;
    const [oldest] = this.#refusedFrom.keys();
    if (oldest !== undefined) this.#refusedFrom.delete(oldest);
  }

  /** A command of the leader's own: never refused. */
  own(command: Uint8Array, link: LinkId = 0): void {
    this.#queue.push({ command, link });
    this.#bytes += command.length;
  }

  #full(command: Uint8Array): Refusal | undefined {
    const { submissionCount, submissionBytes } = replicaLimits;
    if (this.#queue.length < submissionCount && this.#bytes + command.length <= submissionBytes) return undefined;
    return {
      code: "throttled",
      detail: "the leader's queue of writes is full; try again later",
      retryAfterMillis: 200,
    };
  }

  /** Forgets what came over a link and is not proposed: before that follower is synchronized, or when it is gone. */
  dropLink(link: LinkId): void {
    this.#queue = this.#queue.filter((each) => each.link !== link);
    this.#bytes = this.#queue.reduce((sum, each) => sum + each.command.length, 0);
  }

  /** The leadership is over. */
  clear(): void {
    this.#queue = [];
    this.#bytes = 0;
    this.#refusedFrom.clear();
  }

  /** The next batch's commands. */
  take(): { readonly count: number; readonly payload: Uint8Array } | undefined {
    const { batchCommands, batchBytes } = replicaLimits;
    let bytes = 0;
    let count = 0;
    for (const { command } of this.#queue) {
      if (count > 0 && (count >= batchCommands || bytes + command.length > batchBytes)) break;
      bytes += command.length;
      count++;
    }
    if (count === 0) return undefined;
    const taken = this.#queue.splice(0, count);
    this.#bytes -= bytes;
    return { count, payload: joinCommands(taken.map((each) => each.command)) };
  }
}
