/** The rules of watches: the feed, its place among the answers, cursors and rights. */
import { gateway, type Mutant, replica, tree } from "./row.ts";

/** Answers to watches end soon, so that many have more behind them. */
const shortAnswers = [tree("limits", "  watchEvents: 1000,", "  watchEvents: 2,")];

export const watches: readonly Mutant[] = [
  {
    name: "reply-before-feed",
    from: "DESIGN 7; ZooKeeper's watch guarantees",
    rule: "a transaction's changes leave on a stream before any reply computed at or after it",
    simulator: "whole",
    patches: [
      replica(
        "parts",
        "      parts.feeds.applied(results, tree);\n      parts.home.applied(results);\n",
        "      parts.home.applied(results);\n      parts.feeds.applied(results, tree);\n",
      ),
    ],
    within: 100,
    scenario: "watchers",
  },
  {
    name: "answer-before-events",
    from: "DESIGN 7; interleavings 1.11",
    rule: "what a session's lane answers waits for the events of the session's watches, also while those ask again",
    simulator: "whole",
    patches: [gateway("session-lane", "      if (this.#isAhead(first, first.answer)) break;\n", "")],
    within: 200,
    scenario: "watchers",
  },
  {
    name: "former-home-ahead-of-the-feed",
    from: "DESIGN 7; interleavings 1.11",
    rule: "an answer that came on another stream than the feed waits until the feed has told as much",
    simulator: "whole",
    patches: [
      gateway(
        "watch/hub",
        "return this.#sessions.told(session, zxid, from === this.#home);",
        "void from;\n    return this.#sessions.told(session, zxid, true);",
      ),
    ],
    within: 0,
    // Since reads are asked again that are older than what was told, none of 400 seeds has shown it.
    byHand: {
      file: "gateway/src/session-lane-watches.test.ts",
      name: "a watch has told up to its cursor, and what the home answers while its feed reaches the watch",
    },
  },
  {
    name: "feed-begins-later",
    from: "DESIGN 7",
    rule: "the feed goes on from the answer that turned it on",
    simulator: "whole",
    patches: [
      replica(
        "reads",
        "this.#ports.watched(connection, outcome);",
        "this.#ports.push(() => this.#ports.watched(connection, outcome));",
      ),
      replica(
        "feeds",
        '    assert(outcome.result.through === tree.applied, "a feed begins where the answer ends");\n',
        "",
      ),
    ],
    within: 100,
    scenario: "watchers",
  },
  {
    name: "feed-of-another-stream",
    from: "interleavings 1.11",
    rule: "a watcher belongs to one stream and is told by that stream's feed alone",
    simulator: "whole",
    patches: [
      gateway(
        "watch/hub",
        "    if (stream !== this.#home) {\n      this.#hush(stream);\n      return;\n    }\n    this.#fed = true;",
        "    if (stream !== this.#home) this.#hush(stream);\n    this.#fed = true;",
      ),
    ],
    within: 400,
    scenario: "watchers",
  },
  {
    name: "watchers-stay-when-the-home-moves",
    from: "DESIGN 7",
    rule: "when a home moves, its watchers ask again from where the old feed ended",
    simulator: "whole",
    patches: [
      gateway(
        "watch/hub",
        "    if (home === this.#home) return;\n    this.#breakFeed();\n",
        "    if (home === this.#home) return;\n",
      ),
      gateway("watch/hub", "    if (stream === this.#home) this.#breakFeed();\n  }\n\n  moved", "  }\n\n  moved"),
    ],
    within: 100,
    scenario: "watchers",
  },
  {
    name: "broken-feed-ignored",
    from: "DESIGN 7",
    rule: "when a feed breaks, its watchers ask again",
    simulator: "whole",
    patches: [
      gateway(
        "watch/hub",
        "  feedBroken(stream: ReplicaStream): void {\n    if (stream === this.#home) this.#breakFeed();\n",
        "  feedBroken(_stream: ReplicaStream): void {\n",
      ),
    ],
    within: 400,
    scenario: "watchers+bursts",
  },
  {
    name: "forgotten-changes-passed-over",
    from: "DESIGN 7",
    rule: "what the ring has forgotten before the feed told of it breaks the feed",
    simulator: "whole",
    patches: [replica("feeds", 'changes === "tooOld" ? "unfit"', 'changes === "tooOld" ? empty()')],
    within: 0,
    // What this ring has forgotten all rings have, and the simulator takes the order's changes from them.
    byHand: {
      file: "services/replica/src/feeds.test.ts",
      name: "what the ring has forgotten before it could be told breaks the feed",
    },
  },
  {
    name: "old-cursor-passed-over",
    from: "DESIGN 7; interleavings 1.11",
    rule: "a cursor that the ring does not reach back to is refused",
    simulator: "whole",
    patches: [
      tree("watch-events", "state.ring.after(after);", "state.ring.after(Math.max(after, state.ring.floor) as Zxid);"),
    ],
    within: 200,
    scenario: "watchers",
  },
  {
    name: "cursor-ahead-not-awaited",
    from: "interleavings 1.11",
    rule: "a cursor ahead of the replica waits; the answer is never an older cursor",
    simulator: "whole",
    patches: [
      replica("reads", "Math.max(operation.after, minZxid) as Zxid", "minZxid"),
      tree("watch", "if (after <= tx.zxid) return undefined;", "if (after >= (0 as Zxid)) return undefined;"),
    ],
    within: 400,
    scenario: "watchers",
  },
  {
    name: "answer-ends-inside-a-transaction",
    from: "DESIGN 7",
    rule: "an answer never ends inside a transaction",
    simulator: "whole",
    patches: [
      tree(
        "watch-events",
        "    bytes += more(change) + utf8Length(change.path);\n",
        "    bytes += more(change) + utf8Length(change.path);\n    if (found.length >= memoryLimits.watchEvents) return { found, through: zxid, more: true };\n",
      ),
    ],
    setting: shortAnswers,
    within: 200,
    scenario: "watchers",
  },
  {
    name: "more-ignored",
    from: "DESIGN 7",
    rule: "who is answered in part asks on before the feed takes over",
    simulator: "whole",
    patches: [gateway("watch/hub", "    if (!result.more && this.#joins(", "    if (this.#joins(")],
    setting: shortAnswers,
    within: 200,
    scenario: "watchers",
  },
  {
    name: "cursor-stands-still",
    from: "DESIGN 7",
    rule: "batches that changed nothing move cursors on, too",
    simulator: "whole",
    patches: [replica("parts", "      parts.feeds.flush(parts.applier.tree);\n", "")],
    within: 100,
    scenario: "watchers",
  },
  {
    name: "ended-sessions-not-told",
    from: "DESIGN 7",
    rule: "the feed tells of sessions that were closed or expired",
    simulator: "whole",
    patches: [replica("feeds", `if (each.ended?.role === "client") ended.push(each.ended.session);`, "void each;")],
    within: 100,
    scenario: "watchers",
  },
  {
    name: "set-acl-not-heeded",
    from: "DESIGN 7, rights at delivery",
    rule: "a watch ends when an ACL takes its reader's right to a path that it names",
    simulator: "whole",
    patches: [
      gateway(
        "watch/delivery",
        "    const change = this.#change as FeedChange;\n    const { type } = change;\n",
        '    const change = this.#change as FeedChange;\n    const { type } = change;\n    if ((type as string) === "acl") return;\n',
      ),
    ],
    within: 200,
    scenario: "watchers",
  },
  {
    name: "set-acl-not-looked-back-at",
    from: "DESIGN 7, rights at delivery",
    rule: "a watch that is resumed ends where an ACL took its reader's right meanwhile, although it was given back",
    simulator: "whole",
    patches: [
      tree(
        "watch-events",
        "    const { type, path } = change;\n    const named",
        '    const { type, path } = change;\n    if ((type as string) === "acl") return "pass";\n    const named',
      ),
    ],
    within: 400,
    scenario: "watchers",
  },
  {
    name: "below-a-subtree-all-may-read",
    from: "DESIGN 7; ZooKeeper CVE-2024-23944",
    rule: "below a subtree's root nobody is told of what he may not read",
    simulator: "whole",
    patches: [
      gateway(
        "watch/delivery",
        'if (type !== "acl" && this.#readers.may(member.reader, change.acl)) this.#tell(',
        'if (type !== "acl") this.#tell(',
      ),
    ],
    within: 200,
    scenario: "watchers",
  },
  {
    name: "child-judged-by-its-own-list",
    from: "interleavings 1.27",
    rule: "who watches children is judged by the parent's list",
    simulator: "whole",
    patches: [
      gateway("watch/delivery", "change, change.parentAcl, undefined, true", "change, change.acl, undefined, true"),
    ],
    within: 200,
    scenario: "watchers",
  },
  {
    name: "rights-of-an-earlier-feed",
    from: "DESIGN 7, rights at delivery",
    rule: "a verdict on a list's place holds for one message of the feed",
    simulator: "whole",
    patches: [gateway("watch/readers", "    this.#round += 1;\n", "")],
    within: 200,
    scenario: "watchers",
  },
  {
    name: "last-transaction-told-in-part",
    from: "DESIGN 7",
    rule: "of the transaction that takes a watch's right nothing is told",
    simulator: "whole",
    patches: [
      gateway(
        "watch/delivery",
        "watcher.pending?.filter((event) => event.zxid !== change.zxid) ?? []",
        "watcher.pending ?? []",
      ),
    ],
    within: 400,
    scenario: "watchers",
  },
  {
    name: "lists-of-another-change",
    from: "DESIGN 7",
    rule: "a change in the feed refers to its own lists",
    simulator: "whole",
    patches: [
      replica("feeds", "  filling.places.set(reference, filling.acls.length);", "  filling.places.set(reference, 0);"),
    ],
    within: 200,
    scenario: "watchers",
  },
  {
    name: "cursor-refused-by-own-place",
    from: "ARCHITECTURE.md, Watches",
    rule: "a cursor beyond what is applied is refused only when a confirmation is below it",
    simulator: "whole",
    patches: [replica("reads", "<= Math.max(index, this.#ports.tree().applied)", "<= this.#ports.tree().applied")],
    within: 100,
    scenario: "watchers",
  },
  {
    name: "history-not-compared",
    from: "DESIGN 7",
    rule: "a cursor of another history is refused",
    simulator: "whole",
    patches: [
      replica(
        "reads",
        "return history !== undefined && !this.#ports.historyId().startsWith(history);",
        'return history === "";',
      ),
    ],
    within: 0,
    byHand: {
      file: "services/replica/src/watches.test.ts",
      name: "a cursor of another history is refused at once, whatever its number",
    },
  },
];
