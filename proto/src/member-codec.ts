/** The bytes of what a member says of itself: the same to gateways and to its siblings. */
import { type ByteReader, type ByteWriter, readZxid } from "@quorate/api";
import type { MemberStatus } from "./gateway-messages.ts";

/** Any text of a status. */
const memberTextBytes = 65_536;
/** In the order of their numbers: append only. */
const standings: readonly MemberStatus["standing"][] = ["founding", "joining", "member"];
const roles: readonly MemberStatus["role"][] = ["looking", "following", "leading"];
/** Bytes of a member whose texts are empty. */
export const memberBytes = 89;

/** The word whose number follows; fails, and answers `none`, for numbers that have none. */
export function readWord<T>(r: ByteReader, words: readonly T[], none: T): T {
  const word = words[r.u8()];
  if (word === undefined) r.fail();
  return word ?? none;
}

export function writeMember(w: ByteWriter, member: MemberStatus): void {
  w.u8(member.id);
  w.u8(standings.indexOf(member.standing));
  w.u8(roles.indexOf(member.role));
  w.bool(member.serving);
  w.string(member.reason);
  w.u8(member.leader);
  w.u32(member.epoch);
  w.u32(member.acceptedEpoch);
  w.f53(member.applied);
  w.f53(member.committed);
  w.f53(member.logged);
  w.string(member.ensembleId);
  w.string(member.historyId);
  w.string(member.version);
  w.u32(member.rules);
  w.string(member.digest);
  w.f53(member.znodes);
  w.f53(member.sessions);
  w.millis(member.agoMillis);
  w.string(member.address);
}

export function readMember(r: ByteReader): MemberStatus {
  const text = memberTextBytes;
  return {
    id: r.u8(),
    standing: readWord(r, standings, "joining"),
    role: readWord(r, roles, "looking"),
    serving: r.bool(),
    reason: r.string(text),
    leader: r.u8(),
    epoch: r.u32(),
    acceptedEpoch: r.u32(),
    applied: readZxid(r),
    committed: readZxid(r),
    logged: readZxid(r),
    ensembleId: r.string(text),
    historyId: r.string(text),
    version: r.string(text),
    rules: r.u32(),
    digest: r.string(text),
    znodes: r.f53(),
    sessions: r.f53(),
    agoMillis: r.f53(),
    address: r.string(text),
  };
}
