/** What earlier answers gave, to be used again: paths, tags, sessions, cursors, pages' tokens, keys. */
import type { SeededRandom } from "../simulation/random.ts";

export interface KnownSession {
  readonly id: string;
  readonly secret: string;
}

export interface Reign {
  readonly place: string;
  /** As `Quorate-Session` has it. */
  readonly shown: string;
}

const most = 200;

function remember<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > most) list.shift();
}

export class Known {
  /** A folder of its own, in which everything is that it writes. */
  readonly folder: string;
  readonly #paths = new Set<string>();
  /** Tag by what it is of: `get /a`. */
  readonly #tags = new Map<string, string>();
  readonly #sessions: KnownSession[] = [];
  readonly #ended: KnownSession[] = [];
  readonly #cursors: string[] = [];
  readonly #fences: string[] = [];
  readonly #reigns: Reign[] = [];
  readonly #tokens: { readonly path: string; readonly token: string }[] = [];
  /** Under which nobody in particular did something. */
  readonly #keys: string[] = [];
  zxid = "0x0000000000000001";
  leader = 1;
  members: readonly number[] = [];
  #count = 0;

  constructor(folder: string) {
    this.folder = folder;
    this.#paths.add(folder);
  }

  addPath(path: string): void {
    if (!path.startsWith(`${this.folder}/`)) return;
    this.#paths.add(path);
    const [, second] = this.#paths;
    if (this.#paths.size > most && second !== undefined) this.#paths.delete(second);
  }

  removePath(path: string): void {
    for (const each of this.#paths) {
      if ((each === path || each.startsWith(`${path}/`)) && each !== this.folder) this.#paths.delete(each);
    }
  }

  path(random: SeededRandom): string {
    return random.pick([...this.#paths]);
  }

  leaf(random: SeededRandom): string {
    const all = [...this.#paths];
    const leaves = all.filter((each) => !all.some((other) => other.startsWith(`${each}/`)));
    return random.pick(leaves.length > 0 ? leaves : all);
  }

  parent(random: SeededRandom): string {
    const all = [...this.#paths].filter((each) => each !== this.folder);
    const below = all.map((each) => each.slice(0, each.lastIndexOf("/"))).filter((each) => each !== this.folder);
    return below.length > 0 ? random.pick(below) : this.folder;
  }

  fresh(): string {
    this.#count++;
    return `n${this.#count}`;
  }

  setTag(of: string, tag: string): void {
    if (this.#tags.size > 4 * most) this.#tags.clear();
    this.#tags.set(of, tag);
  }

  tag(of: string): string | undefined {
    return this.#tags.get(of);
  }

  taggedPath(kind: string, random: SeededRandom): string | undefined {
    const found = [...this.#tags.keys()].filter((each) => each.startsWith(`${kind} `));
    return found.length === 0 ? undefined : random.pick(found).slice(kind.length + 1);
  }

  addSession(session: KnownSession): void {
    remember(this.#sessions, session);
  }

  endSession(id: string): void {
    const index = this.#sessions.findIndex((each) => each.id === id);
    const [ended] = index < 0 ? [] : this.#sessions.splice(index, 1);
    if (ended !== undefined) remember(this.#ended, ended);
  }

  session(random: SeededRandom): KnownSession | undefined {
    return this.#sessions.length === 0 ? undefined : random.pick(this.#sessions);
  }

  endedSession(random: SeededRandom): KnownSession | undefined {
    return this.#ended.length === 0 ? undefined : random.pick(this.#ended);
  }

  /** `name=token`, as a write shows it. */
  addFence(fence: string): void {
    remember(this.#fences, fence);
  }

  fence(random: SeededRandom): string {
    const last = this.#fences.at(-1);
    if (last === undefined) return `${this.folder}/lock0=${this.zxid}`;
    return random.chance(0.6) ? last : random.pick(this.#fences);
  }

  /** Who led an election, by what session. */
  addReign(reign: Reign): void {
    remember(this.#reigns, reign);
  }

  get lastReign(): Reign | undefined {
    return this.#reigns.at(-1);
  }

  addCursor(cursor: string): void {
    remember(this.#cursors, cursor);
  }

  cursor(random: SeededRandom): string {
    return this.#cursors.length === 0 ? this.zxid : random.pick(this.#cursors);
  }

  addToken(path: string, token: string): void {
    remember(this.#tokens, { path, token });
  }

  token(random: SeededRandom): { readonly path: string; readonly token: string } | undefined {
    return this.#tokens.length === 0 ? undefined : random.pick(this.#tokens);
  }

  freshKey(random: SeededRandom): string {
    return `k${random.next().toString(36)}${random.next().toString(36)}`;
  }

  addKey(key: string): void {
    remember(this.#keys, key);
  }

  key(random: SeededRandom): string {
    return this.#keys.length === 0 ? this.freshKey(random) : random.pick(this.#keys);
  }
}
