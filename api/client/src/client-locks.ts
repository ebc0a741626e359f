/** Locks, over whatever carries calls. */
import { pathOf } from "./ask.ts";
import { type Contest, type ContestPorts, contend, type Won } from "./contending.ts";
import { defined } from "./defined.ts";
import type { AcquireOptions, Lock, LockMode, LockState, LockStateOptions, Locks } from "./locks.ts";
import type { CallOptions } from "./quorate.ts";
import { Tenure } from "./tenure.ts";

export class ClientLocks implements Locks {
  readonly #ports: ContestPorts;

  constructor(ports: ContestPorts) {
    this.#ports = ports;
  }

  async acquire(name: string, options: AcquireOptions = {}): Promise<Lock> {
    const { mode, permits, contender, layout, acl } = options;
    const ask = { path: pathOf(name), ...defined({ mode, permits, contender, layout, acl }) };
    const contest: Contest<"acquire"> = { kind: "acquire", name, ask };
    return new HeldLock(this.#ports, contest, await contend(this.#ports, contest, options));
  }

  get(name: string, options: LockStateOptions = {}): Promise<LockState> {
    const { waiters } = options;
    return this.#ports.caller.call("lock", { path: pathOf(name), ...defined({ waiters }) }, options);
  }
}

class HeldLock extends Tenure implements Lock {
  readonly mode: LockMode;
  readonly permits?: number;

  constructor(ports: ContestPorts, contest: Contest<"acquire">, won: Won) {
    super(ports, contest, won);
    const { mode = "exclusive", permits } = won.standing;
    this.mode = mode;
    if (permits !== undefined) this.permits = permits;
  }

  release(options: CallOptions = {}): Promise<void> {
    return this.giveUp(options);
  }
}
