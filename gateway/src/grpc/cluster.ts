/** `Cluster`: what each member last said of itself, and the hand-over. */
import { counterOf, epochOf, type Zxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import type { ClusterMember } from "../backend.ts";
import { type Call, headerOf, plainHeader, requireSuperUser, succeeded } from "./call.ts";
import { durationOf } from "./encode.ts";
import { bad } from "./faults.ts";

/** Answers from what is known here, without a leader too. */
export function listMembers(call: Call): Promise<v1.ListMembersResponse> {
  const { leader, members, silent, newest } = call.door.options.backend.cluster();
  const furthest = members.reduce((most, each) => Math.max(each.committed, most), 0) as Zxid;
  return Promise.resolve({
    header: plainHeader(newest, 0),
    leader,
    members: members.map((each) => memberOf(each, furthest)),
    silent,
    gatewayVersion: call.door.options.version,
  });
}

const standings = { founding: "STANDING_FOUNDING", joining: "STANDING_JOINING", member: "STANDING_MEMBER" } as const;
const roles = {
  unknown: "ROLE_UNSPECIFIED",
  looking: "ROLE_LOOKING",
  following: "ROLE_FOLLOWING",
  leading: "ROLE_LEADING",
} as const;

function memberOf(member: ClusterMember, furthest: Zxid): v1.Member {
  const { standing, role, applied, agoMillis, ...same } = member;
  // Counted within an epoch alone; between two nobody knows how many were spent.
  const lag =
    epochOf(furthest) === epochOf(applied) ? Math.max(0, counterOf(furthest) - counterOf(applied)) : undefined;
  return { ...same, applied, lag, standing: standings[standing], role: roles[role], ago: durationOf(agoMillis) };
}

export async function handOver(call: Call, { to = 0 }: v1.HandOverRequest): Promise<v1.HandOverResponse> {
  requireSuperUser(call, "hand the leadership over");
  if (to < 1 || to > 255) throw bad("to", `${to} is no replica's id; give that of the replica that shall lead`);
  const answer = succeeded(await call.door.options.backend.handOver(to, call.deadlineMillis));
  return { header: headerOf(answer, undefined), to };
}
