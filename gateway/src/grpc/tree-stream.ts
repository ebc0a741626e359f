/** `Coordination.GetTree`. */
import type { Call } from "./call.ts";
import { GrpcFault } from "./faults.ts";
import type { Outlet } from "./outlet.ts";

export function streamTree(_call: Call, _bytes: Buffer, outlet: Outlet, _fail: (error: unknown) => void): void {
  outlet.end(new GrpcFault("unimplemented", "not yet"));
}
