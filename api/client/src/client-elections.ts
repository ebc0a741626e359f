/** Elections, over whatever carries calls. */
import { pathOf } from "./ask.ts";
import { bytesOf } from "./calls.ts";
import { type Contest, type ContestPorts, contend, type Won } from "./contending.ts";
import { defined } from "./defined.ts";
import type { ContestOptions, ElectionState, Elections, Leadership, ObserveOptions } from "./locks.ts";
import type { CallOptions, Data, ReadOptions, WriteOptions } from "./quorate.ts";
import { Tenure } from "./tenure.ts";

export class ClientElections implements Elections {
  readonly #ports: ContestPorts;

  constructor(ports: ContestPorts) {
    this.#ports = ports;
  }

  async campaign(name: string, value: Data, options: ContestOptions = {}): Promise<Leadership> {
    const { layout, acl } = options;
    const ask = { path: pathOf(name), value: bytesOf(value), ...defined({ layout, acl }) };
    const contest: Contest<"campaign"> = { kind: "campaign", name, ask };
    return new HeldLeadership(this.#ports, contest, await contend(this.#ports, contest, options));
  }

  leader(name: string, options: ReadOptions = {}): Promise<ElectionState> {
    return this.#ports.caller.call("leader", { path: pathOf(name) }, options);
  }

  observe(name: string, options: ObserveOptions = {}): AsyncIterable<ElectionState> {
    return this.#ports.caller.observe(pathOf(name), options);
  }
}

class HeldLeadership extends Tenure implements Leadership {
  readonly #path: string;

  constructor(ports: ContestPorts, contest: Contest<"campaign">, won: Won) {
    super(ports, contest, won);
    this.#path = contest.ask.path;
  }

  async proclaim(value: Data, options: Omit<WriteOptions, "fenced"> = {}): Promise<void> {
    this.signal.throwIfAborted();
    await this.channel.call("proclaim", { path: this.#path, value: bytesOf(value) }, options);
  }

  resign(options: CallOptions = {}): Promise<void> {
    return this.giveUp(options);
  }
}
