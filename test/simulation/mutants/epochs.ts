/** The rules of epochs and of who counts: promises, candidates, founders and replicas with an empty disk. */
import { type Mutant, zab } from "./row.ts";

export const epochs: readonly Mutant[] = [
  {
    name: "accepted-epoch-not-durable",
    from: "classic; DESIGN 4, Discovery",
    rule: "a follower's promise of an epoch is durable before it is given",
    simulator: "core",
    patches: [
      zab(
        "synchronization",
        `  writeState(core, state, undefined, () => {
    if (core.term === term) acknowledgeEpoch(core, following, true);
  });`,
        `  core.durable = state;
  if (core.term === term) acknowledgeEpoch(core, following, true);`,
      ),
    ],
    within: 400,
  },
  {
    name: "offer-before-durable",
    from: "DESIGN 4, Discovery",
    rule: "the leader's own promise is durable before NEWEPOCH leaves",
    simulator: "core",
    patches: [
      zab(
        "discovery",
        "  writeState(core, state, undefined, () => {\n    if (core.term !== term) return;\n",
        "  core.durable = state;\n  (() => {\n    if (core.term !== term) return;\n",
      ),
      zab(
        "discovery",
        "    completeOffering(core);\n  });\n}\n\n/** NEWEPOCH",
        "    completeOffering(core);\n  })();\n}\n\n/** NEWEPOCH",
      ),
    ],
    within: 0,
    byHand: {
      file: "services/zab/src/discovery.test.ts",
      name: "the promise of an epoch is durable on the leader before it offers it",
    },
  },
  {
    name: "equal-epoch-counts",
    from: "classic; DESIGN 4, Discovery",
    rule:
      "an epoch that was promised before does not count again (a second rule, that nobody with a better history may " +
      "answer, stands before the same fault: taken out too, for exactly this case)",
    simulator: "core",
    patches: [
      zab("discovery", "follower.promised = ack.counts;", "follower.promised = true;"),
      zab(
        "discovery",
        "  if (follower.currentEpoch !== leading.formerEpoch) return",
        "  if (follower.currentEpoch === leading.epoch) return false;\n  if (follower.currentEpoch !== leading.formerEpoch) return",
      ),
    ],
    within: 400,
    scenario: "three+breakLink+slow+late",
  },
  {
    name: "lower-epoch-followed",
    from: "DESIGN 4, Discovery",
    rule: "who has promised an epoch follows no lower one",
    simulator: "core",
    patches: [
      zab("synchronization", "if (epoch < core.durable.acceptedEpoch) {", "if (epoch < core.durable.currentEpoch) {"),
      zab("discovery", "if (follower.acceptedEpoch > leading.epoch) {", "if (follower.currentEpoch > leading.epoch) {"),
      zab("core", `assert(state.acceptedEpoch >= core.durable.acceptedEpoch, "a promise is never taken back");`, ""),
    ],
    within: 400,
    scenario: "three+partition+pause",
  },
  {
    name: "better-history-ignored",
    from: "interleavings 1.10",
    rule: "a leader that meets a better history before it is established gives up",
    simulator: "core",
    patches: [
      zab(
        "discovery",
        "&& hasBetterHistory(core, leading, follower)",
        "&& hasBetterHistory(core, leading, follower) && core.now < 0",
      ),
    ],
    within: 400,
  },
  {
    name: "current-epoch-before-history",
    from: "classic; ZOOKEEPER-4643",
    rule: "currentEpoch is written when the whole history is durable",
    simulator: "core",
    patches: [
      zab(
        "synchronization",
        `  following.stage = "syncing";\n  if (to >=`,
        `  following.stage = "syncing";
  writeState(core, { ...core.durable, currentEpoch: following.epoch }, undefined, () => {});
  if (to >=`,
      ),
      zab(
        "synchronization",
        `    following.stage = "syncing";\n    following.staged`,
        `    following.stage = "syncing";
    writeState(core, { ...core.durable, currentEpoch: following.epoch }, undefined, () => {});
    following.staged`,
      ),
    ],
    within: 400,
  },
  {
    name: "leader-epoch-not-durable",
    from: "DESIGN 4, Synchronization",
    rule: "the leader's own currentEpoch is durable before it counts among those that hold the history",
    simulator: "core",
    patches: [
      zab(
        "discovery",
        "  writeState(core, state, undefined, () => {\n    if (core.term === term) beginSyncing(core, leading);\n  });",
        "  core.durable = state;\n  if (core.term === term) beginSyncing(core, leading);",
      ),
    ],
    within: 400,
  },
  {
    name: "roll-before-drain",
    from: "interleavings 1.9; ZOOKEEPER-4643",
    rule: "the epoch rolls, and currentEpoch is raised, when all that was proposed is committed",
    simulator: "core",
    patches: [
      zab(
        "broadcast",
        "leading.rollAbove > 0 &&\n    core.committed === core.history.last &&\n    core.history.durable === core.history.last",
        "leading.rollAbove > 0",
      ),
      zab(
        "discovery",
        `assert(core.committed === core.history.last, "an epoch rolls when all that was proposed is committed");`,
        "",
      ),
      zab(
        "discovery",
        `assert(core.history.durable === core.history.last, "an epoch rolls when the leader's own log is durable");`,
        "",
      ),
      zab(
        "synchronization",
        "const state = { ...joined, acceptedEpoch: epoch };",
        `const currentEpoch = former.stage === "synced" ? epoch : joined.currentEpoch;
  const state = { ...joined, acceptedEpoch: epoch, currentEpoch };`,
      ),
    ],
    within: 400,
    scenario: "roll+loseProposals+handOver+breakLink",
  },
  {
    name: "forgotten-promise-counts",
    from: "interleavings 1.4b, 1.10",
    rule: "a promise counts while whoever made it is shown to remember it: it may have lost its disk since",
    simulator: "core",
    patches: [zab("discovery", "if (promisers.length === 0) return true;", "if (promisers.length >= 0) return true;")],
    within: 0,
    byHand: {
      file: "services/zab/src/discovery.test.ts",
      name: "a promise that a wiped replica has forgotten makes no leader",
    },
  },
  {
    name: "joiner-counts",
    from: "interleavings 1.4; DESIGN 4, Birth",
    rule: "a replica with an empty disk counts nowhere until a leader has synchronized it",
    simulator: "core",
    patches: [
      zab("discovery", "if (follower.synced) return true;", "if (leading.epoch >= 0) return true;"),
      zab(
        "election",
        "credentials.ensembleId === ensemble;\n  return false;",
        "credentials.ensembleId === ensemble;\n  return true;",
      ),
    ],
    within: 400,
    scenario: "wipe",
  },
  {
    name: "admission-without-confirmation",
    from: "interleavings 1.4b",
    rule: "a replica with an empty disk is synchronized after a confirmation begun after it asked",
    simulator: "core",
    patches: [
      zab("discovery", "requestAdmission(core, leading, follower.link);", "sendNewEpoch(core, leading, follower);"),
    ],
    within: 400,
    scenario: "three+wipe+partition",
  },
  {
    name: "member-before-history",
    from: "interleavings 1.4e",
    rule: "a joining replica becomes a member in the same write as currentEpoch, when its whole history is durable",
    simulator: "core",
    patches: [
      zab(
        "synchronization",
        "const state = { ...joined, acceptedEpoch: epoch };",
        `const state = { ...joined, acceptedEpoch: epoch, standing: "member" as const };`,
      ),
    ],
    within: 400,
    scenario: "wipe+crashAll",
  },
  {
    name: "founder-meets-member",
    from: "interleavings 1.4a",
    rule: "a founder with an empty disk that meets a member is no founder: it joins",
    simulator: "core",
    patches: [
      zab("election", `return ensemble === "" || credentials.ensembleId === ensemble;`, "return true;"),
      zab("election", `core.durable.standing !== "founding" || core.writes.length > 0`, "core.now >= 0"),
      zab("synchronization", `standing: late ? "joining" : durable.standing`, "standing: durable.standing"),
      zab("synchronization", `const late = durable.standing === "founding" && durable.ensembleId === "";`, ""),
    ],
    within: 400,
    scenario: "three+wipe",
  },
  {
    name: "majority-founds",
    from: "interleavings 1.4; DESIGN 4, Birth",
    rule: "an ensemble is founded by all of its members",
    simulator: "core",
    patches: [
      zab(
        "discovery",
        "leading.founding ? core.options.members.length : quorumSize(core.options.members)",
        "quorumSize(core.options.members)",
      ),
      zab(
        "election",
        `ensemble === "" ? core.options.members.length : quorumSize(core.options.members)`,
        "ensemble.length < 0 ? 0 : quorumSize(core.options.members)",
      ),
    ],
    within: 400,
    scenario: "wipe",
  },
];
