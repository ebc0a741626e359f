/**
 * A Quorate replica where somebody's test harness starts a ZooKeeper: `zoo-server.ts [-Dname=value…] ZOO.CFG`. What the file and
 * the flags say of ports, data, members, ticks, four-letter words and the super user is kept; the rest is of another process.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const args = process.argv.slice(2);
const config = new Map<string, string>();
for (const line of readFileSync(args.at(-1) ?? "", "utf8").split("\n")) {
  const at = line.indexOf("=");
  if (at > 0 && !line.trimStart().startsWith("#")) config.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
}

const needed = (key: string): string => {
  const value = config.get(key);
  if (value === undefined) throw new Error(`zoo.cfg has no ${key}`);
  return value;
};
const folder = needed("dataDir");
const port = Number(needed("clientPort"));
const tickMillis = Number(config.get("tickTime") ?? 3000);

/** `server.1=localhost:2888:3888:participant`: of the two ports the first is ours, for both purposes. */
const members = [...config].flatMap(([key, value]) => {
  const [, id] = /^server\.(\d+)$/.exec(key) ?? [];
  const [host = "", peerPort = ""] = value.split(":");
  return id === undefined ? [] : [`${id}=${host === "localhost" ? "127.0.0.1" : host}:${peerPort}`];
});
const alone = members.length === 0;
const id = alone ? "1" : readFileSync(join(folder, "myid"), "utf8").trim();

const superDigest = args.map((each) => /^-Dzookeeper\.DigestAuthenticationProvider\.superDigest=(.*)$/.exec(each)?.[1]);
const superUser = superDigest.find((each) => each !== undefined);
const words = config.get("4lw.commands.whitelist");
// Beside `myid`, which is not ours.
const data = join(folder, "quorate");
mkdirSync(data, { recursive: true });

// Settings of whoever runs the tests are not this replica's.
for (const name of Object.keys(process.env)) if (name.startsWith("QUORATE_")) delete process.env[name];
process.argv = [
  ...process.argv.slice(0, 2),
  "serve",
  ...["--id", id, "--members", alone ? `1=127.0.0.1:${port + 1}` : members.join(","), "--initial", "--data", data],
  ...["--zookeeper-port", String(port), "--rest-port", "0", "--grpc-port", "0", "--drain", "0"],
  ...["--zookeeper-min-session-timeout", config.get("minSessionTimeout") ?? String(2 * tickMillis)],
  ...["--zookeeper-max-session-timeout", config.get("maxSessionTimeout") ?? String(20 * tickMillis)],
  ...(words === undefined ? [] : ["--zookeeper-commands", words]),
  ...(superUser === undefined ? [] : ["--superuser", superUser]),
];
await import("../../../services/quorate/src/main.ts");
