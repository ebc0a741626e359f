/** What a command is run with: its words, where it writes, whom it asks and on whose behalf. */
import { readFileSync } from "node:fs";
import type { RestClient } from "@quorate/client/rest";
import { fileFault, UsageError } from "./failures.ts";
import { Output } from "./output.ts";
import type { Values } from "./parse.ts";
import { Rest } from "./rest.ts";
import type { Signals } from "./signals.ts";
import { ask } from "./terminal.ts";

const usualEndpoint = "http://127.0.0.1:8080";
const usualMillis = 10_000;

export type Variables = Readonly<Record<string, string | undefined>>;

interface Credentials {
  readonly user: string;
  readonly password: string;
}

export class Context {
  readonly values: Values;
  readonly out: Output;
  readonly env: Variables;
  readonly signals: Signals;
  readonly timeoutMillis: number;
  #client: Promise<RestClient> | undefined;
  #credentials: Promise<Credentials | undefined> | undefined;

  constructor(values: Values, env: Variables, signals: Signals) {
    this.values = values;
    this.env = env;
    this.signals = signals;
    this.timeoutMillis = values.millis("timeout") ?? usualMillis;
    this.out = new Output({
      out: process.stdout,
      err: process.stderr,
      json: values.flag("json"),
      quiet: values.flag("quiet"),
      // https://no-color.org: whatever its value is, if it has one.
      color: !values.flag("no-color") && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
    });
  }

  /** Aborted by Ctrl-C and its like. */
  get signal(): AbortSignal {
    return this.signals.signal;
  }

  /** Asked for once by whoever needs it; loading it takes a while. */
  client(): Promise<RestClient> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async rest(timeoutMillis: number = this.timeoutMillis): Promise<Rest> {
    const credentials = await this.credentials();
    const authorization =
      credentials && `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`;
    return new Rest({ endpoints: this.endpoints(), authorization, timeoutMillis, signal: this.signal });
  }

  /** `--session`, or the session in whose name a lock's COMMAND runs. */
  session(): string | undefined {
    const given = this.values.text("session");
    const text = given?.startsWith("@") === true ? firstLine(given.slice(1), "--session") : given;
    const session = text ?? this.env["QUORATE_SESSION"];
    if (session === undefined || session === "") return undefined;
    if (!/^0x[0-9a-fA-F]{1,16}:[0-9a-f]{32}$/.test(session))
      throw new UsageError("a session is ID:SECRET, as `quorate session open` prints it");
    return session;
  }

  endpoints(): readonly string[] {
    const given = this.values.list("endpoint");
    const texts = (given.length > 0 ? given : [this.env["QUORATE_ENDPOINT"] || usualEndpoint]).flatMap((each) =>
      each.split(","),
    );
    return texts.map((text) => endpointOf(text.trim()));
  }

  credentials(): Promise<Credentials | undefined> {
    this.#credentials ??= this.#readCredentials();
    return this.#credentials;
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  async #connect(): Promise<RestClient> {
    const endpoints = this.endpoints();
    const credentials = await this.credentials();
    const { RestClient: Client } = await import("@quorate/client/rest");
    return new Client({
      endpoints,
      timeoutMillis: this.timeoutMillis,
      ...(credentials === undefined ? {} : { credentials }),
    });
  }

  async #readCredentials(): Promise<Credentials | undefined> {
    const given = this.values.text("user");
    const file = this.values.text("user-file") ?? (given === undefined ? this.env["QUORATE_USER_FILE"] : undefined);
    if (given !== undefined && file !== undefined) throw new UsageError("--user and --user-file: give one of them");
    const text =
      file !== undefined && file !== "" ? firstLine(file, "--user-file") : (given ?? this.env["QUORATE_USER"]);
    if (text === undefined || text === "") return undefined;
    const colon = text.indexOf(":");
    if (colon > 0) return { user: text.slice(0, colon), password: text.slice(colon + 1) };
    if (given === undefined || colon === 0) throw new UsageError("a user is NAME:PASSWORD");
    const password = await ask(`password of ${given}: `, true, this.signal);
    if (password === undefined)
      throw new UsageError(
        `there is no terminal to ask for the password of ${given}`,
        "QUORATE_USER=NAME:PASSWORD, or --user-file",
      );
    return { user: given, password };
  }
}

function endpointOf(text: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (text === "" || url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--endpoint ${JSON.stringify(text)} is no address`, "write http://HOST:PORT");
  if (url.username !== "" || url.password !== "")
    throw new UsageError("--endpoint bears credentials", "QUORATE_USER=NAME:PASSWORD is the place for them");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function firstLine(path: string, option: string): string {
  try {
    const [line = ""] = readFileSync(path, "utf8").split(/\r?\n/);
    return line.trim();
  } catch (error) {
    throw fileFault(`${option} ${path}`, error);
  }
}
