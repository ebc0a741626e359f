/**
 * A refusal while the body is still coming. Closing a socket that has unread bytes makes the kernel reset it, and the
 * client loses the answer: so the answer goes out, the rest is read and dropped for a while, then the socket closes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Door } from "./call.ts";
import type { RestLimits } from "./limits.ts";

/** A small rest is dropped by Node itself, and the connection stays. */
export function mustLinger(request: IncomingMessage, limits: RestLimits): boolean {
  if (request.complete) return false;
  const length = request.headers["content-length"];
  if (length !== undefined) return Number(length) > limits.dropBytes;
  return request.headers["transfer-encoding"] !== undefined;
}

export function linger(request: IncomingMessage, response: ServerResponse, body: string, door: Door): void {
  response.write(body);
  let left = door.limits.lingerBytes;
  const end = (): void => {
    timer.cancel();
    request.off("data", drop);
    response.end();
  };
  const drop = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) end();
  };
  const timer = door.options.world.after(door.limits.lingerMillis, end);
  request.on("data", drop);
  request.once("end", end);
  request.once("close", end);
  request.once("error", end);
  request.resume();
}
