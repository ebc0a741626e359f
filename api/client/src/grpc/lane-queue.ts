/**
 * What a session has asked and has no answer to, in order. A write gets its number when it is first sent, and keeps it: on
 * whatever stream it is sent again, the number tells the ensemble that it is the same write. Only what was certainly not done
 * (refused) gives its number back, to those behind it, which were refused with it.
 */
import type { v1 } from "@quorate/proto";
import { QuorateError } from "../quorate-error.ts";
import { isPassing } from "../retry.ts";
import { failureOf } from "./failures.ts";

export const laneLimits = {
  /** Numbered writes without an answer; the ensemble remembers 1,024. */
  window: 512,
  /** Beyond it a call is refused at once. */
  waiting: 16_384,
  /** Of one message, about. */
  messageBytes: 524_288,
  messageOperations: 1024,
} as const;

export interface Ask {
  readonly requestId: number;
  readonly write: boolean;
  /** Not sent again on another stream: a watch begins anew by itself, after its cursor. */
  readonly once?: boolean;
  readonly operation: v1.SessionOperation;
  readonly bytes: number;
  /** `undecided`: a write's number was given back. */
  answered(reply: v1.SessionReply): void;
  failed(error: QuorateError): void;
}

interface Entry {
  readonly ask: Ask;
  /** 0: never sent, or a read. */
  sequence: number;
  /** On the stream that is open. */
  sent: boolean;
  /** Certainly not done; it waits to be sent again. */
  refused: QuorateError | undefined;
  /** Nobody waits for it any more; but it may have been done, and its number is its own. */
  abandoned: boolean;
}

export class LaneQueue {
  #entries: Entry[] = [];
  /** The highest number given. */
  #last = 0;
  /** Since a refusal nothing is sent until all that was refused with it is back. */
  #refusing = false;

  get length(): number {
    return this.#entries.length;
  }

  /** Something on the stream that is open has no answer yet. */
  get waiting(): boolean {
    return this.#entries.some(({ sent }) => sent);
  }

  /** All replies up to it have arrived. */
  get answeredUpTo(): number {
    const first = this.#entries.find(({ sequence }) => sequence > 0);
    return first === undefined ? this.#last : first.sequence - 1;
  }

  push(ask: Ask): void {
    if (this.#entries.length >= laneLimits.waiting)
      throw new QuorateError("throttled", `${laneLimits.waiting} calls of this session wait for an answer`);
    this.#entries.push({ ask, sequence: 0, sent: false, refused: undefined, abandoned: false });
  }

  /** What is to be sent next, numbered, as one message's worth; empty: nothing now. */
  take(): v1.SessionOperation[] {
    const taken: v1.SessionOperation[] = [];
    if (this.#refusing) return taken;
    let bytes = 0;
    const room = this.answeredUpTo + laneLimits.window;
    for (const entry of this.#entries) {
      if (entry.sent) continue;
      const { ask } = entry;
      if (taken.length >= laneLimits.messageOperations || (bytes > 0 && bytes + ask.bytes > laneLimits.messageBytes))
        break;
      if (ask.write && entry.sequence === 0) {
        if (this.#last >= room) break;
        entry.sequence = ++this.#last;
      }
      entry.sent = true;
      entry.refused = undefined;
      bytes += ask.bytes;
      taken.push({ ...ask.operation, requestId: ask.requestId, sequence: entry.sequence });
    }
    return taken;
  }

  /** Answers what was refused, so that the caller may wait before it takes again; undefined: nothing was. */
  reply(reply: v1.SessionReply): QuorateError | undefined {
    const at = this.#entries.findIndex(({ ask, sent }) => sent && ask.requestId === reply.requestId);
    const entry = this.#entries[at];
    // Of something that was given up.
    if (entry === undefined) return undefined;
    if (!entry.ask.write || reply.decided === true) {
      this.#entries.splice(at, 1);
      if (!entry.abandoned) entry.ask.answered(reply);
      return undefined;
    }
    const error = failureOf(reply.error ?? {});
    const first = !this.#refusing;
    this.#refusing = true;
    entry.sent = false;
    entry.refused = error;
    // What is refused behind it is so for its sake, whatever the answer says.
    const over = entry.abandoned || (first && !isPassing(error));
    if (over) this.#drop(entry);
    if (!this.#entries.some(({ ask, sent }) => ask.write && sent)) this.#refusing = false;
    if (over && !entry.abandoned) entry.ask.failed(error);
    return error;
  }

  /** The stream is gone: everything will be sent again, with the numbers it has. */
  broken(reason: QuorateError): void {
    this.#refusing = false;
    const lost = this.#entries.filter(({ ask, sent }) => ask.once === true && sent);
    this.#entries = this.#entries.filter((each) => !lost.includes(each));
    for (const entry of this.#entries) entry.sent = false;
    for (const { ask } of lost) ask.failed(reason);
  }

  /** Nobody waits for it any more. Answers whether it certainly was not, and will not be, done. */
  giveUp(ask: Ask): boolean {
    const entry = this.#entries.find((each) => each.ask === ask);
    if (entry === undefined) return false;
    if (ask.write && entry.sequence > 0 && entry.refused === undefined) {
      entry.abandoned = true;
      return false;
    }
    this.#drop(entry);
    return true;
  }

  /** The session is over. */
  end(reason: QuorateError): void {
    const entries = this.#entries;
    this.#entries = [];
    for (const { ask, sequence, refused, abandoned } of entries) {
      const certain = !ask.write || sequence === 0 || refused !== undefined;
      if (!abandoned) ask.failed(certain ? reason : reason.inDoubt());
    }
  }

  /** Its number, which nothing was done under, is the next one's. */
  #drop(entry: Entry): void {
    const at = this.#entries.indexOf(entry);
    this.#entries.splice(at, 1);
    if (entry.sequence === 0) return;
    for (const each of this.#entries.slice(at)) if (each.sequence > 0) each.sequence--;
    this.#last--;
  }
}
