/** `session …`: sessions that a shell script keeps by itself, and those that an operator looks at. */
import { limits } from "@quorate/api";
import type { components } from "@quorate/openapi";
import type { Argument, Command, Option } from "../command.ts";
import type { Context } from "../context.ts";
import { durationMillis, durationText, localTime, roughDuration } from "../durations.ts";
import { CommandError, isCode, UsageError } from "../failures.ts";
import type { Column } from "../grid.ts";

type Opened = components["schemas"]["SessionOpened"];
type Shown = components["schemas"]["Session"];

export const sessionTimeoutOption: Option = {
  name: "session-timeout",
  kind: "duration",
  value: "TIME",
  help: "how long it lives without a renewal (30s)",
  min: limits.sessionTimeoutMinMillis,
  max: limits.sessionTimeoutMaxMillis,
};

const nameOption: Option = { name: "name", kind: "text", value: "NAME", help: "what operators see of it" };
const own: Argument = { name: "SESSION", help: "ID:SECRET; QUORATE_SESSION without it", optional: true };

export const sessionOpen: Command = {
  words: ["session", "open"],
  group: "coordination",
  about: "open a session; its ephemerals go when it does",
  args: [],
  options: [sessionTimeoutOption, nameOption],
  notes: [
    "In a pipe it prints ID:SECRET. You hold it until its timeout after you sent the last renewal that was answered.",
  ],
  examples: [
    {
      line: "export QUORATE_SESSION=$(quorate session open --session-timeout 5m)",
      about: "for the commands that follow",
    },
    { line: "quorate create --ephemeral /app/workers/$HOSTNAME", about: "what goes with it" },
  ],
  run: async (context) => {
    const { out } = context;
    const { id, secret, timeout } = await open(context);
    if (out.json) await out.document({ id, secret, timeout });
    else if (!out.terminal) await out.line(`${id}:${secret}`);
    else {
      await out.facts([
        ["session", `${id}:${secret}`],
        ["timeout", timeout],
      ]);
      out.note(
        `\nexport QUORATE_SESSION=${id}:${secret}\nquorate session renew   # again and again, within ${timeout}`,
      );
    }
  },
};

async function open(context: Context): Promise<Opened> {
  const { values } = context;
  const millis = values.millis("session-timeout");
  const name = values.text("name");
  const body = {
    ...(millis === undefined ? {} : { timeout: durationText(millis) }),
    ...(name === undefined ? {} : { name }),
  };
  // An answer that is lost leaves a session behind that ends by itself.
  const { body: opened } = await (await context.rest()).ask<Opened>("POST", "/v1/sessions", { body });
  return opened;
}

const columns: readonly Column[] = [
  { title: "ID" },
  { title: "NAME", gives: true },
  { title: "USER", gives: true, spare: 1 },
  { title: "ADDRESS", gives: true, spare: 4 },
  { title: "TIMEOUT", right: true, spare: 3 },
  { title: "IDLE", right: true },
  { title: "EPHEMERALS", right: true, spare: 2 },
  { title: "SINCE", spare: 5 },
];

export const sessionList: Command = {
  words: ["session", "list"],
  reads: true,
  group: "coordination",
  about: "all sessions (the super user alone)",
  args: [],
  options: [],
  examples: [{ line: "QUORATE_USER=super:secret quorate session list", about: "who is there" }],
  run: async (context) => {
    const { out } = context;
    const rest = await context.rest();
    const sessions: Shown[] = [];
    let next: string | undefined;
    let zxid = "";
    do {
      const query = { limit: limits.pageNames, continue: next };
      const { body } = await rest.ask<components["schemas"]["SessionList"]>("GET", "/v1/sessions", { query });
      sessions.push(...body.sessions);
      zxid = body.zxid;
      next = body.continue;
    } while (next !== undefined);
    if (out.json) await out.document({ zxid, sessions });
    else if (sessions.length > 0)
      await out.table(
        columns,
        sessions.map((each) => rowOf(each, out.terminal)),
      );
    else out.note("no sessions");
  },
};

function rowOf(session: Shown, terminal: boolean): string[] {
  const { id, name, identity, address, timeout, idle = "", ephemeralCount, createdAt } = session;
  const users = identity.map((each) => (each.scheme === "digest" ? (each.id.split(":")[0] ?? "") : each.id)).join(" ");
  const since = terminal ? localTime(createdAt) : createdAt;
  const rested = terminal && idle !== "" ? roughDuration(durationMillis(idle) ?? 0) : idle;
  return [id, name, users, address, timeout, rested, String(ephemeralCount), since];
}

export const sessionShow: Command = {
  words: ["session", "show"],
  reads: true,
  group: "coordination",
  about: "a session and its ephemerals",
  args: [{ name: "SESSION", help: "ID:SECRET, or ID for the super user; QUORATE_SESSION without it", optional: true }],
  options: [],
  examples: [{ line: "quorate session show", about: "that of QUORATE_SESSION" }],
  run: async (context) => {
    const { out } = context;
    const { id, session } = named(context);
    const { body } = await (await context.rest()).ask<Shown>("GET", `/v1/sessions/${id}`, { session });
    if (out.json) {
      await out.document(body);
      return;
    }
    const { ephemerals = [], createdAt, identity, ...rest } = body;
    await out.facts([
      ...Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]),
      ["identity", identity.map((each) => `${each.scheme}:${each.id}`).join(" ")],
      ["createdAt", out.terminal ? localTime(createdAt) : createdAt],
      ...ephemerals.map((each): [string, string] => ["ephemeral", each]),
    ]);
  },
};

export const sessionRenew: Command = {
  words: ["session", "renew"],
  group: "coordination",
  about: "say that its owner is still there",
  args: [own],
  options: [],
  examples: [{ line: "quorate session renew", about: "that of QUORATE_SESSION; exit code 7 if it is over" }],
  run: async (context) => {
    const { id, session } = named(context);
    const { body } = await (await context.rest()).ask<object>("POST", `/v1/sessions/${id}/renew`, { session });
    if (context.out.json) await context.out.document(body);
  },
};

export const sessionClose: Command = {
  words: ["session", "close"],
  group: "coordination",
  about: "end a session; its ephemerals go with it",
  args: [{ name: "SESSION", help: "ID:SECRET, or ID for the super user; QUORATE_SESSION without it", optional: true }],
  options: [],
  examples: [{ line: "quorate session close", about: "that of QUORATE_SESSION" }],
  run: async (context) => {
    const { out } = context;
    const { id, session } = named(context);
    const { body } = await (await context.rest()).ask<components["schemas"]["DeleteAnswer"]>(
      "DELETE",
      `/v1/sessions/${id}`,
      { session, keyed: true },
    );
    if (out.json) await out.document(body);
    else if (out.terminal && !out.quiet)
      await out.line(`${out.style("red", "closed")} ${id}, ${body.deleted} ephemerals went with it`);
  },
};

export const sessionKeep: Command = {
  words: ["session", "keep"],
  group: "coordination",
  about: "renew a session until Ctrl-C; without one, open one and close it then",
  args: [own],
  options: [sessionTimeoutOption, nameOption],
  notes: [
    "It ends with exit code 7 when the session is over, or may be: when no renewal was answered within its timeout.",
  ],
  examples: [
    { line: "quorate session keep &", about: "that of QUORATE_SESSION, beside a script" },
    { line: "quorate session keep --name watchman", about: "a new one, as long as the command runs" },
  ],
  run: async (context) => {
    const { out, values, signal } = context;
    const given = values.arg(0) !== "" || context.session() !== undefined;
    const sentAt = performance.now();
    const opened = given ? undefined : await open(context);
    const { id, session } = opened ? { id: opened.id, session: `${opened.id}:${opened.secret}` } : named(context);
    if (opened !== undefined && !out.json) await out.line(session);
    if (opened !== undefined && out.json) await out.document(opened);
    const rest = await context.rest();
    const timeout = opened?.timeout ?? (await rest.ask<Shown>("GET", `/v1/sessions/${id}`, { session })).body.timeout;
    const timeoutMillis = durationMillis(timeout) ?? limits.sessionTimeoutDefaultMillis;
    try {
      await keep(context, `/v1/sessions/${id}`, session, timeoutMillis, sentAt);
    } finally {
      if (opened !== undefined && signal.aborted) await closeQuietly(context, id, session);
    }
  },
};

async function keep(
  context: Context,
  route: string,
  session: string | undefined,
  timeoutMillis: number,
  openedAt: number,
) {
  const { signal, out } = context;
  let heldUntil = openedAt + timeoutMillis;
  for (;;) {
    await rested(timeoutMillis / 3, signal);
    const sentAt = performance.now();
    const left = heldUntil - sentAt;
    if (left <= 0)
      throw new CommandError(
        "lost",
        `no renewal was answered within ${durationText(timeoutMillis)}; the session may be over`,
      );
    try {
      const rest = await context.rest(Math.min(left, limits.requestTimeoutMaxMillis));
      await rest.ask("POST", `${route}/renew`, { session, keyed: false });
      heldUntil = sentAt + timeoutMillis;
    } catch (error) {
      signal.throwIfAborted();
      if (isCode(error, "sessionExpired", "authFailed")) throw error;
      out.note(`not renewed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function closeQuietly(context: Context, id: string, session: string | undefined): Promise<void> {
  const { Rest } = await import("../rest.ts");
  const credentials = await context.credentials();
  const authorization =
    credentials && `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`;
  const signal = AbortSignal.timeout(3000);
  const rest = new Rest({ endpoints: context.endpoints(), authorization, timeoutMillis: 3000, signal });
  await rest.ask("DELETE", `/v1/sessions/${id}`, { session, keyed: true }).catch(() => undefined);
}

function rested(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, millis);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}

/** The session that is meant: of the argument, or of the environment. */
function named(context: Context): { readonly id: string; readonly session: string | undefined } {
  const text = context.values.arg(0) || (context.env["QUORATE_SESSION"] ?? "");
  const [, id, secret] = /^(0x[0-9a-fA-F]{1,16})(?::([0-9a-f]{32}))?$/.exec(text) ?? [];
  if (id === undefined)
    throw new UsageError(
      text === "" ? "which session?" : "that is no session",
      "ID:SECRET as argument, or in QUORATE_SESSION; `quorate session open` opens one",
    );
  return { id, session: secret === undefined ? undefined : text };
}
