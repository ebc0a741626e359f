/** The rules of reads: what each consistency promises. */
import { type Mutant, replica, zab } from "./row.ts";

export const reads: readonly Mutant[] = [
  {
    name: "linearizable-without-confirmation",
    from: "DESIGN 6, linearizable",
    rule: "a linearizable read is answered behind a confirmation that began after it came",
    simulator: "whole",
    patches: [
      replica(
        "reads",
        "      this.#ports.confirm((index) => {\n",
        "      const now = (done: (index: Zxid) => void): void => done(0 as Zxid);\n      now((index) => {\n",
      ),
    ],
    within: 400,
  },
  {
    name: "confirmed-index-not-awaited",
    from: "DESIGN 6, linearizable",
    rule: "a confirmed read waits until the confirmed index is applied",
    simulator: "whole",
    patches: [
      replica("reads", "waiting.index = Math.max(index, waiting.floor) as Zxid;", "waiting.index = waiting.floor;"),
    ],
    within: 400,
  },
  {
    name: "min-zxid-ignored",
    from: "DESIGN 6, session",
    rule: "a session read is never older than what its client saw",
    simulator: "whole",
    patches: [
      replica(
        "reads",
        `if (waiting.consistency === "session") waiting.index = waiting.floor;`,
        `if (waiting.consistency === "session") waiting.index = 0 as Zxid;`,
      ),
    ],
    within: 400,
  },
  {
    name: "read-before-synchronized",
    from: "interleavings 1.3c",
    rule: "a replica that was not synchronized since its start serves no reads",
    simulator: "whole",
    patches: [replica("reads", "    if (!this.#ports.serves()) return false;\n", "")],
    within: 0,
    byHand: {
      file: "services/replica/src/reads.test.ts",
      name: "nothing is read here before this replica is synchronized",
    },
  },
  {
    name: "fresh-since-the-last-ping",
    from: "interleavings 1.6c",
    rule: "a stale read's age counts from an answer that a confirmed ping echoes, not from the last ping that was heard",
    simulator: "whole",
    patches: [
      zab(
        "confirmation",
        "  noteFreshness(core, ping.confirmed);\n",
        "  following.fresh.push({ commit: ping.commit, at: core.now });\n  noteFreshness(core, ping.confirmed);\n",
      ),
    ],
    within: 400,
    scenario: "deposed",
  },
  {
    name: "leader-always-fresh",
    from: "interleavings 1.6c",
    rule: "a leader's own state is as fresh as its last confirmation",
    simulator: "whole",
    patches: [
      zab(
        "confirmation",
        "isEstablished(leading) ? leading.confirmedSentAt : undefined",
        "isEstablished(leading) ? core.now : undefined",
      ),
    ],
    within: 400,
    scenario: "isolate+deposed",
  },
];
