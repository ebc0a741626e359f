/** Paths as people type them. */
import { isBadPath, parsePath } from "@quorate/api";
import { UsageError } from "./failures.ts";

/** A slash at the end, which completion leaves there, is none. */
export function pathOf(word: string): string {
  if (!word.startsWith("/"))
    throw new UsageError(`${JSON.stringify(word)} is no path`, `a path begins with a slash: /${word}`);
  // Also for what URLs make of `..`: it would be another znode.
  const path = parsePath(word.replace(/\/+$/, "") || "/");
  if (isBadPath(path)) throw new UsageError(path.bad);
  return path;
}

export function join(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/** `/a/b` seen from `/a` is `/b`, from itself nothing; undefined: it is not below. */
export function below(root: string, path: string): string | undefined {
  if (path === root) return "";
  const prefix = root === "/" ? "/" : `${root}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length - 1) : undefined;
}

/** What `relative` is called below another root. */
export function under(root: string, relative: string): string {
  return relative === "" ? root : root === "/" ? relative : `${root}${relative}`;
}

/** ZooKeeper's own, which are always there. */
export function isSystem(path: string): boolean {
  return path === "/zookeeper" || path.startsWith("/zookeeper/");
}
