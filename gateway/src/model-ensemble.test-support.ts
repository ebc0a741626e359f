/**
 * An ensemble in memory that keeps its promises to gateways (gateway-messages.ts) and has all the misfortunes that they
 * allow: slow links, streams that break with messages on the way, of which a part still arrives at the leader later,
 * leaders that change and lose what they had proposed, refusals, pauses, sessions that end.
 */
import assert from "node:assert/strict";
import { type ErrorCode, peekLane, type ReplicaId, type SessionId } from "@quorate/api";
import type { FromGateway, MemberStatus, ToGateway } from "@quorate/proto";
import { ModelHistory } from "./model-history.test-support.ts";
import { ModelReads } from "./model-reads.test-support.ts";
import { ModelState } from "./model-state.test-support.ts";
import { ModelStream } from "./model-stream.test-support.ts";
import { ModelWatching } from "./model-watching.test-support.ts";
import type { Dial } from "./stream.ts";
import type { VirtualWorld } from "./virtual-world.test-support.ts";

type Write = Extract<FromGateway, { kind: "write" }>;

/** What one stream knows of a lane. */
export interface LaneAtStream {
  readonly session: SessionId;
  readonly attachment: number;
  fence: number;
  /** `lane` was heard while the replica did not serve. */
  asked: boolean;
  /** A refusal voids all behind it until the next `lane`. */
  void: boolean;
}

interface Proposal {
  readonly command: Uint8Array;
  readonly stream: ModelStream | undefined;
  readonly openId: number;
}

export interface Faults {
  /** Probability that a write is refused, with one of these codes. */
  refuse: number;
  codes: readonly ErrorCode[];
  /** Each write behind a refused one gets a refusal of its own, up to the fence. */
  chatty: boolean;
  delayMillis: number;
  commitMillis: number;
  /** Reads: probability of `behind`. */
  behind: number;
  /** Nothing is committed. */
  noQuorum: boolean;
  /** No fault: gateways are embedded, so that session reads may be answered at once. */
  near: boolean;
}

export class ModelReplica {
  readonly id: ReplicaId;
  readonly ensemble: ModelEnsemble;
  readonly streams = new Set<ModelStream>();
  readonly watching: ModelWatching = new ModelWatching(this);
  readonly reads: ModelReads = new ModelReads(this);
  paused = false;
  down = false;
  /** The epoch that it leads or thinks it leads; 0: it follows. */
  leads = 0;
  touches = 0;

  constructor(id: ReplicaId, ensemble: ModelEnsemble) {
    this.id = id;
    this.ensemble = ensemble;
  }

  get leading(): boolean {
    return this.leads > 0 && this.leads === this.ensemble.state.epoch && this.ensemble.leader === this;
  }

  status(agoMillis = 0): MemberStatus {
    const { state } = this.ensemble;
    return {
      id: this.id,
      standing: "member",
      role: this.leads > 0 ? "leading" : this.ensemble.leader ? "following" : "looking",
      serving: this.leads > 0 || this.ensemble.leader !== undefined,
      reason: "",
      leader: this.ensemble.leader?.id ?? 0,
      epoch: this.leads > 0 ? this.leads : state.epoch,
      acceptedEpoch: state.epoch,
      applied: state.zxid,
      committed: state.zxid,
      logged: state.zxid,
      ensembleId: "e",
      historyId: "h",
      version: "0",
      rules: 1,
      digest: "",
      znodes: state.executed.length,
      sessions: state.lanes.size,
      agoMillis,
      address: `r${this.id}:7400`,
    };
  }

  tell(): void {
    if (this.paused || this.down) return;
    const others = this.ensemble.replicas.filter((each) => each !== this).map((each) => each.status(200));
    for (const stream of this.streams) stream.say({ kind: "status", self: this.status(), others });
  }

  received(stream: ModelStream, message: FromGateway): void {
    const { ensemble } = this;
    switch (message.kind) {
      case "lane": {
        const { session, attachment, fence } = message;
        stream.lanes.set(session, { session, attachment, fence, asked: true, void: false });
        return this.sayLanes(stream, true);
      }
      case "open":
        if (this.leading) return ensemble.propose({ command: message.command, stream, openId: message.id });
        return stream.say(failed(message.id, "noLeader", ensemble));
      case "write":
        return this.#write(stream, message);
      case "read":
        if (!this.watching.read(stream, message)) this.reads.read(stream, message);
        return;
      case "touch": {
        this.touches += 1;
        const results = message.sessions.map(({ session, secretHash }) => {
          if (!this.leading) return { session, result: "behind" } as const;
          if (!ensemble.state.lanes.has(session) && secretHash.length === 0)
            return { session, result: "expired" } as const;
          return { session, result: secretHash[0] === 13 ? "badSecret" : "renewed" } as const;
        });
        return stream.say({ kind: "touched", id: message.id, results });
      }
      case "handOver": {
        const outcome = { ok: true, zxid: ensemble.state.zxid, result: { kind: "done", count: 0 } } as const;
        return stream.say({ kind: "answer", id: message.id, outcome, ageMillis: 0 });
      }
      case "unwatch":
        return this.watching.unwatch(stream);
      default:
        message satisfies never;
    }
  }

  /** Answers `lane`s; all of them, unasked, after the replica has been synchronized. */
  sayLanes(stream: ModelStream, askedOnly: boolean): void {
    if (!this.leading) return;
    for (const lane of stream.lanes.values()) {
      if (askedOnly && !lane.asked) continue;
      lane.asked = false;
      this.sayLane(stream, lane);
    }
  }

  sayLane(stream: ModelStream, { session, fence }: LaneAtStream): void {
    const record = this.ensemble.state.lanes.get(session);
    const [attachment, lastSequence] = [record?.attachment ?? 0, record?.last ?? 0];
    stream.say({ kind: "laneState", session, exists: record !== undefined, attachment, lastSequence, fence });
  }

  #write(stream: ModelStream, message: Write): void {
    const { ensemble } = this;
    const lane = stream.lanes.get(message.session);
    assert(lane, "a lane is announced before its writes");
    const { faults, world } = ensemble;
    if (lane.void && !faults.chatty) return;
    const at = world.chance(faults.refuse) ? faults.codes[world.below(faults.codes.length)] : undefined;
    const code = lane.void || !this.leading ? "noLeader" : at;
    if (code) {
      lane.void = true;
      const { session, sequence } = message;
      ensemble.refusals += 1;
      stream.say({ kind: "refused", session, sequence, code, detail: code, retryAfterMillis: 5 });
      return;
    }
    ensemble.taken(message);
    ensemble.propose({ command: message.command, stream, openId: 0 });
  }
}

function failed(id: number, code: ErrorCode, { state }: ModelEnsemble): ToGateway {
  return { kind: "answer", id, outcome: { ok: false, zxid: state.zxid, code, detail: code }, ageMillis: 0 };
}

export class ModelEnsemble {
  readonly world: VirtualWorld;
  readonly state = new ModelState();
  readonly history = new ModelHistory();
  readonly replicas: readonly ModelReplica[];
  readonly faults: Faults = {
    refuse: 0,
    codes: ["noLeader"],
    chatty: false,
    delayMillis: 1,
    commitMillis: 1,
    behind: 0,
    noQuorum: false,
    near: false,
  };
  leader: ModelReplica | undefined;
  refusals = 0;
  lateWrites = 0;
  #proposals: Proposal[] = [];
  readonly #taken = new Map<string, string>();

  constructor(world: VirtualWorld) {
    this.world = world;
    this.replicas = [1, 2, 3].map((id) => new ModelReplica(id, this));
    world.every(500, () => {
      for (const replica of this.replicas) replica.tell();
    });
  }

  readonly dial: Dial = (address, events) => {
    const replica = this.replicas.find((each) => `r${each.id}:7400` === address);
    const stream = new ModelStream(replica ?? (this.replicas[0] as ModelReplica), events);
    this.world.after(1, () => {
      if (!stream.open) return;
      if (!replica || replica.down || replica.paused) return stream.break("refused");
      replica.streams.add(stream);
      events.up();
      const others = this.replicas.filter((each) => each !== replica).map((each) => each.status(200));
      stream.say({ kind: "status", self: replica.status(), others });
    });
    return stream;
  };

  /** No number may be taken for two commands. */
  taken({ session, sequence, command }: Write): void {
    const lane = peekLane(command);
    assert(lane?.session === session && lane.sequence === sequence, "the command bears its lane");
    const number = `${session}/${lane.attachment}/${sequence}`;
    const bytes = Buffer.from(command).toString("latin1");
    const known = this.#taken.get(number);
    assert(known === undefined || known === bytes, `number ${number} carries two commands`);
    this.#taken.set(number, bytes);
  }

  propose(proposal: Proposal): void {
    this.#proposals.push(proposal);
    const wait = 0.2 + this.world.below(this.faults.commitMillis * 100) / 100;
    this.world.after(wait, () => {
      if (!this.faults.noQuorum && this.#proposals.includes(proposal)) this.#commitThrough(proposal);
    });
  }

  #commitThrough(proposal: Proposal): void {
    while (this.#proposals.length > 0) {
      const next = this.#proposals.shift() as Proposal;
      this.#commit(next);
      if (next === proposal) break;
    }
    // Reads see whole batches.
    for (const replica of this.replicas) replica.reads.advanced();
  }

  #commit({ command, stream, openId }: Proposal): void {
    const { lane, outcome } = this.state.apply(command);
    if (typeof outcome !== "string" && outcome.ok && outcome.result.kind === "session") {
      this.#takenOver(outcome.result.session, outcome.result.attachment);
    }
    if (!stream?.open) return;
    if (!lane) {
      if (typeof outcome !== "string") stream.say({ kind: "answer", id: openId, outcome, ageMillis: 0 });
      return;
    }
    const { session, sequence, attachment } = lane;
    const there = stream.lanes.get(session);
    if (there?.attachment !== attachment) return;
    // Not a refusal: what is behind it may be proposed already.
    if (outcome === "noSession" || outcome === "gap") stream.replica.sayLane(stream, there);
    else stream.say({ kind: "written", session, sequence, outcome });
  }

  #takenOver(session: SessionId, attachment: number): void {
    for (const replica of this.replicas) {
      for (const stream of replica.streams) {
        const lane = stream.lanes.get(session);
        if (lane && lane.attachment < attachment) replica.sayLane(stream, lane);
      }
    }
  }

  /** A write that lay in a broken stream's socket reaches the leader of a later moment. */
  late(message: Write): void {
    this.taken(message);
    this.lateWrites += 1;
    this.world.after(this.world.below(3000), () => {
      if (this.leader) this.propose({ command: message.command, stream: undefined, openId: 0 });
    });
  }

  /** A new leader (or none): a prefix of what was proposed survives; a former one may not know yet. */
  elect(id: ReplicaId, formerKnows = true): void {
    const former = this.leader;
    const survive = this.world.below(this.#proposals.length + 1);
    const kept = this.#proposals.slice(0, survive);
    this.#proposals = [];
    for (const each of kept) this.#commit(each);
    if (former && formerKnows) former.leads = 0;
    this.leader = this.replicas.find((each) => each.id === id);
    this.state.nextEpoch();
    for (const each of this.replicas) if (formerKnows || each !== former) each.leads = 0;
    if (this.leader) this.leader.leads = this.state.epoch;
    this.leader?.watching.catchUp();
    for (const each of this.replicas) each.tell();
    for (const stream of this.leader?.streams ?? []) this.leader?.sayLanes(stream, false);
  }

  /** A transaction for the watchers, by chance; the leader applies it first. */
  change(ended: readonly SessionId[] = [], private_ = false): void {
    if (!this.leader) return;
    this.history.commit(this.state.nextZxid(), this.world, ended, private_);
    this.leader.watching.catchUp();
    for (const each of this.replicas) this.world.after(this.world.below(200), () => each.watching.catchUp());
  }

  breakStream(id: ReplicaId): void {
    for (const stream of [...(this.replicas[id - 1] as ModelReplica).streams]) stream.break("cut");
  }

  pause(id: ReplicaId, millis: number): void {
    const replica = this.replicas[id - 1] as ModelReplica;
    replica.paused = true;
    this.world.after(millis, () => {
      replica.paused = false;
      if (replica.leads !== this.state.epoch) replica.leads = 0;
      for (const stream of [...replica.streams]) stream.deliver();
      replica.tell();
    });
  }
}
