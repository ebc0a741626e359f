/**
 * The jars of a real ZooKeeper, fetched by Maven into a folder that git ignores. What cannot be had is a reason to skip, never a
 * failure. `node test/zookeeper/real-jars.ts` fetches them beforehand.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const pom = join(import.meta.dirname, "real-server/pom.xml");
const cache = join(import.meta.dirname, "../../node_modules/.cache/quorate-zookeeper");
/** On a machine that has no Maven plugin yet. */
const fetchMillis = 140_000;
const beforehandMillis = 400_000;

export type RealJars = { readonly classPath: string; readonly version: string } | { readonly skip: string };

export async function findRealJars(millis = fetchMillis): Promise<RealJars> {
  if (!runs("java", "-version")) return { skip: "no java on the PATH" };
  const text = readFileSync(pom, "utf8");
  const folder = join(cache, `lib-${createHash("sha256").update(text).digest("hex").slice(0, 12)}`);
  if (!existsSync(folder)) {
    if (!runs("mvn", "-v")) return { skip: "no mvn on the PATH, which fetches the real ZooKeeper" };
    const why = await fetchInto(folder, millis);
    if (why !== undefined) return { skip: `the real ZooKeeper cannot be fetched: ${why}` };
  }
  const jar = readdirSync(folder).find((name) => /^zookeeper-\d/.test(name)) ?? "";
  return { classPath: join(folder, "*"), version: /zookeeper-([\d.]+)\.jar/.exec(jar)?.[1] ?? "unknown" };
}

function runs(program: string, flag: string): boolean {
  return spawnSync(program, [flag], { stdio: "ignore" }).status === 0;
}

/** Why it failed, or undefined. The folder appears at once and whole, also when two processes fetch at the same time. */
async function fetchInto(folder: string, millis: number): Promise<string | undefined> {
  mkdirSync(cache, { recursive: true });
  const own = mkdtempSync(join(cache, "fetch-"));
  try {
    const lib = join(own, "lib");
    const args = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${lib}`];
    const why = await run("mvn", [...args, "-DincludeScope=runtime", `-Djava.io.tmpdir=${own}`], millis);
    if (why !== undefined) return why;
    if (!existsSync(folder)) renameSync(lib, folder);
    return undefined;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], millis: number): Promise<string | undefined> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-5_000);
    });
  }
  const timer = setTimeout(() => child.kill("SIGTERM"), millis);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : `${program}: ${signal ?? code} ${output.replace(/\s+/g, " ").slice(0, 300)}`);
    });
  });
}

if (import.meta.main) {
  const jars = await findRealJars(beforehandMillis);
  console.log("skip" in jars ? jars.skip : `ZooKeeper ${jars.version} is here`);
}
