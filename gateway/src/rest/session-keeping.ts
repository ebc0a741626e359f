/** A session that is kept by what its owner asks anyway: polls and blocking reads renew it as they come. */
import { type Acting, formatZxid, type SessionId } from "@quorate/api";
import type { RenewAnswer } from "../backend.ts";
import type { Call } from "./call.ts";
import { type Problem, problemOf, problemOfUnavailable } from "./fault.ts";
import { sessionChallenge } from "./reply.ts";

export interface Refusal {
  readonly problem: Problem;
  readonly headers: readonly string[];
}

export function refusalOf(answer: Exclude<RenewAnswer, { kind: "renewed" }>, session: SessionId): Refusal {
  switch (answer.kind) {
    case "expired": {
      const detail = `the session ${formatZxid(session)} is over (expired or closed); open a new one`;
      return { problem: problemOf("sessionExpired", detail), headers: [] };
    }
    case "badSecret": {
      const detail = "Quorate-Session: the secret is wrong; send it as POST /v1/sessions answered it";
      return { problem: problemOf("authFailed", detail), headers: ["WWW-Authenticate", sessionChallenge] };
    }
    case "unavailable":
      return { problem: problemOfUnavailable(answer), headers: [] };
  }
}

/** Renews what the request bears; `done` hears of it later, never before this returns. Undefined: it was renewed. */
export function renewOnArrival(
  call: Call,
  acting: Acting,
  deadlineMillis: number,
  done: (refusal: Refusal | undefined) => void,
): void {
  const { backend } = call.door.options;
  void backend.renew(acting.session, acting.secretHash, deadlineMillis).then((answer) => {
    done(answer.kind === "renewed" ? undefined : refusalOf(answer, acting.session));
  });
}

/** How long a poll may wait: as asked, a little less so that not all come back at once, and a third of its session's time. */
export function waitingMillis(call: Call, asked: number, sessionTimeoutMillis: number): number {
  const most = sessionTimeoutMillis === 0 ? asked : Math.min(asked, sessionTimeoutMillis / 3);
  return most * (1 - 0.1 * call.door.watches.spread());
}
