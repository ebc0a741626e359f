/**
 * The shell around agreement and state: one loop that drains what came in, steps the core, performs its effects, applies
 * what is committed and answers. Handlers of sockets, disk and timers only push into the inbox; nobody else calls the
 * core.
 */
import { anyone, assert, type Batch, encodeCommand, type ReplicaId, type SessionId, type WriteOperation, type Zxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";
import { rulesVersion, type Tree } from "@quorate/tree";
import { type Effect, type Input, type LinkId, Peer, type Status, type Timing } from "@quorate/zab";
import { Confirmations } from "./confirmations.ts";
import { Expiry } from "./expiry.ts";
import { Desk, withIdle } from "./desk.ts";
import type { Attachment, AttachPoint, GatewayConnection } from "./gateways.ts";
import { Home } from "./home.ts";
import { Members } from "./members.ts";
import { formatMetrics } from "./metrics.ts";
import type { PeerWire } from "./peer-messages.ts";
import type { PeersEvents } from "./peers.ts";
import { Reads } from "./reads.ts";
import { runningChecksum } from "./record.ts";
import { replicaLimits } from "./replica-limits.ts";
import { restoreTree } from "./restore.ts";
import { Snapshotter } from "./snapshotter.ts";
import { Stamper } from "./stamp.ts";
import type { Recovered, Storage } from "./storage.ts";
import { type Refusal, Submissions } from "./submissions.ts";
import { Touches } from "./touches.ts";
import { Traffic } from "./traffic.ts";
import { Transfers } from "./transfers.ts";
import type { Timer, World } from "./world.ts";

/** The links to the other members, as the loop uses them. */
export interface PeersPort {
  send(link: LinkId, wire: PeerWire): void;
  flush(): void;
  writable(link: LinkId): boolean;
  drop(link: LinkId, why: string): void;
}

export interface ReplicaOptions {
  readonly id: ReplicaId;
  readonly members: readonly ReplicaId[];
  readonly world: World;
  readonly storage: Storage;
  readonly recovered: Recovered;
  readonly peers: (events: PeersEvents) => PeersPort;
  /** Where others reach this replica's peer port. */
  readonly address: string;
  readonly version: string;
  readonly timing?: Partial<Timing>;
  readonly snapshotLogBytes?: number;
  readonly ringBytes?: number;
  readonly log: (text: string) => void;
  /** Nothing can go on: the process is to stop, saying why. */
  readonly onFatal: (why: string) => void;
}

type Work = () => void;

export class Replica implements AttachPoint {
  readonly #options: ReplicaOptions;
  readonly #world: World;
  readonly #storage: Storage;
  readonly #peer: Peer;
  readonly #peers: PeersPort;
  #tree: Tree;
  /** Running checksum of the log at the tree's `applied`. */
  #checksum: number;
  readonly #inbox: Work[] = [];
  #scheduled = false;
  #stopped = false;
  #slowestTurnMillis = 0;
  #turns = 0;
  readonly #timers: Timer[] = [];
  readonly #desk: Desk;
  readonly #traffic: Traffic;
  readonly #home: Home;
  readonly #reads: Reads;
  readonly #touches: Touches;
  readonly #transfers: Transfers;
  readonly #snapshotter: Snapshotter;
  readonly #expiry = new Expiry();
  readonly #stamper: Stamper;
  readonly #members: Members;
  readonly #submissions: Submissions;
  readonly #confirmations: Confirmations;
  #status: Status = { role: "looking", leader: 0, epoch: 0, serving: false, reason: "it has just started" };
  /** Home's lanes have been told where they stand under the present leader. */
  #ready = false;
  /** The core leads and is established. */
  #leads = false;
  /** Committed, not applied yet. */
  readonly #toApply: Batch[] = [];
  /** A snapshot from the leader is being loaded; nothing is applied meanwhile. */
  #restoring = false;
  #lastStamp = 0;
  #appendsInFlight = 0;
  readonly #ownAppends = new Set<number>();
  readonly #installs = new Map<number, Zxid>();
  /** When what is applied was certainly the newest. */
  #freshAt: number | undefined;
  /** Synchronized once since the start: it may be read. */
  #synchronized = false;
  #appliedCommands = 0;

  private constructor(options: ReplicaOptions, tree: Tree) {
    const { world, storage, recovered } = options;
    this.#options = options;
    this.#world = world;
    this.#storage = storage;
    this.#tree = tree;
    this.#checksum = recovered.history.appliedChecksum;
    this.#lastStamp = Math.max(tree.stamp, ...recovered.history.tail.map((batch) => batch.stamp));
    this.#members = new Members(options.members.length);
    this.#stamper = new Stamper(world.clock);
    this.#peer = new Peer(
      {
        id: options.id,
        members: options.members,
        newEnsembleId: Buffer.from(world.random.bytes(16)).toString("hex"),
        checksum: runningChecksum,
        prefersSnapshot: (after) => this.#prefersSnapshot(after),
        ...(options.timing ? { timing: options.timing } : {}),
      },
      recovered.state.protocol,
      recovered.history,
    );
    this.#submissions = new Submissions(() => this.#refusesWrites());
    this.#confirmations = new Confirmations({
      confirmHere: (ticket) => {
        if (!this.#leads) return false;
        this.#step({ kind: "confirm", ticket });
        return true;
      },
      askLeader: (ticket) => this.#traffic.toLeader({ kind: "confirmRequest", id: ticket }),
    });
    const tree_ = (): Tree => this.#tree;
    this.#home = new Home({
      tree: tree_,
      ready: () => this.#ready,
      submit: (session, sequence, fence, command) => this.#submit(session, sequence, fence, command),
      submitOpen: (id, command) => this.#submitOpen(id, command),
    });
    this.#reads = new Reads({
      tree: tree_,
      now: () => world.clock.now(),
      serves: () => this.#synchronized && !this.#restoring,
      freshSince: () => this.#freshSince(),
      confirm: (done) => this.#confirmations.request(done),
      decorate: (outcome) => (this.#leads ? withIdle(outcome, (session) => this.#expiry.idleMillis(session)) : outcome),
    });
    this.#touches = new Touches({
      tree: tree_,
      expiry: this.#expiry,
      leads: () => this.#leads,
      confirm: (done) => this.#confirmations.request(done),
      toLeader: (message) => this.#traffic.toLeader(message),
      toPeer: (link, message) => this.#peers.send(link, message),
    });
    this.#traffic = new Traffic({
      submissions: this.#submissions,
      confirmations: this.#confirmations,
      touches: this.#touches,
      home: this.#home,
      members: this.#members,
      expiry: this.#expiry,
      leads: () => this.#leads,
      now: () => world.clock.now(),
      leaderLink: () => (this.#status.role === "following" ? this.#peer.linkTo(this.#status.leader) : undefined),
      send: (link, wire) => this.#peers.send(link, wire),
      core: (link, message) => this.#step({ kind: "received", link, message }),
      compareDigest: (from, { at, digest }) => this.#compareDigest(from, at, digest),
      handOver: (target) => this.#handOver(target),
      handOverReplied: (id, ok, detail) => this.#desk.handOverReplied(id, ok, detail),
    });
    this.#desk = new Desk({
      home: this.#home,
      reads: this.#reads,
      touches: this.#touches,
      leads: () => this.#leads,
      applied: () => this.#tree.applied,
      push: (work) => this.#push(work),
      toLeader: (message) => this.#traffic.toLeader(message),
      handOver: (target) => this.#handOver(target),
      status: () => this.memberStatuses(),
    });
    this.#transfers = new Transfers({
      storage,
      send: (link, message) => {
        this.#peers.send(link, { kind: "zab", message });
        this.#peers.flush();
      },
      writable: (link) => this.#peers.writable(link),
      done: (ticket, at) => this.#push(() => this.#step({ kind: "transferred", ticket, at })),
      failed: (link, why) => this.#push(() => this.#peers.drop(link, `synchronization failed: ${why}`)),
    });
    this.#snapshotter = new Snapshotter(
      {
        clock: world.clock,
        storage,
        tree: tree_,
        checksum: () => this.#checksum,
        log: options.log,
        pruned: (base) => this.#push(() => this.#step({ kind: "pruned", base })),
        corrupt: (why) => this.#fatal(why),
      },
      { logBytes: options.snapshotLogBytes ?? replicaLimits.snapshotLogBytes, last: recovered.snapshot },
    );
    storage.onWritten = (ticket) => this.#push(() => this.#written(ticket));
    storage.onFatal = (error) => this.#fatal(error.message);
    storage.onBadStage = (why) => this.#push(() => this.#dropLeader(why));
    this.#peers = options.peers({
      linkUp: (link, peer) => this.#push(() => this.#linkUp(link, peer)),
      linkDown: (link, why) => this.#push(() => this.#linkDown(link, why)),
      received: (link, wires) => this.#push(() => this.#traffic.received(link, wires)),
      drained: (link) => this.#transfers.drained(link),
    });
  }

  /** Restores the tree from disk, then takes part. */
  static async start(options: ReplicaOptions): Promise<Replica> {
    const { storage, recovered, world } = options;
    const treeOptions = options.ringBytes === undefined ? {} : { ringBytes: options.ringBytes };
    const { applied } = recovered.history;
    const tree = await restoreTree(storage, world.clock, recovered.snapshot, applied, treeOptions);
    const replica = new Replica(options, tree);
    replica.#begin();
    return replica;
  }

  #begin(): void {
    const { clock } = this.#world;
    const { tickMillis, statusMillis, sweepMillis } = replicaLimits;
    this.#timers.push(clock.every(tickMillis, () => this.#push(() => this.#tick())));
    this.#timers.push(clock.every(statusMillis, () => this.#push(() => this.#tellStatus())));
    this.#timers.push(clock.every(sweepMillis, () => this.#push(() => this.#sweep())));
    this.#push(() => this.#tick());
  }

  /** Ends the loop: nothing is sent or written after it. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#desk.stop();
  }

  // ------------------------------------------------------------------------------------------------- the loop

  #push(work: Work): void {
    if (this.#stopped) return;
    this.#inbox.push(work);
    if (this.#inbox.length > replicaLimits.inboxItems) this.#fatal("the loop does not keep up with its inbox");
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#world.clock.soon(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    const { clock } = this.#world;
    const started = clock.now();
    const work = this.#inbox.splice(0);
    try {
      for (const each of work) each();
      this.#applySlice(started);
      this.#propose();
      this.#confirmations.flush();
      this.#peers.flush();
      this.#desk.flush();
    } catch (error) {
      this.#fatal(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    this.#turns++;
    this.#slowestTurnMillis = Math.max(this.#slowestTurnMillis, clock.now() - started);
  }

  #fatal(why: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#options.onFatal(why);
  }

  #step(input: Input): void {
    for (const effect of this.#peer.step(this.#world.clock.now(), input)) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "send":
        return this.#peers.send(effect.link, { kind: "zab", message: effect.message });
      case "drop":
        return this.#peers.drop(effect.link, effect.why);
      case "append":
        return this.#append(effect);
      case "truncate":
        return this.#storage.truncate(effect.ticket, effect.to);
      case "writeState":
        if (effect.install !== undefined) this.#installs.set(effect.ticket, effect.install);
        return this.#storage.writeState(effect.ticket, effect.state, effect.install);
      case "stage":
        return this.#storage.stage(effect.ticket, effect.at, effect.checksum, effect.offset, effect.chunk, effect.done);
      case "unstage":
        return this.#storage.unstage(effect.ticket);
      case "deliver":
        return this.#deliver(effect.batches);
      case "confirmed":
        return this.#confirmations.settle(effect.ticket, effect.index);
      case "unconfirmed":
        return this.#confirmations.settle(effect.ticket, undefined);
      case "sendHistory":
      case "sendSnapshot":
        return this.#transfers.start(effect);
      case "roleChanged":
        return this.#roleChanged(effect.status);
      case "note":
        return this.#options.log(effect.text);
      case "stop":
        return this.#fatal(effect.why);
      case "refused":
        return assert(false, "the loop proposes only when it may");
      default:
        effect satisfies never;
    }
  }

  #append(effect: Extract<Effect, { kind: "append" }>): void {
    if (this.#leads) {
      this.#appendsInFlight++;
      this.#ownAppends.add(effect.ticket);
    }
    this.#storage.append(effect.ticket, effect.batches, effect.staged);
  }

  #written(ticket: number): void {
    if (this.#ownAppends.delete(ticket)) this.#appendsInFlight--;
    const install = this.#installs.get(ticket);
    if (install !== undefined) {
      this.#installs.delete(ticket);
      this.#install(install);
    }
    this.#step({ kind: "written", ticket });
  }

  /** The state file names a leader's snapshot now: the tree is loaded from it before anything more is applied. */
  #install(at: Zxid): void {
    this.#toApply.length = 0;
    this.#restoring = true;
    this.#ready = false;
    this.#home.becameUnready();
    this.#snapshotter.replaced(at);
    const checksum = this.#storage.newestSnapshot()?.checksum ?? 0;
    const { ringBytes } = this.#options;
    restoreTree(this.#storage, this.#world.clock, at, at, ringBytes === undefined ? {} : { ringBytes }).then(
      (tree) => this.#push(() => this.#restored(tree, checksum)),
      (error: unknown) => this.#fatal(error instanceof Error ? error.message : String(error)),
    );
  }

  #restored(tree: Tree, checksum: number): void {
    this.#tree = tree;
    this.#checksum = checksum;
    this.#lastStamp = Math.max(this.#lastStamp, tree.stamp);
    this.#restoring = false;
    this.#options.log(`loaded the leader's snapshot at ${tree.applied}`);
    this.#reads.applied();
    this.#checkReady();
  }

  // ---------------------------------------------------------------------------------------- proposing and applying

  #refusesWrites(): Refusal | undefined {
    if (!this.#leads) return { code: "noLeader", detail: "this replica does not lead", retryAfterMillis: 50 };
    if (!this.#storage.diskReserveReached()) return undefined;
    const detail = "disk reserve: the leader's disk is nearly full; make room on it, then try again";
    return { code: "quotaExceeded", detail, retryAfterMillis: 5000 };
  }

  /** What has gathered becomes a batch, unless an own fsync is under way: then it waits for company. */
  #propose(): void {
    while (this.#leads && this.#peer.mayPropose && this.#appendsInFlight < replicaLimits.appendsInFlight) {
      const next = this.#submissions.take();
      if (!next) return;
      this.#lastStamp = Math.max(this.#lastStamp, this.#stamper.next());
      const rules = this.#members.lowestRules(rulesVersion, 1);
      this.#step({ kind: "submitted", submission: { ...next, stamp: this.#lastStamp, rules } });
    }
  }

  #deliver(batches: readonly Batch[]): void {
    const last = batches.at(-1);
    if (!last) return;
    this.#toApply.push(...batches);
    this.#lastStamp = Math.max(this.#lastStamp, last.stamp);
    this.#storage.committed(last.last);
  }

  /** Applies what is committed, for as long as a slice lasts; the rest in the next turn. */
  #applySlice(started: number): void {
    if (this.#restoring || this.#toApply.length === 0) return;
    const until = started + replicaLimits.sliceMillis;
    let done = 0;
    do {
      const batch = this.#toApply[done];
      if (!batch) break;
      this.#apply(batch);
      done++;
    } while (done < this.#toApply.length && this.#world.clock.now() < until);
    this.#toApply.splice(0, done);
    this.#reads.applied();
    this.#checkReady();
    if (this.#toApply.length > 0) this.#push(() => {});
  }

  #apply(batch: Batch): void {
    if (batch.rules > rulesVersion) {
      this.#fatal(`a batch is made by rules ${batch.rules}; this program knows ${rulesVersion}: install a newer one`);
      return;
    }
    const before = this.#tree.stamp;
    const results = this.#tree.apply(batch);
    this.#checksum = batch.checksum;
    this.#appliedCommands += results.length;
    if (this.#leads) this.#trackSessions(results);
    this.#home.applied(results);
    if (Math.floor(before / 1000) !== Math.floor(batch.stamp / 1000)) this.#tellDigest(batch.last);
  }

  #trackSessions(results: ReturnType<Tree["apply"]>): void {
    for (const { outcome } of results) {
      if (outcome === "gap" || !outcome.ok || outcome.result.kind !== "session") continue;
      this.#expiry.add(outcome.result.session, outcome.result.timeoutMillis);
    }
  }

  /** Every replica does this at the same zxids: where the stamp passes a whole second. */
  #tellDigest(at: Zxid): void {
    const digest = this.#tree.digest();
    this.#traffic.toAll({ kind: "digest", at, digest });
    this.#compareDigest(this.#options.id, at, digest);
  }

  #compareDigest(from: ReplicaId, at: Zxid, digest: string): void {
    const wrong = this.#members.digest(this.#options.id, from, at, digest);
    if (wrong !== undefined) this.#fatal(`this replica's state is not the ensemble's: ${wrong}`);
  }

  #submit(session: SessionId, sequence: number, fence: number, command: Uint8Array): Refusal | undefined {
    if (this.#leads) return this.#submissions.accept(0, session, sequence, command);
    if (this.#traffic.toLeader({ kind: "forward", session, sequence, fence, command })) return undefined;
    return { code: "noLeader", detail: "there is no link to the leader", retryAfterMillis: 50 };
  }

  #submitOpen(id: number, command: Uint8Array): Refusal | undefined {
    if (this.#leads) return this.#submissions.accept(0, 0 as SessionId, 0, command);
    if (this.#ready && this.#traffic.toLeader({ kind: "forwardOpen", id, command })) return undefined;
    return { code: "noLeader", detail: "this replica has no leader at the moment", retryAfterMillis: 50 };
  }

  #own(operation: WriteOperation): void {
    this.#submissions.own(encodeCommand({ identity: anyone, operation }));
  }

  // ----------------------------------------------------------------------------------------------------- roles

  #roleChanged(status: Status): void {
    const former = this.#status;
    this.#status = status;
    const leads = status.role === "leading" && status.serving;
    const sameTerm = former.leader === status.leader && former.epoch === status.epoch && former.serving;
    if (this.#leads && !leads) this.#endLeading();
    if (!sameTerm || !status.serving) this.#becomeUnready(former);
    if (leads && !this.#leads) this.#beginLeading();
    this.#options.log(`${status.role} ${status.leader ? `(leader ${status.leader}, epoch ${status.epoch})` : ""} ${status.reason}`);
    this.#checkReady();
    this.#push(() => this.#tellStatus());
  }

  #beginLeading(): void {
    this.#leads = true;
    this.#appendsInFlight = 0;
    this.#ownAppends.clear();
    this.#stamper.begin(this.#lastStamp);
    this.#expiry.end();
  }

  #endLeading(): void {
    this.#leads = false;
    this.#submissions.clear();
    this.#expiry.end();
  }

  /** The leader is another one, or none: forwards are forgotten, what was asked of it is not answered. */
  #becomeUnready(former: Status): void {
    this.#ready = false;
    this.#home.becameUnready();
    if (former.role !== "leading") this.#confirmations.failAll();
    this.#touches.leaderLost();
  }

  /** Serving, and everything this replica was synchronized with is applied: the lanes may go on. */
  #checkReady(): void {
    if (this.#ready || !this.#status.serving || this.#restoring) return;
    if (this.#tree.applied < this.#peer.view.syncedThrough) return;
    this.#ready = true;
    this.#synchronized = true;
    if (this.#leads) this.#expiry.begin(this.#tree.sessions());
    this.#adoptHistoryId();
    this.#home.becameReady();
    this.#push(() => this.#tellStatus());
  }

  /** The history's id is the ensemble's until something is restored. */
  #adoptHistoryId(): void {
    const { ensembleId } = this.#peer.view.state;
    if (this.#storage.state.historyId === ensembleId) return;
    this.#storage.amend({ historyId: ensembleId, announcedRules: rulesVersion }).catch((error: unknown) => {
      this.#fatal(error instanceof Error ? error.message : String(error));
    });
  }

  #tick(): void {
    this.#step({ kind: "tick" });
    this.#freshSince();
    if (this.#leads) this.#expire();
    this.#reads.tick();
    if (!this.#restoring) this.#snapshotter.consider();
  }

  /** On the clock of confirmations, after everything that waited in the inbox has been looked at. */
  #expire(): void {
    const confirmed = this.#peer.freshSince(this.#tree.applied);
    if (confirmed === undefined || !this.#ready) return;
    this.#expiry.confirmed(confirmed);
    for (const session of this.#expiry.due(replicaLimits.expiredPerTick)) {
      if (this.#tree.lane(session)) this.#own({ kind: "expireSession", session });
      else this.#expiry.remove(session);
    }
  }

  #sweep(): void {
    if (!this.#leads || !this.#ready || !this.#peer.mayPropose) return;
    const candidates = this.#tree.sweepCandidates(this.#stamper.next(), replicaLimits.sweepZnodes);
    if (candidates.length > 0) this.#own({ kind: "sweep", candidates });
  }

  #freshSince(): number | undefined {
    const fresh = this.#peer.freshSince(this.#tree.applied);
    if (fresh !== undefined && (this.#freshAt === undefined || fresh > this.#freshAt)) this.#freshAt = fresh;
    return this.#freshAt;
  }

  // ---------------------------------------------------------------------------------------------- peers and gateways

  attach(connection: GatewayConnection): Attachment {
    return this.#desk.attach(connection);
  }

  #linkUp(link: LinkId, peer: ReplicaId): void {
    this.#options.log(`linked with replica ${peer}`);
    this.#traffic.linkUp(link, peer, this.memberStatus());
    this.#step({ kind: "linkUp", link, peer });
  }

  #linkDown(link: LinkId, why: string): void {
    this.#options.log(`link ${link} broke: ${why}`);
    this.#transfers.linkDown(link);
    this.#traffic.linkDown(link);
    this.#step({ kind: "linkDown", link });
  }

  #dropLeader(why: string): void {
    const link = this.#peer.linkTo(this.#status.leader);
    if (link !== undefined) this.#peers.drop(link, why);
  }

  /** By snapshot when there is one beyond `after`, and the log behind `after` is longer than it. */
  #prefersSnapshot(after: Zxid): boolean {
    const newest = this.#storage.newestSnapshot();
    if (!newest || newest.at <= after) return false;
    return this.#storage.logBytesAfter(after) > Math.max(replicaLimits.historyBytes, newest.bytes);
  }

  #handOver(target: ReplicaId): string | undefined {
    if (!this.#leads) return "this replica does not lead";
    if (target === this.#options.id) return `replica ${target} leads already`;
    if (!this.#options.members.includes(target)) return `there is no replica ${target} in the configuration`;
    if (this.#peer.linkTo(target) === undefined) return `replica ${target} is not connected to the leader`;
    this.#step({ kind: "handOver", target });
    return undefined;
  }

  #tellStatus(): void {
    this.#traffic.toAll({ kind: "status", self: this.memberStatus() });
    this.#desk.tellStatus();
  }

  memberStatuses(): { readonly self: MemberStatus; readonly others: readonly MemberStatus[] } {
    return { self: this.memberStatus(), others: this.#members.others(this.#world.clock.now()) };
  }

  memberStatus(): MemberStatus {
    const { id, address, version } = this.#options;
    const view = this.#peer.view;
    const { role, leader, epoch, reason } = view.status;
    const serving = view.status.serving && this.#ready;
    const catchingUp = view.status.serving && !serving ? "it applies what it was synchronized with" : reason;
    return {
      id,
      standing: view.state.standing,
      role,
      serving,
      reason: this.#restoring ? "it loads the leader's snapshot" : catchingUp,
      leader,
      epoch,
      acceptedEpoch: view.state.acceptedEpoch,
      applied: this.#tree.applied,
      committed: view.committed,
      logged: view.durable,
      ensembleId: view.state.ensembleId,
      historyId: this.#storage.state.historyId,
      version,
      rules: rulesVersion,
      digest: this.#tree.digest(),
      znodes: this.#tree.znodeCount,
      sessions: this.#tree.sessionCount,
      agoMillis: 0,
      address,
    };
  }

  /** Prometheus' text form. */
  metrics(): string {
    const stats = this.#storage.stats();
    const view = this.#peer.view;
    const gauge = (name: string, help: string, value: number) => ({ name, help, type: "gauge" as const, value });
    const counter = (name: string, help: string, value: number) => ({ name, help, type: "counter" as const, value });
    const slowest = this.#slowestTurnMillis;
    this.#slowestTurnMillis = 0;
    return formatMetrics([
      gauge("replica_leading", "1 while this replica leads and serves", this.#leads ? 1 : 0),
      gauge("replica_serving", "1 while this replica serves", this.#ready ? 1 : 0),
      gauge("epoch", "the current epoch", view.state.currentEpoch),
      gauge("committed_zxid", "the commit index", view.committed),
      gauge("applied_zxid", "the last zxid applied", this.#tree.applied),
      gauge("znodes", "znodes", this.#tree.znodeCount),
      gauge("sessions", "sessions, the gateways' own included", this.#tree.sessionCount),
      gauge("gateways", "gateway streams attached", this.#desk.size),
      gauge("submissions_waiting", "commands that wait to be proposed", this.#submissions.waiting),
      gauge("reads_waiting", "reads that wait", this.#reads.waiting),
      counter("commands_applied_total", "commands applied", this.#appliedCommands),
      counter("reads_total", "reads asked of this replica", this.#reads.count),
      counter("loop_turns_total", "turns of the loop", this.#turns),
      gauge("loop_slowest_turn_ms", "the slowest turn of the loop since the last look, ms", Math.round(slowest * 10) / 10),
      counter("snapshots_total", "snapshots taken", this.#snapshotter.taken),
      counter("digests_compared_total", "digests compared with other members", this.#members.compared),
      counter("fsyncs_total", "fsyncs of the log", stats.syncs),
      counter("fsync_ms_total", "time in fsyncs of the log, ms", Math.round(stats.syncMillis)),
      gauge("fsync_slowest_ms", "the slowest fsync of the log, ms", Math.round(stats.slowestSyncMillis)),
      counter("log_bytes_total", "bytes appended to the log", stats.bytes),
      gauge("log_segments", "segments of the log", stats.segments),
      gauge("disk_free_bytes", "free bytes where the data lies", stats.freeBytes),
    ]);
  }
}
