/**
 * The shell around agreement and state: one loop that drains what came in, steps the core, performs its effects, applies
 * what is committed and answers. Handlers of sockets, disk and timers only push into the inbox; nobody else calls the
 * core.
 */
import { assert, type Batch, type ReplicaId, type Zxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";
import { rulesVersion, type Tree } from "@quorate/tree";
import { type Effect, type Input, type LinkId, Peer, type Status } from "@quorate/zab";
import { Elections } from "./elections.ts";
import { countsOf, type Figures, figuresOf } from "./figures.ts";
import type { Attachment, AttachPoint, GatewayConnection } from "./gateways.ts";
import { createParts, type Host, type Parts, type PeersPort, type ReplicaOptions, treeOptions } from "./parts.ts";
import { runningChecksum } from "./record.ts";
import { replicaLimits } from "./replica-limits.ts";
import { type Facts, formatMetrics, memberStatus } from "./report.ts";
import { restoreTree } from "./restore.ts";
import { checkRules } from "./rules-check.ts";
import type { Amendment, Storage } from "./storage.ts";
import type { Timer, World } from "./world.ts";

export class Replica implements AttachPoint {
  readonly #options: ReplicaOptions;
  readonly #world: World;
  readonly #storage: Storage;
  readonly #peer: Peer;
  readonly #peers: PeersPort;
  readonly #inbox: (() => void)[] = [];
  #scheduled = false;
  #stopped = false;
  #slowestTurnMillis = 0;
  #turns = 0;
  readonly #timers: Timer[] = [];
  readonly #parts: Parts;
  readonly #elections: Elections;
  /** By which it applies. */
  readonly rules = (): number => this.#parts.applier.tree.rules;
  #status: Status = { role: "looking", leader: 0, epoch: 0, serving: false, reason: "it has just started" };
  /** Home's lanes have been told where they stand under the present leader. */
  #ready = false;
  /** Synchronized once since the start: it may be read. */
  #synchronized = false;
  /** When what is applied was certainly the newest. */
  #freshAt: number | undefined;
  /** State writes that install a leader's snapshot, by ticket. */
  readonly #installs = new Map<number, Zxid>();

  private constructor(options: ReplicaOptions, tree: Tree) {
    const { world, storage } = options;
    this.#options = options;
    this.#world = world;
    this.#storage = storage;
    this.#elections = new Elections(world.clock.now());
    this.#peer = this.#createPeer();
    this.#parts = createParts(this.#host(), tree);
    storage.onWritten = (ticket) => this.#push(() => this.#written(ticket));
    storage.onFatal = (error) => this.#fatal(error.message);
    storage.onBadStage = (why) => this.#push(() => this.#dropLeader(why));
    this.#peers = options.peers({
      linkUp: (link, peer) => this.#push(() => this.#linkUp(link, peer)),
      linkDown: (link, why) => this.#push(() => this.#linkDown(link, why)),
      received: (link, wires) => this.#push(() => this.#parts.traffic.received(link, wires)),
      drained: (link) => this.#parts.transfers.drained(link),
    });
  }

  /** Restores the tree from disk, then takes part. */
  static async start(options: ReplicaOptions): Promise<Replica> {
    const { storage, recovered, world } = options;
    const { applied } = recovered.history;
    const tree = await restoreTree(storage, world.clock, recovered.snapshot, applied, treeOptions(options));
    checkRules(recovered.history.tail, tree.rules);
    options.observer?.restored(tree, "start");
    const replica = new Replica(options, tree);
    replica.#begin();
    return replica;
  }

  #begin(): void {
    const { clock } = this.#world;
    const { tickMillis, statusMillis, sweepMillis } = replicaLimits;
    this.#timers.push(clock.every(tickMillis, () => this.#push(() => this.#tick())));
    this.#timers.push(clock.every(statusMillis, () => this.#push(() => this.#tellStatus())));
    this.#timers.push(clock.every(sweepMillis, () => this.#push(() => this.#ready && this.#parts.leadership.sweep())));
    this.#push(() => this.#tick());
  }

  /** Ends the loop: nothing is sent or written after it. */
  stop(): void {
    if (this.#stopped) return;
    this.#end();
    this.#parts.desk.stop();
  }

  #end(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
  }

  #fatal(why: string): void {
    if (this.#stopped) return;
    this.#end();
    this.#options.onFatal(why);
  }

  #quarantine(why: string): void {
    if (this.#stopped) return;
    this.#end();
    const ended = (): void => this.#options.onFatal(`this replica's state is not the ensemble's: ${why}`);
    this.#storage.amend({ divergences: this.#storage.state.divergences + 1 }).then(ended, ended);
  }

  /** What the parts may ask of the loop. */
  #host(): Host {
    return {
      options: this.#options,
      peer: this.#peer,
      peers: () => this.#peers,
      push: (work) => this.#push(work),
      step: (input) => this.#step(input),
      fatal: (why) => this.#fatal(why),
      quarantine: (why) => this.#quarantine(why),
      agreed: () => {
        if (this.#storage.state.divergences > 0) this.#amend({ divergences: 0 });
      },
      ready: () => this.#ready,
      historyId: () => this.#storage.state.historyId,
      serves: () => this.#synchronized && !this.#stopped && !this.#parts.applier.restoring,
      advanced: () => this.#checkReady(),
      freshSince: () => this.#freshSince(),
      leaderLink: () => (this.#status.role === "following" ? this.#peer.linkTo(this.#status.leader) : undefined),
      handOver: (target) => this.#handOver(target),
      memberStatuses: () => this.memberStatuses(),
    };
  }

  #createPeer(): Peer {
    const { id, members, timing, counterRollAt, recovered, world } = this.#options;
    return new Peer(
      {
        id,
        members,
        newEnsembleId: Buffer.from(world.random.bytes(16)).toString("hex"),
        checksum: runningChecksum,
        prefersSnapshot: (after) => this.#prefersSnapshot(after),
        ...(timing ? { timing } : {}),
        ...(counterRollAt === undefined ? {} : { counterRollAt }),
      },
      recovered.state.protocol,
      recovered.history,
    );
  }

  // ----------------------------------------------------------------------------------------------------- the loop

  #push(work: () => void): void {
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
      for (const each of work) if (!this.#stopped) each();
      if (!this.#stopped) this.#parts.applier.slice(started);
      if (!this.#stopped) this.#parts.leadership.propose();
      if (!this.#stopped) this.#parts.confirmations.flush();
      // What is fatal ends all: nothing that this memory says leaves any more.
      if (this.#stopped) return;
      this.#peers.flush();
      this.#parts.desk.flush();
    } catch (error) {
      this.#fatal(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    this.#turns++;
    this.#slowestTurnMillis = Math.max(this.#slowestTurnMillis, clock.now() - started);
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
        this.#parts.leadership.appending(effect.ticket);
        return this.#storage.append(effect.ticket, effect.batches, effect.staged);
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
        return this.#parts.confirmations.settle(effect.ticket, effect.index);
      case "unconfirmed":
        return this.#parts.confirmations.settle(effect.ticket, undefined);
      case "sendHistory":
      case "sendSnapshot":
        return this.#parts.transfers.start(effect);
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

  #written(ticket: number): void {
    this.#parts.leadership.written(ticket);
    const install = this.#installs.get(ticket);
    if (install !== undefined) {
      this.#installs.delete(ticket);
      this.#ready = false;
      this.#parts.home.becameUnready();
      this.#parts.snapshotter.replaced(install);
      this.#parts.applier.install(install);
    }
    this.#step({ kind: "written", ticket });
  }

  #deliver(batches: readonly Batch[]): void {
    const last = batches.at(-1);
    if (!last) return;
    this.#parts.applier.deliver(batches);
    this.#parts.leadership.saw(last);
    this.#storage.committed(last.last);
  }

  #tick(): void {
    this.#step({ kind: "tick" });
    this.#freshSince();
    if (this.#ready) this.#parts.leadership.expire();
    this.#parts.reads.tick();
    if (!this.#parts.applier.restoring) this.#parts.snapshotter.consider();
    // What its disk cannot take as it comes, it takes from the leader's files, step by step, once it is through with this.
    const behind = this.#status.role === "following" && this.#storage.congested();
    if (behind) this.#dropLeader("its own disk is too far behind the leader");
  }

  // ------------------------------------------------------------------------------------------------ roles and links

  #roleChanged(status: Status): void {
    const former = this.#status;
    this.#status = status;
    this.#elections.changed(status, this.#world.clock.now());
    const leads = status.role === "leading" && status.serving;
    const same = former.serving && status.serving && former.leader === status.leader && former.epoch === status.epoch;
    if (this.#parts.leadership.leads && !leads) this.#parts.leadership.end();
    if (!same) this.#becomeUnready(former);
    if (leads && !this.#parts.leadership.leads) this.#parts.leadership.begin();
    const led = status.leader > 0 ? ` (leader ${status.leader}, epoch ${status.epoch})` : "";
    this.#options.log(`${status.role}${led} ${status.reason}`);
    this.#options.observer?.role(this.#peer.view);
    this.#checkReady();
    this.#push(() => this.#tellStatus());
  }

  /** The leader is another one, or none: forwards are forgotten, what was asked of it is not answered. */
  #becomeUnready(former: Status): void {
    this.#ready = false;
    this.#parts.home.becameUnready();
    if (former.role !== "leading") this.#parts.confirmations.failAll();
    this.#parts.touches.leaderLost();
  }

  /** Serving, and everything this replica was synchronized with is applied: the lanes may go on. */
  #checkReady(): void {
    if (this.#ready || !this.#status.serving || this.#parts.applier.restoring) return;
    if (this.#parts.applier.tree.applied < this.#peer.view.syncedThrough) return;
    this.#ready = true;
    this.#synchronized = true;
    if (this.#parts.leadership.leads) this.#parts.leadership.ready();
    if (this.#storage.state.announcedRules !== rulesVersion) this.#amend({ announcedRules: rulesVersion });
    this.#parts.home.becameReady();
    this.#push(() => this.#tellStatus());
  }

  #amend(amendment: Amendment): void {
    this.#storage.amend(amendment).catch((error: unknown) => {
      this.#fatal(error instanceof Error ? error.message : String(error));
    });
  }

  #linkUp(link: LinkId, peer: ReplicaId): void {
    this.#options.log(`linked with replica ${peer}`);
    this.#parts.traffic.linkUp(link, peer, this.memberStatus());
    this.#step({ kind: "linkUp", link, peer });
  }

  #linkDown(link: LinkId, why: string): void {
    this.#options.log(`link ${link} broke: ${why}`);
    this.#parts.transfers.linkDown(link);
    this.#parts.traffic.linkDown(link);
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
    if (!this.#parts.leadership.leads) return "this replica does not lead";
    if (target === this.#options.id) return `replica ${target} leads already`;
    if (!this.#options.members.includes(target)) return `there is no replica ${target} in the configuration`;
    if (this.#peer.linkTo(target) === undefined) return `replica ${target} is not connected to the leader`;
    this.#step({ kind: "handOver", target });
    return undefined;
  }

  #freshSince(): number | undefined {
    const fresh = this.#peer.freshSince(this.#parts.applier.tree.applied);
    if (fresh !== undefined && (this.#freshAt === undefined || fresh > this.#freshAt)) this.#freshAt = fresh;
    return this.#freshAt;
  }

  // --------------------------------------------------------------------------------------------------- gateways

  attach(connection: GatewayConnection): Attachment {
    return this.#parts.desk.attach(connection);
  }

  #tellStatus(): void {
    // A look at the free room in time: what was seen long ago would let the first writes after a pause through.
    this.#storage.diskReserveReached();
    this.#parts.traffic.tellStatus(this.memberStatus());
    this.#parts.desk.tellStatus();
  }

  #facts(): Facts {
    const { id, address, version } = this.#options;
    const { historyId } = this.#storage.state;
    const { tree, restoring } = this.#parts.applier;
    return { id, address, version, view: this.#peer.view, tree, historyId, ready: this.#ready, restoring };
  }

  memberStatus(): MemberStatus {
    return memberStatus(this.#facts());
  }

  memberStatuses(): { readonly self: MemberStatus; readonly others: readonly MemberStatus[] } {
    return { self: this.memberStatus(), others: this.#parts.members.others(this.#world.clock.now()) };
  }

  figures(): Figures {
    return figuresOf(this.#parts, this.#storage.stats(), this.#elections);
  }

  /** Prometheus' text form. */
  metrics(): string {
    const loop = { turns: this.#turns, slowestTurnMillis: this.#slowestTurnMillis };
    this.#slowestTurnMillis = 0;
    const storage = this.#storage.stats();
    const figures = figuresOf(this.#parts, storage, this.#elections);
    return formatMetrics(this.#facts(), { ...loop, ...countsOf(this.#parts, storage), figures });
  }
}
