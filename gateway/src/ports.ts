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
  randomBytes(count: number): Uint8Array;
}
