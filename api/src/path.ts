/** Znode paths: absolute, normalized, validated by ZooKeeper's rules (PathUtils.validatePath). */
import type { Brand } from "./brand.ts";

/** Absolute, no trailing slash but for the root, every segment legal. `parsePath` is the only way in. */
export type Path = Brand<string, "Path">;

export type BadPath = { readonly bad: string };

export const rootPath: Path = "/" as Path;
/** In bytes of UTF-8. */
export const pathLimitBytes = 4096;

/**
 * Code points that ZooKeeper refuses: U+0000–001F, 007F–009F, D800–F8FF, FFF0–FFFF. Surrogates are among them, so that
 * UTF-16 order of legal names equals the order of their UTF-8 bytes.
 */
const illegal = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** Bytes of UTF-8 that `text` takes; legal names have no surrogates. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) length += code > 0x7ff ? 2 : 1;
  }
  return length;
}

/** Why `text` is no path, or undefined if it is one. */
function faultOf(text: string): string | undefined {
  if (text.length === 0) return "the path is empty; it must begin with '/'";
  if (text.charCodeAt(0) !== 47) return `the path ${JSON.stringify(text)} must begin with '/'`;
  if (text.length === 1) return undefined;
  if (text.charCodeAt(text.length - 1) === 47) return `the path ${JSON.stringify(text)} must not end with '/'`;
  const control = illegal.exec(text);
  if (control) {
    const code = control[0].charCodeAt(0).toString(16).padStart(4, "0").toUpperCase();
    return `the path has the character U+${code} at ${control.index}, which names may not have`;
  }
  if (text.includes("//")) return `the path ${JSON.stringify(text)} has an empty segment ('//')`;
  if (text.includes("/.") && /\/\.\.?(\/|$)/.test(text)) {
    return `the path ${JSON.stringify(text)} has a segment '.' or '..', which names may not be`;
  }
  if (utf8Length(text) > pathLimitBytes) return `the path is longer than ${pathLimitBytes} bytes`;
  return undefined;
}

export function parsePath(text: string): Path | BadPath {
  const bad = faultOf(text);
  return bad === undefined ? (text as Path) : { bad };
}

/** A prefix for a sequential name: a path, or a path and '/', since the number makes it legal. */
export function parseSequentialPrefix(text: string): Path | BadPath {
  const bad = faultOf(text.endsWith("/") ? `${text}0` : text);
  return bad === undefined ? (text as Path) : { bad };
}

export function isBadPath(path: Path | BadPath): path is BadPath {
  return typeof path !== "string";
}

/** The parent; undefined for the root. */
export function parentOf(path: Path): Path | undefined {
  if (path.length === 1) return undefined;
  const at = path.lastIndexOf("/");
  return (at === 0 ? "/" : path.slice(0, at)) as Path;
}

/** The last segment; empty for the root. */
export function nameOf(path: Path): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `name` must be a legal segment. */
export function childOf(parent: Path, name: string): Path {
  return (parent.length === 1 ? `/${name}` : `${parent}/${name}`) as Path;
}

/** ZooKeeper's `%010d` of a signed 32-bit counter: ten digits, or `-` and the digits after the wrap. */
export function sequenceSuffix(counter: number): string {
  const signed = counter | 0;
  return signed < 0 ? `-${String(-signed).padStart(9, "0")}` : String(signed).padStart(10, "0");
}
