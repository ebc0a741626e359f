/**
 * Where calls arrive, whatever they are: counted, opened, handed to what does them, and every fault turned into a status
 * once. A fault of our own is logged under a reference that the client gets too.
 */
import { type PublicService, publicServices } from "@quorate/proto";
import { type GrpcDoor, type Incoming, openCall } from "./call.ts";
import { GrpcFault, type GrpcStatus, statusOf, stoppingFault } from "./faults.ts";
import { Health } from "./health.ts";
import { ObserveStream } from "./observe-stream.ts";
import type { Outlet } from "./outlet.ts";
import { SessionStream } from "./session-stream.ts";
import { streamTree } from "./tree-stream.ts";
import { decodeRequest, type UnaryHandler, unaryHandlers } from "./unary.ts";
import { WatchStream } from "./watch-stream.ts";

/** The receiving half of a stream. */
export interface Inlet {
  received(bytes: Buffer): void;
  /** The client sends nothing more. */
  finished(): void;
}

export interface Flow {
  pause(): void;
  resume(): void;
}

const notFound = 5;

/** For the log line of a fault of our own. */
type Named = Pick<Incoming, "method" | "trace">;

export class Desk {
  readonly #door: GrpcDoor;
  readonly #health: Health;
  readonly #unary: { readonly [name: string]: UnaryHandler } = unaryHandlers();

  constructor(door: GrpcDoor) {
    this.#door = door;
    this.#health = new Health(door);
  }

  /** The reply's bytes, or the status of a fault. Never rejects. */
  async unary(service: PublicService, incoming: Incoming, bytes: Buffer): Promise<Buffer | GrpcStatus> {
    const began = this.#door.options.world.now();
    if (service === "Health") return this.#checkHealth(bytes);
    this.#door.inFlight++;
    let status = 0;
    try {
      const handler = this.#unary[incoming.method];
      if (handler === undefined) throw new Error(`there is no handler of ${incoming.method}`);
      this.#admit();
      return await handler(openCall(this.#door, incoming), bytes);
    } catch (error) {
      const answer = statusOf(this.faultOf(error, incoming));
      status = answer.code;
      return answer;
    } finally {
      this.#door.inFlight--;
      this.observe(incoming.method, status, began);
    }
  }

  stream(service: PublicService, incoming: Incoming, bytes: Buffer, outlet: Outlet): void {
    try {
      if (service === "Health") {
        this.#health.watch(decodeRequest(publicServices().methods.Health.Watch, bytes), outlet);
        return;
      }
      this.#admit();
      const call = openCall(this.#door, incoming);
      if (incoming.method === "GetTree")
        streamTree(call, bytes, outlet, (error) => this.#fail(outlet, error, incoming));
      else if (incoming.method === "Observe") new ObserveStream(call, outlet).open(bytes);
      else new WatchStream(call, outlet).open(bytes);
    } catch (error) {
      this.#fail(outlet, error, incoming);
    }
  }

  duplex(incoming: Incoming, outlet: Outlet, flow: Flow): Inlet {
    let stream: SessionStream | undefined;
    const guarded = (run: () => void): void => {
      try {
        if (!outlet.over) run();
      } catch (error) {
        this.#fail(outlet, error, incoming);
      }
    };
    guarded(() => {
      this.#admit();
      stream = new SessionStream(openCall(this.#door, incoming), outlet, flow);
    });
    return {
      received: (bytes) => guarded(() => stream?.received(bytes)),
      finished: () => guarded(() => stream?.finished()),
    };
  }

  observe(method: string, status: number, began: number): void {
    const { observe, world } = this.#door.options;
    observe?.(method, status, world.now() - began);
  }

  /** Health says that this gateway is going; everything is still taken. */
  announce(): void {
    this.#health.leave();
  }

  /** Takes nothing more; streams end, each with where to go on. */
  stop(): void {
    this.#door.stopping = true;
    this.#health.stop();
    for (const each of [...this.#door.streams]) each.stop();
  }

  /** Whatever was thrown, as a fault. */
  faultOf(error: unknown, { method, trace }: Named): GrpcFault {
    if (error instanceof GrpcFault) return error;
    const { world, log } = this.#door.options;
    const reference = Buffer.from(world.randomBytes(6)).toString("hex");
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const traced = trace === undefined ? "" : ` (traceparent ${trace})`;
    log(`grpc: fault ${reference} in ${method}${traced}: ${text}`);
    const detail = `an internal fault; the log of this gateway has it under ${reference}`;
    return new GrpcFault("internal", detail, { reference });
  }

  #fail(outlet: Outlet, error: unknown, named: Named): void {
    outlet.end(this.faultOf(error, named));
  }

  #admit(): void {
    const { inFlight, limits, stopping } = this.#door;
    if (stopping) throw stoppingFault();
    if (inFlight <= limits.inFlight) return;
    const detail = `this gateway has ${limits.inFlight} calls under way, which is the most; try again shortly or use another`;
    throw new GrpcFault("throttled", detail);
  }

  #checkHealth(bytes: Buffer): Buffer | GrpcStatus {
    const { Check } = publicServices().methods.Health;
    try {
      const answer = this.#health.check(decodeRequest(Check, bytes));
      if (answer !== undefined) return Check.encodeResponse(answer);
      // A name of gRPC's own protocol and no znode: no reason of ours fits it.
      return { code: notFound, message: "there is no such service here", details: Buffer.alloc(0) };
    } catch (error) {
      return statusOf(this.faultOf(error, { method: "Check", trace: undefined }));
    }
  }
}
