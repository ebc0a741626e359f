/** The settings of each command. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { limits, type ReplicaId } from "@quorate/api";
import { fourLetterWords, plainWords, readWords, zookeeperLimits } from "@quorate/gateway";
import { isLoopbackHost, parseHostPort } from "@quorate/proto";
import type { Setting, Values } from "./settings.ts";
import { SettingsError, textOf } from "./settings.ts";

export const version = "0.1.0";

/** A password given in place of its digest would never match, and the super user would be nobody. */
function digestFault(text: string): string | undefined {
  if (/^[^:]+:[A-Za-z0-9+/]{27}=$/.test(text)) return undefined;
  return "must be user:base64(sha1(user:password)), as in: echo -n super:PASSWORD | openssl dgst -sha1 -binary | base64";
}

function proxiesFault(text: string): string | undefined {
  for (const each of parseList(text)) {
    const [address = "", bits, more] = each.split("/");
    const most = isIP(address) === 6 ? 128 : 32;
    const good =
      isIP(address) !== 0 &&
      more === undefined &&
      (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
    if (!good) return `has ${JSON.stringify(each)}: write addresses or networks, such as 10.0.0.7,192.168.0.0/16`;
  }
  return undefined;
}

function originsFault(text: string): string | undefined {
  for (const each of parseList(text)) {
    if (each === "*" || (URL.canParse(each) && new URL(each).origin === each.toLowerCase())) continue;
    return `has ${JSON.stringify(each)}: write origins without a path, such as https://app.example,http://localhost:3000, or *`;
  }
  return undefined;
}

/** As ZooKeeper's, where it is not a matter of its own process. */
const zookeeperPort = 2181;

function wordsFault(text: string): string | undefined {
  const words = readWords(text);
  if (!("bad" in words)) return undefined;
  return `has ${JSON.stringify(words.bad)}: known are ${fourLetterWords.join(",")}, and * for all of them`;
}

const zookeeper: readonly Setting[] = [
  { name: "zookeeper", kind: "flag", help: "ZooKeeper's clients are not served", fallback: true },
  { name: "zookeeper-host", kind: "text", help: "address of the ZooKeeper port", fallback: "127.0.0.1" },
  {
    name: "zookeeper-port",
    kind: "number",
    help: "the ZooKeeper port; 0: any free one",
    fallback: zookeeperPort,
    max: 65535,
  },
  {
    name: "zookeeper-min-session-timeout",
    kind: "number",
    help: "ms: a ZooKeeper client's session lives at least so long without a sign of life",
    fallback: zookeeperLimits.minSessionTimeoutMillis,
    min: limits.sessionTimeoutMinMillis,
    max: limits.sessionTimeoutMaxMillis,
  },
  {
    name: "zookeeper-max-session-timeout",
    kind: "number",
    help: "ms: and at most so long, whatever the client asks for",
    fallback: zookeeperLimits.maxSessionTimeoutMillis,
    min: limits.sessionTimeoutMinMillis,
    max: limits.sessionTimeoutMaxMillis,
  },
  {
    name: "zookeeper-connections-per-address",
    kind: "number",
    help: "connections that one address may have to the ZooKeeper port; one more is closed",
    fallback: zookeeperLimits.connectionsPerAddress,
    min: 1,
  },
  {
    name: "zookeeper-commands",
    kind: "text",
    help: "four-letter words that are answered, with commas; * is all of them",
    fallback: plainWords.join(","),
    fault: wordsFault,
  },
];

const superUser: Setting = {
  name: "superuser",
  kind: "text",
  help: "digest of the super user: user:base64(sha1(user:password))",
  secret: true,
  fault: digestFault,
};

const door: readonly Setting[] = [
  { name: "rest-host", kind: "text", help: "address of the REST port", fallback: "127.0.0.1" },
  { name: "rest-port", kind: "number", help: "the REST port; 0: any free one", fallback: 8080, max: 65535 },
  { name: "grpc-host", kind: "text", help: "address of the gRPC port", fallback: "127.0.0.1" },
  { name: "grpc-port", kind: "number", help: "the gRPC port; 0: any free one", fallback: 9090, max: 65535 },
  ...zookeeper,
  superUser,
  {
    name: "trusted-proxies",
    kind: "text",
    help: "addresses whose X-Forwarded-For counts, with commas",
    fault: proxiesFault,
  },
  {
    name: "cors-origin",
    kind: "text",
    help: "origins whose web pages may ask, with commas; * is any; none without it",
    fault: originsFault,
  },
  {
    name: "drain",
    kind: "number",
    help: "ms after TERM in which requests are still taken, though not ready",
    fallback: 1000,
    max: 600_000,
  },
  {
    name: "key-file",
    kind: "text",
    help: "the shared key of replicas and gateways; without it only loopback is spoken with",
  },
];

export const gatewaySettings: readonly Setting[] = [
  { name: "replicas", kind: "text", help: "peer ports of the replicas: HOST:PORT,…" },
  { name: "name", kind: "text", help: "what operators see of this gateway", fallback: "gateway" },
  ...door,
];

export const serveSettings: readonly Setting[] = [
  { name: "id", kind: "number", help: "this replica's number, 1 to 255", min: 1, max: 255 },
  { name: "members", kind: "text", help: "all members: 1=HOST:PORT,2=HOST:PORT,… (peer ports)" },
  { name: "data", kind: "text", help: "the data folder" },
  {
    name: "initial",
    kind: "flag",
    help: "an empty folder founds a new ensemble (may stay set for ever)",
    fallback: false,
  },
  { name: "peer-host", kind: "text", help: "address that the peer port listens on; its member's by default" },
  {
    name: "snapshot-log-bytes",
    kind: "number",
    help: "log behind the newest snapshot that brings the next one",
    fallback: 67_108_864,
  },
  {
    name: "segment-bytes",
    kind: "number",
    help: "size at which a segment of the log ends",
    fallback: 16_777_216,
    min: 4096,
  },
  {
    name: "disk-reserve-bytes",
    kind: "number",
    help: "free space below which writes are refused",
    fallback: 67_108_864,
  },
  {
    name: "election-timeout",
    kind: "number",
    help: "ms of silence after which a leader is given up",
    fallback: 1000,
    min: 100,
    max: 60_000,
  },
  ...door,
];

export const devSettings: readonly Setting[] = [
  { name: "data", kind: "text", help: "the folder of the three replicas' data", fallback: "data" },
  {
    name: "rest-port",
    kind: "number",
    help: "the gateway's REST port; the replicas' are the next three",
    fallback: 8080,
    max: 65532,
  },
  {
    name: "grpc-port",
    kind: "number",
    help: "the gateway's gRPC port; the replicas' are the next three",
    fallback: 9090,
    max: 65532,
  },
  {
    name: "zookeeper-port",
    kind: "number",
    help: "the gateway's ZooKeeper port; the replicas' are the next three",
    fallback: zookeeperPort,
    max: 65532,
  },
  { name: "peer-port", kind: "number", help: "one below the first replica's peer port", fallback: 7400, max: 65532 },
  superUser,
];

export const recoverSettings: readonly Setting[] = [
  { name: "data", kind: "text", help: "the data folder of the surviving replica; nothing may use it meanwhile" },
  { name: "yes", kind: "flag", help: "do it; without this only say what would be done", fallback: false },
];

/** `1=HOST:PORT,…` as a map. */
export function parseMembers(text: string): ReadonlyMap<ReplicaId, string> {
  const members = new Map<ReplicaId, string>();
  for (const part of text.split(",")) {
    const [id, address] = part.trim().split("=");
    const number = Number(id);
    if (!Number.isInteger(number) || number < 1 || number > 255 || !address || !parseHostPort(address)) {
      throw new SettingsError(`--members has ${JSON.stringify(part)}: write 1=HOST:PORT,2=HOST:PORT,…`);
    }
    if (members.has(number)) throw new SettingsError(`--members names replica ${number} twice`);
    members.set(number, address);
  }
  return members;
}

export function parseList(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

/** Where a member's peer port listens: at its own address, or at `host` (an IPv6 address with or without brackets). */
export function listenAddress(own: string, host: string | undefined): string {
  if (host === undefined) return own;
  const port = own.slice(own.lastIndexOf(":") + 1);
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Without a key, a link to another machine would be refused again and again: better said at the start. */
export function requireKey(addresses: readonly string[], key: { readonly key?: Uint8Array }): void {
  if (key.key !== undefined) return;
  for (const each of addresses) {
    const host = parseHostPort(each)?.host ?? "";
    if (isIP(host) === 0 || isLoopbackHost(host)) continue;
    throw new SettingsError(
      `${each} is another machine, and without a key only this one is spoken with: give --key-file`,
    );
  }
}

/** The key that replicas and gateways share: at least 16 bytes, white space around it ignored. */
export function readKey(values: Values): { readonly key?: Uint8Array } {
  const path = textOf(values, "key-file");
  if (path === undefined) return {};
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new SettingsError(`--key-file ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (text.length < 16) throw new SettingsError(`--key-file ${path}: a key has at least 16 characters`);
  return { key: new TextEncoder().encode(text) };
}
