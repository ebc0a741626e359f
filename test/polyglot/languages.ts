/**
 * How the example of each language is made ready: which tools it takes, whence its stubs and libraries come. What is made lies in
 * a folder that git ignores, so that a second run is quick. What cannot be had is a reason to skip, never a failure.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const cache = join(root, "node_modules/.cache/quorate-polyglot");
const protos = join(root, "proto");
const publicProtos = join(protos, "quorate/v1");
/** All that is fetched and made for one language, on a machine that has nothing yet; the runner's limit for a file is longer. */
const readyMillis = 140_000;
/** The same where this file is run by itself: `node test/polyglot/languages.ts` makes everything ready beforehand. */
const beforehandMillis = 400_000;

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Language {
  readonly name: string;
  /** What it speaks: which of a gateway's ports it is given. */
  readonly door: "rest" | "grpc";
  /** Programs that must be on the PATH. */
  readonly tools: readonly string[];
  /** Where its program lies, in this folder. */
  readonly folder: string;
  /** Further reasons why it cannot be made here. */
  readonly unfit?: () => string | undefined;
  /** In order; `into` is the language's own folder in the cache. */
  readonly steps: (into: string) => readonly Step[];
  readonly program: (into: string) => Program;
}

interface Step extends Program {
  /** It asks a registry: that it fails says nothing about the program. */
  readonly fetches?: boolean;
  /** Its output when it failed for want of a registry. */
  readonly unreached?: RegExp;
}

const source = (...names: readonly string[]): string => join(import.meta.dirname, ...names);

const python: Language = {
  name: "Python",
  door: "grpc",
  tools: ["python3"],
  folder: "python",
  steps: (into) => {
    const own = join(into, "venv/bin/python");
    const files = readdirSync(publicProtos).map((file) => join(publicProtos, file));
    const out = ["--python_out", "--grpc_python_out"].map((flag) => `${flag}=${into}`);
    return [
      { command: "python3", args: ["-m", "venv", join(into, "venv")], fetches: true },
      { command: own, args: ["-m", "pip", "install", "-q", "-r", source("python/requirements.txt")], fetches: true },
      { command: own, args: ["-m", "grpc_tools.protoc", "-I", protos, ...out, ...files] },
    ];
  },
  program: (into) => ({
    command: join(into, "venv/bin/python"),
    args: [source("python/watch_config.py")],
    env: { PYTHONPATH: into, PYTHONDONTWRITEBYTECODE: "1" },
  }),
};

const go: Language = {
  name: "Go",
  door: "grpc",
  tools: ["go"],
  folder: "go",
  unfit: () => {
    const [, wanted = ""] = /^go ([\d.]+)$/m.exec(readFileSync(source("go/go.mod"), "utf8")) ?? [];
    const [, major, minor] = /go(\d+)\.(\d+)/.exec(spawnSync("go", ["env", "GOVERSION"]).stdout.toString()) ?? [];
    const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
    const enough = Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor);
    return enough ? undefined : `go ${major}.${minor} is too old for its libraries, which need ${wanted}`;
  },
  steps: (into) => {
    cpSync(source("go"), into, { recursive: true });
    const buf = ["generate", protos, "--path", publicProtos, "--template", join(into, "buf.gen.yaml"), "-o", into];
    return [
      { command: "go", args: ["mod", "download"], fetches: true },
      { command: join(root, "node_modules/.bin/buf"), args: buf, env: offlineGo },
      { command: "go", args: ["build", "-o", "watchconfig", "."], env: offlineGo },
    ];
  },
  program: (into) => ({ command: join(into, "watchconfig"), args: [] }),
};
const offlineGo = { GOPROXY: "off", GOFLAGS: "-mod=mod" };

const java: Language = {
  name: "Java",
  door: "grpc",
  tools: ["java", "javac", "mvn", "grpc_java_plugin"],
  folder: "java",
  steps: (into) => [
    {
      command: "mvn",
      args: ["-q", "-B", "-f", source("java/pom.xml"), `-Doutput=${into}`, "compile"],
      unreached:
        /Could not (transfer|resolve|find)|Unable to resolve|could not be resolved|cached in the local repository/,
    },
  ],
  program: (into) => ({
    command: "java",
    args: ["-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", `${into}/classes:${into}/lib/*`, "example.WatchConfig"],
  }),
};

const php: Language = {
  name: "PHP",
  door: "rest",
  tools: ["php"],
  folder: "php",
  steps: () => [],
  program: () => ({ command: "php", args: [source("php/watch_config.php")] }),
};

const shell: Language = {
  name: "Shell",
  door: "rest",
  tools: ["sh", "curl", "sed"],
  folder: "shell",
  steps: () => [],
  program: () => ({ command: "sh", args: [source("shell/watch-config.sh")] }),
};

export const languages: readonly Language[] = [python, go, java, php, shell];

/** A program that can be started, or why there is none. */
export type Ready = { readonly program: Program; readonly seconds: number } | { readonly skip: string };

/** Throws when the language's tools refuse what is here: stubs that cannot be made, a program that does not compile. */
export async function makeReady(language: Language, millis = readyMillis): Promise<Ready> {
  const missing = language.tools.find((tool) => !onPath(tool));
  if (missing !== undefined) return { skip: `no ${missing} on the PATH` };
  const unfit = language.unfit?.();
  if (unfit !== undefined) return { skip: unfit };
  const into = join(cache, language.folder);
  const program = language.program(into);
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const stamp = join(into, "made-of");
  const made = stampOf(language);
  if (read(stamp) === made) return { program, seconds: seconds() };
  rmSync(into, { recursive: true, force: true });
  mkdirSync(join(into, "tmp"), { recursive: true });
  for (const step of language.steps(into)) {
    const left = millis - seconds() * 1000;
    const { status, output, timedOut } = await run(step, into, left);
    if (timedOut) return { skip: `${basename(step.command)} was not done ${millis / 1000} s after the start` };
    if (status === 0) continue;
    const told = `${basename(step.command)}: ${status}\n${output}`;
    if (step.fetches === true || step.unreached?.test(output) === true) {
      return { skip: `what it needs cannot be fetched: ${told.replace(/\s+/g, " ").slice(0, 300)}` };
    }
    throw new Error(told);
  }
  rmSync(join(into, "tmp"), { recursive: true, force: true });
  writeFileSync(stamp, made);
  return { program, seconds: seconds() };
}

function onPath(tool: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    const found = statSync(join(folder, tool), { throwIfNoEntry: false });
    return found?.isFile() === true && (found.mode & 0o111) !== 0;
  });
}

/** Of all that it is made of. */
function stampOf(language: Language): string {
  const hash = createHash("sha256");
  const add = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
      if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)));
    }
  };
  add(publicProtos);
  add(source(language.folder));
  hash.update(readFileSync(import.meta.filename));
  return hash.digest("hex");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

interface Ended {
  readonly status: number | string;
  readonly output: string;
  readonly timedOut: boolean;
}

/** Temporary files lie in `into` too, so that one that is cut off leaves none elsewhere. */
function run(step: Step, into: string, millis: number): Promise<Ended> {
  const env = { ...process.env, TMPDIR: join(into, "tmp"), ...step.env };
  const child = spawn(step.command, step.args, { cwd: into, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let timedOut = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGTERM");
  }, millis);
  return new Promise((resolve) => {
    child.on("error", (error) => {
      output += error.message;
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ status: signal ?? code ?? "unknown", output, timedOut });
    });
  });
}

if (import.meta.main) {
  const all = languages.map(async (language) => {
    const made = await makeReady(language, beforehandMillis);
    console.log(`${language.name}: ${"skip" in made ? made.skip : `ready after ${made.seconds.toFixed(1)} s`}`);
  });
  await Promise.all(all);
}
