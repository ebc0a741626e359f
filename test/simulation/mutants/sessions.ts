/** The rules of sessions: who may end them, whose clock runs, and what goes with them. */
import { type Mutant, replica, tree } from "./row.ts";

export const sessions: readonly Mutant[] = [
  {
    name: "renewal-without-confirmation",
    from: "interleavings 1.6b; etcd 15247",
    rule: "a renewal needs a confirmation begun after it arrived",
    simulator: "whole",
    patches: [
      replica(
        "touches",
        "    this.#ports.confirm((index) => {\n",
        "    const now = (done: (index: Zxid) => void): void => done(0 as Zxid);\n    now((index) => {\n",
      ),
    ],
    within: 400,
    scenario: "deposed+sessions",
  },
  {
    name: "renewal-behind-the-index",
    from: "DESIGN 6, Liveness; found by this simulation",
    rule: "a leader renews when it has applied what its confirmation is of: the session's end may be among that",
    simulator: "whole",
    patches: [replica("touches", "index === undefined || tree.applied < index", "index === undefined")],
    within: 400,
    scenario: "sessionClosed+slowDisk+sessions+heartbeats",
  },
  {
    name: "home-renews-by-itself",
    from: "DESIGN 6, Liveness",
    rule: "only the leader renews",
    simulator: "whole",
    patches: [
      replica(
        "touches",
        "else this.#askLeader(connection, message.id, judged, wanted);",
        `else reply(wanted.map((session) => ({ session, result: "renewed" })));`,
      ),
    ],
    within: 400,
    scenario: "sessions",
  },
  {
    name: "renewal-of-the-closing",
    from: "interleavings 1.13b",
    rule: "a session whose end is proposed is not renewed",
    simulator: "whole",
    patches: [replica("expiry", `    if (deadline.closing) return "closing";\n`, "")],
    within: 400,
    scenario: "slowDisk+sessions",
  },
  {
    name: "expiry-runs-while-unconfirmed",
    from: "interleavings 1.13a; DESIGN 6, Liveness",
    rule: "the expiry clock runs only while the leader is confirmed",
    simulator: "whole",
    patches: [
      replica("leadership", "this.expiry.confirmed(confirmed);", "this.expiry.confirmed(this.#ports.clock.now());"),
    ],
    within: 400,
    scenario: "pause+isolate+sessions",
  },
  {
    name: "expiry-runs-while-stopped",
    from: "interleavings 1.13a",
    rule: "the expiry clock goes on by a short step at most: a stopped process does not expire its clients",
    simulator: "whole",
    patches: [replica("expiry", "const longestStepMillis = 400;", "const longestStepMillis = 1e9;")],
    within: 400,
    scenario: "pause+sessions",
  },
  {
    name: "timers-before-touches",
    from: "interleavings 1.13a",
    rule: "after a pause the leader judges nobody before it has looked at the renewals that wait",
    simulator: "whole",
    patches: [
      replica("expiry", "const longestStepMillis = 400;", "const longestStepMillis = 1e9;"),
      replica("leadership", "this.expiry.confirmed(confirmed);", "this.expiry.confirmed(this.#ports.clock.now());"),
    ],
    within: 400,
    scenario: "pause+sessions",
  },
  {
    name: "expiry-not-begun",
    from: "DESIGN 6, Liveness",
    rule: "a new leader knows the sessions of its history, and ends those that nobody renews",
    simulator: "whole",
    patches: [replica("leadership", "    this.expiry.begin(this.#ports.tree().sessions());\n", "")],
    within: 400,
    scenario: "sessions",
  },
  {
    name: "new-leader-in-haste",
    from: "DESIGN 6, Liveness",
    rule: "a new leader gives every session its full timeout again, and not what may be left of it",
    simulator: "whole",
    patches: [
      replica(
        "expiry",
        "timeoutMillis } of sessions) this.add(id, timeoutMillis);",
        `timeoutMillis } of sessions) {
      this.add(id, timeoutMillis);
      const deadline = this.#deadlines.get(id);
      if (deadline) deadline.at -= timeoutMillis / 2;
    }`,
      ),
    ],
    within: 400,
    scenario: "handOver+sessions",
  },
  {
    name: "expired-said-from-behind",
    from: "interleavings 1.13d",
    rule: "only a replica that has applied a session's id may say that it is over",
    simulator: "whole",
    patches: [
      replica("touches", `result: (session as number) > tree.applied ? "behind" : "expired",`, `result: "expired",`),
    ],
    within: 400,
    scenario: "slowNetwork+sessions",
  },
  {
    name: "ephemerals-left-behind",
    from: "DESIGN 5; Chubby 2.8",
    rule: "a session's end deletes its ephemerals in the same transaction",
    simulator: "whole",
    patches: [
      tree(
        "session-operations",
        "const count = removeEphemerals(state, tx, session);",
        "const count = session < 0 ? removeEphemerals(state, tx, session) : 0;",
      ),
    ],
    within: 400,
    scenario: "sessions",
  },
  {
    name: "ephemeral-of-a-dead-session",
    from: "DESIGN 5; interleavings 2",
    rule: "an ephemeral is made at apply only if its session lives",
    simulator: "whole",
    patches: [
      tree(
        "apply",
        "if (session === undefined) return sessionGone(zxid, acting.session);",
        "if (session === undefined) return undefined;",
      ),
    ],
    within: 400,
    scenario: "sessions",
  },
];
