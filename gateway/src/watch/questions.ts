/**
 * What is asked on behalf of those who watch: where they stand now, and what happened behind their cursors. Some hundreds ask
 * at once when a home moves; the others wait for their turn, sessions first, for their reads stand in one order with
 * their events.
 */
import type { ErrorCode } from "@quorate/api";
import type { Answer, ReadRequest } from "../backend.ts";
import { linkLimits } from "../limits.ts";
import type { GatewayWorld } from "../ports.ts";
import { Queue } from "../queue.ts";
import type { ReplicaStream } from "../stream.ts";
import type { Followers } from "./followers.ts";
import type { Watcher } from "./watcher.ts";

/** Who asks: each watcher by itself, those who follow paths together. */
export type Party = Watcher | Followers;

/** `stream`: whose answer it is. Called in the turn of the answer, before what stands behind it on the stream. */
export type WatchAnswered = (answer: Answer, stream: ReplicaStream | undefined) => void;

export interface QuestionPorts {
  readonly world: GatewayWorld;
  /** Asks a read of kind `watch`; answers the way to give it up, after which nothing is called. */
  ask(request: ReadRequest, deadline: number, answered: WatchAnswered): () => void;
  /** `pump` is due by the end of the turn. */
  wake(): void;
}

/** `joins`: whose feed goes on behind this answer, if it is the home. */
export type Answered = (
  party: Party,
  answer: Answer,
  joins: ReplicaStream | undefined,
  stream: ReplicaStream | undefined,
) => void;

export class Questions {
  readonly #ports: QuestionPorts;
  readonly #answered: Answered;
  /** Those of state `waiting`. */
  readonly #queue = new Queue<Party>();
  /** Those of state `asking`, and the bytes of what they ask. */
  readonly #asking = new Map<Party, number>();
  #bytes = 0;

  constructor(ports: QuestionPorts, answered: Answered) {
    this.#ports = ports;
    this.#answered = answered;
  }

  /** How many are under way, but for those that open a watch. */
  get size(): number {
    return this.#asking.size;
  }

  ask(party: Party, request: ReadRequest, budgetMillis: number): void {
    const { world } = this.#ports;
    const stale = request.consistency === "stale";
    let within = true;
    let givenUp = false;
    const giveUp = this.#ports.ask(request, world.now() + budgetMillis, (answer, stream) => {
      // Nothing is told before `watch` has returned.
      if (!within) this.#settle(party, answer, stale ? undefined : stream, stream);
      else world.soon(() => givenUp || this.#settle(party, answer, undefined, stream));
    });
    within = false;
    party.giveUp = () => {
      givenUp = true;
      giveUp();
    };
  }

  #settle(party: Party, answer: Answer, joins: ReplicaStream | undefined, stream: ReplicaStream | undefined): void {
    party.giveUp = undefined;
    this.#left(party);
    this.#answered(party, answer, joins, stream);
  }

  /** There is room for another question. */
  #left(party: Party): void {
    this.#bytes -= this.#asking.get(party) ?? 0;
    this.#asking.delete(party);
    if (this.#queue.size > 0) this.#ports.wake();
  }

  /** It asks when it is its turn. */
  await(party: Party): void {
    party.state = "waiting";
    if (party.acting || party.kind === "followers") this.#queue.pushFront(party);
    else this.#queue.push(party);
    this.#ports.wake();
  }

  /** It asks for ever, but not at once: whoever answered so needs a moment. */
  rest(party: Party, code: ErrorCode): void {
    party.state = "resting";
    const pause = code === "throttled" ? linkLimits.retryMaxMillis : linkLimits.retryMillis;
    this.#ports.world.after(pause, () => {
      if (party.state === "resting") this.await(party);
    });
  }

  /** Asks for those who wait, as far as there is room; `next`: what it asks, if it still has to. */
  pump(next: (party: Party) => ReadRequest | undefined): void {
    const { watchQuestions, watchQuestionBytes, watchQuestionMillis } = linkLimits;
    for (let each = this.#queue.first; each; each = this.#queue.first) {
      if (this.#asking.size >= watchQuestions || this.#bytes >= watchQuestionBytes) return;
      this.#queue.remove(each);
      const request = next(each);
      if (!request) continue;
      each.state = "asking";
      const { weight } = each;
      this.#asking.set(each, weight);
      this.#bytes += weight;
      this.ask(each, request, watchQuestionMillis);
    }
  }

  /** It is over, or has nothing to ask any more. */
  drop(party: Party): void {
    party.giveUp?.();
    party.giveUp = undefined;
    this.#queue.remove(party);
    this.#left(party);
  }
}
