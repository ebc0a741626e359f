/** `/v1/watch`: what happens on some paths, as a poll or as a stream. */
import { refuseBody } from "./body.ts";
import type { Call } from "./call.ts";
import { RequestFault } from "./fault.ts";
import { startPoll } from "./watch-poll.ts";
import { readAsk } from "./watch-query.ts";
import { startStream } from "./watch-stream.ts";

export function getWatch(call: Call): void {
  if (call.request.method === "HEAD") {
    throw new RequestFault("methodNotAllowed", "a watch has no head to look at; send GET", ["Allow", "GET"]);
  }
  refuseBody(call);
  const ask = readAsk(call);
  if (ask.type === "application/json") startPoll(call, ask);
  else startStream(call, ask);
}
