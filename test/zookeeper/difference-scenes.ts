/** Differences that are meant, shown: a few requests, and what each of the two says to them. */
import { type PlacedEvent, WireClient, WireClosed } from "./wire-client.ts";
import { openAcl, permissions, type WireCreate, type WireRequest } from "./wire-records.ts";

export interface Scene {
  /** Which row of the table. */
  readonly what: string;
  /** In a folder of its own. */
  readonly play: (client: WireClient, folder: string, port: number) => Promise<string>;
  /** Undefined: a real server does not outlive it. */
  readonly zookeeper: string | undefined;
  readonly quorate: string;
}

const newSession = 30_000;

function create(path: string, more: Partial<WireCreate> = {}): WireCreate {
  return { op: "create", path, data: Buffer.from("some"), acl: openAcl, flags: 0, ...more };
}

/** The error's code, and whether the connection is closed behind it. */
async function answer(client: WireClient, request: WireRequest): Promise<string> {
  try {
    const { error } = await client.send(request);
    // Whatever is closed behind the answer is closed before this comes.
    await client.send({ op: "sync", path: "/" });
    return String(error);
  } catch (error) {
    if (!(error instanceof WireClosed)) throw error;
    const last = client.arrivals.at(-1);
    return `${last?.kind === "reply" ? last.reply.error : "nothing"}, closed`;
  }
}

async function comeBack(client: WireClient, port: number, timeoutMillis: number): Promise<WireClient> {
  client.cut();
  const { session, password, lastZxid } = client;
  return WireClient.connect(port, { session, password, lastZxidSeen: lastZxid, timeoutMillis });
}

const shown = (events: readonly PlacedEvent[], folder: string): string =>
  events.map(({ type, path, zxid }) => `${type}${path.slice(folder.length)}${zxid < 0n ? "?" : ""}`).join(" ") || "-";

export const scenes: readonly Scene[] = [
  {
    what: "timeout",
    play: async (client, _folder, port) => {
      const back = await comeBack(client, port, newSession / 2);
      const { timeoutMillis } = back;
      await back.close();
      return String(timeoutMillis);
    },
    zookeeper: "15000",
    quorate: "30000",
  },
  {
    what: "a session that is closed",
    play: async (client, folder) => {
      await client.send(create(`${folder}/own`, { flags: 1 }));
      await client.send({ op: "exists", path: `${folder}/own`, watch: true });
      await client.close();
      return shown(client.events, folder);
    },
    zookeeper: "2/own",
    quorate: "-",
  },
  {
    what: "opcode 20, deleteContainer",
    play: async (client, folder) => answer(client, { op: "deleteContainer", path: Buffer.from(folder) }),
    zookeeper: "0",
    quorate: "-6, closed",
  },
  {
    what: "SASL, X.509",
    play: async (client) => answer(client, { op: "sasl", token: Buffer.from("token") }),
    zookeeper: "0",
    quorate: "-115, closed",
  },
  {
    what: "hard quotas",
    play: async (client, folder) => {
      const quota = `/zookeeper/quota${folder}`;
      await client.send(create(quota));
      await client.send(create(`${quota}/zookeeper_limits`, { data: Buffer.from("countHardLimit=1") }));
      return answer(client, create(`${folder}/more`));
    },
    zookeeper: "0",
    quorate: "-125",
  },
  {
    what: "limits of a quota that are no limits",
    play: async (client, folder) => {
      const quota = `/zookeeper/quota${folder}`;
      await client.send(create(quota));
      return answer(client, create(`${quota}/zookeeper_limits`, { data: Buffer.from("countHardLimit=many") }));
    },
    zookeeper: undefined,
    quorate: "-8",
  },
  {
    what: "`zookeeper_limits` of the root, right below `/zookeeper/quota`",
    play: async (client, folder) => {
      const [limits, stats] = ["limits", "stats"].map((name) => `/zookeeper/quota/zookeeper_${name}`) as [
        string,
        string,
      ];
      const made = [create(limits, { data: Buffer.from("countHardLimit=1") }), create(stats), create(`${folder}/more`)];
      const answers = await Promise.all(made.map((each) => client.send(each)));
      const { result } = await client.send({ op: "getData", path: stats, watch: false });
      for (const path of [limits, stats]) await client.send({ op: "delete", path, version: -1 });
      return `${answers.map(({ error }) => error).join(" ")} ${result?.data}`;
    },
    zookeeper: undefined,
    quorate: "0 0 0 some",
  },
  {
    what: "permissions beyond the five",
    play: async (client, folder) =>
      answer(
        client,
        create(`${folder}/x`, { acl: [{ permissions: permissions.all + 1, scheme: "world", id: "anyone" }] }),
      ),
    zookeeper: "0",
    quorate: "-114",
  },
  {
    what: "a list of rights, a scheme or an id that is null",
    play: async (client, folder) => {
      const { result, error } = await client.send({ op: "multi", operations: [create(`${folder}/x`, { acl: null })] });
      return `${error} ${result?.results.map((each) => (each.op === "error" ? each.code : each.op)).join(" ") ?? ""}`;
    },
    zookeeper: "-5 ",
    quorate: "0 -114",
  },
  {
    what: "paths that no client library lets through",
    play: async (client, folder) => {
      const requests: WireRequest[] = [
        { op: "getData", path: "", watch: false },
        { op: "addWatch", path: `${folder}//x`, mode: 0 },
        create(`${folder}/none//x`),
      ];
      const answers = await Promise.all(requests.map((each) => client.send(each)));
      return answers.map(({ error }) => error).join(" ");
    },
    zookeeper: "0 0 -101",
    quorate: "-101 -8 -8",
  },
  {
    what: "a sequential znode behind a last name of one or two dots",
    play: async (client, folder) => answer(client, create(`${folder}/.`, { flags: 2 })),
    zookeeper: "0",
    quorate: "-8",
  },
  {
    what: "`/zookeeper/config`",
    play: async (client) => {
      const { result } = await client.send({ op: "getData", path: "/zookeeper/config", watch: false });
      return String(result?.data).replace(/(127\.0\.0\.1):\d+:\d+/g, "$1");
    },
    zookeeper: "",
    quorate: [
      "server.1=127.0.0.1:participant",
      "server.2=127.0.0.1:participant",
      "server.3=127.0.0.1:participant",
      "version=0",
    ].join("\n"),
  },
  {
    what: "setWatches after a reconnect",
    play: async (client, folder, port) => {
      const other = await WireClient.connect(port, { timeoutMillis: newSession });
      const [gone, never] = [`${folder}/gone`, `${folder}/never`];
      await client.send(create(gone));
      await client.send({ op: "getData", path: gone, watch: true });
      await client.send({ op: "exists", path: never, watch: true });
      const back = await missing(client, port, async () => {
        await other.send({ op: "setData", path: gone, data: null, version: -1 });
        await other.send({ op: "delete", path: gone, version: -1 });
        await other.send(create(never));
        await other.send({ op: "delete", path: never, version: -1 });
      });
      await back.send({ op: "setWatches", relativeZxid: client.lastZxid, data: [gone], exist: [never], child: [] });
      await Promise.all([back.close(), other.close()]);
      return shown(back.events, folder);
    },
    zookeeper: "2/gone?",
    quorate: "3/gone 1/never",
  },
  {
    what: "persistent and recursive watches over a reconnect",
    play: async (client, folder, port) => {
      const other = await WireClient.connect(port, { timeoutMillis: newSession });
      await client.send({ op: "addWatch", path: folder, mode: 1 });
      const back = await missing(client, port, async () => {
        await other.send(create(`${folder}/a`));
        await other.send({ op: "delete", path: `${folder}/a`, version: -1 });
      });
      const lists = { data: [], exist: [], child: [], persistentRecursive: [folder] };
      await back.send({ op: "setWatches2", relativeZxid: client.lastZxid, ...lists });
      await Promise.all([back.close(), other.close()]);
      return shown(back.events, folder);
    },
    zookeeper: "-",
    quorate: "1/a 2/a",
  },
];

/** What `happens` happens while the client is away. */
async function missing(client: WireClient, port: number, happens: () => Promise<void>): Promise<WireClient> {
  client.cut();
  await happens();
  return comeBack(client, port, newSession);
}

/** What one of the two says to it. */
export async function playScene(scene: Scene, port: number, place: number): Promise<string> {
  const client = await WireClient.connect(port, { timeoutMillis: newSession });
  const folder = `/scene-${place}`;
  await client.send(create(folder));
  try {
    return await scene.play(client, folder, port);
  } finally {
    await client.close();
  }
}
