/** `cluster status` and `leader transfer`: who is there, and who leads. */
import type { components } from "@quorate/openapi";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { durationMillis, roughDuration } from "../durations.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageError } from "../failures.ts";
import type { Column } from "../grid.ts";

type Cluster = components["schemas"]["Cluster"];
type Member = components["schemas"]["Member"];

interface Field extends Column {
  readonly pipe: (member: Member) => string;
  readonly terminal?: (member: Member) => string;
  /** On a terminal it is left out where it says nothing. */
  readonly matters?: (members: readonly Member[]) => boolean;
}

const fields: readonly Field[] = [
  { title: "ID", right: true, pipe: ({ id }) => String(id) },
  { title: "ROLE", pipe: ({ role }) => role },
  { title: "STATE", gives: true, pipe: stateOf, matters: (all) => all.some((each) => stateOf(each) !== "serving") },
  { title: "EPOCH", right: true, spare: 4, pipe: ({ epoch }) => String(epoch) },
  {
    title: "APPLIED",
    spare: 2,
    pipe: ({ applied }) => applied,
    terminal: ({ applied }) => applied.replace(/^0x0+(?=.)/, "0x"),
  },
  { title: "LAG", right: true, pipe: ({ lag }) => (lag === undefined ? "" : String(lag)) },
  { title: "ZNODES", right: true, spare: 6, pipe: ({ znodes }) => String(znodes) },
  { title: "SESSIONS", right: true, spare: 5, pipe: ({ sessions }) => String(sessions) },
  { title: "ADDRESS", gives: true, spare: 1, pipe: ({ address }) => address },
  {
    title: "VERSION",
    pipe: ({ version }) => version,
    matters: (all) => new Set(all.map(({ version }) => version)).size > 1,
  },
  {
    title: "HEARD",
    right: true,
    spare: 3,
    pipe: ({ ago }) => ago,
    terminal: ({ ago }) => roughDuration(durationMillis(ago) ?? 0),
  },
];

/** A quorum that does not answer within so long will not soon. */
const proofMillis = 3000;

export const clusterStatus: Command = {
  words: ["cluster", "status"],
  reads: true,
  group: "operation",
  about: "who is there, who leads, how far each is, and whether a write would be taken",
  args: [],
  options: [],
  notes: [
    "Whether a write would be taken is tried with a read that a quorum has to confirm; nothing is written. If not, the exit code is 1. In a pipe a member is a line: id, role, state, epoch, applied, lag, znodes, sessions, address, version, and how long ago it was heard; with --json it is what GET /v1/cluster answers, and `writable`.",
  ],
  examples: [
    { line: "quorate cluster status", about: "as a table" },
    { line: "quorate cluster status -q || page-somebody", about: "for a probe" },
  ],
  run: async (context) => {
    const { out } = context;
    const { body: cluster } = await (await context.rest()).ask<Cluster>("GET", "/v1/cluster", { timed: false });
    const fault = await confirmed(context, cluster);
    if (out.json) await out.document({ ...cluster, writable: fault === undefined });
    else {
      if (!out.quiet) await showMembers(context, cluster.members);
      if (out.terminal && !out.quiet) {
        for (const each of cluster.silent) await out.line(out.style("yellow", `nothing is heard of ${each}`));
        await out.line();
      }
      const good = `a write would be taken: replica ${cluster.leader} leads`;
      const line =
        fault === undefined ? out.style("green", good) : out.style("red", `a write would not be taken: ${fault}`);
      if (out.terminal && !out.quiet) await out.line(line);
      else if (fault !== undefined || !out.quiet) out.note(line);
    }
    return fault === undefined ? exitCodes.ok.code : exitCodes.failure.code;
  },
};

/** What keeps a quorum from confirming; undefined if it does. */
async function confirmed(context: Context, { leader, members }: Cluster): Promise<string | undefined> {
  const { signal } = context;
  try {
    const client = await context.client();
    await client.sync({ timeoutMillis: Math.min(proofMillis, context.timeoutMillis), signal });
  } catch {
    signal.throwIfAborted();
    const serving = members.filter((each) => each.serving).length;
    const who = leader === 0 ? "nobody leads" : `replica ${leader} leads, but a quorum does not confirm it`;
    return `${who}; ${serving} of ${members.length} members serve`;
  }
  const reason = members.find(({ id }) => id === leader)?.reason;
  return reason === undefined || reason === "" ? undefined : reason;
}

function stateOf({ reachable, serving, reason, standing }: Member): string {
  const state = !reachable ? "unreachable" : serving ? "serving" : reason || "not serving";
  return standing === "member" ? state : `${standing}, ${state}`;
}

async function showMembers({ out }: Context, members: readonly Member[]): Promise<void> {
  const shown = fields.filter(({ matters }) => !out.terminal || matters === undefined || matters(members));
  const rows = members.map((each) =>
    shown.map(({ pipe, terminal }) => (out.terminal && terminal ? terminal : pipe)(each)),
  );
  await out.table(shown, rows);
}

export const leaderTransfer: Command = {
  words: ["leader", "transfer"],
  group: "operation",
  about: "hand the leadership over (the super user alone)",
  args: [],
  options: [{ name: "to", kind: "number", value: "ID", help: "the replica that shall lead", min: 1, max: 255 }],
  notes: [
    "All that was acknowledged stays; writes wait for some milliseconds. To one that leads already it does nothing.",
  ],
  examples: [
    { line: "QUORATE_USER=super:secret quorate leader transfer --to 2", about: "before replica 1 is stopped" },
  ],
  run: async (context) => {
    const { out, values } = context;
    const to = values.number("to");
    if (to === undefined) throw new UsageError("--to is missing", "--to ID; `quorate cluster status` shows them");
    const rest = await context.rest();
    const { body: before } = await rest.ask<Cluster>("GET", "/v1/cluster", { timed: false });
    const asked = before.leader !== to;
    const body = asked ? (await rest.ask<object>("POST", "/v1/cluster/leader", { body: { to } })).body : { to };
    if (out.json) await out.document(body);
    else if (out.terminal && !out.quiet) await out.line(`${out.style("green", "done")}: replica ${to} leads`);
  },
};
