/** grpc.health.v1: SERVING follows readiness, for the process and for all services alike; NOT_SERVING from the moment it stops. */
import { type HealthCheckRequest, type HealthCheckResponse, publicServiceNames, publicServices } from "@quorate/proto";
import type { GatewayTimer } from "../ports.ts";
import type { GrpcDoor } from "./call.ts";
import { GrpcFault } from "./faults.ts";
import type { Outlet } from "./outlet.ts";

type Status = NonNullable<HealthCheckResponse["status"]>;

const { Health: own, ...services } = publicServiceNames;
const known = new Set(["", ...Object.values(services)].filter((name) => name !== own));

export class Health {
  readonly #door: GrpcDoor;
  readonly #watchers = new Set<Outlet>();
  #timer: GatewayTimer | undefined;
  #last: Status = "UNKNOWN";
  #leaving = false;

  constructor(door: GrpcDoor) {
    this.#door = door;
  }

  /** Undefined: no such service. */
  check({ service = "" }: HealthCheckRequest): HealthCheckResponse | undefined {
    return known.has(service) ? { status: this.#status() } : undefined;
  }

  watch({ service = "" }: HealthCheckRequest, outlet: Outlet): void {
    const { Watch } = publicServices().methods.Health;
    if (!known.has(service)) {
      outlet.send(Watch.encodeResponse({ status: "SERVICE_UNKNOWN" }));
      return;
    }
    if (this.#watchers.size >= this.#door.limits.healthWatches) {
      outlet.end(
        new GrpcFault("throttled", `this gateway has ${this.#watchers.size} health streams, which is the most`),
      );
      return;
    }
    this.look();
    outlet.send(Watch.encodeResponse({ status: this.#last }));
    this.#watchers.add(outlet);
    outlet.onGone(() => this.#leave(outlet));
    const { world } = this.#door.options;
    this.#timer ??= world.every(this.#door.limits.healthMillis, () => this.look());
  }

  /** Tells the watchers what has changed. */
  look(): void {
    const status = this.#status();
    if (status === this.#last) return;
    this.#last = status;
    const bytes = publicServices().methods.Health.Watch.encodeResponse({ status });
    for (const each of this.#watchers) each.send(bytes);
  }

  /** From here on NOT_SERVING. */
  leave(): void {
    this.#leaving = true;
    this.look();
  }

  stop(): void {
    for (const each of [...this.#watchers]) each.end();
  }

  #leave(outlet: Outlet): void {
    this.#watchers.delete(outlet);
    if (this.#watchers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #status(): Status {
    return !this.#leaving && this.#door.options.ready() ? "SERVING" : "NOT_SERVING";
  }
}
