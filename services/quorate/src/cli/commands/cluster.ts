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

const columns: readonly Column[] = [
  { title: "ID", right: true },
  { title: "ROLE" },
  { title: "STATE", gives: true },
  { title: "EPOCH", right: true },
  { title: "APPLIED" },
  { title: "LAG", right: true },
  { title: "ZNODES", right: true },
  { title: "SESSIONS", right: true },
  { title: "ADDRESS", gives: true },
  { title: "VERSION" },
  { title: "HEARD" },
];
/** A quorum that does not answer within so long will not soon. */
const proofMillis = 3000;

export const clusterStatus: Command = {
  words: ["cluster", "status"],
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
      if (!out.quiet)
        await out.table(
          columns,
          cluster.members.map((each) => rowOf(each, out.terminal)),
        );
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

function rowOf(member: Member, terminal: boolean): string[] {
  const state = !member.reachable ? "unreachable" : member.serving ? "serving" : member.reason || "not serving";
  const shown = member.standing === "member" ? state : `${member.standing}, ${state}`;
  return [
    String(member.id),
    member.role,
    shown,
    String(member.epoch),
    member.applied,
    member.lag === undefined ? "" : String(member.lag),
    String(member.znodes),
    String(member.sessions),
    member.address,
    member.version,
    terminal ? `${roughDuration(durationMillis(member.ago) ?? 0)} ago` : member.ago,
  ];
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
    const { body } = await (await context.rest()).ask<object>("POST", "/v1/cluster/leader", { body: { to } });
    if (out.json) await out.document(body);
    else if (out.terminal && !out.quiet) await out.line(`${out.style("green", "done")}: replica ${to} leads`);
  },
};
