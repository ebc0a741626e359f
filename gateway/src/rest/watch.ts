/** `/v1/watch`: what happens on some paths, as a poll or as a stream. */
import { refuseBody } from "./body.ts";
import type { Call } from "./call.ts";
import { startPoll } from "./watch-poll.ts";
import { readAsk } from "./watch-query.ts";
import { startStream } from "./watch-stream.ts";

export function getWatch(call: Call): void {
  refuseBody(call);
  const ask = readAsk(call);
  if (ask.type === "application/json") startPoll(call, ask);
  else startStream(call, ask);
}
