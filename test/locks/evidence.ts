/**
 * What the znodes accepted: every write left a child, with the writer's token in it. The children are read, judged in the order of
 * their zxids, and removed, again and again while the run goes on; names and zxid of a listing are those of one moment, so nothing
 * that comes later lies before what was judged.
 */
import type { LockPlan } from "./contender-messages.ts";
import { call, type LockMode, show } from "./rest-locks.ts";
import { SectionJudge, type Write } from "./section-judge.ts";

const pageNames = 5000;
const deletedAtOnce = 500;

interface Child {
  readonly name: string;
  readonly data: string;
  readonly stat: { readonly czxid: string };
}

export class Evidence {
  readonly #lock: LockPlan;
  readonly #found: (what: string) => void;
  readonly #judge: SectionJudge;
  /** Everything up to it has been judged. */
  #through = 0;
  /** Writes that left no child, until the children of their time are judged. */
  #replaced: Write[] = [];

  constructor(lock: LockPlan, found: (what: string) => void) {
    this.#lock = lock;
    this.#found = found;
    this.#judge = new SectionJudge(lock.permits ?? 1);
  }

  get sections(): number {
    return this.#judge.sections;
  }

  get writes(): number {
    return this.#judge.writes;
  }

  replaced(write: Write): void {
    this.#replaced.push(write);
  }

  /** Answers why it could not be read; then another time. */
  async look(base: string): Promise<string> {
    const names: string[] = [];
    const writes: Write[] = [];
    let through = 0;
    let next: string | undefined;
    do {
      const more = next === undefined ? "" : `&continue=${encodeURIComponent(next)}`;
      const target = `/v1/children${this.#lock.znode}?limit=${pageNames}&data=true${more}`;
      const page = await call(base, "GET", target);
      if (page.status !== 200) return show(page);
      through ||= Number(page.json.zxid);
      for (const child of page.json.children as Child[]) {
        if (child.stat === undefined) continue;
        names.push(child.name);
        const [token, mode] = child.data.split(" ");
        writes.push({ at: Number(child.stat.czxid), token: Number(token), mode: mode as LockMode });
      }
      next = page.json.continue;
    } while (next !== undefined);
    const replaced = this.#replaced.filter((each) => each.at <= through);
    this.#replaced = this.#replaced.filter((each) => each.at > through);
    // What an earlier look judged and could not remove is there once more.
    const fresh = writes.filter((each) => each.at > this.#through).concat(replaced);
    for (const each of fresh.sort((one, other) => one.at - other.at)) {
      const what = this.#judge.accepted(each);
      if (what !== undefined) this.#found(`${this.#lock.name}: ${what}`);
    }
    this.#through = Math.max(this.#through, through);
    return await this.#remove(base, names);
  }

  async #remove(base: string, names: readonly string[]): Promise<string> {
    for (let at = 0; at < names.length; at += deletedAtOnce) {
      const then = names
        .slice(at, at + deletedAtOnce)
        .map((name) => ({ op: "delete", path: `${this.#lock.znode}/${name}` }));
      const headers = { "Content-Type": "application/json" };
      const removed = await call(base, "POST", "/v1/txn", { headers, body: JSON.stringify({ then }) });
      // Some may have been removed by a try that was not answered: one by one, then.
      if (removed.status === 404 || removed.status === 409) {
        for (const { path } of then) await call(base, "DELETE", `/v1/znodes${path}`);
      } else if (removed.status !== 200) return show(removed);
    }
    return "";
  }
}
