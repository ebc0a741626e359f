/**
 * The rules of an upgrade: what only newer rules know is not written before they hold, and they hold once every member is here
 * that knows them. In a simulation all are of one program, so that each row has a test that fails.
 */
import { gateway, type Mutant, replica } from "./row.ts";

const unknownForms = "gateway/src/unknown-forms.test.ts";

export const upgrades: readonly Mutant[] = [
  {
    name: "form-before-its-rules",
    from: "gateway/src/lane.ts, rule 9",
    rule: "a write in a form that the rules which hold at home do not know never gets a number",
    simulator: "whole",
    patches: [gateway("lane", ".operation, stream.rules);\n", ".operation, Number.POSITIVE_INFINITY);\n")],
    within: 0,
    byHand: { file: unknownForms, name: "gets no number on the gateway's own lane" },
  },
  {
    name: "open-number-for-a-form",
    from: "gateway/src/session-lane.ts, rule 10",
    rule: "the number of such a write is used up where it is its client's",
    simulator: "whole",
    patches: [
      gateway("lane-request", "unknownForm(operation, rules);", "unknownForm(operation, Number.POSITIVE_INFINITY);"),
    ],
    within: 0,
    byHand: { file: unknownForms, name: "uses up its client's number" },
  },
  {
    name: "rules-that-are-only-known",
    from: "gateway/src/lane.ts, rule 9",
    rule: "a gateway counts on the rules that hold at a replica, not on those that its program knows",
    simulator: "whole",
    patches: [gateway("endpoint", "stream.toldRules = true;", "stream.toldRules = false;")],
    within: 0,
    byHand: { file: unknownForms, name: "a stream counts on what its replica tells" },
  },
  {
    name: "word-of-a-member-that-left",
    from: "ARCHITECTURE, State",
    rule: "rules rise while every member is here that knows them: one that has left may come back as an older program",
    simulator: "whole",
    patches: [replica("members", "this.#present.delete(member);", "void member;")],
    within: 0,
    byHand: { file: "services/replica/src/members.test.ts", name: "the word of a member that has left" },
  },
  {
    name: "rules-wait-for-a-write",
    from: "ARCHITECTURE, State",
    rule: "rules rise without anybody's write: those that need them are refused until then",
    simulator: "whole",
    patches: [replica("leadership", "candidates.length > 0 || mayRise", "candidates.length > 0 || (mayRise && false)")],
    within: 0,
    byHand: { file: "services/replica/src/leadership.test.ts", name: "rules rise without anybody's write" },
  },
  {
    name: "older-program-takes-part",
    from: "ARCHITECTURE, State",
    rule: "a program that does not know the rules of a member stops before it takes part",
    simulator: "whole",
    patches: [
      replica("rules-check", "if (held <= rulesVersion) return undefined;", "if (held >= 0) return undefined;"),
    ],
    within: 0,
    byHand: { file: "services/replica/src/rules-check.test.ts", name: "who applies by rules that are not known" },
  },
];
