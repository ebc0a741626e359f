/**
 * `Elections.Observe`: who leads, as it changes. What has not been sent when there is something newer is not sent at all, so
 * that nothing piles up behind a slow reader.
 */
import type { Zxid } from "@quorate/api";
import { publicServices } from "@quorate/proto";
import type { WatchEnd } from "../backend.ts";
import type { GatewayTimer } from "../ports.ts";
import type { ElectionListener, ElectionState } from "../recipes/recipes.ts";
import { type Call, plainHeader } from "./call.ts";
import { recipeReadOf } from "./contest.ts";
import { stateOf } from "./elections.ts";
import { faultOfEnd, GrpcFault, stoppingFault } from "./faults.ts";
import type { Outlet } from "./outlet.ts";
import { decodeRequest } from "./unary.ts";
import { queueOf } from "./values.ts";

export class ObserveStream implements ElectionListener {
  readonly #call: Call;
  readonly #outlet: Outlet;
  #observing: { close(): void } | undefined;
  #beating: GatewayTimer | undefined;
  /** The newest. */
  #bytes: Buffer | undefined;
  /** It has not been sent. */
  #owing = false;
  #waiting = false;
  /** Something was sent since the last beat. */
  #fresh = false;

  constructor(call: Call, outlet: Outlet) {
    this.#call = call;
    this.#outlet = outlet;
  }

  /** Throws what refuses it at once. */
  open(bytes: Buffer): void {
    const { door, deadlineMillis } = this.#call;
    const request = decodeRequest(publicServices().methods.Elections.Observe, bytes);
    const read = recipeReadOf(this.#call, queueOf(request.path, "path"), request.options);
    if (door.watches >= door.limits.watches) {
      throw new GrpcFault("throttled", `${door.watches} wait or watch at this gateway, which is the most; use another`);
    }
    door.watches++;
    door.streams.add(this);
    this.#outlet.onGone(() => this.#leave());
    this.#beating = door.options.world.every(door.limits.cursorMillis, () => this.#beat());
    this.#observing = door.options.recipes.observe(read, deadlineMillis, this);
  }

  changed(state: ElectionState, zxid: Zxid): void {
    const { Observe } = publicServices().methods.Elections;
    this.#bytes = Observe.encodeResponse({ header: plainHeader(zxid, 0), ...stateOf(state) });
    this.#owing = true;
    this.#send();
  }

  ended(end: WatchEnd): void {
    this.#observing = undefined;
    this.#outlet.end(faultOfEnd(end));
  }

  /** The process stops. */
  stop(): void {
    this.#outlet.end(stoppingFault());
  }

  #send(): void {
    if (this.#waiting || this.#bytes === undefined) return;
    if (this.#outlet.queuedBytes === 0) {
      this.#owing = false;
      this.#fresh = true;
      this.#outlet.send(this.#bytes);
      return;
    }
    this.#waiting = true;
    this.#outlet.whenBelow(0, () => {
      this.#waiting = false;
      if (this.#owing) this.#send();
    });
  }

  /** Who hears nothing for long could not tell a quiet election from a dead connection. */
  #beat(): void {
    if (!this.#fresh) this.#send();
    this.#fresh = false;
  }

  #leave(): void {
    const { door } = this.#call;
    door.watches--;
    door.streams.delete(this);
    this.#beating?.cancel();
    this.#observing?.close();
  }
}
