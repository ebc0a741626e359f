/** Where grpcurl is: on the path, or made with Go. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const cache = join(import.meta.dirname, "../../node_modules/.cache/grpcurl");
/** The newest that was tried. */
const wanted = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";

/** The folder that has grpcurl, or why there is none. */
export function findGrpcurl(): { readonly folder: string } | { readonly missing: string } {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), cache];
  const found = folders.find((folder) => existsSync(join(folder, "grpcurl")));
  if (found !== undefined) return { folder: found };
  if (spawnSync("go", ["version"]).status !== 0) return { missing: "there is neither grpcurl nor Go to make it with" };
  const made = spawnSync("go", ["install", wanted], {
    env: { ...process.env, GOBIN: cache },
    encoding: "utf8",
    timeout: 300_000,
  });
  return made.status === 0 ? { folder: cache } : { missing: `grpcurl cannot be made here: ${made.stderr.slice(-300)}` };
}
