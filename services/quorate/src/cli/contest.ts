/**
 * What `lock` and `elect` have in common: to stand in a queue, to run a program while it is one's turn, to stop it when that is
 * lost, and to give the place up on every way out.
 */
import { hostname, userInfo } from "node:os";
import type { ContestOptions, Holding, RestClient, Session } from "@quorate/client";
import type { Option } from "./command.ts";
import { sessionTimeoutOption } from "./commands/session.ts";
import type { Context } from "./context.ts";
import { durationText } from "./durations.ts";
import { CommandError, isCallFailure, isCode } from "./failures.ts";
import { runProgram } from "./program.ts";
import { cut } from "./width.ts";

export const contestOptions: readonly Option[] = [
  {
    name: "wait",
    short: "w",
    kind: "duration",
    value: "TIME",
    help: "how long to wait for it; 0: not at all; without it, for ever",
  },
  {
    name: "grace",
    kind: "duration",
    value: "TIME",
    help: "when it is lost, COMMAND gets SIGTERM, and SIGKILL after so long (5s)",
  },
  sessionTimeoutOption,
  {
    name: "layout",
    kind: "text",
    value: "LAYOUT",
    help: "whose clients take part too; fixed by the first use of NAME",
    choices: ["curator", "kazoo"],
  },
];

const usualGraceMillis = 5000;
const giveUpMillis = 5000;
/** Before that nobody wonders. */
const quietMillis = 500;
const lookMillis = 2000;

/** Who holds it, and how many stand before us. */
export interface Outlook {
  readonly holder: string;
  readonly ahead: number;
}

export interface Contest {
  readonly name: string;
  /** `the lock` or `the leadership`. */
  readonly about: string;
  readonly variable: "QUORATE_LOCK" | "QUORATE_ELECTION";
  take(client: RestClient, options: ContestOptions): Promise<Holding>;
  giveUp(holding: Holding): Promise<void>;
  look(client: RestClient, session: string): Promise<Outlook | undefined>;
}

/** As others see us: `anna@host7:4711`. */
export function ownName(): string {
  return `${userInfo().username}@${hostname()}:${process.pid}`;
}

export async function runContest(context: Context, contest: Contest): Promise<number> {
  const { values, signal } = context;
  const sessionTimeoutMillis = values.millis("session-timeout");
  const client = await context.client();
  const session = await client.session({
    name: `${contest.variable === "QUORATE_LOCK" ? "lock" : "elect"} ${contest.name} ${ownName()}`.slice(0, 80),
    signal,
    ...(sessionTimeoutMillis === undefined ? {} : { sessionTimeoutMillis }),
  });
  try {
    const holding = await waitFor(context, contest, client, session);
    return await whileHeld(context, contest, holding);
  } finally {
    // With it goes the place, whatever has become of it.
    await session.close();
  }
}

async function waitFor(context: Context, contest: Contest, client: RestClient, session: Session): Promise<Holding> {
  const { values, signal } = context;
  const wait = values.millis("wait");
  const layout = values.text("layout") as ContestOptions["layout"];
  const outlook = new OutlookLine(context, contest, client, session.id);
  try {
    return await contest.take(client, {
      session,
      signal,
      ...(wait === undefined ? {} : { wait }),
      ...(layout === undefined ? {} : { layout }),
    });
  } catch (error) {
    if (wait === undefined || !isCode(error, "timeout") || error.certainty === "unknown") throw error;
    const seen = outlook.last ?? (await contest.look(client, session.id).catch(() => undefined));
    const who = seen === undefined ? "" : `; ${told(contest, seen)}`;
    throw new CommandError("waited", `not got ${wait === 0 ? "at once" : `within ${durationText(wait)}`}${who}`);
  } finally {
    outlook.end();
  }
}

async function whileHeld(context: Context, contest: Contest, holding: Holding): Promise<number> {
  const { values, out, signals, env } = context;
  try {
    const { exit, stopped } = await runProgram(values.program, {
      env: {
        ...env,
        [contest.variable]: contest.name,
        QUORATE_FENCING_TOKEN: holding.token,
        QUORATE_SESSION: `${holding.session.id}:${holding.session.secret}`,
      },
      signals,
      lost: holding.signal,
      graceMillis: values.millis("grace") ?? usualGraceMillis,
    });
    if (!stopped) return exit;
    const { reason } = holding.signal as { readonly reason: unknown };
    const why = isCallFailure(reason) ? `: ${reason.detail}` : reason instanceof Error ? `: ${reason.message}` : "";
    throw new CommandError("lost", `${contest.about} was lost, and COMMAND stopped${why}`);
  } finally {
    await contest.giveUp(holding).catch((error: unknown) => {
      if (isCode(error, "noNode", "sessionExpired", "fenced")) return;
      const timeout = durationText(holding.session.timeoutMillis);
      out.warn(`quorate: ${contest.about} could not be given back; it is free within ${timeout}`);
    });
  }
}

export function giveUpOptions(): { readonly timeoutMillis: number } {
  return { timeoutMillis: giveUpMillis };
}

function told({ variable }: Contest, { holder, ahead }: Outlook): string {
  const leads = variable === "QUORATE_ELECTION";
  const who =
    holder === "" ? (leads ? "nobody leads yet" : "nobody has it yet") : `${holder} ${leads ? "leads" : "has it"}`;
  return ahead <= 1 ? who : `${who}, ${ahead} are ahead`;
}

/** While one waits: who has it, how many are ahead. On a terminal a line that changes, else a line whenever that is another. */
class OutlookLine {
  last: Outlook | undefined;
  readonly #context: Context;
  readonly #contest: Contest;
  readonly #look: () => Promise<Outlook | "unanswered" | undefined>;
  #timer: NodeJS.Timeout;
  #shown = "";
  #over = false;

  constructor(context: Context, contest: Contest, client: RestClient, session: string) {
    this.#context = context;
    this.#contest = contest;
    this.#look = () =>
      contest
        .look(client, session)
        .catch((error: unknown) =>
          isCode(error, "connectionLoss", "timeout", "noLeader") ? ("unanswered" as const) : undefined,
        );
    this.#timer = setTimeout(() => void this.#show(), quietMillis);
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#shown !== "") this.#context.out.progress("");
  }

  async #show(): Promise<void> {
    const seen = await this.#look();
    if (this.#over) return;
    if (typeof seen === "object") this.last = seen;
    const { out } = this.#context;
    const what = seen === "unanswered" ? "no gateway answers" : seen && told(this.#contest, seen);
    const line = what === undefined ? "" : `waiting for ${this.#contest.name}: ${what}`;
    if (line !== "" && line !== this.#shown) {
      this.#shown = line;
      if (out.errTerminal) out.progress(cut(line, out.errWidth - 1));
      else out.note(line);
    }
    this.#timer = setTimeout(() => void this.#show(), lookMillis);
  }
}
