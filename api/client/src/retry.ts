/**
 * Tries, and among which endpoints. The rules, in the order in which they are asked:
 *
 * 1. `noLeader`, `behind`, `throttled` and a connection that never stood had no effect and will pass: tried again.
 * 2. What may have had an effect (`connectionLoss`, `timeout`, a cut connection) is tried again only where that is
 *    harmless: reads, and writes with a key; those only while the key is certainly remembered.
 * 3. Everything else is the answer.
 *
 * The error's certainty is that of all tries: once a try may have had an effect, only an answer that speaks for the
 * replicated state (which knows the key) can take the doubt away.
 */
import { limits } from "@quorate/api";
import { QuorateError } from "./quorate-error.ts";

/** The leader's clock may go a tenth faster than ours, and the last try takes its time. */
const keyTrustMillis = limits.keyMillis * 0.75;
/** The least that one try of a call gets that may be repeated at another gateway. */
const leastTryMillis = 500;
const backOffMillis = { first: 30, most: 1000, mostDead: 5000 } as const;

const passing: ReadonlySet<string> = new Set(["noLeader", "behind", "throttled"]);
const inDoubt: ReadonlySet<string> = new Set(["connectionLoss", "timeout"]);
/** They say nothing of an earlier try. */
const inconclusive: ReadonlySet<string> = new Set([
  ...passing,
  ...inDoubt,
  "authFailed",
  "internal",
  "quotaExceeded",
  "sessionExpired",
  "sessionMoved",
]);

export interface Endpoint<Place> {
  readonly place: Place;
  /** Not asked before, where others can be. */
  notBefore: number;
  failures: number;
}

/** In turn from a random first one, so that many clients spread; it stays with one that answers. */
export class Endpoints<Place> {
  readonly #all: readonly Endpoint<Place>[];
  #at: number;

  constructor(places: readonly Place[]) {
    if (places.length === 0) throw new QuorateError("badArguments", "endpoints: give at least one");
    this.#all = places.map((place) => ({ place, notBefore: 0, failures: 0 }));
    this.#at = Math.floor(Math.random() * places.length);
  }

  get count(): number {
    return this.#all.length;
  }

  /** The next that may be asked now, else the one that may be soonest. */
  choose(now: number): Endpoint<Place> {
    const inTurn = [...this.#all.slice(this.#at), ...this.#all.slice(0, this.#at)];
    const chosen = inTurn.reduce((best, each) => (free(each, now) < free(best, now) ? each : best));
    this.#at = this.#all.indexOf(chosen);
    return chosen;
  }

  succeeded(endpoint: Endpoint<Place>): void {
    endpoint.failures = 0;
    endpoint.notBefore = 0;
  }

  failed(endpoint: Endpoint<Place>, now: number, retryAfterMillis: number): void {
    // What fails together has failed once.
    const wait = now < endpoint.notBefore ? 0 : backOff(endpoint.failures++, backOffMillis.mostDead);
    endpoint.notBefore = Math.max(endpoint.notBefore, now + Math.max(retryAfterMillis, wait));
    if (this.#all[this.#at] === endpoint) this.#at = (this.#at + 1) % this.#all.length;
  }
}

function free(endpoint: Endpoint<unknown>, now: number): number {
  return Math.max(endpoint.notBefore, now);
}

/** Doubles with each failure, and has jitter, so that many clients do not come back in step. */
export function backOff(failures: number, most: number = backOffMillis.most): number {
  return Math.min(most, backOffMillis.first * 2 ** Math.min(failures, 16)) * (0.5 + Math.random());
}

export interface Task<Place> {
  readonly endpoints: Endpoints<Place>;
  readonly timeoutMillis: number;
  /** Rejects with its reason. */
  readonly signal: AbortSignal;
  /** To do it twice is as if done once: a read, or a write with a key. */
  readonly repeatable: boolean;
  /** It is a write whose key is remembered for a time. */
  readonly keyed: boolean;
  /** Tried once, for all of its time: whoever asks has less to ask the next time. */
  readonly once?: boolean;
}

export interface Try<Place> {
  readonly place: Place;
  readonly timeoutMillis: number;
  readonly signal: AbortSignal;
}

export async function retrying<Place, T>(task: Task<Place>, attempt: (one: Try<Place>) => Promise<T>): Promise<T> {
  const { endpoints, signal, repeatable, once = false } = task;
  let end = performance.now() + task.timeoutMillis;
  let doubt = false;
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    const sentAt = performance.now();
    const endpoint = endpoints.choose(sentAt);
    const left = end - sentAt;
    const share = Math.max(leastTryMillis, task.timeoutMillis / 3);
    try {
      const answer = await within(repeatable && !once ? Math.min(left, share) : left, signal, (millis, cut) =>
        attempt({ place: endpoint.place, timeoutMillis: millis, signal: cut }),
      );
      endpoints.succeeded(endpoint);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof QuorateError)) throw error;
      if (error.certainty === "unknown" && !doubt) {
        doubt = true;
        if (task.keyed) end = Math.min(end, sentAt + keyTrustMillis);
      }
      const last = doubt && (inconclusive.has(error.code) || !repeatable) ? error.inDoubt() : error;
      if (!mayRepeat(error, repeatable)) throw last;
      const wait = pause(endpoints, endpoint, error, tries);
      if (once || performance.now() + wait >= end) throw last;
      await sleep(wait, signal);
    }
  }
}

/** It had no effect, and will pass. */
export function isPassing({ code, certainty }: QuorateError): boolean {
  return certainty === "noEffect" && (passing.has(code) || inDoubt.has(code));
}

export function mayRepeat(error: QuorateError, repeatable: boolean): boolean {
  if (error.certainty === "unknown") return repeatable && (inDoubt.has(error.code) || passing.has(error.code));
  return isPassing(error);
}

/** How long to wait before the next try, which goes to another endpoint where there is one. */
function pause<Place>(
  endpoints: Endpoints<Place>,
  failed: Endpoint<Place>,
  error: QuorateError,
  tries: number,
): number {
  const now = performance.now();
  endpoints.failed(failed, now, error.retryAfterMillis);
  const wait = Math.max(endpoints.choose(now).notBefore - now, tries < endpoints.count - 1 ? 0 : backOff(tries));
  // Too many requests are too many at every gateway.
  return error.code === "throttled" ? Math.max(wait, error.retryAfterMillis) : wait;
}

/** Cuts `run` off after `millis`; it is told nine tenths of that, so that the other side's own answer comes before. */
async function within<T>(
  millis: number,
  signal: AbortSignal,
  run: (millis: number, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(
    () => {
      late.abort(new QuorateError("timeout", `no answer within ${Math.round(millis)} ms`));
    },
    Math.max(1, millis),
  );
  try {
    return await run(Math.max(1, Math.floor(millis * 0.9)), AbortSignal.any([signal, late.signal]));
  } catch (error) {
    throw late.signal.aborted && !signal.aborted && !(error instanceof QuorateError) ? late.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects with the signal's reason. */
export function sleep(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, millis);
    signal.addEventListener("abort", stop, { once: true });
  });
}
