/**
 * `include=data`: the data that an event announced, where it still stands. It is read at delivery, with the watcher's own
 * rights; those who ask for the same with the same rights share one read.
 */
import { limits, type WatchEvent } from "@quorate/api";
import type { Answer, ReadRequest, WatchEnd } from "../backend.ts";
import type { Call } from "./call.ts";
import { dataJson, type Encoding } from "./stat-json.ts";

/** Reads of one watcher at a time: so much data it can hold before it is known to be superseded. */
const readsAtOnce = 4;

const superseded = ',"superseded":true';

type Shared = Map<string, Promise<Answer>>;
const readings = new WeakMap<WatchEvent, Shared>();

export class DataReader {
  readonly #call: Call;
  readonly #forced: Encoding | undefined;
  /** Whose rights they are. */
  readonly #who: string;

  constructor(call: Call, forced: Encoding | undefined) {
    this.#call = call;
    this.#forced = forced;
    this.#who = JSON.stringify(call.identity);
  }

  /** For each event of one transaction what stands behind it; or why they cannot be had now. */
  async read(transaction: readonly WatchEvent[]): Promise<readonly string[] | WatchEnd> {
    const texts = new Array<string>(transaction.length).fill("");
    let failure: WatchEnd | undefined;
    let next = 0;
    const readSome = async (): Promise<void> => {
      while (next < transaction.length && failure === undefined) {
        const place = next++;
        const event = transaction[place] as WatchEvent;
        if (event.type === "deleted") continue;
        const text = this.#textOf(event, await this.#answer(event));
        if (typeof text === "string") texts[place] = text;
        else failure = text;
      }
    };
    await Promise.all(Array.from({ length: Math.min(readsAtOnce, transaction.length) }, readSome));
    return failure ?? texts;
  }

  #textOf(event: WatchEvent, answer: Answer): string | WatchEnd {
    if (answer.kind === "unavailable") return answer;
    const { outcome } = answer;
    // It is gone, or its rights have changed since: another event follows, which tells it.
    if (!outcome.ok || outcome.result.kind !== "data") return superseded;
    const { stat, data } = outcome.result;
    return stat.mzxid === event.zxid ? `,${dataJson(data, this.#forced)}` : superseded;
  }

  #answer(event: WatchEvent): Promise<Answer> {
    let shared = readings.get(event);
    if (shared === undefined) {
      shared = new Map();
      readings.set(event, shared);
    }
    let answer = shared.get(this.#who);
    if (answer === undefined) {
      const request: ReadRequest = {
        identity: this.#call.identity,
        operation: { kind: "get", path: event.path },
        consistency: "session",
        minZxid: event.zxid,
        maxStaleMillis: 0,
      };
      answer = this.#call.door.options.backend.read(request, limits.requestTimeoutDefaultMillis);
      shared.set(this.#who, answer);
      void this.#forgetFailure(answer, shared);
    }
    return answer;
  }

  /** Who comes later may have more luck. */
  async #forgetFailure(answer: Promise<Answer>, shared: Shared): Promise<void> {
    if ((await answer).kind === "unavailable") shared.delete(this.#who);
  }
}

/** Where the transaction that begins at `from` ends. */
export function endOfTransaction(events: readonly WatchEvent[], from: number): number {
  const zxid = events[from]?.zxid;
  let end = from;
  while (end < events.length && events[end]?.zxid === zxid) end++;
  return end;
}
