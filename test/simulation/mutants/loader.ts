/**
 * Takes a rule out of the program while its modules are loaded: a patch replaces an exact text of one source file. So
 * the program itself bears no switch that could be left on. Whoever imports the patched modules does so afterwards,
 * dynamically; a patch that does not fit stops the import.
 */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export interface Patch {
  /** Relative to the repository's root. */
  readonly file: string;
  /** Must occur in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export const root: string = join(import.meta.dirname, "../../..");

/** The source with this patch; throws when it does not fit it. */
export function patched(source: string, patch: Patch): string {
  const at = source.indexOf(patch.find);
  if (at < 0) throw new Error(`a patch of ${patch.file} does not fit: there is no ${JSON.stringify(patch.find)}`);
  if (source.includes(patch.find, at + 1)) {
    throw new Error(`a patch of ${patch.file} is ambiguous: ${JSON.stringify(patch.find)} occurs more than once`);
  }
  return source.slice(0, at) + patch.replace + source.slice(at + patch.find.length);
}

/**
 * From here on these files are loaded with their patches. The answer tells which of them have not been loaded: a rule
 * in a file that nobody imports is not taken out.
 */
export function loadPatched(patches: readonly Patch[]): () => readonly string[] {
  const waiting = new Map(patches.map(({ file }) => [pathToFileURL(join(root, file)).href, file]));
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const file = waiting.get(url);
      if (file === undefined) return loaded;
      if (loaded.source === undefined || loaded.source === null) throw new Error(`${file} has no source`);
      waiting.delete(url);
      let source = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
      for (const patch of patches) if (patch.file === file) source = patched(source, patch);
      return { ...loaded, source };
    },
  });
  return () => [...waiting.values()];
}
