/** `lock`: runs a program while a lock is held. */
import type { AcquireOptions, Holding, Lock, LockState } from "@quorate/client";
import type { Command } from "../command.ts";
import { type Contest, contestOptions, giveUpOptions, ownName, runContest } from "../contest.ts";
import type { Context } from "../context.ts";
import { localTime } from "../durations.ts";
import { UsageError } from "../failures.ts";
import type { Column } from "../grid.ts";
import { pathOf } from "../paths.ts";

export const lock: Command = {
  words: ["lock"],
  group: "coordination",
  about: "run COMMAND while a lock is held",
  args: [
    {
      name: "NAME",
      help: "of the lock: a znode's path, such as /app/migrate; it is made if it is missing",
      completes: "path",
    },
  ],
  options: [
    ...contestOptions,
    {
      name: "mode",
      kind: "text",
      value: "MODE",
      help: "exclusive without it; read and write: many readers, or one writer",
      choices: ["exclusive", "read", "write"],
    },
    { name: "permits", kind: "number", value: "N", help: "a semaphore: so many may hold it", min: 1, max: 10_000 },
    { name: "contender", kind: "text", value: "TEXT", help: "what others see of who holds or waits (user@host:pid)" },
    { name: "show", kind: "flag", help: "only show who holds it and who waits" },
  ],
  program: "optional",
  notes: [
    "It waits in the queue, first come, first served, and says on standard error who has the lock. COMMAND finds the lock's name in QUORATE_LOCK, its fencing token in QUORATE_FENCING_TOKEN and the session (ID:SECRET) in QUORATE_SESSION. Signals are passed on to it. When it ends, the lock is given back, and its exit code is that of quorate.",
    "When the lock is lost, or may be, because no renewal was answered for the session's timeout, COMMAND and all that it started get SIGTERM, then SIGKILL after --grace, and the exit code is 7. What must not be done without the lock is written with --fenced: then the ensemble itself refuses it once the lock has passed on.",
    "If quorate itself is killed (SIGKILL), the lock is free when its session has timed out; COMMAND runs on, and only --fenced keeps it from harm.",
  ],
  examples: [
    { line: "quorate lock /app/migrate -- ./migrate.sh", about: "one at a time" },
    {
      line: "quorate lock --wait 0 /app/nightly -- ./report.sh",
      about: "not at all if somebody is at it: exit code 8",
    },
    {
      line: `quorate lock /app/migrate -- sh -c 'quorate put /app/state done --fenced "$QUORATE_LOCK=$QUORATE_FENCING_TOKEN"'`,
      about: "a write that the lock protects",
    },
    { line: "quorate lock --permits 3 /app/builds -- make", about: "three at a time" },
    { line: "quorate lock --show /app/migrate", about: "who has it, who waits" },
  ],
  run: async (context) => {
    const { values } = context;
    const name = pathOf(values.arg(0));
    if (values.flag("show")) {
      if (values.program.length > 0) throw new UsageError("--show runs no COMMAND");
      await show(context, name);
      return undefined;
    }
    if (values.program.length === 0) throw new UsageError("-- COMMAND is missing", "or --show, to see who holds it");
    return runContest(context, contestOf(context, name));
  },
};

function contestOf({ values }: Context, name: string): Contest {
  const mode = values.text("mode") as AcquireOptions["mode"];
  const permits = values.number("permits");
  if (mode !== undefined && permits !== undefined) throw new UsageError("--mode and --permits: give one of them");
  return {
    name,
    about: "the lock",
    variable: "QUORATE_LOCK",
    take: (client, options) =>
      client.locks.acquire(name, {
        ...options,
        contender: values.text("contender") ?? ownName(),
        ...(mode === undefined ? {} : { mode }),
        ...(permits === undefined ? {} : { permits }),
      }),
    giveUp: (holding: Holding) => (holding as Lock).release(giveUpOptions()),
    look: async (client, session) => {
      const { holders, waiters, waiting } = await client.locks.get(name);
      const own = waiters.findIndex((each) => each.session === session);
      const holder = holders.map((each) => each.contender || each.session).join(", ");
      return { holder, ahead: holders.length + (own < 0 ? waiting : own) };
    },
  };
}

const columns: readonly Column[] = [
  { title: "" },
  { title: "CONTENDER", gives: true },
  { title: "MODE", spare: 1 },
  { title: "SINCE", spare: 2 },
  { title: "SESSION", spare: 3 },
  { title: "TOKEN" },
];
const mostWaiters = 1000;

async function show(context: Context, name: string): Promise<void> {
  const { out, signal } = context;
  const state = await (await context.client()).locks.get(name, { signal, waiters: mostWaiters });
  if (out.json) {
    await out.document({ name: name.slice(1), ...state });
    return;
  }
  const rows = rowsOf(state, out.terminal);
  if (rows.length > 0) await out.table(columns, rows);
  const { holders, waiting, kind, permits, layout } = state;
  const what = permits === undefined ? kind : `${kind} of ${permits}`;
  out.note(
    `${what}, ${layout} layout: ${holders.length === 0 ? "free" : `${holders.length} held`}, ${waiting} waiting`,
  );
}

function rowsOf({ holders, waiters }: LockState, terminal: boolean): string[][] {
  const time = (since: string): string => (terminal ? localTime(since) : since);
  return [
    ...holders.map((each) => ["holds", each.contender, each.mode, time(each.since), each.session, each.token]),
    ...waiters.map((each) => ["waits", each.contender, each.mode, time(each.since), each.session, ""]),
  ];
}
