/** What ZooKeeper's clients in other languages are made of. `node test/zookeeper/foreign-kits.ts` makes them ready beforehand. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { type Kit, makeReadyBeforehand, mavenUnreached, type Step } from "../polyglot/make-ready.ts";

const source = (...names: readonly string[]): string => join(import.meta.dirname, ...names);

/** What the pom in `from` compiles and fetches. */
function maven(name: string, folder: string, from: string): Kit {
  return {
    name,
    tools: ["java", "javac", "mvn"],
    folder,
    sources: [source(from), import.meta.filename],
    steps: (into) => [
      {
        command: "mvn",
        args: ["-q", "-B", "-f", source(from, "pom.xml"), `-Doutput=${into}`, "compile"],
        unreached: mavenUnreached,
      },
    ],
    program: (into) => ({
      command: "java",
      args: [
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        `-Djava.io.tmpdir=${into}`,
        "-cp",
        `${into}/classes:${into}/lib/*`,
      ],
    }),
  };
}

/** ZooKeeper's Java client, its shell, and Curator: a program of scenarios on all of them. */
export const javaClients: Kit = maven("Java client and Curator", "zookeeper-java", "java");
/** Kafka's broker, and a program that writes to it and reads from it. */
export const kafka: Kit = maven("Kafka", "kafka", "kafka");

/** `name` in an environment of Python's own; its program is that environment's Python. */
function python(name: string, folder: string, requirements: string): Kit {
  return {
    name,
    tools: ["python3"],
    folder,
    sources: [source(requirements), import.meta.filename],
    steps: (into): Step[] => {
      const own = join(into, "venv/bin/python");
      const install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", source(requirements)];
      return [
        { command: "python3", args: ["-m", "venv", join(into, "venv")], fetches: true },
        { command: own, args: install, fetches: true },
      ];
    },
    program: (into) => ({ command: join(into, "venv/bin/python"), args: [], env: { PYTHONDONTWRITEBYTECODE: "1" } }),
  };
}

export const kazoo: Kit = python("kazoo", "kazoo", "kazoo-requirements.txt");
export const aiozk: Kit = python("aiozk", "aiozk", "aiozk-requirements.txt");

/** go-zookeeper's own tests, compiled where its module lies. */
export const goClient: Kit = {
  name: "go-zookeeper",
  tools: ["go"],
  folder: "go-zookeeper",
  sources: [source("go"), import.meta.filename],
  steps: (into) => {
    cpSync(source("go"), into, { recursive: true });
    const env = { GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local" };
    const compile = ["test", "-c", "-o", "zk.test", "github.com/go-zookeeper/zk"];
    return [
      { command: "go", args: ["mod", "download"], env, fetches: true },
      { command: "go", args: compile, env: { ...env, GOPROXY: "off" } },
    ];
  },
  program: (into) => ({ command: join(into, "zk.test"), args: [] }),
};

if (import.meta.main) await makeReadyBeforehand([javaClients, kafka, kazoo, aiozk, goClient]);
