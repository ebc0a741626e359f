/**
 * The identities that watch, each once however many watchers it has, and what each may read of the feed at hand: one
 * judgement for each list and identity.
 */
import { type Acl, type Identity, permissions, permits } from "@quorate/api";

export class Reader {
  readonly identity: Identity;
  readonly key: string;
  watchers = 0;
  /** The feed that the verdicts are of. */
  round = 0;
  /** By the list's place in the feed. */
  verdicts: (boolean | undefined)[] = [];

  constructor(identity: Identity, key: string) {
    this.identity = identity;
    this.key = key;
  }
}

export class Readers {
  readonly #readers = new Map<string, Reader>();
  #round = 0;
  #acls: readonly Acl[] = [];

  /** Different identities; each is kept while it watches. */
  get size(): number {
    return this.#readers.size;
  }

  enter(identity: Identity): Reader {
    const key = JSON.stringify([identity.superUser, identity.ids.map(({ scheme, id }) => [scheme, id])]);
    let reader = this.#readers.get(key);
    if (!reader) {
      reader = new Reader(identity, key);
      this.#readers.set(key, reader);
    }
    reader.watchers += 1;
    return reader;
  }

  leave(reader: Reader): void {
    reader.watchers -= 1;
    if (reader.watchers === 0) this.#readers.delete(reader.key);
  }

  /** `acls`: of the next feed. */
  begin(acls: readonly Acl[]): void {
    this.#round += 1;
    this.#acls = acls;
  }

  /** Whether `reader` may read what bears the list at `place`. */
  may(reader: Reader, place: number): boolean {
    if (reader.round !== this.#round) {
      reader.round = this.#round;
      reader.verdicts = [];
    }
    const known = reader.verdicts[place];
    if (known !== undefined) return known;
    const acl = this.#acls[place];
    const verdict = acl !== undefined && permits(acl, reader.identity, permissions.read);
    reader.verdicts[place] = verdict;
    return verdict;
  }
}
