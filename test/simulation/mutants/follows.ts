/** The rules of those who follow paths: where a path is followed from, and what waits for that. */
import { gateway, type Mutant, tree } from "./row.ts";

export const follows: readonly Mutant[] = [
  {
    name: "followers-not-waited-for",
    from: "gateway/src/session-lane.ts, rule 9",
    rule: "what a session's lane answers waits until what the session follows has been told, and while it asks from where",
    simulator: "whole",
    patches: [gateway("watch/follower", "    if (this.refused) return false;\n", "    if (zxid >= 0) return true;\n")],
    within: 100,
    scenario: "followers",
  },
  {
    name: "read-older-than-what-is-followed",
    from: "gateway/src/session-lane.ts, rule 9; gateway/src/watch/followers.ts, rule 3",
    rule: "a read that shows less than the place from which its session follows is asked again",
    simulator: "whole",
    patches: [
      gateway(
        "watch/session-members",
        'if (each.kind === "follower" && each.feed.through > floor) floor = each.feed.through;',
        'if (each.kind === "follower" && each.feed.through < floor) floor = each.feed.through;',
      ),
    ],
    within: 0,
    // The path must change between the read and the answer that says where the tree is, and nobody else may have joined.
    byHand: {
      file: "gateway/src/watch/follow.test.ts",
      name: "keeps its session's answers waiting until what they show is told, or what follows them will be",
    },
  },
  {
    name: "followed-from-an-answer-that-lacks-it",
    from: "gateway/src/watch/followers.ts, rules 2 and 3",
    rule: "a path that is added while its question is under way is followed from the answer on, and until then nothing is answered",
    simulator: "whole",
    patches: [
      gateway("watch/followers", "return this.#anchored && !this.#partial;", "return this.#anchored || this.#partial;"),
    ],
    within: 0,
    // The answer must show exactly where the feed broke, and the path must change before the question is answered.
    byHand: {
      file: "gateway/src/watch/follow.test.ts",
      name: "asks behind its cursor when the feed breaks; a path that comes meanwhile is followed from the answer on",
    },
  },
  {
    name: "told-again-behind-a-move",
    from: "DESIGN 7",
    rule: "those who follow ask a new home behind the last that the old one's feed has told",
    simulator: "whole",
    patches: [
      gateway(
        "watch/followers",
        "    this.feed = { ...place };",
        "    this.feed = { ...place, through: Math.max(0, place.through - 3) as typeof place.through };",
      ),
    ],
    within: 100,
    scenario: "followers",
  },
  {
    name: "followers-stay-when-the-feed-breaks",
    from: "DESIGN 7",
    rule: "when a home moves or its feed breaks, those who follow ask again",
    simulator: "whole",
    patches: [gateway("watch/hub", "    this.#followers.broken(place);\n", "")],
    within: 100,
    scenario: "followers",
  },
  {
    name: "place-behind-what-was-told",
    from: "gateway/src/watch/followers.ts, rule 1",
    rule: "who followed nothing takes a place in the feed only if that is not behind what was told",
    simulator: "whole",
    patches: [gateway("watch/followers", " || place.through < this.feed.through) return", ") return")],
    within: 0,
    // It must have followed nothing when its home moved to a replica that was behind.
    byHand: {
      file: "gateway/src/watch/follow.test.ts",
      name: "follows from where the tree is, at least from where it stood, when it had nothing to ask for",
    },
  },
  {
    name: "followed-from-behind-what-was-told",
    from: "gateway/src/watch/followers.ts, rule 1",
    rule: "it is asked how far the tree is, at least where it was told before",
    simulator: "whole",
    patches: [gateway("watch/followers", "minZxid: this.#anchored ? zeroZxid : through", "minZxid: zeroZxid")],
    within: 0,
    // Likewise.
    byHand: {
      file: "gateway/src/watch/follow.test.ts",
      name: "follows from where the tree is, at least from where it stood, when it had nothing to ask for",
    },
  },
  {
    name: "answers-before-the-end",
    from: "gateway/src/watch/hub.ts",
    rule: "answers that waited for what is followed are told behind its end, if it ends",
    simulator: "whole",
    patches: [
      gateway(
        "watch/hub",
        "    this.#leave(member);\n    try {",
        "    this.#leave(member);\n    this.#relieved();\n    try {",
      ),
    ],
    within: 0,
    // Seen once, at seed 46 of 400, when each of them asked for itself.
    byHand: {
      file: "gateway/src/watch/follow.test.ts",
      name: "ends before the answers are told that waited for what it follows",
    },
  },
  {
    name: "acl-among-what-is-followed",
    from: "Backend.follow",
    rule: "who follows is told of no change of an ACL",
    simulator: "whole",
    patches: [
      gateway(
        "watch/delivery",
        'if (type !== "acl" && relation !== "parent") this.#follow',
        'if (relation !== "parent") this.#follow',
      ),
    ],
    within: 100,
    scenario: "followers",
  },
  {
    name: "missed-with-other-lists",
    from: "WatchOperation.raw",
    rule: "what a gateway asks for that judges rights by itself comes with the lists of that moment",
    simulator: "whole",
    patches: [
      tree("watch-events", "    this.#places.set(reference, this.acls.length);", "    this.#places.set(reference, 0);"),
    ],
    within: 200,
    scenario: "followers",
  },
  {
    name: "much-is-not-asked-for",
    from: "gateway/src/watch/followers.ts",
    rule: "where more is followed than fits a question, all changes are asked for",
    simulator: "whole",
    patches: [gateway("watch/followers", "scopes: scopes ?? everything", "scopes: scopes ?? nothing")],
    setting: [gateway("limits", "  followQuestionBytes: 256 * 1024,", "  followQuestionBytes: 10,")],
    within: 100,
    scenario: "followers",
  },
];
