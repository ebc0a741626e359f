/** The server's side of watches as ZooKeeper has it, naively and for one watcher: two tables of (path, modes). */
import { type ChangeType, type Path, parentOf } from "@quorate/api";
import { watchKinds } from "./watch-table.ts";

const { data, child, persistent, recursive } = watchKinds;

/** WatchManager. */
class NaiveWatchManager {
  readonly #modes = new Map<string, Set<string>>();

  add(path: string, mode: string): void {
    const modes = this.#modes.get(path) ?? new Set();
    this.#modes.set(path, modes.add(mode));
  }

  remove(path: string, mode: string | undefined): boolean {
    const modes = this.#modes.get(path);
    if (modes === undefined || (mode !== undefined && !modes.has(mode))) return false;
    if (mode === undefined) modes.clear();
    else modes.delete(mode);
    if (modes.size === 0) this.#modes.delete(path);
    return true;
  }

  has(path: string, mode: string): boolean {
    return this.#modes.get(path)?.has(mode) ?? false;
  }

  get size(): number {
    return this.#modes.size;
  }

  /** Whether the watcher is told. */
  trigger(path: string): boolean {
    let hears = false;
    for (let at: string | undefined = path; at !== undefined; at = parentOf(at as Path)) {
      const modes = this.#modes.get(at);
      if (modes === undefined) continue;
      if (at !== path) {
        hears ||= modes.has("recursive");
        continue;
      }
      hears = true;
      modes.delete("standard");
      if (modes.size === 0) this.#modes.delete(at);
    }
    return hears;
  }
}

/** DataTree's two. Kinds are `watchKinds`; 15 is Any. */
export class NaiveTables {
  readonly data = new NaiveWatchManager();
  readonly child = new NaiveWatchManager();

  add(kind: number, path: string): void {
    if (kind === data) this.data.add(path, "standard");
    if (kind === child) this.child.add(path, "standard");
    if (kind === persistent) {
      this.data.add(path, "persistent");
      this.child.add(path, "persistent");
    }
    if (kind === recursive) this.data.add(path, "recursive");
  }

  remove(kind: number, path: string): boolean {
    if (kind === data) return this.data.remove(path, "standard");
    if (kind === child) return this.child.remove(path, "standard");
    if (kind === recursive) return this.data.remove(path, "recursive");
    const mode = kind === persistent ? "persistent" : undefined;
    const first = this.child.remove(path, mode);
    return this.data.remove(path, mode) || first;
  }

  /** `created /a`, `childrenChanged /`: what is told, in order. */
  change(type: ChangeType, path: string): string[] {
    const events: string[] = [];
    const own = this.data.trigger(path);
    if (own) events.push(`${type} ${path}`);
    if (type === "deleted" && this.child.trigger(path) && !own) events.push(`${type} ${path}`);
    const parent = parentOf(path as Path);
    if (type !== "changed" && parent !== undefined && this.child.trigger(parent)) {
      events.push(`childrenChanged ${parent}`);
    }
    return events;
  }
}
