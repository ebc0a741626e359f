/** What the calls of recipes answer, made of what the backend does. */
import {
  type ErrorCode,
  type Failure,
  type Path,
  type ReplicaId,
  type Success,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { Answer, RenewAnswer } from "../backend.ts";
import type { RecipeAnswer } from "./recipes.ts";

export type Failed = Exclude<RecipeAnswer<never>, { kind: "done" }>;

/** The gateway itself. */
const nobody: ReplicaId = 0;

export function refuse(code: ErrorCode, detail: string, path?: Path, at: Zxid = zeroZxid): Failed {
  const failure: Failure = { ok: false, zxid: at, code, detail, ...(path === undefined ? undefined : { path }) };
  return { kind: "failed", failure, servedBy: nobody };
}

/** `fenced`: the place that somebody names, or has a key for, is no more. */
export function placeGone(queue: Path, zxid: Zxid = zeroZxid): Failed {
  return refuse(
    "fenced",
    `the place in ${queue} is no more: it was released, or taken away; ask without a token for a new one`,
    queue,
    zxid,
  );
}

export interface Succeeded {
  readonly outcome: Success;
  readonly servedBy: ReplicaId;
}

/** What was asked was no txn of the client's, so that its places say nothing to it. */
export function settled(answer: Answer): Succeeded | Failed {
  if (answer.kind === "unavailable") return answer;
  const { outcome, servedBy } = answer;
  if (outcome.ok) return { outcome, servedBy };
  const { op: _, ...failure } = outcome;
  return { kind: "failed", failure, servedBy };
}

export function isFailed(value: object): value is Failed {
  return "kind" in value && (value.kind === "failed" || value.kind === "unavailable");
}

/** Undefined: it was renewed. */
export function renewalFailure(answer: RenewAnswer, session: string): Failed | undefined {
  switch (answer.kind) {
    case "renewed":
      return undefined;
    case "expired":
      return refuse("sessionExpired", `the session ${session} is over (expired or closed); open a new one`);
    case "badSecret":
      return refuse("authFailed", "the session's secret is wrong; send Quorate-Session: <id>:<secret> as it was given");
    case "unavailable":
      return answer;
    default:
      return answer satisfies never;
  }
}

/** Something was done already, so that "no effect" would be wrong of the whole. */
export function afterEffect(failed: Failed): Failed {
  if (failed.kind !== "unavailable" || failed.certainty === "unknown") return failed;
  return { ...failed, code: "connectionLoss", certainty: "unknown" };
}
