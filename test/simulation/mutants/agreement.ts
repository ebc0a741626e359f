/** The rules of agreement, but for those of its epochs and members (`epochs.ts`). */
import { type Mutant, zab } from "./row.ts";

export const agreement: readonly Mutant[] = [
  {
    name: "ack-before-fsync",
    from: "classic; DESIGN 4, Broadcast",
    rule: "a follower acknowledges a proposal when it is durable, not when its write was asked for",
    simulator: "core",
    patches: [
      zab(
        "synchronization",
        `if (stage === "synced") believe(core, batch.commit);`,
        `if (stage === "synced") {
    believe(core, batch.commit);
    send(core, link.id, { kind: "ack", epoch: following.epoch, through: history.last });
  }`,
      ),
    ],
    within: 400,
    scenario: "three+powerFailure+slowDisk+crashAll",
  },
  {
    name: "leader-counts-unsynced",
    from: "classic; DESIGN 4, Broadcast",
    rule: "the leader's own vote counts after its own fsync",
    simulator: "core",
    patches: [
      zab("broadcast", "id === core.options.id ? core.history.durable", "id === core.options.id ? core.history.last"),
    ],
    within: 400,
    scenario: "three+powerFailure+slowDisk",
  },
  {
    name: "minority-commits",
    from: "classic",
    rule: "what a quorum has durably is committed, and nothing else",
    simulator: "core",
    patches: [
      zab(
        "broadcast",
        "quorumValue<Zxid>(core.options.members, at, 0 as Zxid)",
        "quorumValue<Zxid>(core.options.members.slice(2), at, 0 as Zxid)",
      ),
    ],
    within: 400,
  },
  {
    name: "gap-accepted",
    from: "classic; DESIGN 3, a batch",
    rule: "a batch is appended only behind the one that it names as its former",
    simulator: "core",
    patches: [
      zab(
        "synchronization",
        `if (fault !== "") {`,
        `if (batch.first <= history.last) return;\n  if (fault === "never") {`,
      ),
      zab("synchronization", "if (last !== history.last || following", "if (following"),
    ],
    within: 400,
  },
  {
    name: "applied-before-own-durable",
    from: "DESIGN 4, Broadcast; ZOOKEEPER-4882",
    rule: "a replica applies what is committed and in its own durable log",
    simulator: "whole",
    patches: [
      zab("core", "Math.min(core.committed, core.history.durable)", "Math.min(core.committed, core.history.last)"),
    ],
    within: 0,
    byHand: { file: "services/zab/src/broadcast.test.ts", name: "the leader counts its own vote after its own fsync" },
  },
  {
    name: "stale-ticket-ignored",
    from: "interleavings 1.1; ZOOKEEPER-2845",
    rule: "a finished write moves the durable position, whatever the term, and a replica looks only when none is outstanding",
    simulator: "core",
    patches: [
      zab(
        "broadcast",
        "const ticket = ticketFor(core, () => {",
        "const { term } = core;\n  const ticket = ticketFor(core, () => {\n    if (core.term !== term) return;",
      ),
      zab(
        "synchronization",
        "const ticket = ticketFor(core, () => {\n    if (batch",
        "const { term } = core;\n  const ticket = ticketFor(core, () => {\n    if (core.term !== term) return;\n    if (batch",
      ),
      zab(
        "election",
        "  if (core.writes.length > 0) return;\n  core.phase",
        `  const { history } = core;
  if (history.last !== history.durable && history.knows(history.durable)) history.truncate(history.durable);
  core.phase`,
      ),
    ],
    within: 400,
  },
  {
    name: "snapshot-not-in-position",
    from: "interleavings 1.2",
    rule: "a position is the snapshot that the state file names, then the durable log behind it",
    simulator: "core",
    patches: [
      zab(
        "core",
        "return core.history.durable;",
        "return core.history.last === core.history.base ? (0 as Zxid) : core.history.durable;",
      ),
    ],
    within: 400,
    scenario: "restWithSnapshots",
  },
  {
    name: "commit-before-newleader-ack",
    from: "interleavings 1.3b",
    rule: "a commit index is believed only from the leader whose NEWLEADER was acknowledged, on that link",
    simulator: "core",
    patches: [
      zab("synchronization", `if (stage === "synced") believe(core, batch.commit);`, "believe(core, batch.commit);"),
      zab("synchronization", `if (following.stage !== "synced") return;\n  believe`, "believe"),
    ],
    within: 400,
  },
  {
    name: "read-index-before-establishment",
    from: "interleavings 1.3a",
    rule: "before a quorum has acknowledged NEWLEADER the leader confirms nothing",
    simulator: "core",
    patches: [
      zab(
        "confirmation",
        "  if (!leading || !(isEstablished(leading) || leading.rolling)) {",
        `  if (leading?.stage === "syncing") {
    core.out.push({ kind: "confirmed", ticket, index: core.committed });
    return;
  }
  if (!leading || !(isEstablished(leading) || leading.rolling)) {`,
      ),
    ],
    within: 400,
  },
  {
    name: "initial-history-not-committed",
    from: "interleavings 1.3a; DESIGN 4, Synchronization",
    rule: "a quorum of NEWLEADER acknowledgements commits the whole initial history at that instant",
    simulator: "core",
    patches: [
      zab(
        "synchronization-leader",
        "if (leading.initialLast > core.committed) core.committed = leading.initialLast;",
        "",
      ),
    ],
    within: 400,
  },
  {
    name: "read-joins-round-in-flight",
    from: "interleavings 1.6a",
    rule: "a read is confirmed by answers to a ping that was sent after the read arrived",
    simulator: "core",
    patches: [
      zab(
        "confirmation",
        "  leading.waiting.push(ticket);\n",
        `  const flying = leading.rounds.at(-1);
  if (flying) {
    flying.tickets.push(ticket);
    return;
  }
  leading.waiting.push(ticket);
`,
      ),
    ],
    within: 400,
  },
  {
    name: "pings-answered-by-the-link",
    from: "interleavings 1.6d; DESIGN 4, Confirmation",
    rule: "a ping is answered by the core, and only while it follows that epoch and has promised no other",
    simulator: "core",
    patches: [
      zab(
        "confirmation",
        "  if (following?.link !== link.id) return;\n",
        `  if (following?.link !== link.id) {
    send(core, link.id, { kind: "pong", epoch: ping.epoch, number: ping.number });
    return;
  }
`,
      ),
      // A follower that misses its leader ends the link, which alone would keep such an answer from arriving.
      zab("peer", "      if (link) dropSilent(core, link);\n      // Its vote", "      void link;\n      // Its vote"),
    ],
    within: 400,
    scenario: "three+pause",
  },
  {
    name: "batch-claims-what-is-not-committed",
    from: "interleavings 1.3c",
    rule: "a batch says what was committed when it was proposed, and nothing more",
    simulator: "core",
    patches: [zab("broadcast", "commit: core.committed, checksum", "commit: previous, checksum")],
    within: 400,
  },
  {
    name: "newleader-ack-before-history",
    from: "classic; DESIGN 4, Synchronization",
    rule: "NEWLEADER is acknowledged when the whole history, then the epoch, are durable",
    simulator: "core",
    patches: [
      zab(
        "synchronization",
        "  if (history.durable < newLeaderLast) return;\n",
        `  send(core, following.link, { kind: "ackNewLeader", epoch: following.epoch });
  if (history.durable < newLeaderLast) return;
`,
      ),
    ],
    within: 400,
    scenario: "three+powerFailure+slowDisk",
  },
  {
    name: "sync-trusts-the-maximum",
    from: "interleavings 1.17",
    rule: "a plan cuts at the exact common prefix, found by the end of each epoch in both logs",
    simulator: "core",
    patches: [
      zab("sync-plan", "const theirs = follower.epochs.find((each) => each.epoch === mine.epoch);", ""),
      zab(
        "sync-plan",
        "if (theirs) common = Math.min(mine.last, theirs.last) as Zxid;",
        "if (mine.last >= follower.base) common = Math.min(mine.last, follower.last) as Zxid;",
      ),
    ],
    within: 400,
  },
  {
    name: "hung-leader-stays",
    from: "interleavings 1.19",
    rule: "a leader whose disk hangs leaves to one that can answer",
    simulator: "core",
    patches: [
      zab(
        "broadcast",
        "if (oldestWriteAge(core) <= core.timing.electionMillis) return false;",
        "if (oldestWriteAge(core) >= 0) return false;",
      ),
    ],
    within: 400,
  },
  {
    name: "hung-follower-answers-pings",
    from: "interleavings 1.19",
    rule: "a replica whose oldest write hangs answers no pings: it would acknowledge nothing",
    simulator: "core",
    patches: [zab("confirmation", "  if (oldestWriteAge(core) > core.timing.electionMillis) return;\n", "")],
    within: 400,
    scenario: "three+hang+crash+cutSome",
  },
];
