/** What there is to run: found by looking, so that no list can forget one. */
import { globSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "./checks.ts";

export const root = join(import.meta.dirname, "../..");

const rooms = "{api,proto,openapi,gateway,test,services/*}";

/** Relative to the root, with slashes. */
export function findTestFiles(): string[] {
  const files = globSync(`${rooms}/**/*.test.ts`, { cwd: root, exclude: ["**/node_modules/**"] });
  return files.map((file) => file.replaceAll("\\", "/")).sort();
}

export function findChecks(): Check[] {
  const configs = globSync(`{${rooms},api/client}/tsconfig*.json`, { cwd: root }).sort();
  const types = configs.map((config): Check => ({ name: `types ${config}`, command: "tsc", args: ["-p", config] }));
  return [
    ...types,
    { name: "lint biome", command: "biome", args: ["check", "--error-on-warnings", "."] },
    { name: "lint oxlint", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  ];
}
