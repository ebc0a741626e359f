/** One following of a session, held against the committed transactions: what it was promised, and what it was told. */
import assert from "node:assert/strict";
import type { FeedChange, Path, SessionId, WatchScope, WatchScopes, Zxid } from "@quorate/api";
import type { Following } from "./backend.ts";
import type { Fixture } from "./link-fixture.test-support.ts";
import { type ModelChange, meets, watchedPaths } from "./model-history.test-support.ts";

const scopeNames = ["node", "children", "subtree"] as const;

/** What is followed since `add`; `armed`: the read behind that showed this. */
interface Entry {
  readonly scope: WatchScope;
  readonly path: Path;
  armed: Zxid | undefined;
}

export type Counts = Map<string, number>;

function scopesOf({ scope, path }: Entry): WatchScopes {
  return { node: [], children: [], subtree: [], [scope]: [path] };
}

/** One following, from its opening to its end. */
export class Followed {
  readonly following: Following;
  readonly entries = new Map<string, Entry>();
  over = false;
  readonly #fixture: Fixture;
  readonly #counts: Counts;
  readonly #told = new Set<string>();
  #last = 0;
  /** Of the history: all up to here is known to be told. */
  #judged: number;

  constructor(fixture: Fixture, session: SessionId, counts: Counts, ended: (code: string) => void) {
    this.#fixture = fixture;
    this.#counts = counts;
    this.#judged = fixture.ensemble.history.transactions.length;
    let returned = false;
    this.following = fixture.link.follow(
      { session, secretHash: new Uint8Array(32) },
      {
        changes: (changes, acls) => {
          assert.ok(returned && !this.over, "told while it follows");
          this.#tell(changes, acls.length);
        },
        ended: ({ code }) => {
          assert.ok(returned && !this.over, "ended once");
          this.over = true;
          ended(code);
        },
      },
    );
    returned = true;
  }

  #count(kind: string, by = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + by);
  }

  #tell(changes: readonly FeedChange[], lists: number): void {
    const [first] = changes;
    assert.ok(first && first.zxid > this.#last, "whole transactions, each once");
    for (const { zxid, type, path, acl, parentAcl } of changes) {
      assert.ok(zxid >= this.#last && type !== "acl" && acl < lists && parentAcl < lists);
      const name = `${zxid} ${type} ${path}`;
      assert.ok(!this.#told.has(name), `${name} is told twice`);
      this.#told.add(name);
      this.#last = zxid;
    }
    this.#count("told", changes.length);
    assert.ok(this.following.cursor >= this.#last, "its cursor is behind what it was told");
    this.#restless();
  }

  /** Listeners may do so. */
  #restless(): void {
    const { world } = this.#fixture;
    if (world.chance(0.1)) this.remove();
    if (world.chance(0.1)) this.add();
    if (world.chance(0.002)) this.close();
  }

  add(): Entry | undefined {
    const { world } = this.#fixture;
    const scope = scopeNames[world.below(world.chance(0.1) ? 3 : 2)] as WatchScope;
    const path = watchedPaths[world.below(watchedPaths.length)] as Path;
    if (this.over || this.entries.has(`${scope} ${path}`)) return undefined;
    const entry: Entry = { scope, path, armed: undefined };
    this.entries.set(`${scope} ${path}`, entry);
    this.following.add(scope, path);
    return entry;
  }

  remove(): void {
    const { world } = this.#fixture;
    const all = [...this.entries.values()];
    const entry = all[world.below(all.length + 1)];
    if (!entry) return;
    this.entries.delete(`${entry.scope} ${entry.path}`);
    this.following.remove(entry.scope, entry.path);
  }

  close(): void {
    this.over = true;
    this.following.close();
  }

  /** The lane answered what shows everything up to `zxid`. */
  shown(zxid: Zxid): void {
    if (this.over) return;
    const { transactions } = this.#fixture.ensemble.history;
    for (let next = transactions[this.#judged]; next && next.zxid <= zxid; next = transactions[this.#judged]) {
      for (const change of next.changes) if (this.#promised(change)) this.#mustHave(change, zxid);
      this.#judged += 1;
    }
  }

  #promised(change: ModelChange): boolean {
    for (const entry of this.entries.values()) {
      if (entry.armed !== undefined && change.zxid > entry.armed && meets(change, scopesOf(entry))) return true;
    }
    return false;
  }

  #mustHave({ zxid, type, path }: ModelChange, shown: Zxid): void {
    this.#count("promised");
    assert.ok(this.#told.has(`${zxid} ${type} ${path}`), `${shown} is shown, and ${zxid} ${type} ${path} was not told`);
  }
}
