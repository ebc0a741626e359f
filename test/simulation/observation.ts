/**
 * What is seen of a simulated ensemble, and who looks at it. A simulated ensemble tells its invariants everything that
 * its replicas apply and everything that its clients ask and are told, in the order of true time; an invariant throws a
 * `Violation` as soon as it is broken.
 *
 * Times are milliseconds of true (virtual) time; no replica's clock shows it.
 */
import type {
  Acl,
  AuthId,
  Batch,
  Command,
  FeedChange,
  Identity,
  Path,
  ReplicaId,
  SessionId,
  WatchEvent,
  WatchScope,
  WatchScopes,
  WatchState,
  Zxid,
} from "@quorate/api";
import type { Answer, Cursor, ReadRequest, RenewAnswer, WatchEnd, WatchRequest, WriteRequest } from "@quorate/gateway";
import type { Applied, Tree } from "@quorate/tree";
import { Violation } from "./violation.ts";

/** A replica restored its tree: at its start from its disk, or from a leader's snapshot. */
export interface Restored {
  readonly at: number;
  readonly replica: ReplicaId;
  readonly from: "start" | "leader";
  /** Stands at `tree.applied`. */
  readonly tree: Tree;
}

/** A replica applied a batch. */
export interface AppliedBatch {
  readonly at: number;
  readonly replica: ReplicaId;
  readonly batch: Batch;
  /** The batch's commands, decoded; undefined where the bytes are malformed. */
  readonly commands: readonly (Command | undefined)[];
  /** One for each command. */
  readonly results: readonly Applied[];
  /** Stands at `batch.last`. */
  readonly tree: Tree;
}

/** A replica's role, leader or epoch changed, or whether it serves. */
export interface RoleSeen {
  readonly at: number;
  readonly replica: ReplicaId;
  readonly role: "looking" | "following" | "leading";
  readonly leader: ReplicaId;
  readonly epoch: number;
  /** Leading: established. Following: synchronized with an established leader. */
  readonly serving: boolean;
  readonly committed: Zxid;
  /** The end of the history it was synchronized with (following), or that it began with (leading). */
  readonly syncedThrough: Zxid;
}

/** Whether a replica could be confirmed, as the truth of the simulation has it: told when that changes. */
export interface ReachSeen {
  readonly at: number;
  readonly replica: ReplicaId;
  /** Its process lives and does not stand still. */
  readonly runs: boolean;
  /** With those whom it reaches, and who reach it, it is a majority. */
  readonly reaches: boolean;
  /** Messages take long now. */
  readonly slow: boolean;
}

/** One try of a request at one gateway. A proxy that repeats a request makes two tries of it. */
export type Asked = {
  readonly at: number;
  /** Of this try; rising. */
  readonly id: number;
  /** Of the request: the same for all of its tries. A write's command bears it as its identity (`requestOf`). */
  readonly request: number;
  readonly client: number;
  readonly gateway: number;
  /** On which attachment of a session's own lane it is given; rising. Undefined: on none. */
  readonly line?: number;
} & (
  | { readonly kind: "write"; readonly write: WriteRequest }
  | { readonly kind: "read"; readonly read: ReadRequest }
  | { readonly kind: "renew"; readonly session: SessionId; readonly secretHash: Uint8Array }
);

/** The client was told. A try whose gateway died is never answered. */
export interface Answered {
  readonly at: number;
  readonly asked: Asked;
  readonly answer: Answer | RenewAnswer;
}

/** One watch at one gateway, from its request to its end. A client that goes elsewhere opens another one. */
export interface Watch {
  readonly at: number;
  /** Rising. */
  readonly id: number;
  readonly client: number;
  readonly gateway: number;
  /** Whoever hears answers of a session's lane beside the events hears both in one order: that of this line. */
  readonly line: number;
  readonly request: WatchRequest;
}

/**
 * What a gateway tells of a watch, in the turn in which it tells: the order of what is seen here is that in which its
 * client hears it. `stands`: somebody looked at its cursor. `ended` without an end: its client closed it, or its
 * gateway is dead.
 */
export type WatchSeen = { readonly at: number } & (
  | { readonly kind: "asked"; readonly watch: Watch }
  | { readonly kind: "opened"; readonly watch: Watch; readonly cursor: Cursor; readonly states: readonly WatchState[] }
  | {
      readonly kind: "told";
      readonly watch: Watch;
      readonly cursor: Cursor;
      readonly events: readonly WatchEvent[];
      readonly more: boolean;
    }
  | { readonly kind: "stands"; readonly watch: Watch; readonly cursor: Cursor }
  | { readonly kind: "ended"; readonly watch: Watch; readonly end: WatchEnd | undefined }
  | {
      /** On the line's lane, to a request that was given while its watch was open. */
      readonly kind: "answered";
      readonly line: number;
      readonly what: string;
      /** Of the newest event that had been told on the line when it was given. */
      readonly floor: Zxid;
      readonly zxid: Zxid;
    }
);

/** What one attached session follows at one gateway, from its opening to its end. */
export interface Follow {
  /** Rising. */
  readonly id: number;
  readonly client: number;
  readonly gateway: number;
}

/**
 * In the turn in which it happens at the gateway, in the order in which it does. Requests are those of the session's lane,
 * numbered as they are given. `ended` without an end: its client closed it, or its gateway is dead.
 */
export type FollowSeen = { readonly at: number; readonly follow: Follow } & (
  | { readonly kind: "added" | "removed"; readonly scope: WatchScope; readonly path: Path }
  | { readonly kind: "given"; readonly request: number }
  | { readonly kind: "answered"; readonly request: number; readonly what: "read" | "write"; readonly zxid: Zxid }
  | { readonly kind: "told"; readonly changes: readonly FeedChange[]; readonly acls: readonly Acl[] }
  | {
      /** Asked for on the lane: everything that meets the scopes behind `after`, up to `through`. */
      readonly kind: "missed";
      readonly scopes: WatchScopes;
      readonly after: Zxid;
      readonly through: Zxid;
      readonly changes: readonly FeedChange[];
      readonly acls: readonly Acl[];
    }
  | { readonly kind: "ended"; readonly end: WatchEnd | undefined }
);

/** After healing: everybody is up, linked and serving, and stands at the same position. */
export interface Finished {
  readonly at: number;
  readonly trees: ReadonlyMap<ReplicaId, Tree>;
}

/** The identity that marks a write's command as `request`'s. */
export function identityOf(request: number): Identity {
  return { ids: [{ scheme: "digest", id: `request:${request}` } as AuthId], superUser: false };
}

/** Whose a command is; undefined: the leader's or a gateway's own. */
export function requestOf(command: Command | undefined): number | undefined {
  const id = command?.identity.ids[0]?.id;
  return id?.startsWith("request:") ? Number(id.slice("request:".length)) : undefined;
}

/** One promise of the service. Each looks only at what it needs; one instance lives for one run. */
export abstract class Invariant {
  /** As in the table of mutants; the file's name. */
  abstract readonly name: string;

  restored(_seen: Restored): void {}
  applied(_seen: AppliedBatch): void {}
  role(_seen: RoleSeen): void {}
  reach(_seen: ReachSeen): void {}
  /** A replica's process ended, by a crash or by itself: what it had in memory is gone. */
  stopped(_at: number, _replica: ReplicaId): void {}
  asked(_seen: Asked): void {}
  answered(_seen: Answered): void {}
  watched(_seen: WatchSeen): void {}
  followed(_seen: FollowSeen): void {}
  finished(_seen: Finished): void {}

  protected broken(detail: string): never {
    throw new Violation(this.name, detail);
  }
}
