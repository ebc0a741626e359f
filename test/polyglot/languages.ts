/** The example of each language: what it takes, whence its stubs and libraries come, how it is started. */
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Kit, makeReadyBeforehand, mavenUnreached } from "./make-ready.ts";
import { readPage } from "./page.ts";

const root = join(import.meta.dirname, "../..");
const protos = join(root, "proto");
const publicProtos = join(protos, "quorate/v1");

export interface Language extends Kit {
  /** What it speaks: which of a gateway's ports it is given. */
  readonly door: "rest" | "grpc";
}

const source = (...names: readonly string[]): string => join(import.meta.dirname, ...names);

const madeOf = (folder: string): string[] => [publicProtos, source(folder), import.meta.filename];

const python: Language = {
  name: "Python",
  door: "grpc",
  tools: ["python3"],
  folder: "python",
  sources: madeOf("python"),
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
  sources: madeOf("go"),
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
  sources: madeOf("java"),
  steps: (into) => [
    {
      command: "mvn",
      args: ["-q", "-B", "-f", source("java/pom.xml"), `-Doutput=${into}`, "compile"],
      unreached: mavenUnreached,
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
  sources: madeOf("php"),
  steps: () => [],
  program: () => ({ command: "php", args: [source("php/watch_config.php")] }),
};

const shell: Language = {
  name: "Shell",
  door: "rest",
  tools: ["sh", "curl", "sed"],
  folder: "shell",
  sources: madeOf("shell"),
  steps: () => [],
  program: () => ({ command: "sh", args: [source("shell/watch-config.sh")] }),
};

export const languages: readonly Language[] = [python, go, java, php, shell];

if (import.meta.main) {
  const pages = [readPage("locks"), readPage("elections")];
  await makeReadyBeforehand([...languages, ...pages.flatMap(({ programs }) => programs)]);
}
