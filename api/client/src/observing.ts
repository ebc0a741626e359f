/**
 * Who leads, through losses of connections and gateways: what is told first after a break is the present, so nothing has to be
 * made good. What is as it was is not told again.
 */
import type { Seen, SessionToken, Settings } from "./ask.ts";
import type { ElectionState, ObserveOptions } from "./locks.ts";
import { backOff, type Endpoints, sleep } from "./retry.ts";
import { Connection, passes } from "./watching.ts";

export interface ObserveSource<Place> {
  readonly endpoints: Endpoints<Place>;
  readonly seen: Seen;
  readonly session: SessionToken | undefined;
  /** Of the client, or of the session. */
  readonly over: AbortSignal;
  readonly openMillis: number;
  open(place: Place, path: string, settings: Settings): AsyncIterable<ElectionState | undefined>;
}

/** A stream says that it is alive every 15 s. */
const silenceMillis = 35_000;

export class Observing<Place> implements AsyncIterable<ElectionState> {
  readonly #source: ObserveSource<Place>;
  readonly #path: string;
  readonly #options: ObserveOptions;

  constructor(source: ObserveSource<Place>, path: string, options: ObserveOptions) {
    this.#source = source;
    this.#path = path;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ElectionState, undefined, undefined> {
    const { endpoints, seen, over } = this.#source;
    const { signal: own, timeoutMillis = Infinity } = this.#options;
    const signal = own === undefined ? over : AbortSignal.any([over, own]);
    let told: string | undefined;
    let brokenAt: number | undefined;
    for (let failures = 0; ; ) {
      signal.throwIfAborted();
      const endpoint = endpoints.choose(performance.now());
      const connection = new Connection(signal);
      try {
        for await (const state of this.#open(endpoint.place, connection)) {
          if (failures > 0) endpoints.succeeded(endpoint);
          failures = 0;
          brokenAt = undefined;
          seen.note(state?.zxid);
          if (state === undefined || nameOf(state) === told) continue;
          told = nameOf(state);
          yield state;
          signal.throwIfAborted();
        }
        endpoints.failed(endpoint, performance.now(), 0);
      } catch (error) {
        signal.throwIfAborted();
        const reason = connection.reasonOr(error);
        brokenAt ??= performance.now();
        if (!passes(reason) || performance.now() - brokenAt > timeoutMillis) throw reason;
        endpoints.failed(endpoint, performance.now(), reason.retryAfterMillis);
      } finally {
        connection.end();
      }
      const now = performance.now();
      const wait = failures < endpoints.count ? 0 : backOff(failures);
      failures++;
      await sleep(Math.max(wait, endpoints.choose(now).notBefore - now), signal);
    }
  }

  /** What was seen is not unsaid by a gateway that is behind. */
  async *#open(place: Place, connection: Connection): AsyncGenerator<ElectionState | undefined, undefined, undefined> {
    const { session, openMillis, seen } = this.#source;
    const settings = {
      timeoutMillis: openMillis,
      signal: connection.signal,
      minZxid: seen.zxid,
      ...(session ? { session } : undefined),
    };
    connection.expect(openMillis * 1.5);
    for await (const state of this.#source.open(place, this.#path, settings)) {
      connection.expect(0);
      yield state;
      connection.expect(silenceMillis);
    }
  }
}

/** The leader and what it proclaims. */
function nameOf({ leader }: ElectionState): string {
  return leader === undefined ? "" : `${leader.token} ${leader.value.join()}`;
}
