/** The rules of lanes and keys: no write twice, none under another's number, and what may be said of a write's fate. */
import { gateway, type Mutant, replica, tree } from "./row.ts";

/** Leaders refuse writes now and then. */
const smallQueue = replica("replica-limits", "submissionCount: 16_384,", "submissionCount: 4,");

export const lanes: readonly Mutant[] = [
  {
    name: "gap-applied",
    from: "interleavings 1.5b",
    rule:
      "a write beyond the lane's next number is refused without a trace (a refusal that voids what is behind it stands " +
      "before the same fault: taken out, too)",
    simulator: "whole",
    patches: [
      tree("lanes", `    if (lane.sequence > record.lastSequence + 1) return "gap";\n`, ""),
      replica(
        "submissions",
        "if (earlier && sameTry && sequence > earlier.sequence) return earlier.refusal;",
        "void sameTry;",
      ),
    ],
    setting: [smallQueue],
    within: 400,
    scenario: "bursts+slowNetwork",
  },
  {
    name: "outcome-evicted-early",
    from: "interleavings 1.5c",
    rule: "the last number of a lane is known for as long as its session lives, not only while outcomes are kept",
    simulator: "whole",
    patches: [
      tree(
        "lanes",
        `if (lane.sequence > record.lastSequence) return "execute";`,
        `if (lane.sequence > record.lastSequence || !record.memory.has(lane.sequence)) return "execute";`,
      ),
    ],
    within: 0,
    byHand: { file: "services/tree/src/apply.test.ts", name: "a lane does the next write" },
  },
  {
    name: "outcome-not-remembered",
    from: "interleavings 1.5; DESIGN 6, Lanes",
    rule: "the outcomes that the gateway has not acknowledged are remembered",
    simulator: "whole",
    patches: [
      tree(
        "lanes",
        `if (lane.sequence > record.lastSequence) return "execute";`,
        `if (lane.sequence >= record.lastSequence) return "execute";`,
      ),
    ],
    within: 400,
  },
  {
    name: "refused-number-taken-back",
    from: "gateway/src/lane.ts, rule 4",
    rule: "a number that may be in another try keeps its command when a try is refused",
    simulator: "whole",
    patches: [gateway("lane-window", "const from = Math.max(sequence, this.#tainted + 1);", "const from = sequence;")],
    within: 400,
    scenario: "fullDisk+breakWire+slowNetwork+bursts",
  },
  {
    name: "broken-stream-taints-nothing",
    from: "gateway/src/lane.ts, rule 3",
    rule: "what was sent on a stream that broke is of unknown fate",
    simulator: "whole",
    patches: [
      gateway(
        "lane-window",
        "    this.#tainted = Math.max(this.#tainted, this.#cursor - 1);\n    this.#cursor = this.#answered",
        "    this.#cursor = this.#answered",
      ),
      gateway(
        "lane-window",
        `    assert(this.#next - 1 <= Math.max(this.#tainted, this.#answered), "what is not tainted has no number");\n`,
        "",
      ),
    ],
    within: 400,
    scenario: "breakWire+handOver+fullDisk+split+bursts",
  },
  {
    name: "given-up-number-reused",
    from: "gateway/src/lane.ts, rule 2",
    rule: "a write given up at its time limit keeps its number, and is sent again until it is decided",
    simulator: "whole",
    patches: [
      gateway(
        "lane",
        "      if (again) {\n",
        `      if (again) {
        const next = this.#waiting.first;
        if (!again.resolve && next) {
          this.#waiting.remove(next);
          this.#waitingBytes -= next.size;
          next.sequence = again.sequence;
          again.resolve = (answer) => this.#settle(next, answer);
          const { session, attachment, answered: answeredUpTo } = window;
          const lane = { session, attachment, sequence: again.sequence, answeredUpTo };
          const command = encodeCommand({ ...(next.request as WriteRequest), lane });
          again.message = { kind: "write", session, sequence: again.sequence, command };
        }
`,
      ),
    ],
    within: 400,
  },
  {
    name: "refusal-of-an-earlier-try-heard",
    from: "gateway/src/lane.ts, rule 5",
    rule: "what comes before the echo of the newest fence is not heard as a refusal",
    simulator: "whole",
    patches: [
      gateway("lane-course", ` && this.#phase === "flowing";\n  }\n\n  /** Something`, ";\n  }\n\n  /** Something"),
      replica(
        "home",
        "if (!lane?.announced || lane.round !== round) return;",
        "if (!lane?.announced || round < 0) return;",
      ),
    ],
    within: 0,
    byHand: { file: "test/simulation/mutants/cases.test.ts", name: "a refusal that comes late" },
  },
  {
    name: "lane-moved-to-a-new-session",
    from: "gateway/src/lane.ts, rule 7",
    rule: "when a lane's session ends, what it had sent is of unknown fate, and goes on in no other lane",
    simulator: "whole",
    patches: [
      gateway(
        "lane",
        "    for (const entry of window.entries()) {\n      this.#settle(",
        `    for (const entry of [...window.entries()].reverse()) {
      if (entry.resolve && !entry.decided) {
        entry.sequence = 0;
        this.#wait(entry);
        continue;
      }
      this.#settle(`,
      ),
    ],
    within: 400,
    scenario: "sessionClosed+bursts",
  },
  {
    name: "certainty-of-the-last-try",
    from: "interleavings 1.5e; DESIGN 6",
    rule: "a write whose last try was refused is without effect only if no other try may have been taken",
    simulator: "whole",
    patches: [
      gateway(
        "lane",
        "    // A full disk stays full for a while",
        `    for (const entry of window.entries()) if (general.has(code) && !entry.decided) this.#settle(entry, answer);
    // A full disk stays full for a while`,
      ),
    ],
    within: 400,
    scenario: "fullDisk+breakWire+bursts",
  },
  {
    name: "timeout-without-effect",
    from: "interleavings 1.5e; API 1, Time",
    rule: "at its time limit a write is without effect only if no try left the gateway",
    simulator: "whole",
    patches: [
      gateway(
        "lane",
        "    if (entry.sequence > 0) {\n      this.#settle(entry, unavailable(",
        "    if (entry.sequence > 0 && this.flowing) {\n      this.#settle(entry, unavailable(",
      ),
    ],
    within: 400,
  },
  {
    name: "refusal-voids-nothing-behind-it",
    from: "interleavings 1.5h; DESIGN 6",
    rule: "a refusal of one write of a lane refuses what is behind it in the same try",
    simulator: "whole",
    patches: [
      replica(
        "submissions",
        "if (earlier && sameTry && sequence > earlier.sequence) return earlier.refusal;",
        "void sameTry;",
      ),
    ],
    within: 0,
    byHand: {
      file: "services/replica/src/submissions.test.ts",
      name: "what is behind a refused command is refused in the same try",
    },
  },
  {
    name: "key-forgotten",
    from: "interleavings 1.5g; API 1, Retries",
    rule: "the outcome of a request under a key is replicated, and a repeat gets it",
    simulator: "whole",
    patches: [
      tree(
        "apply",
        `if (outcome.ok || outcome.code !== "throttled") state.keys.remember`,
        `if (!outcome.ok && outcome.code !== "throttled") state.keys.remember`,
      ),
    ],
    within: 400,
    scenario: "repeats",
  },
  {
    name: "key-evicted-early",
    from: "interleavings 1.5; API 1, Retries",
    rule: "a key is kept for its whole time",
    simulator: "whole",
    patches: [
      tree("keys", "if (record.stamp + limits.keyMillis >= stamp) return;", "if (record.stamp + 100 >= stamp) return;"),
    ],
    within: 400,
    scenario: "repeats",
  },
  {
    name: "stamps-of-the-wall-clock",
    from: "interleavings 1.24; DESIGN 3, Time",
    rule: "a clock that jumps expires nothing: stamps follow the monotonic time",
    simulator: "whole",
    patches: [
      replica("stamp", "Math.max(-elapsed / 10, Math.min(elapsed / 10, behind))", "Math.max(-elapsed / 10, behind)"),
    ],
    within: 400,
    scenario: "clockJump+repeats",
  },
];
