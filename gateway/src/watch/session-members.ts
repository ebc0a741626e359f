/** Who watches on behalf of which session, and which sessions have answers that wait for what is still to be told. */
import { type SessionId, type Zxid, zeroZxid } from "@quorate/api";
import type { Member } from "./followers.ts";

export class SessionMembers {
  readonly #sessions = new Map<SessionId, Set<Member>>();
  /** Those with answers that wait for events. */
  readonly #held = new Set<SessionId>();
  readonly #eventsTold: (session: SessionId) => void;

  /** `eventsTold`: `told` was false for this session, and may not be now. */
  constructor(eventsTold: (session: SessionId) => void) {
    this.#eventsTold = eventsTold;
  }

  of(session: SessionId): ReadonlySet<Member> {
    return this.#sessions.get(session) ?? nobody;
  }

  enter(member: Member): void {
    const { acting } = member;
    if (acting === undefined) return;
    const members = this.#sessions.get(acting.session);
    if (members) members.add(member);
    else this.#sessions.set(acting.session, new Set([member]));
  }

  leave(member: Member): void {
    const { acting } = member;
    const members = acting && this.#sessions.get(acting.session);
    if (acting && members?.delete(member) && members.size === 0) this.#sessions.delete(acting.session);
  }

  /** Whether all of them have told everything up to `zxid`; `home`: somebody there has answered it. */
  told(session: SessionId, zxid: Zxid, home: boolean): boolean {
    for (const each of this.of(session)) {
      if (each.tells(zxid, home)) continue;
      this.#held.add(session);
      return false;
    }
    return true;
  }

  /** What the session follows is told from here on, and was told up to here: it is shown nothing older. */
  floor(session: SessionId): Zxid {
    let floor = zeroZxid;
    for (const each of this.of(session))
      if (each.kind === "follower" && each.feed.through > floor) floor = each.feed.through;
    return floor;
  }

  /** More may be told by now. */
  release(): void {
    if (this.#held.size === 0) return;
    const held = [...this.#held];
    this.#held.clear();
    for (const session of held) this.#eventsTold(session);
  }
}

const nobody: ReadonlySet<Member> = new Set();
