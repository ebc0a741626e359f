/** A simulated gateway process: the real link to the replicas, over the simulated network. */
import { newestForms, type ReplicaId } from "@quorate/api";
import {
  type Dial,
  type GatewayWorld,
  type ReplicaConnection,
  type ReplicaEvents,
  ReplicaLink,
} from "@quorate/gateway";
import {
  decodeFromGateway,
  decodeToGateway,
  encodeFromGateway,
  type FromGateway,
  type ToGateway,
} from "@quorate/proto";
import type { AttachPoint, GatewayConnection } from "@quorate/replica";
import { createLocalDial } from "../../services/quorate/src/local-dial.ts";
import type { Machine } from "./machine.ts";
import type { End, Network, Wire } from "./network.ts";

/** Where replicas are found, by address. */
export interface ReplicaDirectory {
  machineOf(address: string): Machine | undefined;
  /** Of the process that lives there and listens. */
  attachPointOf(address: string): AttachPoint | undefined;
}

export interface SimGatewayOptions {
  readonly number: number;
  readonly machine: Machine;
  readonly network: Network;
  readonly directory: ReplicaDirectory;
  readonly replicas: readonly string[];
  /** `local`: embedded in a replica's process. */
  readonly home: "leader" | "local";
  readonly log: (text: string) => void;
}

export class SimGateway {
  readonly number: number;
  readonly machine: Machine;
  readonly #options: SimGatewayOptions;
  #link: ReplicaLink | undefined;

  constructor(options: SimGatewayOptions) {
    this.number = options.number;
    this.machine = options.machine;
    this.#options = options;
  }

  /** The port behind its doors, while its process lives. */
  get backend(): ReplicaLink | undefined {
    return this.#link;
  }

  /** In the process that lives on its machine. */
  start(): void {
    const { machine, replicas, home, log, number } = this.#options;
    const { clock, bytes } = machine;
    const world: GatewayWorld = {
      now: () => clock.now(),
      after: (millis, run) => clock.after(millis, run),
      every: (millis, run) => clock.every(millis, run),
      soon: (run) => clock.soon(run),
      next: (run) => clock.soon(run),
      randomBytes: (count) => bytes.bytes(count),
    };
    this.#link = new ReplicaLink({ replicas, home, dial: this.#dial, world, name: `gateway ${number}`, log });
  }

  /** Its process is dead. */
  ended(): void {
    this.#link = undefined;
  }

  readonly #dial: Dial = (address, events): ReplicaConnection => {
    const { machine, network, directory, home } = this.#options;
    const target = directory.machineOf(address);
    const point = directory.attachPointOf(address);
    if (!target || !point || !network.reaches(machine, target) || !network.reaches(target, machine)) {
      machine.clock.after(machine.random.between(1, 20), () => events.down("refused"));
      return { send: () => {}, flush: () => {}, close: () => {}, queuedBytes: 0 };
    }
    if (home === "local") return this.#dialWithin(address, point, events);
    let out: Uint8Array[] = [];
    const wire = network.connect(
      machine,
      () => ({
        received: (messages) => events.received(decode(messages, decodeToGateway)),
        down: (why) => events.down(why),
        drained: () => events.drained(),
      }),
      target,
      (far) => attach(point, far, `gateway ${this.number}`),
    );
    machine.clock.soon(() => events.up());
    wire.send([]);
    return {
      send: (message) => void out.push(encodeFromGateway(message).slice()),
      flush: () => {
        if (out.length === 0) return;
        const messages = out;
        out = [];
        wire.send(messages);
      },
      close: () => {
        wire.close();
        machine.clock.soon(() => events.down("closed by the gateway"));
      },
      get queuedBytes() {
        return wire.queuedBytes;
      },
    };
  };

  /** The replica of its own process: no network is between them. */
  #dialWithin(address: string, point: AttachPoint, events: ReplicaEvents): ReplicaConnection {
    const { clock } = this.#options.machine;
    const remote: Dial = (other) => {
      throw new Error(`an embedded gateway dials ${other}`);
    };
    const dial = createLocalDial(address, `gateway ${this.number}`, point, remote, (run) => clock.soon(run));
    return dial(address, events);
  }
}

/** The replica's end of a gateway's stream: attached with the first word. */
function attach(point: AttachPoint, wire: Wire, name: string): End {
  let out: Uint8Array[] = [];
  let closed = false;
  let attachment: ReturnType<AttachPoint["attach"]> | undefined;
  const end = (why: string): void => {
    if (closed) return;
    closed = true;
    attachment?.closed(why);
  };
  const connection: GatewayConnection = {
    name,
    rules: newestForms,
    send: (message) => void out.push(message.slice()),
    flush: () => {
      if (out.length === 0 || closed) return;
      const messages = out;
      out = [];
      wire.send(messages);
    },
    get queuedBytes() {
      return wire.queuedBytes;
    },
    close: (why) => {
      wire.close();
      end(why);
    },
  };
  return {
    received: (messages) => {
      if (closed) return;
      attachment ??= point.attach(connection);
      const decoded: FromGateway[] = decode(messages, decodeFromGateway);
      if (decoded.length > 0) attachment.received(decoded);
    },
    down: end,
    drained: () => {},
  };
}

function decode<T extends FromGateway | ToGateway>(
  messages: readonly Uint8Array[],
  one: (bytes: Uint8Array) => T | undefined,
): T[] {
  return messages.map((bytes) => {
    const message = one(bytes);
    if (message === undefined) throw new Error("a message between gateway and replica does not decode");
    return message;
  });
}

/** Where replica `id` is dialled. */
export function addressOf(id: ReplicaId): string {
  return `replica-${id}:7400`;
}
