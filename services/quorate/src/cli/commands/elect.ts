/** `elect`: runs a program while it leads; or says who leads. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ElectionState, Holding, Leadership, RestClient } from "@quorate/client";
import type { Command } from "../command.ts";
import { type Contest, contestOptions, giveUpOptions, ownName, runContest } from "../contest.ts";
import type { Context } from "../context.ts";
import { dataCell, dataJson, readValue } from "../data.ts";
import { localTime } from "../durations.ts";
import { CommandError, isCode, UsageError } from "../failures.ts";
import { pathOf } from "../paths.ts";
import { visible } from "../width.ts";

export const elect: Command = {
  words: ["elect"],
  group: "coordination",
  about: "run COMMAND while it leads, or say who leads",
  args: [{ name: "NAME", help: "of the election: a znode's path; it is made if it is missing", completes: "path" }],
  options: [
    ...contestOptions,
    {
      name: "value",
      kind: "text",
      value: "VALUE",
      help: "what others read of the leader (user@host:pid); -, @FILE as of put",
    },
    { name: "leader", kind: "flag", help: "only say who leads; exit code 3 if nobody does" },
    { name: "observe", kind: "flag", help: "say who leads, now and whenever it is another, until Ctrl-C" },
  ],
  program: "optional",
  notes: [
    "As lock: it waits until it leads, runs COMMAND, which finds the election's name in QUORATE_ELECTION, its token in QUORATE_FENCING_TOKEN and the session in QUORATE_SESSION, stops it when the leadership is lost (exit code 7), and resigns when it ends.",
    "In a pipe --leader prints the leader's value and nothing else; --observe a line for each leader, with tabs between: token, session, value; an empty line while nobody leads. --observe waits for an election that has not begun.",
  ],
  examples: [
    { line: "quorate elect /app/leader --value http://$HOSTNAME:8000 -- ./serve.sh", about: "one of several serves" },
    { line: "quorate elect /app/leader --leader", about: "who leads" },
    { line: "quorate elect /app/leader --observe --json", about: "as it changes, a line of JSON each" },
  ],
  run: async (context) => {
    const { values } = context;
    const name = pathOf(values.arg(0));
    const asks = [values.flag("leader"), values.flag("observe"), values.program.length > 0].filter(Boolean).length;
    if (asks > 1) throw new UsageError("-- COMMAND, --leader and --observe: give one of them");
    if (asks === 0) throw new UsageError("-- COMMAND is missing", "or --leader, or --observe, to see who leads");
    if (values.flag("leader")) await leader(context, name);
    else if (values.flag("observe")) await observe(context, name);
    else
      return runContest(context, contestOf(name, await readValue(values.text("value") ?? ownName(), false, context)));
    return undefined;
  },
};

function contestOf(name: string, value: Uint8Array): Contest {
  return {
    name,
    about: "the leadership",
    variable: "QUORATE_ELECTION",
    take: (client, options) => client.elections.campaign(name, value, options),
    giveUp: (holding: Holding) => (holding as Leadership).resign(giveUpOptions()),
    look: async (client, session) => {
      const { leader: first, candidates } = await client.elections.leader(name);
      const ahead = candidates > 1 && candidates <= mostLooked ? await aheadOf(client, name, session) : 0;
      return { holder: first === undefined ? "" : dataCell(first.value), ahead };
    },
  };
}

/** How soon it is asked again whether an election has begun. */
const againMillis = 1000;
/** Of more it is not looked how many are ahead: all of them look. */
const mostLooked = 200;

/** An election tells how many stand, but not where: those ahead have lower numbers than the znode of this session. */
async function aheadOf(client: RestClient, name: string, session: string): Promise<number> {
  const standing: { readonly place: number; readonly own: boolean }[] = [];
  for await (const { path, stat } of client.tree(name, { depth: 1 })) {
    const [, digits] = /(\d{10})$/.exec(path) ?? [];
    if (path !== name && stat.kind === "ephemeral" && digits !== undefined)
      standing.push({ place: Number(digits), own: stat.ephemeralOwner === session });
  }
  const own = standing.find((each) => each.own)?.place ?? 0;
  return standing.filter(({ place }) => place < own).length;
}

async function leader(context: Context, name: string): Promise<void> {
  const { out, signal } = context;
  const client = await context.client();
  const state = await client.elections.leader(name, { signal }).catch((error: unknown) => {
    // What nobody stands for any more is swept away.
    throw isCode(error, "noNode") ? new CommandError("notFound", "nobody leads") : error;
  });
  if (out.json) {
    await out.document(jsonOf(name, state));
    return;
  }
  const { leader: first, candidates } = state;
  if (first === undefined) throw new CommandError("notFound", "nobody leads");
  if (!out.terminal) await out.bytes(first.value);
  else {
    await out.facts([
      ["leader", visible(dataCell(first.value))],
      ["since", localTime(first.since)],
      ["token", first.token],
      ["session", first.session],
      ["candidates", String(candidates)],
    ]);
  }
}

/** Where there is no election nobody leads; it may begin, or begin again. */
async function observe(context: Context, name: string): Promise<void> {
  const { signal } = context;
  const client = await context.client();
  let led: boolean | undefined;
  const told = async (state: Pick<ElectionState, "leader" | "candidates">): Promise<void> => {
    const leads = state.leader !== undefined;
    if (leads || led !== false) await showState(context, name, state);
    led = leads;
  };
  for (;;) {
    try {
      for await (const state of client.elections.observe(name, { signal })) await told(state);
    } catch (error) {
      if (!isCode(error, "noNode")) throw error;
      await told({ leader: undefined, candidates: 0 });
    }
    await sleep(againMillis, undefined, { signal });
  }
}

async function showState(
  { out }: Context,
  name: string,
  state: Pick<ElectionState, "leader" | "candidates">,
): Promise<void> {
  const { leader: first } = state;
  if (out.json) await out.record({ type: "leader", ...jsonOf(name, state) });
  else if (!out.terminal)
    await out.table([], [first === undefined ? [""] : [first.token, first.session, dataCell(first.value)]]);
  else if (first === undefined) await out.line(out.style("dim", "nobody leads"));
  else
    await out.line(
      `${out.style("green", visible(dataCell(first.value)))}  ${out.style("dim", `token ${first.token}`)}`,
    );
}

function jsonOf(name: string, { leader: first, ...state }: Pick<ElectionState, "leader" | "candidates">): object {
  if (first === undefined) return { name: name.slice(1), ...state, leader: null };
  const { value, ...rest } = first;
  const { data, encoding } = dataJson(value);
  return { name: name.slice(1), ...state, leader: { value: data, encoding, ...rest } };
}
