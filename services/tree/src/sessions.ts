/** Replicated sessions, by id: what does not change while a session lives. Its lane is in `lanes.ts`. */
import type { AuthId, SessionId, SessionInfo, SessionRole } from "@quorate/api";
import type { Hasher } from "./digest.ts";
import { type Home, type Store, type Stored, Table } from "./store.ts";

export class SessionRecord implements Stored {
  mark = 0;
  readonly id: SessionId;
  readonly role: SessionRole;
  readonly timeoutMillis: number;
  /** The SHA-256 of the secret as 32 code units: a string costs a quarter of an array. */
  readonly secret: string;
  readonly name: string;
  readonly address: string;
  readonly identity: readonly AuthId[];
  readonly createdAt: number;

  constructor(fields: Omit<SessionRecord, "mark">) {
    this.id = fields.id;
    this.role = fields.role;
    this.timeoutMillis = fields.timeoutMillis;
    this.secret = fields.secret;
    this.name = fields.name;
    this.address = fields.address;
    this.identity = fields.identity;
    this.createdAt = fields.createdAt;
  }
}

function hashSession(record: SessionRecord, hasher: Hasher): void {
  hasher.long(record.id);
  hasher.text(record.role);
  hasher.int(record.timeoutMillis);
  hasher.text(record.secret);
  hasher.text(record.name);
  hasher.text(record.address);
  for (const each of record.identity) {
    hasher.text(each.scheme);
    hasher.text(each.id);
  }
  hasher.long(record.createdAt);
}

export class Sessions implements Home<SessionRecord> {
  readonly table: Table<SessionRecord>;
  readonly #map = new Map<SessionId, SessionRecord>();
  #clients = 0;

  constructor(store: Store) {
    this.table = new Table(store, 2, this, hashSession);
  }

  get size(): number {
    return this.#map.size;
  }

  /** Without the gateways' own. */
  get clients(): number {
    return this.#clients;
  }

  get(id: SessionId): SessionRecord | undefined {
    return this.#map.get(id);
  }

  put(record: SessionRecord): void {
    if (record.role === "client" && !this.#map.has(record.id)) this.#clients += 1;
    this.#map.set(record.id, record);
  }

  remove(record: SessionRecord): void {
    if (this.#map.delete(record.id) && record.role === "client") this.#clients -= 1;
  }

  values(): IterableIterator<SessionRecord> {
    return this.#map.values();
  }
}

/** Compares all 32 bytes, whatever the first ones say. */
export function secretIs(record: SessionRecord, hash: Uint8Array): boolean {
  let difference = record.secret.length ^ hash.length;
  for (let i = 0; i < record.secret.length; i++) difference |= record.secret.charCodeAt(i) ^ (hash[i] ?? 256);
  return difference === 0;
}

export function infoOf(record: SessionRecord, ephemeralCount: number): SessionInfo {
  const { id, name, address, timeoutMillis, identity, createdAt } = record;
  return { session: id, name, address, timeoutMillis, identity, createdAt, ephemeralCount };
}
