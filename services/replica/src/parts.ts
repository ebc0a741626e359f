/**
 * The parts of a replica's shell and who asks whom for what: each part gets ports of its own, and knows neither the loop
 * nor the other parts.
 */
import type { ReplicaId, SessionId, Zxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";
import type { Tree } from "@quorate/tree";
import type { Input, LinkId, Peer, Timing } from "@quorate/zab";
import { Applier } from "./applier.ts";
import { Confirmations } from "./confirmations.ts";
import { Desk, withIdle } from "./desk.ts";
import { Feeds } from "./feeds.ts";
import { Home } from "./home.ts";
import { Leadership } from "./leadership.ts";
import { Members } from "./members.ts";
import type { ReplicaObserver } from "./observer.ts";
import type { PeerWire } from "./peer-messages.ts";
import type { PeersEvents } from "./peers.ts";
import { Reads } from "./reads.ts";
import { replicaLimits } from "./replica-limits.ts";
import { Snapshotter } from "./snapshotter.ts";
import type { Recovered, Storage } from "./storage.ts";
import type { Refusal } from "./submissions.ts";
import { Touches } from "./touches.ts";
import { Traffic } from "./traffic.ts";
import { Transfers } from "./transfers.ts";
import type { World } from "./world.ts";

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
  /** The epoch is rolled when its counter stands here. */
  readonly counterRollAt?: number;
  readonly observer?: ReplicaObserver;
  readonly log: (text: string) => void;
  /** Nothing can go on: the process is to stop, saying why. */
  readonly onFatal: (why: string) => void;
}

/** What the loop does for its parts. */
export interface Host {
  readonly options: ReplicaOptions;
  readonly peer: Peer;
  peers(): PeersPort;
  push(work: () => void): void;
  step(input: Input): void;
  fatal(why: string): void;
  /** A majority has another state: nothing that this memory says leaves any more, and the disk remembers it. */
  quarantine(why: string): void;
  /** A majority has this state. */
  agreed(): void;
  /** Home's lanes have been told where they stand under the present leader. */
  ready(): boolean;
  /** Synchronized since the start, and not loading a snapshot: it may be read. */
  serves(): boolean;
  /** Of the history that is replicated here; empty before it is known. */
  historyId(): string;
  /** Something was applied. */
  advanced(): void;
  freshSince(): number | undefined;
  leaderLink(): LinkId | undefined;
  handOver(target: ReplicaId): string | undefined;
  memberStatuses(): { readonly self: MemberStatus; readonly others: readonly MemberStatus[] };
}

export interface Parts {
  readonly members: Members;
  readonly applier: Applier;
  readonly leadership: Leadership;
  readonly confirmations: Confirmations;
  readonly home: Home;
  readonly feeds: Feeds;
  readonly reads: Reads;
  readonly touches: Touches;
  readonly traffic: Traffic;
  readonly desk: Desk;
  readonly transfers: Transfers;
  readonly snapshotter: Snapshotter;
}

export function createParts(host: Host, tree: Tree): Parts {
  const { options } = host;
  const members = new Members(options.members.length);
  const parts = {} as { -readonly [Key in keyof Parts]: Parts[Key] };
  parts.members = members;
  parts.applier = createApplier(host, parts, tree);
  parts.leadership = createLeadership(host, parts, tree);
  parts.confirmations = createConfirmations(host, parts);
  parts.home = createHome(host, parts);
  parts.feeds = new Feeds();
  parts.reads = createReads(host, parts);
  parts.touches = createTouches(host, parts);
  parts.traffic = createTraffic(host, parts);
  parts.desk = createDesk(host, parts);
  parts.transfers = createTransfers(host);
  parts.snapshotter = createSnapshotter(host, parts);
  return parts;
}

export function treeOptions(options: ReplicaOptions): { readonly ringBytes?: number } {
  return options.ringBytes === undefined ? {} : { ringBytes: options.ringBytes };
}

function createApplier(host: Host, parts: Parts, tree: Tree): Applier {
  const { options } = host;
  return new Applier(tree, options.recovered.history.appliedChecksum, {
    clock: options.world.clock,
    storage: options.storage,
    treeOptions: treeOptions(options),
    applied: (batch, results, tree) => {
      options.observer?.applied(batch, results, tree);
      parts.leadership.applied(results);
      parts.feeds.applied(results, tree);
      parts.home.applied(results);
      for (const { ended } of results) if (ended) parts.home.ended([ended.session]);
    },
    comparable: (at, digest) => {
      parts.traffic.toAll({ kind: "digest", at, digest });
      compareDigest(host, parts, options.id, at, digest);
    },
    loaded: (tree) => {
      parts.leadership.saw(tree);
      parts.feeds.broken();
      options.observer?.restored(tree, "leader");
    },
    advanced: () => {
      parts.desk.advanced();
      parts.feeds.flush(parts.applier.tree);
      parts.reads.applied();
      host.advanced();
    },
    push: (work) => host.push(work),
    log: options.log,
    fatal: (why) => host.fatal(why),
  });
}

/** The minority stops itself. It comes back with its own snapshot and log, and if that differs again, with nothing. */
function compareDigest(host: Host, parts: Parts, from: ReplicaId, at: Zxid, digest: string): void {
  const comparison = parts.members.digest(host.options.id, from, at, digest);
  if (comparison.kind === "differs") host.quarantine(comparison.detail);
  if (comparison.kind === "agrees") host.agreed();
}

function createLeadership(host: Host, parts: Parts, tree: Tree): Leadership {
  const { world, storage, recovered } = host.options;
  const { tail } = recovered.history;
  const stamp = tail.reduce((highest, batch) => Math.max(highest, batch.stamp), tree.stamp);
  const rules = tail.reduce((highest, batch) => Math.max(highest, batch.rules), tree.rules);
  const history = { stamp, rules };
  return new Leadership(history, {
    clock: world.clock,
    storage,
    members: parts.members,
    tree: () => parts.applier.tree,
    // While the leader's snapshot is being loaded, its stamp and rules are not known: what comes behind may not be lower.
    mayPropose: () => host.peer.mayPropose && !parts.applier.restoring,
    propose: (submission) => host.step({ kind: "submitted", submission }),
    confirmedAt: () => host.peer.freshSince(parts.applier.tree.applied),
  });
}

function createConfirmations(host: Host, parts: Parts): Confirmations {
  return new Confirmations({
    confirmHere: (ticket) => {
      if (parts.leadership.leads) host.step({ kind: "confirm", ticket });
      return parts.leadership.leads;
    },
    askLeader: (ticket) => parts.traffic.toLeader({ kind: "confirmRequest", id: ticket }),
  });
}

function createHome(host: Host, parts: Parts): Home {
  const noLink: Refusal = { code: "noLeader", detail: "there is no link to the leader", retryAfterMillis: 50 };
  return new Home({
    tree: () => parts.applier.tree,
    ready: () => host.ready(),
    submit: (session, sequence, fence, command) => {
      const { leadership, traffic } = parts;
      if (leadership.leads) return leadership.submissions.accept(0, session, sequence, fence, command);
      return traffic.toLeader({ kind: "forward", session, sequence, fence, command }) ? undefined : noLink;
    },
    submitOpen: (id, command) => {
      const { leadership, traffic } = parts;
      if (leadership.leads) return leadership.submissions.accept(0, 0 as SessionId, 0, 0, command);
      return host.ready() && traffic.toLeader({ kind: "forwardOpen", id, command }) ? undefined : noLink;
    },
  });
}

function createReads(host: Host, parts: Parts): Reads {
  const { leadership, confirmations } = parts;
  return new Reads({
    tree: () => parts.applier.tree,
    now: () => host.options.world.clock.now(),
    serves: () => host.serves(),
    freshSince: () => host.freshSince(),
    historyId: () => host.historyId(),
    confirm: (done) => confirmations.request(done),
    watched: (connection, outcome) => parts.feeds.answered(connection, outcome, parts.applier.tree),
    decorate: (outcome) => (leadership.leads ? withIdle(outcome, (id) => leadership.expiry.idleMillis(id)) : outcome),
    push: (work) => host.push(work),
  });
}

function createTouches(host: Host, parts: Parts): Touches {
  const { leadership, confirmations } = parts;
  return new Touches({
    tree: () => parts.applier.tree,
    expiry: leadership.expiry,
    leads: () => leadership.leads,
    confirm: (done) => confirmations.request(done),
    toLeader: (message) => parts.traffic.toLeader(message),
    toPeer: (link, message) => host.peers().send(link, message),
  });
}

function createTraffic(host: Host, parts: Parts): Traffic {
  const { leadership, confirmations, touches, home, members } = parts;
  const { submissions } = leadership;
  return new Traffic({
    submissions,
    confirmations,
    touches,
    home,
    members,
    leads: () => leadership.leads,
    now: () => host.options.world.clock.now(),
    leaderLink: () => host.leaderLink(),
    send: (link, wire) => host.peers().send(link, wire),
    core: (link, message) => host.step({ kind: "received", link, message }),
    compareDigest: (from, at, digest) => compareDigest(host, parts, from, at, digest),
    handOver: (target) => host.handOver(target),
    handOverReplied: (id, ok, detail) => parts.desk.handOverReplied(id, ok, detail),
    // A disk that fails has ended the process: nobody is told.
    whenStored: (done) =>
      void host.options.storage.barrier().then(
        () => host.push(done),
        () => undefined,
      ),
    stored: (link, id) => parts.transfers.stored(link, id),
  });
}

function createDesk(host: Host, parts: Parts): Desk {
  const { home, feeds, reads, touches, leadership, traffic } = parts;
  return new Desk({
    home,
    feeds,
    reads,
    touches,
    leads: () => leadership.leads,
    applied: () => parts.applier.tree.applied,
    rules: () => parts.applier.tree.rules,
    push: (work) => host.push(work),
    toLeader: (message) => traffic.toLeader(message),
    handOver: (target) => host.handOver(target),
    status: () => host.memberStatuses(),
  });
}

function createTransfers(host: Host): Transfers {
  return new Transfers({
    storage: host.options.storage,
    send: (link, message) => {
      host.peers().send(link, { kind: "zab", message });
      host.peers().flush();
    },
    writable: (link) => host.peers().writable(link),
    askStored: (link, id) => {
      host.peers().send(link, { kind: "storedRequest", id });
      host.peers().flush();
    },
    clock: host.options.world.clock,
    done: (ticket, at) => host.push(() => host.step({ kind: "transferred", ticket, at })),
    // It ends, and its next start sets the folder aside: others hold what it would send.
    corrupt: (why) => host.push(() => host.fatal(why)),
    failed: (link, why) => host.push(() => host.peers().drop(link, `synchronization failed: ${why}`)),
  });
}

function createSnapshotter(host: Host, parts: Parts): Snapshotter {
  const { log, snapshotLogBytes, recovered, world, storage } = host.options;
  return new Snapshotter(
    {
      clock: world.clock,
      storage,
      tree: () => parts.applier.tree,
      checksum: () => parts.applier.checksum,
      log,
      pruned: (base) => host.push(() => host.step({ kind: "pruned", base })),
      corrupt: (why) => host.fatal(why),
    },
    { logBytes: snapshotLogBytes ?? replicaLimits.snapshotLogBytes, last: recovered.snapshot },
  );
}
