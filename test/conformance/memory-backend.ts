/**
 * The port behind the doors with a real tree in this process and nothing else: one batch for each write, so that every
 * read is linearizable. No disk, no agreement, no expiry but what a test asks for.
 */
import {
  type Acting,
  anyone,
  asZxid,
  type Command,
  composeZxid,
  counterOf,
  encodeCommand,
  epochOf,
  type Identity,
  joinCommands,
  type Outcome,
  type ReplicaId,
  type SessionId,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import {
  type Answer,
  type Backend,
  type ClusterView,
  createNodeWorld,
  type Following,
  type FollowListener,
  type GatewayWorld,
  type LaneListener,
  type ReadRequest,
  type RenewAnswer,
  type SessionLane,
  type TreePages,
  type TreeRequest,
  type Watching,
  type WatchListener,
  type WatchRequest,
  type WriteRequest,
} from "@quorate/gateway";
import { rulesVersion, Tree, type TreeOptions } from "@quorate/tree";
import { MemoryLanes } from "./memory-lanes.ts";
import { listMemory } from "./memory-listing.ts";
import { MemoryWatches } from "./memory-watches.ts";

/** Of the ensemble that the memory is. */
export const memoryHistoryId = "4a91e37371a4b3c64a91e37371a4b3c6";

export class MemoryBackend implements Backend {
  readonly tree: Tree;
  readonly watches: MemoryWatches;
  readonly #lanes: MemoryLanes;
  readonly #now: () => number;
  readonly #lane: SessionId;
  readonly #attachment: number;
  #sequence = 0;

  /** `now`: the stamp of the next batch, ms since 1970. */
  constructor(
    now: () => number = () => Date.now(),
    world: GatewayWorld = createNodeWorld(),
    options: TreeOptions = {},
  ) {
    this.#now = now;
    this.tree = new Tree(options);
    this.watches = new MemoryWatches(this.tree, world, memoryHistoryId);
    this.#lanes = new MemoryLanes({
      world,
      commit: (command) => this.#commit(command),
      read: (request) => this.#read(request),
      lane: (session) => this.tree.lane(session),
      settle: () => this.watches.settle(),
    });
    const opened = this.#commit({
      identity: anyone,
      operation: {
        kind: "createSession",
        role: "gateway",
        timeoutMillis: 30_000,
        secretHash: new Uint8Array(32),
        name: "memory",
        address: "",
      },
    });
    if (!opened.ok || opened.result.kind !== "session") throw new Error("the tree opened no session for the gateway");
    this.#lane = opened.result.session;
    this.#attachment = opened.result.attachment;
  }

  write(request: WriteRequest): Promise<Answer> {
    this.#sequence++;
    const lane = {
      session: this.#lane,
      attachment: this.#attachment,
      sequence: this.#sequence,
      answeredUpTo: this.#sequence - 1,
    };
    return Promise.resolve(answerOf(this.#commit({ ...request, lane })));
  }

  read(request: ReadRequest): Promise<Answer> {
    return Promise.resolve(this.#read(request));
  }

  #read({ operation, identity, acting, minZxid }: ReadRequest): Answer {
    if (minZxid <= this.tree.applied) return answerOf(this.tree.read(operation, identity, acting));
    const detail = "this replica has not applied Quorate-Min-Zxid yet";
    return { kind: "unavailable", code: "behind", detail, certainty: "noEffect", retryAfterMillis: 1000 };
  }

  renew(session: SessionId, secretHash: Uint8Array): Promise<RenewAnswer> {
    if (this.tree.session(session) === undefined) return Promise.resolve({ kind: "expired" });
    if (!this.tree.secretMatches(session, secretHash)) return Promise.resolve({ kind: "badSecret" });
    return Promise.resolve({ kind: "renewed", zxid: this.tree.applied, servedBy: 1 });
  }

  handOver(target: ReplicaId): Promise<Answer> {
    const zxid = this.tree.applied;
    if (target === 1) return Promise.resolve(answerOf({ ok: true, zxid, result: { kind: "done", count: 0 } }));
    const detail = `there is no replica ${target}; the members are 1`;
    return Promise.resolve(answerOf({ ok: false, zxid, code: "badArguments", detail }));
  }

  listTree(request: TreeRequest): TreePages {
    return listMemory(this.tree, request);
  }

  watch(request: WatchRequest, deadlineMillis: number, listener: WatchListener): Watching {
    return this.watches.watch(request, deadlineMillis, listener);
  }

  follow(acting: Acting, listener: FollowListener): Following {
    return this.watches.follow(acting, listener);
  }

  attach(acting: Acting, identity: Identity, _deadlineMillis: number, listener: LaneListener): SessionLane {
    return this.#lanes.attach(acting, identity, listener);
  }

  cluster(): ClusterView {
    const zxid = this.tree.applied;
    const epoch = epochOf(zxid);
    return {
      leader: 1,
      members: [
        {
          id: 1,
          reachable: true,
          standing: "member",
          role: "leading",
          serving: true,
          reason: "",
          leader: 1,
          epoch,
          acceptedEpoch: epoch,
          applied: zxid,
          committed: zxid,
          logged: zxid,
          ensembleId: "memory",
          historyId: memoryHistoryId,
          version: "test",
          rules: rulesVersion,
          digest: this.tree.digest(),
          znodes: this.tree.znodeCount,
          sessions: this.tree.clientSessionCount,
          agoMillis: 0,
          address: "127.0.0.1:7400",
        },
      ],
      silent: [],
      newest: zxid,
    };
  }

  /** As the leader does when a session's time is over. */
  expire(session: SessionId): void {
    this.#commit({ identity: anyone, operation: { kind: "expireSession", session } });
  }

  #commit(command: Command): Outcome {
    const previous = this.tree.applied;
    const first: Zxid = previous === zeroZxid ? composeZxid(1, 1) : asZxid(composeZxid(1, counterOf(previous) + 1));
    const applied = this.tree.apply({
      first,
      last: first,
      previous,
      commit: previous,
      stamp: this.#now(),
      rules: rulesVersion,
      checksum: 0,
      payload: joinCommands([encodeCommand(command)]),
    });
    const outcome = applied[0]?.outcome;
    const { operation } = command;
    const closes = operation.kind === "closeSession" || operation.kind === "expireSession";
    const ended = closes && outcome !== "gap" && outcome?.ok ? operation.session : undefined;
    this.watches.applied(ended);
    if (ended !== undefined) this.#lanes.ended(ended);
    if (outcome === undefined || outcome === "gap") throw new Error("the tree left a command without an outcome");
    return outcome;
  }
}

function answerOf(outcome: Outcome): Answer {
  return { kind: "outcome", outcome, servedBy: 1, ageMillis: 0 };
}
