/**
 * Watches over a tree in this process: the gateway's own hub, with a replica's part played by this file. What is asked is
 * answered from the tree, and what is committed is fed, in one order, a turn later.
 */
import type { Acl, Acting, FeedChange, Outcome, SessionId, Zxid } from "@quorate/api";
import {
  type Following,
  type FollowListener,
  type GatewayTimer,
  type GatewayWorld,
  type ReadRequest,
  type ReplicaStream,
  type WatchAnswered,
  Watches,
  type Watching,
  type WatchListener,
  type WatchRequest,
} from "@quorate/gateway";
import type { Tree } from "@quorate/tree";

/** The hub knows a home by its identity; nothing is sent. */
const home: ReplicaStream = { replica: 1, address: "memory", rules: 0, writable: true, send: () => {} };

interface Question {
  readonly request: ReadRequest;
  /** Its time is over. */
  readonly timer: GatewayTimer;
  readonly answered: WatchAnswered;
}

export class MemoryWatches {
  readonly #tree: Tree;
  readonly #world: GatewayWorld;
  readonly #historyId: string;
  readonly #watches: Watches;
  /** In order; those whose cursor is ahead of the tree stay until it gets there. */
  readonly #questions = new Set<Question>();
  #fedThrough: Zxid;
  #ended: SessionId[] = [];
  #woken = false;
  #answers = 0;

  /** `historyId`: 32 hex digits. */
  constructor(tree: Tree, world: GatewayWorld, historyId: string) {
    this.#tree = tree;
    this.#world = world;
    this.#historyId = historyId;
    this.#fedThrough = tree.applied;
    this.#watches = new Watches({
      world,
      home: () => home,
      historyOf: () => historyId.slice(0, 16),
      ask: (request, deadline, answered) => this.#ask(request, deadline, answered),
      unwatch: () => {},
      eventsTold: () => {},
      wake: () => this.#wake(),
      log: (text) => console.error(text),
    });
    this.#watches.moved(home);
  }

  /** Open ones. */
  get size(): number {
    return this.#watches.size;
  }

  get followers(): number {
    return this.#watches.followers;
  }

  watch(request: WatchRequest, deadlineMillis: number, listener: WatchListener): Watching {
    return this.#watches.watch(request, deadlineMillis, listener);
  }

  follow(acting: Acting, listener: FollowListener): Following {
    return this.#watches.follow(acting, listener);
  }

  /** The tree has applied something. `ended`: a session that it closed or expired. */
  applied(ended?: SessionId): void {
    if (ended !== undefined) this.#ended.push(ended);
    this.#wake();
  }

  /** As when the home is lost: all watchers ask again from where they are. */
  breakFeed(): void {
    this.#feed();
    this.#watches.feedBroken(home);
  }

  stop(): void {
    this.#watches.stop();
  }

  #ask(request: ReadRequest, deadline: number, answered: WatchAnswered): () => void {
    const timer = this.#world.after(deadline - this.#world.now(), () => {
      if (!this.#questions.delete(question)) return;
      const detail = "this replica has not applied what the cursor names";
      answered(
        { kind: "unavailable", code: "behind", detail, certainty: "noEffect", retryAfterMillis: 1000 },
        undefined,
      );
    });
    const question: Question = { request, timer, answered };
    this.#questions.add(question);
    this.#wake();
    return () => {
      timer.cancel();
      this.#questions.delete(question);
    };
  }

  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#world.soon(() => {
      this.#woken = false;
      this.settle();
    });
  }

  /** All that is committed is told, and what can be answered is. */
  settle(): void {
    for (let before = -1; before !== this.#answers; ) {
      before = this.#answers;
      this.#feed();
      for (const question of [...this.#questions]) this.#answer(question);
      this.#watches.pump();
    }
  }

  #answer(question: Question): void {
    const { operation, identity, acting, minZxid } = question.request;
    if (operation.kind !== "watch" || !this.#questions.has(question)) return;
    const here = operation.history === undefined || this.#historyId.startsWith(operation.history);
    if (here && Math.max(minZxid, operation.after ?? 0) > this.#tree.applied) return;
    this.#questions.delete(question);
    this.#answers += 1;
    question.timer.cancel();
    const outcome = here ? this.#tree.read(operation, identity, acting) : this.#strange();
    question.answered({ kind: "outcome", outcome, servedBy: 1, ageMillis: 0 }, home);
  }

  /** The tree knows of no history: whoever serves it judges. */
  #strange(): Outcome {
    const detail = "the cursor is of another history; begin again without 'after'";
    return { ok: false, zxid: this.#tree.applied, code: "cursorOfAnotherHistory", detail };
  }

  #feed(): void {
    const through = this.#tree.applied;
    if (through === this.#fedThrough) return;
    const found = this.#tree.changes.after(this.#fedThrough);
    const ended = this.#ended;
    this.#fedThrough = through;
    this.#ended = [];
    if (found === "tooOld") {
      this.#watches.feedBroken(home);
      return;
    }
    const places = new Map<number, number>();
    const acls: Acl[] = [];
    const place = (reference: number): number => {
      const known = places.get(reference);
      if (known !== undefined) return known;
      places.set(reference, acls.length);
      acls.push(this.#tree.acl(reference) ?? []);
      return acls.length - 1;
    };
    const changes: FeedChange[] = [];
    for (const change of found) changes.push({ ...change, acl: place(change.acl), parentAcl: place(change.parentAcl) });
    this.#watches.feed(home, { kind: "feed", through, changes, acls, ended });
  }
}
