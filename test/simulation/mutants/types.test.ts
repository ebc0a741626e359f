/** What each mutant makes of the source has right types: a name that does not exist would be "caught", and prove nothing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { type Patch, patched, root } from "./loader.ts";
import { zab } from "./row.ts";
import { mutants } from "./table.ts";

/** The files with one mutant's patches; one service for all, so that what did not change is not read again. */
class Patched implements ts.LanguageServiceHost {
  readonly #options: ts.CompilerOptions;
  readonly #files: readonly string[];
  #changed = new Map<string, string>();
  #versions = new Map<string, number>();

  constructor(files: readonly string[]) {
    const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile);
    const { options, errors } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    assert.deepEqual(errors, []);
    this.#options = options;
    this.#files = files;
  }

  change(texts: ReadonlyMap<string, string>): void {
    for (const file of [...this.#changed.keys(), ...texts.keys()]) {
      this.#versions.set(file, (this.#versions.get(file) ?? 0) + 1);
    }
    this.#changed = new Map(texts);
  }

  getCompilationSettings = (): ts.CompilerOptions => this.#options;
  getScriptFileNames = (): string[] => [...this.#files];
  getScriptVersion = (file: string): string => String(this.#versions.get(file) ?? 0);
  getScriptSnapshot = (file: string): ts.IScriptSnapshot | undefined => {
    const text = this.readFile(file);
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  };
  getCurrentDirectory = (): string => root;
  getDefaultLibFileName = (options: ts.CompilerOptions): string => ts.getDefaultLibFilePath(options);
  fileExists = (path: string): boolean => ts.sys.fileExists(path);
  readFile = (path: string): string | undefined => this.#changed.get(path) ?? ts.sys.readFile(path);
  directoryExists = (path: string): boolean => ts.sys.directoryExists(path);
  getDirectories = (path: string): string[] => ts.sys.getDirectories(path);
  realpath = (path: string): string => ts.sys.realpath?.(path) ?? path;
}

/** What is wrong with the sources that these patches make. */
function checker(files: Iterable<string>): (patches: readonly Patch[]) => string[] {
  const host = new Patched([...files]);
  const service = ts.createLanguageService(host);
  return (patches) => {
    const texts = new Map<string, string>();
    for (const patch of patches) {
      const path = join(root, patch.file);
      texts.set(path, patched(texts.get(path) ?? readFileSync(path, "utf8"), patch));
    }
    host.change(texts);
    return [...texts.keys()].flatMap((path) =>
      [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)].map((fault) =>
        ts.flattenDiagnosticMessageText(fault.messageText, "\n"),
      ),
    );
  };
}

test("the patched sources have right types", () => {
  const check = checker(
    new Set(
      mutants.flatMap(({ patches, setting = [] }) => [...patches, ...setting].map(({ file }) => join(root, file))),
    ),
  );
  for (const { name, patches, setting = [] } of mutants) assert.deepEqual(check([...patches, ...setting]), [], name);
  const wrong = zab("quorum", "values.sort((a, b) => b - a);", "values.sort((a, b) => b - c);");
  assert.deepEqual(check([wrong]), ["Cannot find name 'c'."]);
});
