/** The rules of client sessions' own lanes: one order of writes and reads, whoever holds the session. */
import { gateway, type Mutant, quorate, replica, tree } from "./row.ts";

export const sessionLanes: readonly Mutant[] = [
  {
    name: "no-attachment",
    from: "interleavings 1.5a",
    rule: "a write of an older attachment fails at apply",
    simulator: "whole",
    patches: [
      tree("lanes", "if (lane.attachment !== record.attachment) {", "if (lane.attachment > record.attachment) {"),
    ],
    within: 100,
    scenario: "takeOvers",
  },
  {
    name: "write-overtakes-a-read",
    from: "gateway/src/session-lane.ts, rule 6",
    rule: "a write that a read given before it could see waits for that read's answer",
    simulator: "whole",
    patches: [
      gateway("session-lane", "    if (!request.cleared && this.#reads.couldSee(write.operation)) return false;\n", ""),
    ],
    within: 100,
    scenario: "takeOvers",
  },
  {
    name: "session-read-goes-back",
    from: "gateway/src/session-lane.ts, rule 7",
    rule: "a read that shows less than was answered before it on its lane is asked again",
    simulator: "whole",
    patches: [
      gateway(
        "session-lane",
        "    if (!read || request.isOlder(this.#seen)) return read !== undefined;\n",
        "    if (!read) return false;\n",
      ),
    ],
    within: 100,
    scenario: "takeOvers",
  },
  {
    name: "answers-out-of-order",
    from: "gateway/src/session-lane.ts, rule 4",
    rule: "answers leave in the order of requests",
    simulator: "whole",
    patches: [
      gateway(
        "session-lane",
        "      request.giveUp = undefined;\n      request.answered(answer, from);\n",
        `      request.giveUp = undefined;
      if (this.#first !== request && answer.kind === "outcome" && answer.outcome.zxid >= this.#seen) {
        request.answer = answer;
        request.tell();
        request.tell = () => {};
      }
      request.answered(answer, from);
`,
      ),
    ],
    within: 100,
    scenario: "takeOvers",
  },
  {
    name: "given-back-without-what-is-behind",
    from: "gateway/src/session-lane.ts, rule 3",
    rule: "what comes behind a write that was given back is given back, too, until that number comes again",
    simulator: "whole",
    patches: [gateway("session-lane", "    this.#given = from - 1;\n    this.#voided = why;\n", "")],
    within: 0,
    byHand: {
      file: "gateway/src/session-lane.test.ts",
      name: "refused with something to say are given back, with all behind them",
    },
  },
  {
    name: "read-not-behind-own-write",
    from: "DESIGN 6, after a break",
    rule: "a read waits until the write before it is applied where it is answered",
    simulator: "whole",
    patches: [
      replica(
        "reads",
        "    if (message.behind !== undefined && !isApplied(tree, message.behind)) return undefined;\n",
        "",
      ),
    ],
    within: 0,
    byHand: { file: "services/replica/src/watches.test.ts", name: "a read behind a lane.s write waits for it" },
  },
  {
    name: "told-of-another-attachment",
    from: "interleavings 1.5a",
    rule: "what became of a write is told to the lane of its own attachment only",
    simulator: "whole",
    patches: [replica("home", "if (home?.attachment !== lane.attachment) continue;", "if (!home) continue;")],
    within: 0,
    byHand: { file: "services/replica/src/home.test.ts", name: "who has a session that is attached elsewhere" },
  },
  {
    name: "refusal-of-another-attachment",
    from: "interleavings 1.5a; gateway/src/lane.ts, rule 5",
    rule: "a refusal is about the try of that gateway which made it, though another has the same fence",
    simulator: "whole",
    patches: [
      replica(
        "home",
        "const lane: HomeLane = { session, attachment, connection, fence, round, announced",
        "const lane: HomeLane = { session, attachment, connection, fence, round: round && fence, announced",
      ),
    ],
    within: 0,
    byHand: { file: "services/replica/src/home.test.ts", name: "who has a session that is attached elsewhere" },
  },
  {
    name: "attachment-not-awaited",
    from: "DESIGN 6, Lanes",
    rule: "a lane is told where it stands once its attachment is applied there",
    simulator: "whole",
    patches: [
      replica(
        "home",
        "known ? known.attachment < lane.attachment : (session as number) > tree.applied",
        "!known && (session as number) > tree.applied",
      ),
    ],
    within: 0,
    byHand: { file: "services/replica/src/home.test.ts", name: "a lane whose attachment is not applied here yet" },
  },
  {
    name: "read-overtakes-what-was-said",
    from: "DESIGN 7, a transaction's changes leave before any reply computed at or after it",
    rule: "a read is answered at once only where nothing that the replica said is still on its way",
    simulator: "whole",
    patches: [quorate("local-dial", "delivering || said.bytes > 0 || closed ?", "closed ?")],
    within: 200,
    scenario: "takeOvers",
  },
];
