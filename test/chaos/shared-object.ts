/** What several clients work on together for some seconds, recording it, until it is closed and its history is judged. */
import type { Answer, Millis, Operation } from "../linearizability/index.ts";
import type { Said } from "./hand.ts";

export interface SharedObject {
  /** Unique in the whole run. */
  readonly name: string;
  /** Makes the place where it lies. */
  open(going: () => boolean): Promise<void>;
  /** One operation of client `process`. */
  step(process: number): Promise<void>;
  /** When no step is under way: ends what it still holds. Answers all that was done to it. */
  close(): Promise<Operation[]>;
  /** Removes what is left of it; nobody looks any more. */
  clear(going: () => boolean): Promise<void>;
}

/** Numbers for operations, unique in the run. */
export class Numbers {
  #next = 0;

  next(): number {
    return this.#next++;
  }
}

/** As the history has it; `result` is asked only of a success. */
export function answerOf<Result>(said: Said, result: (said: Said) => Result): Answer<Result> {
  const { verdict, code, status, zxid, place, gaveUp } = said;
  const at = zxid === undefined ? {} : { zxid };
  switch (verdict) {
    case "ok":
      return { kind: "ok", result: result(said), ...at };
    case "failed": {
      const failed = code as "badVersion" | "nodeExists" | "noNode" | "sessionExpired";
      return { kind: "failed", code: failed, ...at, ...(place === undefined ? {} : { place }) };
    }
    case "noEffect":
      return { kind: "noEffect", code: `${status} ${code}` };
    case "unknown":
      return { kind: "unknown", code: `${status} ${code}`, gaveUp };
  }
}

export interface Times {
  readonly invoked: Millis;
  readonly answered: Millis;
}

export function timesOf({ invoked, answered }: Said): Times {
  return { invoked, answered };
}
