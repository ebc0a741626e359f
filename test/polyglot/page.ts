/** A page of the documentation: its programs, each made ready to be started, and its sessions with curl. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kit } from "./make-ready.ts";

const root = join(import.meta.dirname, "../..");

/** Locks and elections: what the programs of each are called. */
export const pageStems = { locks: "migrate", elections: "scheduler" } as const;

export interface Page {
  readonly name: string;
  readonly programs: readonly Kit[];
  /** Each block is one session. */
  readonly consoles: readonly string[];
}

export function readPage(name: keyof typeof pageStems): Page {
  const stem = pageStems[name];
  const file = join(root, "docs", `${name}.md`);
  const text = readFileSync(file, "utf8");
  return { name, programs: programsOf(text, file, name, stem), consoles: blocksOf(text, "console") };
}

export function blocksOf(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, of, block = ""]) => (of === language ? [block] : []));
}

/** The one block of a language that is a whole program: its head says how it is started. */
function programIn(markdown: string, language: string, call: string): string {
  const whole = blocksOf(markdown, language).filter((block) =>
    block.split("\n", 2).some((line) => line.includes(call)),
  );
  const [program] = whole;
  if (program === undefined || whole.length > 1) throw new Error(`${whole.length} programs are started by ${call}`);
  return program;
}

const tenSeconds =
  /((?:timeout\\?":\\?"|TIMEOUT = (?:Duration\.ofSeconds\()?|timeout = |sessionTimeoutMillis: |curl -s -m ))10(?=s|_000|\b)/g;

/** With two minutes for the session, so that a machine that is busy with all programs at a time does not lose it for them. */
function patient(program: string): string {
  const changed = program.replace(tenSeconds, (_, before: string) => `${before}120`);
  if (changed === program) throw new Error("the program's session is not of 10 s");
  return changed;
}

function programsOf(markdown: string, file: string, page: string, stem: string): Kit[] {
  const className = stem.charAt(0).toUpperCase() + stem.slice(1);
  const kit = (name: string, language: string, call: string, rest: Omit<Kit, "name" | "folder" | "sources">): Kit => {
    const [, source = ""] = /(\S+)$/.exec(call) ?? [];
    const program = patient(programIn(markdown, language, call));
    return {
      ...rest,
      name,
      folder: `${page}-${language}`,
      sources: [file, import.meta.filename],
      steps: (into) => {
        writeFileSync(join(into, source), program);
        return rest.steps(into);
      },
    };
  };
  return [
    kit("Shell", "sh", `sh ${stem}.sh`, {
      tools: ["sh", "curl", "sed"],
      steps: () => [],
      program: (into) => ({ command: "sh", args: [join(into, `${stem}.sh`)] }),
    }),
    kit("Python", "python", `python3 ${stem}.py`, {
      tools: ["python3"],
      steps: () => [],
      program: (into) => ({ command: "python3", args: [join(into, `${stem}.py`)] }),
    }),
    kit("Go", "go", `go run ${stem}.go`, {
      tools: ["go"],
      unfit: () => tooOld("go", ["env", "GOVERSION"], 1, 19),
      steps: () => [{ command: "go", args: ["build", "-o", stem, `${stem}.go`], env: { GO111MODULE: "off" } }],
      program: (into) => ({ command: join(into, stem), args: [] }),
    }),
    kit("Java", "java", `java ${className}.java`, {
      tools: ["java", "javac"],
      unfit: () => tooOld("javac", ["-version"], 17, 0),
      steps: () => [{ command: "javac", args: ["-d", ".", `${className}.java`] }],
      program: (into) => ({ command: "java", args: ["-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", into, className] }),
    }),
    kit("TypeScript", "ts", `node ${stem}.ts`, {
      tools: ["sh"],
      // Node reads no TypeScript below node_modules, but from its standard input; the client is found from the folder it is in.
      steps: () => [],
      program: (into) => ({
        command: "sh",
        args: ["-c", typescript, process.execPath, join(into, `${stem}.ts`), import.meta.dirname],
      }),
    }),
  ];
}

const typescript = 'source=$1; cd "$2"; shift 2; exec "$0" --input-type=module-typescript - "$@" <"$source"';

/** A reason where the version that a tool tells is below the one that the page names. */
function tooOld(tool: string, args: readonly string[], major: number, minor: number): string | undefined {
  const told = spawnSync(tool, args, { encoding: "utf8" }).stdout ?? "";
  const [, first, second = "0"] = /(\d+)(?:\.(\d+))?/.exec(told) ?? [];
  const enough = Number(first) > major || (Number(first) === major && Number(second) >= minor);
  return enough ? undefined : `${tool} is ${told.trim()}, and ${major}.${minor} is needed`;
}

/** The same kit, of another program: `change`, which stands in `by`, of what the page has. */
export function altered(kit: Kit, source: string, by: string, change: (program: string) => string): Kit {
  return {
    ...kit,
    folder: `${kit.folder}-altered`,
    sources: [...kit.sources, by],
    steps: (into) => {
      const steps = kit.steps(into);
      const file = join(into, source);
      writeFileSync(file, change(readFileSync(file, "utf8")));
      return steps;
    },
  };
}
