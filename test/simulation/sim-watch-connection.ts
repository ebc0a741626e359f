/** A simulated watcher's connection to one gateway's process, with what was opened on it there. */
import type { Zxid } from "@quorate/api";
import type { SessionLane, Watching } from "@quorate/gateway";
import type { Watch } from "./observation.ts";
import type { SimGateway } from "./sim-gateway.ts";
export class WatchConnection {
  readonly gateway: SimGateway;
  readonly life: number;
  watch: Watch | undefined;
  watching: Watching | undefined;
  lane: SessionLane | undefined;
  /** Of the lane: the last number that was decided, and whether the next one is under way. */
  sequence = 0;
  writing = false;
  laneOpen = false;
  opened = false;
  /** The newest event that was told here. */
  floor = 0 as Zxid;
  left = false;
  /** The watch is over, or was never opened. */
  ended = false;
  back = 0;

  constructor(gateway: SimGateway) {
    this.gateway = gateway;
    this.life = gateway.machine.life;
  }

  /** The gateway's process is the one that it was opened at. */
  get lives(): boolean {
    return this.gateway.machine.alive && this.gateway.machine.life === this.life;
  }
}
