/**
 * The connections on which the ZooKeeper door asks: one for each identity and session, with a session of its own where the request
 * shows none. Whoever is refused a session, or finds his connection closed, is told so by `Refused` and `WireClosed`.
 */
import { WireClient, WireClosed } from "../../zookeeper/wire-client.ts";
import type { ShownSession, Terms } from "./door.ts";

/** The session that was shown is over, or its password is another: ZooKeeper's answer is the same. */
export class Refused extends Error {}

const longestMillis = 40_000;

export class ZookeeperConnections {
  readonly #port: number;
  readonly #open = new Map<string, Promise<WireClient>>();

  constructor(port: number) {
    this.#port = port;
  }

  of({ as, session, minZxid }: Terms): Promise<WireClient> {
    return this.#kept(`${as} ${session?.id} ${session?.secret} ${minZxid}`, () => this.#connect(as, session, minZxid));
  }

  async #kept(key: string, connect: () => Promise<WireClient>): Promise<WireClient> {
    const kept = await this.#open.get(key)?.catch(() => undefined);
    if (kept?.open) return kept;
    const opening = connect();
    this.#open.set(key, opening);
    return await opening;
  }

  async #connect(as: string | undefined, session: ShownSession | undefined, minZxid = "0"): Promise<WireClient> {
    const shown =
      session === undefined ? {} : { session: BigInt(session.id), password: Buffer.from(session.secret ?? "", "hex") };
    const lastZxidSeen = BigInt(minZxid);
    const client = await WireClient.connect(this.#port, { ...shown, lastZxidSeen, timeoutMillis: longestMillis });
    if (!client.accepted) throw new Refused("the session was refused");
    if (as !== undefined) {
      const { error } = await client.send({ op: "auth", scheme: "digest", auth: Buffer.from(as) });
      if (error !== 0) throw new WireClosed(`auth was answered ${error}`);
    }
    return client;
  }

  /** A new session; what comes behind on its behalf finds this connection. */
  async open(as: string | undefined, timeoutMillis: number): Promise<WireClient> {
    const client = await WireClient.connect(this.#port, { timeoutMillis });
    const { session, secret } = shownOf(client);
    if (as === undefined) {
      this.#open.set(`${as} ${session} ${secret} ${undefined}`, Promise.resolve(client));
    }
    return client;
  }

  /** For one request alone: it is cut by whoever asked for it. */
  alone({ as, session }: Terms): Promise<WireClient> {
    return this.#connect(as, session);
  }

  close(): void {
    for (const each of this.#open.values()) {
      each.then(
        (client) => client.cut(),
        () => undefined,
      );
    }
  }
}

export function shownOf({ session, password }: WireClient): { readonly session: string; readonly secret: string } {
  return { session: `0x${session.toString(16).padStart(16, "0")}`, secret: password.toString("hex") };
}
