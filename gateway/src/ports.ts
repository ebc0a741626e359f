/** What the gateway takes from the world: time and randomness come through here, so that a simulator can replace them. */
export interface GatewayTimer {
  cancel(): void;
}

export interface GatewayWorld {
  /** Monotonic milliseconds. */
  now(): number;
  after(millis: number, run: () => void): GatewayTimer;
  every(millis: number, run: () => void): GatewayTimer;
  /** Runs soon, after what is already waiting for input and output has been looked at: for coalescing. */
  soon(run: () => void): void;
  /**
   * Runs when what came together has been taken: of a gateway that is embedded in a replica's process as soon as the present
   * callback has returned, since all that the replica says comes in one; else as `soon`, for it may come in several.
   */
  next(run: () => void): void;
  randomBytes(count: number): Uint8Array;
}
