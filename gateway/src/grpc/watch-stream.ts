/** `Coordination.Watch`: one watch on a stream of its own. */
import { publicServices, type v1 } from "@quorate/proto";
import type { GatewayTimer } from "../ports.ts";
import type { Call } from "./call.ts";
import { GrpcFault, stoppingFault } from "./faults.ts";
import type { Outlet } from "./outlet.ts";
import { decodeRequest } from "./unary.ts";
import { WatchFeed, type WatchSink } from "./watch-feed.ts";
import { watchAskOf } from "./watch-request.ts";

export class WatchStream implements WatchSink {
  readonly #call: Call;
  readonly #outlet: Outlet;
  #feed: WatchFeed | undefined;
  #beating: GatewayTimer | undefined;

  constructor(call: Call, outlet: Outlet) {
    this.#call = call;
    this.#outlet = outlet;
  }

  open(bytes: Buffer): void {
    const { door, deadlineMillis } = this.#call;
    const ask = watchAskOf(this.#call, decodeRequest(publicServices().methods.Coordination.Watch, bytes), "");
    if (door.watches >= door.limits.watches) {
      throw new GrpcFault("throttled", `this gateway has ${door.watches} watches, which is the most; use another`);
    }
    const feed = new WatchFeed(this.#call, ask, this);
    this.#feed = feed;
    door.watches++;
    door.streams.add(this);
    this.#outlet.onGone(() => this.#leave());
    this.#beating = door.options.world.every(door.limits.cursorMillis, () => feed.beat());
    feed.open(deadlineMillis);
  }

  get queuedBytes(): number {
    return this.#outlet.queuedBytes;
  }

  get mostQueuedBytes(): number {
    return this.#call.door.limits.watchQueuedBytes;
  }

  send(message: v1.WatchResponse): void {
    this.#outlet.send(publicServices().methods.Coordination.Watch.encodeResponse(message));
  }

  ended(fault: GrpcFault): void {
    this.#outlet.end(fault);
  }

  whenBelow(bytes: number, run: () => void): void {
    this.#outlet.whenBelow(bytes, run);
  }

  /** The process stops. */
  stop(): void {
    this.#feed?.end(stoppingFault());
  }

  #leave(): void {
    const { door } = this.#call;
    door.watches--;
    door.streams.delete(this);
    this.#beating?.cancel();
    this.#feed?.close();
  }
}
